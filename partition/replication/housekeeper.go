package replication

import (
	"fmt"
	"slices"
	"sync"

	"go.etcd.io/raft/v3/tracker"
)

// trimmer decides how much of a group's log is kept behind the state machine.
type trimmer struct {
	// using is held while the housekeeper works for the group.
	using sync.Mutex

	mu sync.Mutex
	// bytes have been applied up to index since start; the log has been cut
	// behind cut.
	index uint64
	bytes int64
	cut   mark
	// marks are points where the log may be cut, ascending, some for each
	// amount that is kept.
	marks []mark
	// pins are the positions of snapshots on their way.
	pins []uint64
}

// mark is how many bytes had been applied up to an index.
type mark struct {
	index uint64
	bytes int64
}

const (
	// marksPerLimit is how finely the log is measured.
	marksPerLimit = 8
	// cutFactor is how many times the limit is held before the log is cut, and
	// patience how many times before lagging followers have to do with a
	// snapshot.
	cutFactor = 2
	patience  = 4
)

// start begins to measure at an index.
func (t *trimmer) start(index uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.index, t.cut, t.marks = index, mark{index: index, bytes: t.bytes}, nil
}

// note measures what has been applied and reports whether the log may have to be
// cut.
func (t *trimmer) note(index uint64, bytes int64, c *Config) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.index = index
	t.bytes += bytes
	last := t.cut
	if n := len(t.marks); n > 0 {
		last = t.marks[n-1]
	}
	if t.bytes-last.bytes < c.LogBytes/marksPerLimit && index-last.index < max(c.LogEntries/marksPerLimit, 1) {
		return false
	}
	t.marks = append(t.marks, mark{index, t.bytes})
	return t.beyond(t.cut, c, cutFactor)
}

// beyond reports whether more than a number of times what is to be kept has been
// applied since m. The caller holds t.mu.
func (t *trimmer) beyond(m mark, c *Config, times int) bool {
	return t.bytes-m.bytes >= int64(times)*c.LogBytes || t.index-m.index >= uint64(times)*c.LogEntries
}

// target returns the mark to cut at, so that what is to be kept is left, and so
// are the entries behind need, as long as that does not take too much.
func (t *trimmer) target(need uint64, c *Config) (mark, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.beyond(t.cut, c, cutFactor) {
		return mark{}, false
	}
	patient := !t.beyond(t.cut, c, patience)
	for _, pin := range t.pins {
		need = min(need, pin)
	}
	var best mark
	for _, m := range t.marks {
		if !t.beyond(m, c, 1) || patient && m.index > need {
			break
		}
		best = m
	}
	return best, best.index > t.cut.index
}

func (t *trimmer) done(m mark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = m
	t.marks = slices.DeleteFunc(t.marks, func(o mark) bool { return o.index <= m.index })
}

func (t *trimmer) pin(index uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pins = append(t.pins, index)
}

func (t *trimmer) unpin(index uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.pins, index); i >= 0 {
		t.pins = slices.Delete(t.pins, i, i+1)
	}
}

// housekeeper is the one goroutine that cuts logs, which takes its time and
// nothing waits for.
type housekeeper struct {
	mu     sync.Mutex
	change sync.Cond
	groups []*group // each at most once
	closed bool
}

func newHousekeeper() *housekeeper {
	h := &housekeeper{}
	h.change.L = &h.mu
	return h
}

func (h *housekeeper) add(g *group) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed && !slices.Contains(h.groups, g) {
		h.groups = append(h.groups, g)
		h.change.Signal()
	}
}

func (h *housekeeper) run() {
	for {
		h.mu.Lock()
		for len(h.groups) == 0 && !h.closed {
			h.change.Wait()
		}
		if h.closed {
			h.mu.Unlock()
			return
		}
		g := h.groups[0]
		h.groups = slices.Delete(h.groups, 0, 1)
		h.mu.Unlock()
		if err := g.trimLog(); err != nil {
			// It will be tried again when there is more to gain.
			g.log.Warn("raft log is not shortened", "error", err)
		}
	}
}

func (h *housekeeper) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.change.Signal()
}

// trimLog cuts the log behind a durable state machine.
func (g *group) trimLog() error {
	g.trim.using.Lock()
	defer g.trim.using.Unlock()
	if g.ctx.Err() != nil {
		return nil
	}
	// The mark is behind what was applied before Sync.
	m, ok := g.trim.target(g.slowest(), &g.rt.config)
	if !ok {
		return nil
	}
	if err := g.sm.Sync(); err != nil {
		return fmt.Errorf("sync state machine: %w", err)
	}
	if err := g.rt.wal.Compact(uint64(g.id), m.index); err != nil {
		return err
	}
	g.trim.done(m)
	return nil
}

// slowest returns the index up to which the leader knows all connected followers
// to have the log.
func (g *group) slowest() uint64 {
	need, _ := g.progress.get()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.halted {
		return need
	}
	for _, p := range g.node.Status().Progress {
		if p.RecentActive && p.State != tracker.StateSnapshot {
			need = min(need, p.Match)
		}
	}
	return need
}
