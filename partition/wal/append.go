package wal

import (
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/raft/v3/raftpb"
)

// Write is what one group has to persist. Its parts take effect in the order of
// the fields; what is nil or empty stays as it is. A Write for a group that is
// not known makes it known.
type Write struct {
	Group uint64
	// Snapshot resets the group: its log is empty behind this index, and its
	// configuration is the snapshot's. The commit index is raised to it.
	Snapshot *raftpb.SnapshotMetadata
	// Entries are consecutive. The first is at most one behind the last one
	// held; all held from there on are replaced. The log keeps them in memory
	// for a while, so neither they nor their data may be changed afterwards.
	Entries []*raftpb.Entry
	// HardState replaces the last one. If only the commit index differs, the
	// change is kept in memory, as raft allows, and written with the next batch
	// that has more to say.
	HardState *raftpb.HardState
	// ConfState is the configuration once the entry at ConfIndex is applied. It
	// must not be changed afterwards.
	ConfState *raftpb.ConfState
	ConfIndex uint64
}

// keepBuffer is the largest buffer kept from one batch to the next.
const keepBuffer = 4 << 20

// Append makes the writes durable, all or nothing, with one write and one sync,
// and then visible in their groups. Several writes for one group take effect in
// order. Errors are ErrGap, ErrTooLarge and ErrDiskFull, after which nothing has
// happened and the log is usable, ErrFailed and ErrClosed.
func (l *Log) Append(ws []Write) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	if !l.needsDisk(ws) {
		l.publish(ws, false)
		return nil
	}
	if err := l.makeRoom(); err != nil {
		return err
	}
	l.beginFrame()
	for i := range ws {
		if err := l.encode(&ws[i]); err != nil {
			return err
		}
	}
	if err := l.writeFrame(); err != nil {
		return err
	}
	l.publish(ws, true)
	return nil
}

// needsDisk reports whether anything in ws is more than a new commit index.
func (l *Log) needsDisk(ws []Write) bool {
	for i := range ws {
		w := &ws[i]
		g := l.groupLocked(w.Group)
		if !g.known || w.Snapshot != nil || len(w.Entries) > 0 || w.ConfState != nil {
			return true
		}
		if w.HardState != nil && (w.HardState.GetTerm() != g.hard.term || w.HardState.GetVote() != g.hard.vote) {
			return true
		}
	}
	return false
}

// makeRoom begins a new segment if the last one has reached its size.
func (l *Log) makeRoom() error {
	if l.active().size < l.options.SegmentSize {
		return nil
	}
	return l.rotate()
}

// beginFrame begins the encoding of a frame, with what was unsaved.
func (l *Log) beginFrame() {
	l.batch++
	l.positions = l.positions[:0]
	if cap(l.buf) > keepBuffer {
		l.buf = nil
	}
	var header [frameHeaderSize]byte
	l.buf = append(l.buf[:0], header[:]...)
	for _, g := range l.unsaved {
		if g.known {
			l.buf = appendHardState(appendKind(l.buf, recordState, g.id), g.hard)
			l.buf = appendKind(l.buf, recordCompacted, g.id)
			l.buf = binary.AppendUvarint(l.buf, g.index.first-1)
			l.buf = binary.AppendUvarint(l.buf, g.index.prevTerm)
		}
	}
}

// encode adds the records of w to the frame.
func (l *Log) encode(w *Write) error {
	g := l.groupLocked(w.Group)
	if g.batch != l.batch {
		g.batch, g.first, g.last = l.batch, g.index.first, g.index.last
		if !g.known {
			// Any record makes it known; there may be no other.
			l.buf = appendHardState(appendKind(l.buf, recordState, g.id), hardState{})
		}
	}
	if m := w.Snapshot; m != nil {
		l.buf = appendKind(l.buf, recordReset, g.id)
		l.buf = binary.AppendUvarint(l.buf, m.GetIndex())
		l.buf = binary.AppendUvarint(l.buf, m.GetTerm())
		l.buf = appendConf(appendKind(l.buf, recordConf, g.id), m.GetIndex(), m.GetConfState())
		g.first, g.last = m.GetIndex()+1, m.GetIndex()
	}
	if len(w.Entries) > 0 {
		if err := l.encodeEntries(g, w.Entries); err != nil {
			return err
		}
	}
	if w.HardState != nil {
		l.buf = appendHardState(appendKind(l.buf, recordState, g.id), hardStateOf(w.HardState))
	}
	if w.ConfState != nil {
		l.buf = appendConf(appendKind(l.buf, recordConf, g.id), w.ConfIndex, w.ConfState)
	}
	return nil
}

func (l *Log) encodeEntries(g *Group, es []*raftpb.Entry) error {
	first := es[0].GetIndex()
	if first < g.first || first > g.last+1 {
		return fmt.Errorf("%w: group %d holds entries %d to %d, not %d to go on with", ErrGap, g.id, g.first, g.last, first)
	}
	size := len(l.buf)
	for _, e := range es {
		size += len(e.GetData()) + maxEntryHead
	}
	if size > maxFrame {
		return errTooLarge
	}
	l.buf = slices.Grow(l.buf, size-len(l.buf))
	base := l.active().size
	l.buf = appendKind(l.buf, recordEntries, g.id)
	l.buf = binary.AppendUvarint(l.buf, first)
	l.buf = binary.AppendUvarint(l.buf, uint64(len(es)))
	for i, e := range es {
		if e.GetIndex() != first+uint64(i) {
			return fmt.Errorf("%w: group %d: entry %d follows entry %d", ErrGap, g.id, e.GetIndex(), first+uint64(i)-1)
		}
		start := len(l.buf)
		l.buf = appendEntry(l.buf, g.id, first+uint64(i), e)
		l.positions = append(l.positions, pos{off: uint32(base) + uint32(start), size: uint32(len(l.buf) - start)})
	}
	g.last = first + uint64(len(es)) - 1
	return nil
}

var errTooLarge = fmt.Errorf("%w: more than %d bytes", ErrTooLarge, maxFrame)

// writeFrame completes the frame and makes it durable, and with it what was
// unsaved.
func (l *Log) writeFrame() error {
	s := l.active()
	if len(l.buf) > maxFrame {
		return errTooLarge
	}
	putFrameHeader(l.buf, s.identity, s.size)
	var zeros [frameAlign]byte
	l.buf = append(l.buf, zeros[:padding(len(l.buf))]...)
	if _, err := s.file.WriteAt(l.buf, s.size); err != nil {
		err = fmt.Errorf("write %s: %w", s.path, err)
		cut := s.file.Truncate(s.size)
		if !isDiskFull(err) {
			return l.fail(err)
		}
		if cut != nil {
			return l.fail(fmt.Errorf("%w; and cut it back: %w", err, cut))
		}
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	if err := s.file.Sync(); err != nil {
		// What could not be written may still be read until the system forgets
		// it. It must not be found by the next Open, which would trust it.
		if cut := s.file.Truncate(s.size); cut != nil {
			err = fmt.Errorf("%w; and cut it back: %w", err, cut)
		}
		return l.fail(fmt.Errorf("sync %s: %w", s.path, err))
	}
	s.size += int64(len(l.buf))
	l.saved()
	return nil
}

// saveLocked writes what was unsaved.
func (l *Log) saveLocked() error {
	if len(l.unsaved) == 0 {
		return nil
	}
	if err := l.makeRoom(); err != nil || len(l.unsaved) == 0 {
		return err
	}
	l.beginFrame()
	return l.writeFrame()
}

// publish makes writes visible that are durable, or need not be.
func (l *Log) publish(ws []Write, saved bool) {
	positions := l.positions
	for i := range ws {
		n := len(ws[i].Entries)
		var at []pos
		at, positions = positions[:n], positions[n:]
		g := l.groupLocked(ws[i].Group)
		g.mu.Lock()
		l.cached -= g.cache.bytes
		g.publishLocked(&ws[i], at)
		if !saved {
			l.unsavedLocked(g)
		}
		l.cached += g.cache.bytes
		g.mu.Unlock()
	}
	l.shrinkCaches()
}

// publishLocked applies a write to the group in memory. The caller holds Log.mu
// and g.mu.
func (g *Group) publishLocked(w *Write, at []pos) {
	g.known = true
	if m := w.Snapshot; m != nil {
		g.index.reset(m.GetIndex(), m.GetTerm())
		g.cache = cache{}
		g.setConf(m.GetIndex(), m.GetConfState())
		g.hard.commit = max(g.hard.commit, m.GetIndex())
	}
	if es := w.Entries; len(es) > 0 {
		first := es[0].GetIndex()
		g.index.truncate(first)
		for from := 0; from < len(es); {
			to := from + 1
			for to < len(es) && es[to].GetTerm() == es[from].GetTerm() {
				to++
			}
			g.index.append(g.log.active(), es[from].GetTerm(), at[from:to])
			from = to
		}
		if g.log.options.CacheBytes > 0 {
			g.cache.truncate(first)
			g.cache.append(first, es)
		}
	}
	if w.HardState != nil {
		g.hard = hardStateOf(w.HardState)
	}
	if w.ConfState != nil {
		g.setConf(w.ConfIndex, w.ConfState)
	}
}

func (g *Group) setConf(index uint64, c *raftpb.ConfState) {
	if c == nil {
		c = &raftpb.ConfState{}
	}
	g.conf, g.confIndex = c, index
}
