package replication

import (
	"context"
	"slices"
	"sync"
	"time"
)

// waiter is somebody, or a round of reads, that waits for an index to be
// applied. err and index may be read once done is closed.
type waiter struct {
	done  chan struct{}
	index uint64
	err   error
	// began is when a round of reads asked the other nodes.
	began time.Time
}

func newWaiter() *waiter { return &waiter{done: make(chan struct{})} }

func (w *waiter) fail(err error) {
	w.err = err
	close(w.done)
}

// wait waits for w or ctx.
func (w *waiter) wait(ctx context.Context) error {
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// progress is how far the state machine is, and who waits for it.
type progress struct {
	mu            sync.Mutex
	applied, term uint64
	waiters       []*waiter
	err           error
}

// add has w done once index is applied, which may be at once.
func (p *progress) add(w *waiter, index uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.index = index
	switch {
	case p.err != nil:
		w.fail(p.err)
	case p.applied >= index:
		close(w.done)
	default:
		p.waiters = append(p.waiters, w)
	}
}

// drop forgets a waiter that has given up.
func (p *progress) drop(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiters, w); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
	}
}

// advance notes what has been applied.
func (p *progress) advance(index, term uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.applied, p.term = index, term
	left := p.waiters[:0]
	for _, w := range p.waiters {
		if w.index <= index {
			close(w.done)
		} else {
			left = append(left, w)
		}
	}
	clear(p.waiters[len(left):])
	p.waiters = left
}

func (p *progress) get() (applied, term uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.applied, p.term
}

// fail ends all waiting, now and later.
func (p *progress) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	p.err = err
	for _, w := range p.waiters {
		w.fail(err)
	}
	p.waiters = nil
}
