package storage

import (
	"sync"
	"sync/atomic"
)

// gate counts the operations inside a shard so that Close can wait for them:
// Badger unmaps its files on close, and a read that is still under way would
// then fault. Unlike a read lock it can be entered again by a holder while
// Close waits (the second entry is refused, not blocked).
type gate struct {
	state atomic.Int64 // operations inside, plus gateClosed once closed
	once  sync.Once
	empty chan struct{}
}

const gateClosed = int64(1) << 62

func newGate() *gate { return &gate{empty: make(chan struct{})} }

// enter reports whether the gate is open; if so the caller must leave.
func (g *gate) enter() bool {
	if g.state.Add(1) < gateClosed {
		return true
	}
	g.leave()
	return false
}

func (g *gate) leave() {
	if g.state.Add(-1) == gateClosed {
		g.signal()
	}
}

// close refuses new entries and waits until everybody has left. It must be
// called once.
func (g *gate) close() {
	if g.state.Add(gateClosed) == gateClosed {
		g.signal()
	}
	<-g.empty
}

// signal may be called more than once: a refused entry also passes through
// zero on its way out.
func (g *gate) signal() { g.once.Do(func() { close(g.empty) }) }
