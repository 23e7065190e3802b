package bench

import (
	"runtime"
	"syscall"
	"time"
)

// pacer waits for points in time. Go's timers on Linux wake up to a millisecond
// late when the process is idle, which would count as latency; nanosleep is late
// by some 50 µs. It blocks its thread, so one goroutine paces all connections.
type pacer struct{}

func newPacer() pacer {
	runtime.LockOSThread()
	return pacer{}
}

func (pacer) stop() { runtime.UnlockOSThread() }

// waitUntil returns at the time or somewhat earlier, when a signal interrupted it.
func (pacer) waitUntil(t time.Time) {
	if wait := time.Until(t); wait > 0 {
		// Long waits are cut so that the end of a run is noticed.
		spec := syscall.NsecToTimespec(int64(min(wait, 10*time.Millisecond)))
		_ = syscall.Nanosleep(&spec, nil) // an interrupted sleep is a short one
	}
}
