package transport

import "sync"

// workers are goroutines that handle calls. They are used again, the one that
// became idle last first, because a stack that has grown is worth keeping.
type workers struct {
	wg sync.WaitGroup

	mu     sync.Mutex
	closed bool
	idle   []*worker
	low    int // fewest idle since the last trim
}

type worker struct{ jobs chan job } // of capacity 1; closed to end it

// A job is a call to handle.
type job struct {
	s   *serverConn
	ctx *callContext
	req request
}

// do has a job done by a goroutine, or returns false if there are none any more.
func (ws *workers) do(j job) bool {
	ws.mu.Lock()
	if ws.closed {
		ws.mu.Unlock()
		return false
	}
	var w *worker
	if n := len(ws.idle); n > 0 {
		w = ws.idle[n-1]
		ws.idle = ws.idle[:n-1]
		ws.low = min(ws.low, n-1)
	} else {
		w = &worker{jobs: make(chan job, 1)}
		ws.wg.Go(func() { ws.run(w) })
	}
	ws.mu.Unlock()
	w.jobs <- j
	return true
}

func (ws *workers) run(w *worker) {
	for j := range w.jobs {
		for more := true; more; j, more = j.s.next() {
			j.s.handle(j)
		}
		ws.mu.Lock()
		if ws.closed {
			ws.mu.Unlock()
			return
		}
		ws.idle = append(ws.idle, w)
		ws.mu.Unlock()
	}
}

// trim ends the workers that were idle all the time since the last trim.
func (ws *workers) trim() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	n := min(ws.low, len(ws.idle))
	for _, w := range ws.idle[:n] {
		close(w.jobs)
	}
	ws.idle = append(ws.idle[:0], ws.idle[n:]...)
	clear(ws.idle[len(ws.idle):cap(ws.idle)])
	ws.low = len(ws.idle)
}

// close takes no more jobs and waits for those under way.
func (ws *workers) close() {
	ws.mu.Lock()
	ws.closed = true
	for _, w := range ws.idle {
		close(w.jobs)
	}
	ws.idle = nil
	ws.mu.Unlock()
	ws.wg.Wait()
}
