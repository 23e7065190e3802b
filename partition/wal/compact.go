package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/raft/v3"
)

// Compact forgets the entries of a group up to upTo, deletes the segments that
// nobody needs any more, and moves entries out of the way of that if it is worth
// it. It does nothing for entries already forgotten. The owner calls it once the
// state that the entries led to is durable. Entries beyond the last one are
// refused with raft.ErrUnavailable. Other errors are those of Append: they
// concern the space only, the entries are forgotten.
func (l *Log) Compact(id, upTo uint64) error {
	if err := l.forget(id, upTo); err != nil {
		return err
	}
	return l.reclaim()
}

func (l *Log) forget(id, upTo uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	g := l.groupLocked(id)
	if upTo < g.index.first {
		return nil
	}
	if upTo > g.index.last {
		return fmt.Errorf("wal: compact group %d up to %d, it ends at %d: %w", id, upTo, g.index.last, raft.ErrUnavailable)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.index.compact(upTo, g.index.term(upTo))
	l.cached -= g.cache.bytes
	g.cache.compact(upTo)
	l.cached += g.cache.bytes
	l.unsavedLocked(g)
	return nil
}

// Remove forgets a group, durably. The group is unknown afterwards, like one that
// has never been. Removing an unknown group does nothing. Errors are those of
// Append.
func (l *Log) Remove(id uint64) error {
	if err := l.remove(id); err != nil {
		return err
	}
	return l.reclaim()
}

func (l *Log) remove(id uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	g := l.groupLocked(id)
	if !g.known {
		return nil
	}
	if err := l.makeRoom(); err != nil {
		return err
	}
	l.beginFrame()
	l.buf = appendKind(l.buf, recordRemoved, id)
	if err := l.writeFrame(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l.cached -= g.cache.bytes
	g.index.truncate(g.index.first)
	g.clear()
	return nil
}

// reclaim deletes segments without needed entries, and empties others while more
// than half of what is kept is not needed.
func (l *Log) reclaim() error {
	if !l.reclaiming.TryLock() {
		return nil // the other one sees to it
	}
	defer l.reclaiming.Unlock()
	for newest := uint64(0); ; {
		l.mu.Lock()
		if newest == 0 {
			newest = l.active().id
		}
		err := l.deleteLocked()
		var victim *segment
		if err == nil {
			victim = l.victimLocked(newest)
		}
		if victim != nil {
			err = l.moveLocked(victim)
		}
		l.mu.Unlock()
		// The lock is given up between steps, so that appends get in between.
		if err != nil || victim == nil {
			return err
		}
	}
}

// deleteLocked deletes the segments of which no entry is needed.
func (l *Log) deleteLocked() error {
	if err := l.usable(); err != nil {
		return err
	}
	sealed := l.segments[:len(l.segments)-1]
	if !slices.ContainsFunc(sealed, dead) {
		return nil
	}
	// Without its compacted index, a group would be missing entries after a crash.
	if err := l.saveLocked(); err != nil {
		return err
	}
	var errs []error
	last := l.active() // saveLocked may have begun another one
	l.segments = slices.DeleteFunc(l.segments, func(s *segment) bool {
		if s == last || !dead(s) {
			return false
		}
		errs = append(errs, l.options.FS.Remove(s.path), s.release())
		return true
	})
	return errors.Join(errs...)
}

func dead(s *segment) bool { return s.live == 0 }

// spareSegments is how many segments' worth of unneeded bytes are put up with in
// any case.
const spareSegments = 4

// victimLocked returns the segment that is to be emptied next, or nil. It chooses
// among those older than the given one: what has just been written forward is not
// moved again.
func (l *Log) victimLocked(newest uint64) *segment {
	var size, live int64
	var victim *segment
	for _, s := range l.segments[:len(l.segments)-1] {
		size, live = size+s.size-s.begin, live+s.live
		if s.id >= newest {
			continue
		}
		// Compares live/size without dividing.
		if victim == nil || s.live*(victim.size-victim.begin) < victim.live*(s.size-s.begin) {
			victim = s
		}
	}
	if size <= 2*live+spareSegments*l.options.SegmentSize {
		return nil
	}
	return victim
}

// moveBytes bounds a step of moving, and so how long it keeps appends waiting.
const moveBytes = 1 << 20

// moveLocked copies needed entries of a segment to the end of the log, about
// moveBytes of them.
func (l *Log) moveLocked(victim *segment) error {
	if err := l.makeRoom(); err != nil {
		return err
	}
	l.beginFrame()
	base := l.active().size
	type run struct {
		g           *Group
		first, term uint64
		at          []pos
	}
	var runs []run
	for _, g := range l.knownGroups() {
		for i := range g.index.spans {
			s := &g.index.spans[i]
			if s.seg != victim {
				continue
			}
			r := run{g: g, first: s.first, term: s.term}
			var raw []byte
			for _, p := range s.at {
				if len(l.buf)+len(raw) >= moveBytes && len(r.at) > 0 {
					break
				}
				from := len(raw)
				raw = append(raw, make([]byte, p.size)...)
				if _, err := victim.file.ReadAt(raw[from:], int64(p.off)); err != nil {
					return fmt.Errorf("wal: read %s at offset %d: %w", victim.path, p.off, err)
				}
				index := s.first + uint64(len(r.at))
				d := decoder{b: raw[from:]}
				if e := d.entry(g.id, index); d.err != nil || e.term != s.term {
					return corrupt(victim.path, int64(p.off), "entry %d of group %d: %w", index, g.id, errChecksum)
				}
				r.at = append(r.at, pos{off: uint32(from), size: p.size})
			}
			l.buf = appendKind(l.buf, recordMoved, g.id)
			l.buf = binary.AppendUvarint(l.buf, r.first)
			l.buf = binary.AppendUvarint(l.buf, uint64(len(r.at)))
			for k := range r.at {
				r.at[k].off += uint32(base) + uint32(len(l.buf))
			}
			l.buf = append(l.buf, raw...)
			runs = append(runs, r)
			if len(l.buf) >= moveBytes {
				break
			}
		}
		if len(l.buf) >= moveBytes {
			break
		}
	}
	if err := l.writeFrame(); err != nil {
		return err
	}
	for _, r := range runs {
		r.g.mu.Lock()
		r.g.index.move(l.active(), r.first, r.term, r.at)
		r.g.mu.Unlock()
	}
	return nil
}
