package wal

import (
	"errors"
	"path/filepath"
	"sync/atomic"
)

// segment is one file of the log.
type segment struct {
	identity
	path string
	file File
	// size is the offset behind the last good frame. Guarded by Log.mu.
	size int64
	// begin is the offset behind the checkpoint.
	begin int64
	// live is how many bytes of entries are still needed. Guarded by Log.mu.
	live int64
	// refs counts the log itself and the reads under way. The last one closes
	// the file.
	refs atomic.Int32
}

// openSegment opens the file of a segment, of which it knows nothing else.
func openSegment(fs FS, dir string, id uint64) (*segment, error) {
	s := &segment{identity: identity{id: id}, path: filepath.Join(dir, segmentName(id))}
	s.refs.Store(1)
	var err error
	if s.file, err = fs.Open(s.path); err != nil {
		return nil, err
	}
	return s, nil
}

// acquire keeps the file open for a read. The caller holds the lock of a group
// whose index refers to s, so the log still has its own reference.
func (s *segment) acquire() { s.refs.Add(1) }

// release gives back a reference.
func (s *segment) release() error {
	if s.refs.Add(-1) > 0 {
		return nil
	}
	return s.file.Close()
}

// createSegment makes a segment whose file, once it has its name, durably holds
// header and checkpoint.
func createSegment(fs FS, dir string, s identity, checkpoint []byte) (_ *segment, err error) {
	path := filepath.Join(dir, segmentName(s.id))
	temporary := path + temporarySuffix
	frame := make([]byte, frameHeaderSize, frameHeaderSize+len(checkpoint))
	frame = append(frame, checkpoint...)
	putFrameHeader(frame, s, segmentHeaderSize)
	b := append(appendSegmentHeader(nil, s), frame...)
	b = append(b, make([]byte, padding(len(b)))...)

	f, err := fs.Create(temporary)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteAt(b, 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = fs.Rename(temporary, path)
	}
	if err != nil {
		// Nothing refers to the file; the next Open would remove it as well.
		return nil, errors.Join(err, fs.Remove(temporary))
	}
	if err := fs.SyncDir(dir); err != nil {
		return nil, err
	}
	seg, err := openSegment(fs, dir, s.id)
	if err != nil {
		return nil, err
	}
	seg.identity, seg.size, seg.begin = s, int64(len(b)), int64(len(b))
	return seg, nil
}
