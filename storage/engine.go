package storage

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

const (
	// memTableSize is where a memtable is full. With 64 MB in memory, a process
	// that rewrote 10,000 small items held 490 MB instead of 100, and queries had to
	// step over four times as many old versions.
	memTableSize = 16 << 20
	// poolMemTableSize is that of a pool's shards, of which there are many. An
	// arena a quarter larger is allocated for each, and counts for the pace of
	// the garbage collector before it is touched. A batch takes 15 % of it, which
	// is 1,200 values that stay out of the value log, and their keys.
	poolMemTableSize = 8 << 20
	valueThreshold   = 1 << 10
	valueLogFileSize = 64 << 20
	// poolValueLogFileSize is smaller, for a pool's shard takes no commits while
	// one is collected.
	poolValueLogFileSize = 32 << 20
)

// engineOptions are Badger's settings for one shard, with dir "" for a shard
// in memory.
func engineOptions(dir string, so shardOptions) badger.Options {
	o := badger.DefaultOptions(dir).
		WithLogger(engineLog{so.log}).
		// The store's lock covers all shards.
		WithBypassLockGuard(true).
		// The partition's single writer cannot conflict with itself.
		WithDetectConflicts(false).
		// Badger's metrics are process-wide expvars, paid for on every read.
		WithMetricsEnabled(false).
		WithSyncWrites(so.sync).
		WithNumCompactors(2).
		WithMemTableSize(so.memTable).
		// Two full memtables may wait to be written out before writers do, which
		// is what bounds the memory of a shard under load; 3 and 5 were no faster.
		WithNumMemtables(2).
		// Uncompressed tables are read in place from the mapped file: no block
		// cache to size, nothing to allocate or evict, and a damaged block
		// still yields its values, which carry their own checksum, where a
		// failed decompression would make Badger skip the rest of the table
		// without a word.
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0)
	if dir == "" {
		return o.WithInMemory(true).
			WithValueThreshold(1 << 20) // the most Badger takes; nothing has a log to go to
	}
	return o.
		WithValueThreshold(valueThreshold).
		WithValueLogFileSize(so.valueLog).
		WithVerifyValueChecksum(true)
}

// engineLog passes Badger's messages on. Its info messages are progress
// reports, and its debug messages come several to a write.
type engineLog struct{ log *slog.Logger }

func (l engineLog) Errorf(format string, args ...any)   { l.log.Error(message(format, args)) }
func (l engineLog) Warningf(format string, args ...any) { l.log.Warn(message(format, args)) }

func (l engineLog) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(message(format, args))
	}
}

func (l engineLog) Debugf(string, ...any) {}

func message(format string, args []any) string {
	return "badger: " + strings.TrimSpace(fmt.Sprintf(format, args...))
}
