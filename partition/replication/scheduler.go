package replication

import "sync"

// phase is where a group is in the scheduler.
type phase uint8

const (
	idle    phase = iota
	queued        // waits for a worker
	running       // has one
	again         // has one, and something came in since
)

// scheduler hands groups with something to do to workers, each group to one at a
// time.
type scheduler struct {
	workers int

	mu     sync.Mutex
	wake   sync.Cond
	queue  []*group
	closed bool
}

func newScheduler(workers int) *scheduler {
	s := &scheduler{workers: workers}
	s.wake.L = &s.mu
	return s
}

// notify says that a group has something to do.
func (s *scheduler) notify(gs ...*group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range gs {
		switch g.phase {
		case idle:
			g.phase = queued
			s.queue = append(s.queue, g)
			s.wake.Signal()
		case running:
			g.phase = again
		}
	}
}

// maxTake bounds how many groups a worker drives before it sends their messages.
const maxTake = 16

// take waits for groups and appends a fair share of them to gs. It returns false
// once closed.
func (s *scheduler) take(gs []*group) ([]*group, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.closed {
		s.wake.Wait()
	}
	if s.closed {
		return gs, false
	}
	n := min((len(s.queue)+s.workers-1)/s.workers, maxTake)
	for _, g := range s.queue[:n] {
		g.phase = running
	}
	gs = append(gs, s.queue[:n]...)
	rest := copy(s.queue, s.queue[n:])
	clear(s.queue[rest:])
	s.queue = s.queue[:rest]
	return gs, true
}

// done gives groups back. It is called after their messages have been sent, so
// that those of the next round cannot overtake them.
func (s *scheduler) done(gs []*group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range gs {
		if g.phase == again {
			g.phase = queued
			s.queue = append(s.queue, g)
			s.wake.Signal()
		} else {
			g.phase = idle
		}
	}
}

func (s *scheduler) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wake.Broadcast()
}
