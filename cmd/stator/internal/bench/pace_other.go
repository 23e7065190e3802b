//go:build !linux

package bench

import "time"

// pacer waits for points in time with Go's timers.
type pacer struct{ timer *time.Timer }

func newPacer() pacer { return pacer{time.NewTimer(0)} }

func (p pacer) stop() { p.timer.Stop() }

// waitUntil returns at the time or somewhat earlier.
func (p pacer) waitUntil(t time.Time) {
	if wait := time.Until(t); wait > 0 {
		p.timer.Reset(min(wait, 10*time.Millisecond))
		<-p.timer.C
	}
}
