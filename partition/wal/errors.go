package wal

import (
	"errors"
	"fmt"
)

// Errors of Open.
var (
	// ErrLocked means that another process, or another Log of this one, has the
	// directory open.
	ErrLocked = errors.New("write-ahead log is in use by another process")
	// ErrVersion means that a file was written by a newer version.
	ErrVersion = errors.New("write-ahead log has an unknown format version")
)

// Errors of an open log.
var (
	// ErrCorrupt means that bytes on disk are missing or are not what was
	// written. Open and reads return it with the file and the offset. Nothing
	// is repaired or deleted.
	ErrCorrupt = errors.New("write-ahead log is damaged")
	// ErrClosed means that the log has been closed.
	ErrClosed = errors.New("write-ahead log is closed")
	// ErrDiskFull means that nothing of the batch was written, because there
	// was no space. Later batches are taken again once there is.
	ErrDiskFull = errors.New("disk is full")
	// ErrFailed means that an earlier write or sync failed and that the log
	// takes no more writes until it is opened again. The batch that met the
	// failure may or may not be found then.
	ErrFailed = errors.New("write-ahead log has failed")
	// ErrGap means that a Write does not continue its group's log: its first
	// entry is beyond the last one held, or has been compacted, or its entries
	// are not consecutive. Nothing of the batch was written.
	ErrGap = errors.New("entries do not continue the log")
	// ErrTooLarge means that a batch exceeds what one frame can hold, 512 MB. Nothing
	// of it was written.
	ErrTooLarge = errors.New("batch is too large")
)

// corrupt reports damage to a file at an offset.
func corrupt(path string, off int64, format string, args ...any) error {
	return fmt.Errorf("%w: %s at offset %d: %w; replace this node by an empty one, which recovers from the other replicas",
		ErrCorrupt, path, off, fmt.Errorf(format, args...))
}
