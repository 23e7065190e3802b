package storage

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
)

// MaxShards bounds the shard count of a store. Every open shard costs about a
// megabyte and a dozen goroutines, so a larger number is a typing error.
const MaxShards = 256

// Options says where a store lives and what it promises. The zero value of
// every field but Dir is usable.
type Options struct {
	// Dir is the store's directory, made if absent. It must be empty when
	// InMemory is set.
	Dir string

	// InMemory keeps everything in memory and touches no file. Close forgets
	// the data.
	InMemory bool

	// Sync flushes every committed batch to stable storage before Commit
	// returns, so that an acknowledged write survives a power cut. Without it
	// an acknowledged write survives the death of the process; a power cut
	// loses about the last second. No effect in memory.
	Sync bool

	// Shards is the wanted number of shards, at most 256. It is fixed when a
	// directory is first used: another value later is refused with
	// ErrShardCount. 0 takes what the directory has, or DefaultShards for a
	// fresh one.
	Shards int

	// Existing refuses, with ErrNoData, a directory that holds no store,
	// instead of starting a fresh one there.
	Existing bool

	// Compact merges each shard's tables into one level and reclaims value-log
	// space before Open returns. It can take as long as rewriting the data.
	Compact bool

	// Logger receives Badger's warnings and errors at their own level and its
	// progress reports at debug. Nil discards them.
	Logger *slog.Logger
}

// DefaultShards is the shard count of a fresh store when none is asked for:
// half the processors, at least 1 and at most 4. More shards share each fsync
// among fewer writers; fewer leave processors idle.
func DefaultShards() int { return min(max(runtime.NumCPU()/2, 1), 4) }

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) shard() shardOptions {
	return shardOptions{sync: o.Sync, compact: o.Compact, memTable: memTableSize, valueLog: valueLogFileSize, log: o.Logger, freeSpace: freeSpace}
}

func (o Options) validate() error {
	var errs []error
	if o.InMemory && o.Dir != "" {
		errs = append(errs, errors.New("a store in memory has no directory"))
	}
	if !o.InMemory && o.Dir == "" {
		errs = append(errs, errors.New("a store on disk needs a directory"))
	}
	if o.Shards < 0 || o.Shards > MaxShards {
		errs = append(errs, fmt.Errorf("shard count %d is not between 0 and %d", o.Shards, MaxShards))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("storage options: %w", err)
	}
	return nil
}
