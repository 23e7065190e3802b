package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
)

// Log is the write-ahead log of a node. Its methods are safe for concurrent use;
// what is written is ordered by a lock, so a node has one goroutine that appends
// for all groups.
type Log struct {
	dir     string
	options Options
	lock    io.Closer
	closed  atomic.Bool

	// mu orders writers and is held across write and sync: there is one file to
	// write to. Readers of a Group do not take it.
	mu     sync.Mutex
	failed error // what ended all writing
	// segments are in order of their ids; the last one is written to.
	segments []*segment
	groups   map[uint64]*Group
	// unsaved are the groups with changes in memory only.
	unsaved []*Group
	cached  int64 // bytes of all caches

	// The batch that is being encoded.
	batch     uint64
	buf       []byte
	positions []pos

	// groupsMu guards the map groups for readers without mu. Writers hold both.
	groupsMu sync.RWMutex
	// reclaiming admits one goroutine that makes space.
	reclaiming sync.Mutex
}

// Group returns the storage of a group. An unknown group is empty, and becomes
// known by the first Write. The result stays valid, also across Remove.
func (l *Log) Group(id uint64) *Group {
	l.groupsMu.RLock()
	g := l.groups[id]
	l.groupsMu.RUnlock()
	if g != nil {
		return g
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.groupLocked(id)
}

// groupLocked is Group for holders of l.mu.
func (l *Log) groupLocked(id uint64) *Group {
	g := l.groups[id]
	if g == nil {
		g = newGroup(l, id)
		l.groupsMu.Lock()
		l.groups[id] = g
		l.groupsMu.Unlock()
	}
	return g
}

// Known reports whether anything of a group is in the log.
func (l *Log) Known(id uint64) bool {
	l.groupsMu.RLock()
	g := l.groups[id]
	l.groupsMu.RUnlock()
	if g == nil {
		return false
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.known
}

// Groups returns the ids of all known groups in ascending order.
func (l *Log) Groups() []uint64 {
	l.groupsMu.RLock()
	defer l.groupsMu.RUnlock()
	var ids []uint64
	for id, g := range l.groups {
		g.mu.RLock()
		if g.known {
			ids = append(ids, id)
		}
		g.mu.RUnlock()
	}
	slices.Sort(ids)
	return ids
}

// Close writes what was kept in memory and releases the directory. It returns
// the first failure; the log is closed in any case. Later calls return nil.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed.Load() {
		return nil
	}
	var err error
	if l.failed == nil {
		err = l.saveLocked()
	}
	l.closed.Store(true)
	// A read under way keeps its file open until it is done.
	for _, s := range l.segments {
		err = errors.Join(err, s.release())
	}
	return errors.Join(err, l.lock.Close())
}

// usable returns why nothing can be written.
func (l *Log) usable() error {
	switch {
	case l.closed.Load():
		return ErrClosed
	case l.failed != nil:
		return fmt.Errorf("%w: %w", ErrFailed, l.failed)
	}
	return nil
}

// fail ends all writing and returns the error that says so.
func (l *Log) fail(err error) error {
	l.failed = err
	l.options.Logger.Error("write-ahead log failed, it takes no more writes", "dir", l.dir, "error", err)
	return l.usable()
}

func (l *Log) active() *segment { return l.segments[len(l.segments)-1] }

// knownGroups returns the known groups in order of their ids.
func (l *Log) knownGroups() []*Group {
	groups := make([]*Group, 0, len(l.groups))
	for _, g := range l.groups {
		if g.known {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, byID)
	return groups
}

// appendCheckpoint encodes the state of all groups and the segments that count.
func (l *Log) appendCheckpoint(b []byte) []byte {
	b = append(b, byte(recordCheckpoint))
	b = binary.AppendUvarint(b, uint64(len(l.segments)))
	for _, s := range l.segments {
		b = binary.AppendUvarint(b, s.id)
		b = binary.AppendUvarint(b, uint64(s.size))
	}
	groups := l.knownGroups()
	b = binary.AppendUvarint(b, uint64(len(groups)))
	for _, g := range groups {
		b = g.appendGroup(b)
	}
	return b
}

// rotate begins the next segment. Its checkpoint holds what was unsaved.
func (l *Log) rotate() error {
	var id uint64 = 1
	if len(l.segments) > 0 {
		id = l.active().id + 1
	}
	s, err := createSegment(l.options.FS, l.dir, identity{id: id, salt: l.options.salt()}, l.appendCheckpoint(nil))
	if err != nil {
		if isDiskFull(err) {
			return fmt.Errorf("begin segment %s: %w: %w", segmentName(id), ErrDiskFull, err)
		}
		return l.fail(fmt.Errorf("begin segment %s: %w", segmentName(id), err))
	}
	l.segments = append(l.segments, s)
	l.saved()
	return nil
}

// saved notes that the unsaved changes are on disk.
func (l *Log) saved() {
	for _, g := range l.unsaved {
		g.unsaved = false
	}
	clear(l.unsaved)
	l.unsaved = l.unsaved[:0]
}

// unsavedLocked notes that g has changes in memory only.
func (l *Log) unsavedLocked(g *Group) {
	if !g.unsaved {
		g.unsaved = true
		l.unsaved = append(l.unsaved, g)
	}
}
