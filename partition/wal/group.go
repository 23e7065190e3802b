package wal

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"sync"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// Group is one group's part of the log. It implements raft.Storage, except that
// Snapshot always answers raft.ErrSnapshotTemporarilyUnavailable: snapshots are
// made from the state machine, so an owner embeds a Group and answers itself.
// Methods are safe for concurrent use, also with those of Log.
type Group struct {
	id  uint64
	log *Log

	// The fields of mu are written with both Log.mu and mu held, so a holder of
	// either may read them.
	mu        sync.RWMutex
	known     bool
	index     index
	hard      hardState
	conf      *raftpb.ConfState // never nil, never changed in place
	confIndex uint64
	cache     cache

	// Guarded by Log.mu.

	// unsaved says that hard or the compacted index changed in memory only.
	unsaved bool
	// batch, first and last are what the batch that is being encoded makes of
	// the group.
	batch       uint64
	first, last uint64
}

var _ raft.Storage = (*Group)(nil)

func newGroup(l *Log, id uint64) *Group {
	g := &Group{id: id, log: l}
	g.clear()
	return g
}

// clear makes g an unknown group. The caller holds g.mu.
func (g *Group) clear() {
	g.known, g.index, g.hard = false, emptyIndex(), hardState{}
	g.conf, g.confIndex, g.cache = &raftpb.ConfState{}, 0, cache{}
}

// InitialState returns the last hard state, nil if there is none, and the
// configuration as of ConfIndex, empty if there is none. The commit index is at
// least that of the last snapshot, but may be behind what was known before a
// crash.
func (g *Group) InitialState() (*raftpb.HardState, *raftpb.ConfState, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.hard == (hardState{}) {
		return nil, g.conf, nil
	}
	h := g.hard
	return &raftpb.HardState{Term: &h.term, Vote: &h.vote, Commit: &h.commit}, g.conf, nil
}

// ConfIndex returns the index that the configuration of InitialState belongs to:
// changes up to it are contained and must not be applied again.
func (g *Group) ConfIndex() uint64 {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.confIndex
}

// FirstIndex returns the lowest index held, 1 for an unknown group.
func (g *Group) FirstIndex() (uint64, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.index.first, nil
}

// LastIndex returns the highest index held, or FirstIndex-1 if there is none.
func (g *Group) LastIndex() (uint64, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.index.last, nil
}

// Term returns the term of an entry from FirstIndex-1 to LastIndex, and
// raft.ErrCompacted or raft.ErrUnavailable beyond.
func (g *Group) Term(i uint64) (uint64, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	switch {
	case i+1 < g.index.first:
		return 0, raft.ErrCompacted
	case i > g.index.last:
		return 0, raft.ErrUnavailable
	}
	return g.index.term(i), nil
}

// Snapshot returns raft.ErrSnapshotTemporarilyUnavailable.
func (g *Group) Snapshot() (*raftpb.Snapshot, error) {
	return nil, raft.ErrSnapshotTemporarilyUnavailable
}

// maxRead bounds what one call of Entries reads from disk, in bytes.
const maxRead = 8 << 20

// Entries returns the entries from lo on and before hi, as long as their encoded
// size stays within maxSize bytes, but at least one. If they have to be read from
// disk, it returns about 8 MB at most. The caller may append to the slice, but
// its elements are shared and must not be changed. Errors are
// raft.ErrCompacted, raft.ErrUnavailable, ErrClosed, ErrCorrupt and those of the
// file system.
func (g *Group) Entries(lo, hi, maxSize uint64) ([]*raftpb.Entry, error) {
	g.mu.RLock()
	switch {
	case lo < g.index.first:
		g.mu.RUnlock()
		return nil, raft.ErrCompacted
	case hi > g.index.last+1 || lo > hi:
		g.mu.RUnlock()
		return nil, raft.ErrUnavailable
	case lo == hi:
		g.mu.RUnlock()
		return nil, nil
	case len(g.cache.entries) > 0 && lo >= g.cache.first:
		cached := g.cache.entries[lo-g.cache.first : hi-g.cache.first]
		g.mu.RUnlock()
		n := fitting(cached, maxSize)
		return cached[:n:n], nil
	}
	plan, err := g.planLocked(lo, hi, min(maxSize, maxRead))
	g.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	defer plan.release()
	es, err := plan.read(g.id)
	if err != nil {
		return nil, fmt.Errorf("wal: group %d: %w", g.id, err)
	}
	n := fitting(es, maxSize)
	return es[:n:n], nil
}

// fitting returns how many entries stay within maxSize bytes, at least one.
func fitting(es []*raftpb.Entry, maxSize uint64) int {
	var size uint64
	for i, e := range es {
		s := encodedSize(e)
		if i > 0 && size+s > maxSize {
			return i
		}
		size += s
	}
	return len(es)
}

// encodedSize is proto.Size of an entry, without reflection.
func encodedSize(e *raftpb.Entry) uint64 {
	var n uint64
	if e.Type != nil {
		n += 1 + uvarintLen(uint64(*e.Type))
	}
	if e.Term != nil {
		n += 1 + uvarintLen(*e.Term)
	}
	if e.Index != nil {
		n += 1 + uvarintLen(*e.Index)
	}
	if e.Data != nil {
		n += 1 + uvarintLen(uint64(len(e.Data))) + uint64(len(e.Data))
	}
	return n
}

func uvarintLen(v uint64) uint64 { return uint64(bits.Len64(v|1)+6) / 7 }

// place is an entry that is to be read.
type place struct {
	seg  *segment
	at   pos
	term uint64
}

// readPlan is what a read of entries from disk needs once the group's lock is
// released. It keeps the files open.
type readPlan struct {
	first  uint64
	places []place
	open   []*segment
}

// planLocked chooses the entries from lo on that are to be read, at least one.
// The caller holds g.mu.
func (g *Group) planLocked(lo, hi, maxSize uint64) (readPlan, error) {
	if g.log.closed.Load() {
		return readPlan{}, ErrClosed
	}
	plan := readPlan{first: lo}
	var size uint64
	for n := g.index.find(lo); lo < hi; n++ {
		s := &g.index.spans[n]
		s.seg.acquire()
		plan.open = append(plan.open, s.seg)
		for ; lo < min(hi, s.end()); lo++ {
			at := s.at[lo-s.first]
			if size += uint64(at.size); size > maxSize && len(plan.places) > 0 {
				// What is stored is never more than a little larger than what
				// raft counts, so this stops in time, if one entry early.
				return plan, nil
			}
			plan.places = append(plan.places, place{seg: s.seg, at: at, term: s.term})
		}
	}
	return plan, nil
}

func (p *readPlan) release() {
	for _, s := range p.open {
		s.release() //nolint:errcheck // the file of a deleted segment
	}
}

// gap is how many bytes of other groups a read passes over rather than beginning
// another one.
const gap = 16 << 10

var readBuffers = sync.Pool{New: func() any { return new([]byte) }}

// read reads and checks the planned entries. All data shares one allocation.
func (p *readPlan) read(group uint64) ([]*raftpb.Entry, error) {
	total := 0
	for _, at := range p.places {
		total += int(at.at.size)
	}
	data := make([]byte, 0, total)
	slab := make([]struct {
		entry       raftpb.Entry
		term, index uint64
		kind        raftpb.EntryType
	}, len(p.places))
	es := make([]*raftpb.Entry, len(p.places))

	buf := readBuffers.Get().(*[]byte)
	defer readBuffers.Put(buf)
	for i := 0; i < len(p.places); {
		// One read for what lies close together in one file.
		start, n := p.places[i], i+1
		end := start.at.off + start.at.size
		for ; n < len(p.places); n++ {
			next := p.places[n]
			if next.seg != start.seg || next.at.off < end || next.at.off-end > gap || next.at.off-start.at.off > 1<<20 {
				break
			}
			end = next.at.off + next.at.size
		}
		if need := int(end - start.at.off); cap(*buf) < need {
			*buf = make([]byte, need)
		}
		b := (*buf)[:end-start.at.off]
		if _, err := start.seg.file.ReadAt(b, int64(start.at.off)); err != nil {
			return nil, fmt.Errorf("read %s at offset %d: %w", start.seg.path, start.at.off, err)
		}
		for ; i < n; i++ {
			at := p.places[i]
			d := decoder{b: b[at.at.off-start.at.off:][:at.at.size]}
			index := p.first + uint64(i)
			e := d.entry(group, index)
			if d.err == nil && (len(d.b) > 0 || e.term != at.term) {
				d.err = errRange
			}
			if d.err != nil {
				return nil, corrupt(at.seg.path, int64(at.at.off), "entry %d: %w", index, d.err)
			}
			s := &slab[i]
			s.term, s.index, s.kind = e.term, index, e.kind
			s.entry.Term, s.entry.Index = &s.term, &s.index
			if e.kind != raftpb.EntryNormal {
				s.entry.Type = &s.kind
			}
			if len(e.data) > 0 {
				from := len(data)
				data = append(data, e.data...)
				s.entry.Data = data[from:len(data):len(data)]
			}
			es[i] = &s.entry
		}
	}
	if cap(*buf) > 2<<20 {
		*buf = nil
	}
	return es, nil
}

// appendGroup encodes everything about g but its entries. The caller holds Log.mu.
func (g *Group) appendGroup(b []byte) []byte {
	b = binary.AppendUvarint(b, g.id)
	b = binary.AppendUvarint(b, g.index.first)
	b = binary.AppendUvarint(b, g.index.prevTerm)
	b = binary.AppendUvarint(b, g.index.last)
	b = appendHardState(b, g.hard)
	return appendConf(b, g.confIndex, g.conf)
}

func byID(a, b *Group) int { return cmp.Compare(a.id, b.id) }
