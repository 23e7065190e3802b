// Package lab is the laboratory: experiments that show what eventual and strong
// reads, conditions, transactions and global indexes do in a cluster while clocks,
// links and nodes misbehave, and that compare what they saw with what was to be
// expected.
//
// # An experiment
//
// An Experiment says what the cluster looks like, which groups of clients do what to
// which items, which faults happen when, and which questions are asked of the
// history, with the answers that are expected. Parse reads it from YAML; Builtin has
// the built-in ones, each a file beside a page of text that says what to expect and
// why.
//
// A client does rounds of its group's task (task.go), at random moments of a given
// rate. What it invokes and what returns is recorded (history.go). Items have an id,
// a number as their value, and a tag of their own, which a global index has as its
// key. In tasks that own their keys, each key has one writer, whose values grow, so
// that a value tells how recent it is; other tasks write values that nobody else
// writes.
//
// After the last round everything is healed and settles, and the auditor, a client
// that the experiment does not mention, reads every item that was written.
//
// # Judging
//
// find (anomaly.go) goes through the history and counts what one copy of the data
// could not have shown. A check (check.go) turns that, or what it finds out itself,
// into an answer, and the verdict is whether it is the expected one. Anomalies are
// not failures: an experiment that expects stale reads and sees none has failed.
// Linearizability is judged by porcupine (linearizable.go).
//
// # Where it runs
//
// Clients, faults and checks know a System only. Simulate makes one on virtual time
// (package internal/cluster says what is real in it, and what is not): nothing of
// its history depends on anything but the experiment and the seed, and a minute of
// it takes about a second. The command line has another one, of processes.
//
// # What is to be kept
//
//   - Nothing that a client does, or that is recorded, may depend on the order of a
//     map, on real time, or on a random source that is not made from the seed.
//   - A Result's JSON form is the history file. Its format has a version.
//   - An outcome that nobody knows is Unknown, never a guess: checks treat such a
//     write as one that may have happened at any later time, or not at all.
package lab
