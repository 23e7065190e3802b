package storage

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Errors of Open and OpenPool.
var (
	// ErrLocked means that another process, or another Store of this one, has
	// the directory open.
	ErrLocked = errors.New("storage directory is in use by another process")
	// ErrManifest means that MANIFEST.stator is missing beside existing data,
	// unreadable, of an unknown version, or names a shard that is not there.
	ErrManifest = errors.New("storage manifest is unusable")
	// ErrNoData means that a directory that must hold a store is missing or
	// holds none.
	ErrNoData = errors.New("storage directory holds no data")
	// ErrKind means that Open was given the directory of a Pool, or OpenPool
	// that of a Store.
	ErrKind = errors.New("storage directory is of another kind")
	// ErrShardCount means that the directory holds another number of shards
	// than Options.Shards asks for.
	ErrShardCount = errors.New("storage directory has a different shard count")
)

// Errors of an open pool.
var (
	// ErrNoShard means that a group has no shard.
	ErrNoShard = errors.New("group has no shard here")
	// ErrShardExists means that a group to be created has a shard.
	ErrShardExists = errors.New("group has a shard here")
	// ErrBadStream means that bytes received are not a complete and undamaged
	// snapshot stream.
	ErrBadStream = errors.New("snapshot stream is damaged or cut short")
)

// Errors of an open store or pool.
var (
	// ErrCorrupt means that bytes on disk are missing or are not what was
	// written. Open, reads and VerifyChecksums return it with the shard
	// directory, and the file where it is known. Nothing is repaired or deleted.
	ErrCorrupt = errors.New("storage is damaged")
	// ErrClosed means that the store has been closed.
	ErrClosed = errors.New("storage is closed")
	// ErrDiskFull means that a batch was refused, and nothing of it written,
	// because the file system is almost full. Later batches are taken again
	// once there is space.
	ErrDiskFull = errors.New("disk is full")
	// ErrBatchTooLarge means that a write does not fit in the batch. The batch
	// keeps its earlier writes; see Batch.Fits.
	ErrBatchTooLarge = errors.New("batch is too large")
)

// corrupt reports damage to path, a shard directory or a file in one.
func corrupt(path, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", ErrCorrupt, path, fmt.Errorf(format, args...))
}

// environmental are the failures of the machine rather than of the data that
// Badger is known to pass on.
var environmental = []syscall.Errno{
	syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOSPC,
	syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
}

// isEnvironmental reports whether a Badger error stems from the machine. Badger
// formats causes instead of wrapping them, so errors.Is sees nothing and the
// text has to do.
func isEnvironmental(err error) bool {
	for _, errno := range environmental {
		if strings.Contains(err.Error(), errno.Error()) {
			return true
		}
	}
	return false
}
