package replication

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
)

// machine is a state machine that keeps what it was given. It loses what it has
// not synced when it crashes.
type machine struct {
	group   Group
	checker *checker
	delay   func() // called before Apply, without locks

	mu      sync.Mutex
	dead    bool
	failure error
	entries []Entry
	applied uint64
	synced  int // number of entries that are durable
	// index of the last entry that is durable
	syncedIndex uint64
	// waiting are proposers of this node, by their proposal.
	waiting map[string]*proposed
}

// proposed is a proposal that raft has accepted.
type proposed struct {
	term uint64
	done chan uint64 // gets the index, 0 if it was overtaken
}

var errDead = errors.New("state machine is dead")

func newMachine(g Group, c *checker) *machine {
	return &machine{group: g, checker: c, waiting: map[string]*proposed{}}
}

func (m *machine) Apply(entries []Entry) error {
	if m.delay != nil {
		m.delay()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDead
	}
	if m.failure != nil {
		return m.failure
	}
	for _, e := range entries {
		if e.Index != m.applied+1 && (m.applied != 0 || e.Index != 2) {
			m.checker.failf("group %d: entry %d applied after %d", m.group, e.Index, m.applied)
		}
		m.checker.applied(m.group, e)
		m.entries = append(m.entries, e)
		m.applied = e.Index
		for id, p := range m.waiting {
			switch {
			case string(e.Data) == id:
				if e.Term != p.term {
					m.checker.failf("group %d: proposal %q of term %d applied in term %d", m.group, id, p.term, e.Term)
				}
				m.checker.acknowledged(m.group, e)
				p.done <- e.Index
				delete(m.waiting, id)
			case e.Term > p.term:
				m.checker.overtaken(m.group, id)
				p.done <- 0
				delete(m.waiting, id)
			}
		}
	}
	return nil
}

// expect has the channel told what becomes of a proposal.
func (m *machine) expect(id string, term uint64) *proposed {
	p := &proposed{term: term, done: make(chan uint64, 1)}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.entries) - 1; i >= 0 && m.entries[i].Term >= term; i-- {
		if e := m.entries[i]; string(e.Data) == id {
			m.checker.acknowledged(m.group, e)
			p.done <- e.Index
			return p
		}
	}
	m.waiting[id] = p
	return p
}

func (m *machine) Applied() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.applied
}

func (m *machine) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.synced, m.syncedIndex = len(m.entries), m.applied
	return nil
}

// crash ends m and returns what is found afterwards.
func (m *machine) crash(random *rand.Rand) *machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	c := newMachine(m.group, m.checker)
	n := m.synced
	if random != nil {
		n += random.IntN(len(m.entries) - m.synced + 1)
	}
	c.entries = append(c.entries, m.entries[:n]...)
	c.applied = m.syncedIndex
	if n > m.synced {
		c.applied = c.entries[n-1].Index
	}
	c.synced, c.syncedIndex = n, c.applied
	return c
}

type view struct {
	index   uint64
	entries []Entry
}

func (v *view) Index() uint64 { return v.index }
func (v *view) Close() error  { return nil }

func (v *view) WriteTo(w io.Writer) (int64, error) {
	b := binary.AppendUvarint(nil, v.index)
	for _, e := range v.entries {
		b = binary.AppendUvarint(b, e.Index)
		b = binary.AppendUvarint(b, e.Term)
		b = binary.AppendUvarint(b, uint64(len(e.Data)))
		b = append(b, e.Data...)
	}
	var total int64
	for len(b) > 0 {
		n, err := w.Write(b[:min(len(b), 1000)])
		total += int64(n)
		if err != nil {
			return total, err
		}
		b = b[n:]
	}
	return total, nil
}

func (m *machine) Snapshot() (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &view{m.applied, m.entries[:len(m.entries):len(m.entries)]}, nil
}

func (m *machine) Restore(index, _ uint64, rd io.Reader) error {
	b, err := io.ReadAll(rd)
	if err != nil {
		return err
	}
	r := bytes.NewReader(b)
	at, err := binary.ReadUvarint(r)
	if err != nil || at != index {
		return fmt.Errorf("snapshot is at %d, not %d: %w", at, index, err)
	}
	var entries []Entry
	for r.Len() > 0 {
		var e Entry
		var n uint64
		for _, v := range []*uint64{&e.Index, &e.Term, &n} {
			if *v, err = binary.ReadUvarint(r); err != nil {
				return err
			}
		}
		if n > 0 {
			e.Data = make([]byte, n)
			if _, err := io.ReadFull(r, e.Data); err != nil {
				return err
			}
		}
		m.checker.applied(m.group, e)
		entries = append(entries, e)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDead
	}
	if index < m.applied {
		m.checker.failf("group %d: restored to %d from %d", m.group, index, m.applied)
	}
	m.checker.restored()
	m.entries, m.applied = entries, index
	m.synced, m.syncedIndex = len(entries), index
	var last uint64
	for _, e := range entries {
		last = e.Term
		if p := m.waiting[string(e.Data)]; p != nil {
			m.checker.acknowledged(m.group, e)
			p.done <- e.Index
			delete(m.waiting, string(e.Data))
		}
	}
	for id, p := range m.waiting {
		if last > p.term {
			m.checker.overtaken(m.group, id)
			p.done <- 0
			delete(m.waiting, id)
		}
	}
	return nil
}

// checker sees what all machines of all nodes do.
type checker struct {
	mu       sync.Mutex
	failures []string
	logs     map[Group]map[uint64]Entry
	where    map[string]uint64 // index of a proposal that was applied
	acks     map[string]uint64
	maxAck   map[Group]uint64
	lost     map[string]bool
	leaders  map[[2]uint64]Node // by group and term
	restores int
}

func newChecker() *checker {
	return &checker{
		logs: map[Group]map[uint64]Entry{}, where: map[string]uint64{}, acks: map[string]uint64{},
		maxAck: map[Group]uint64{}, lost: map[string]bool{}, leaders: map[[2]uint64]Node{},
	}
}

func (c *checker) failf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failLocked(format, args...)
}

func (c *checker) failLocked(format string, args ...any) {
	if len(c.failures) < 10 {
		c.failures = append(c.failures, fmt.Sprintf(format, args...))
	}
}

// applied checks that all machines apply the same.
func (c *checker) applied(g Group, e Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	log := c.logs[g]
	if log == nil {
		log = map[uint64]Entry{}
		c.logs[g] = log
	}
	if other, ok := log[e.Index]; ok {
		if other.Term != e.Term || !bytes.Equal(other.Data, e.Data) {
			c.failLocked("group %d: index %d is %d %q and %d %q", g, e.Index, e.Term, e.Data, other.Term, other.Data)
		}
		return
	}
	log[e.Index] = e
	if e.Data == nil {
		return
	}
	id := string(e.Data)
	if at, ok := c.where[id]; ok {
		c.failLocked("group %d: proposal %q at %d and at %d", g, id, at, e.Index)
	}
	c.where[id] = e.Index
	if c.lost[id] {
		c.failLocked("group %d: proposal %q was overtaken and is applied at %d", g, id, e.Index)
	}
}

func (c *checker) acknowledged(g Group, e Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acks[string(e.Data)] = e.Index
	c.maxAck[g] = max(c.maxAck[g], e.Index)
}

func (c *checker) overtaken(g Group, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.where[id]; ok {
		c.failLocked("group %d: proposal %q was overtaken but is at %d", g, id, at)
	}
	c.lost[id] = true
}

func (c *checker) restored() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.restores++
}

// latest is the highest index acknowledged so far.
func (c *checker) latest(g Group) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.maxAck[g]
}

// leads checks that a term has one leader.
func (c *checker) leads(g Group, n Node, term uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := [2]uint64{uint64(g), term}
	if other, ok := c.leaders[key]; ok && other != n {
		c.failLocked("group %d: %x and %x lead in term %d", g, other, n, term)
	}
	c.leaders[key] = n
}
