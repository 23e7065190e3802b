package wal

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
)

const (
	defaultSegmentSize = 64 << 20
	maxSegmentSize     = 1 << 30
	defaultCacheBytes  = 32 << 20
)

// Options says how a log is kept. The zero value is usable.
type Options struct {
	// SegmentSize is the size in bytes from which on a segment is closed and
	// the next one begun, at most 1 GB. 0 means 64 MB. It may change between
	// openings.
	SegmentSize int64

	// CacheBytes bounds the memory held by recent entries of all groups
	// together. 0 means 32 MB; a negative value caches nothing.
	CacheBytes int64

	// Logger receives what recovery had to repair. Nil discards it.
	Logger *slog.Logger

	// FS is where the files are. Nil means the operating system's.
	FS FS

	// salt makes the random number of a new segment; tests fix it.
	salt func() uint64
}

func (o Options) withDefaults() Options {
	if o.SegmentSize == 0 {
		o.SegmentSize = defaultSegmentSize
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	o.CacheBytes = max(o.CacheBytes, 0)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FS == nil {
		o.FS = systemFS{}
	}
	if o.salt == nil {
		o.salt = rand.Uint64
	}
	return o
}

func (o Options) validate() error {
	if o.SegmentSize < 0 || o.SegmentSize > maxSegmentSize {
		return fmt.Errorf("wal options: segment size %d is not between 0 and %d", o.SegmentSize, maxSegmentSize)
	}
	return nil
}
