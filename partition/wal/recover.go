package wal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Open opens the log in dir, which is made if absent, and brings back what was
// durable when it was last used. It fails with ErrLocked, ErrVersion, ErrCorrupt
// or the error of the file system.
func Open(dir string, options Options) (_ *Log, err error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	l := &Log{dir: dir, options: options.withDefaults(), groups: map[uint64]*Group{}}
	fs := l.options.FS
	if err := fs.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("wal: %w", err)
	}
	if l.lock, err = fs.Lock(dir); err != nil {
		return nil, fmt.Errorf("wal: %w", err)
	}
	if err := l.recover(); err != nil {
		for _, s := range l.segments {
			err = errors.Join(err, s.release())
		}
		return nil, errors.Join(fmt.Errorf("wal: %w", err), l.lock.Close())
	}
	return l, nil
}

// recover reads the directory.
func (l *Log) recover() error {
	ids, err := l.listSegments()
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return l.rotate()
	}
	sealed, last := ids[:len(ids)-1], ids[len(ids)-1]
	tail, size, err := l.openHeader(last)
	if tail != nil {
		defer func() {
			if len(l.segments) == 0 || l.active() != tail {
				tail.release() //nolint:errcheck // it was only read
			}
		}()
	}
	if err != nil {
		return err
	}
	ends, err := readEnds(tail, size)
	if err != nil {
		return err
	}
	for _, id := range sealed {
		if err := l.recoverSealed(id, ends); err != nil {
			return err
		}
	}
	if err := l.recoverTail(tail, size); err != nil {
		return err
	}
	return l.checkComplete()
}

// listSegments returns the ids of the segments in ascending order, and removes
// what a crash left of one that was being made.
func (l *Log) listSegments() ([]uint64, error) {
	names, err := l.options.FS.List(l.dir)
	if err != nil {
		return nil, err
	}
	var ids []uint64
	for _, name := range names {
		if id, ok := parseSegmentName(name); ok {
			ids = append(ids, id)
		} else if base, ok := strings.CutSuffix(name, temporarySuffix); ok {
			if _, ok := parseSegmentName(base); ok {
				if err := l.options.FS.Remove(filepath.Join(l.dir, name)); err != nil {
					return nil, err
				}
			}
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// openHeader opens a segment and reads its header. It may return the segment
// along with an error.
func (l *Log) openHeader(id uint64) (*segment, int64, error) {
	s, err := openSegment(l.options.FS, l.dir, id)
	if err != nil {
		return nil, 0, err
	}
	size, err := s.file.Size()
	if err != nil {
		return s, 0, err
	}
	head := make([]byte, min(size, segmentHeaderSize))
	if _, err := s.file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return s, 0, fmt.Errorf("read %s: %w", s.path, err)
	}
	s.identity, err = parseSegmentHeader(s.path, head, id)
	return s, size, err
}

// readEnds returns where the segments end that the checkpoint at the beginning of
// the last one lists.
func readEnds(tail *segment, size int64) (map[uint64]int64, error) {
	payload, at, err := newScanner(tail.file, tail.identity, size).next()
	if err != nil {
		return nil, corrupt(tail.path, segmentHeaderSize, "the checkpoint cannot be read: %w", err)
	}
	d := decoder{b: payload}
	ends := map[uint64]int64{}
	if recordKind(d.byte()) != recordCheckpoint {
		d.fail(errRange)
	}
	for range d.count(2) {
		id := d.uvarint()
		ends[id] = int64(d.index())
	}
	if d.err != nil {
		return nil, corrupt(tail.path, at, "the checkpoint cannot be read: %w", d.err)
	}
	return ends, nil
}

// recoverSealed replays a segment that was complete when a later one was begun.
func (l *Log) recoverSealed(id uint64, ends map[uint64]int64) error {
	end, counts := ends[id]
	if !counts {
		// It was deleted, and came back in a crash.
		return l.options.FS.Remove(filepath.Join(l.dir, segmentName(id)))
	}
	s, size, err := l.openHeader(id)
	if s != nil {
		l.segments = append(l.segments, s)
	}
	if err != nil {
		return err
	}
	if size < end {
		return corrupt(s.path, size, "the file is cut off, it had %d bytes", end)
	}
	bad, err := l.replay(s, end)
	if err == nil && bad {
		err = corrupt(s.path, s.size, "%w", errBadFrame)
	}
	return err
}

// recoverTail replays the last segment and cuts a torn frame at its end.
func (l *Log) recoverTail(s *segment, size int64) error {
	l.segments = append(l.segments, s)
	bad, err := l.replay(s, size)
	if err != nil {
		return err
	}
	if bad {
		next, found, err := findFrame(s.file, s.identity, s.size, size)
		if err != nil {
			return fmt.Errorf("read %s: %w", s.path, err)
		}
		if found {
			return corrupt(s.path, s.size, "%w, but one follows at offset %d", errBadFrame, next)
		}
		l.options.Logger.Warn("cut a torn write off the write-ahead log", "file", s.path, "offset", s.size, "bytes", size-s.size)
		if err := s.file.Truncate(s.size); err != nil {
			return err
		}
	}
	// The process may have died between write and sync: what was read is about
	// to be trusted, so it must be on disk.
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", s.path, err)
	}
	return l.options.FS.SyncDir(l.dir)
}

// replay applies the frames of a segment up to end and sets its size to the
// offset behind the last good one. It reports whether a bad one follows.
func (l *Log) replay(s *segment, end int64) (bad bool, err error) {
	in := newScanner(s.file, s.identity, end)
	for first := true; ; first = false {
		s.size = in.off
		payload, at, err := in.next()
		switch {
		case errors.Is(err, io.EOF) && !first:
			return false, nil
		case errors.Is(err, errBadFrame) && !first:
			return true, nil
		case errors.Is(err, io.EOF) || errors.Is(err, errBadFrame):
			return false, corrupt(s.path, in.off, "the checkpoint cannot be read: %w", errBadFrame)
		case err != nil:
			return false, fmt.Errorf("read %s: %w", s.path, err)
		}
		r := replayer{log: l, segment: s, at: at, size: len(payload), decoder: decoder{b: payload}}
		if r.frame(); r.err != nil {
			return false, corrupt(s.path, at, "the frame cannot be applied: %w", r.err)
		}
		if first {
			s.begin = in.off
		}
	}
}

// checkComplete makes sure that all entries have been found.
func (l *Log) checkComplete() error {
	for _, g := range l.knownGroups() {
		if i, missing := g.index.missing(); missing {
			return fmt.Errorf("%w: %s: entry %d of group %d is missing, it was in a segment that is gone; "+
				"replace this node by an empty one, which recovers from the other replicas", ErrCorrupt, l.dir, i, g.id)
		}
	}
	return nil
}
