// Package lab is the laboratory: experiments that show what eventual and strong
// reads, conditions, transactions and global indexes do in a cluster while clocks,
// links and nodes misbehave, and that check what they saw against what was to be
// expected.
package lab
