// Package virtual is a world on virtual time in which one thing happens at a time:
// the same code with the same seed does the same, whatever the machine is busy with.
//
// A World has a clock and a queue of events, ordered by time and, at the same time,
// by when they were made. Run takes them one by one; the clock jumps from each to
// the next.
//
// What has to wait in the middle is a process: a goroutine that runs only while the
// world waits for it. It gives control back in Sleep, Park or Together, and is given
// it again by an event. So code that blocks, such as that of a transaction, runs as
// it is, and still never beside other code.
//
// Events and processes belong to a Host, a machine of that world. A host that is
// paused does nothing until it goes on, and then all of it at once; of one that has
// died nothing happens any more. Its processes end by runtime.Goexit, so deferred
// functions run.
package virtual
