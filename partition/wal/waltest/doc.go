// Package waltest holds a simulated disk for tests of what is built on package
// wal. A test opens a log on it, crashes it at any moment, and opens the log
// again, on what a real disk could have been left with.
package waltest
