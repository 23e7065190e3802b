package virtual

import (
	"runtime"
	"slices"
	"time"
)

// process is a goroutine that runs only while the world, or the process that has
// killed it, waits for it.
type process struct {
	host   *Host
	resume chan struct{}
	yield  chan struct{} // gives control back
	ended  bool
	killed bool
}

// Go begins a process on a host, at this time.
func (w *World) Go(h *Host, do func()) {
	w.After(h, 0, func() {
		p := &process{host: h, resume: make(chan struct{}), yield: make(chan struct{})}
		h.processes = append(h.processes, p)
		go func() {
			<-p.resume
			defer func() {
				p.ended = true
				h.processes = slices.DeleteFunc(h.processes, func(o *process) bool { return o == p })
				p.yield <- struct{}{}
			}()
			do()
		}()
		w.run(p)
	})
}

// run gives control to a process until it gives it back.
func (w *World) run(p *process) {
	before := w.current
	w.current = p
	p.resume <- struct{}{}
	<-p.yield
	w.current = before
}

// pause gives control back until somebody runs the process again.
func (p *process) pause() {
	p.yield <- struct{}{}
	<-p.resume
	if p.killed {
		runtime.Goexit()
	}
}

func (p *process) kill() {
	if !p.ended {
		p.killed = true
		p.host.w.run(p)
	}
}

// Sleep lets time pass for the process that calls it.
func (w *World) Sleep(d time.Duration) {
	p := w.current
	w.After(p.host, d, func() { w.run(p) })
	p.pause()
}

// Park has the calling process wait. It goes on once wake was called, which may be
// before Park's function returns; further calls do nothing. After d, if it is
// positive, the process goes on in any case, and Park returns false.
func (w *World) Park(d time.Duration, begin func(wake func())) (woken bool) {
	p := w.current
	waiting, done := false, false
	var timeout *Event
	wake := func() {
		if done {
			return
		}
		done, woken = true, true
		if timeout != nil {
			timeout.Cancel()
		}
		if waiting {
			w.After(p.host, 0, func() { w.run(p) })
		}
	}
	if d > 0 {
		timeout = w.After(p.host, d, func() {
			if !done {
				done = true
				w.run(p)
			}
		})
	}
	begin(wake)
	if !done {
		waiting = true
		p.pause()
	}
	return woken
}

// Together runs functions as processes of the caller's host and returns when all
// have ended.
func (w *World) Together(n int, do func(i int)) {
	host := w.current.host
	w.Park(0, func(wake func()) {
		left := n
		if left == 0 {
			wake()
		}
		for i := range n {
			w.Go(host, func() {
				do(i)
				if left--; left == 0 {
					wake()
				}
			})
		}
	})
}
