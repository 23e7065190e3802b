package storage

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
)

// Shard is one Badger database: an ordered map of byte strings with snapshots
// and one writer. Its methods may be called from any goroutine.
type Shard struct {
	dir  string // "" in memory
	sync bool
	// ordered keeps a power cut from taking commits out of the middle; see
	// commit. It is for shards whose owner can repeat what comes at the end.
	ordered bool
	log     *slog.Logger
	db      *badger.DB

	inside *gate
	// writing is set while a batch is live.
	writing atomic.Bool
	// whole keeps views from beginning while a batch is committed in pieces,
	// which happens in memory only.
	whole sync.RWMutex
	// failed is the first error of a commit. What such a commit left behind is
	// cut off when the log is replayed at the next open, and everything written
	// after it in the same log would be cut off too: so nothing is.
	failed atomic.Pointer[error]
	// dirty is set by a commit and cleared by a flush, written set by a commit
	// and cleared by upkeep.
	dirty, written atomic.Bool
	// order is held by whatever writes to the memtable of an ordered shard. use
	// is what is in it, and memLog the name of its log.
	order  sync.Mutex
	use    memtableUse
	memLog string
	// flushing is held during a flush. flushed, which it guards, is the newest
	// value log at the last one.
	flushing sync.Mutex
	flushed  string
	// rotated is the newest value log when the memtable was last made to be
	// written out.
	rotated string
	// freeSpace tells the free bytes of a file system, and spaceLeft how much
	// may be written before it is asked again.
	freeSpace func(dir string) (int64, error)
	spaceLeft int64
	// arena is the memory of the live batch, kept for the next one.
	arena arena
}

// name is how errors and logs call the shard.
func (s *Shard) name() string {
	if s.dir == "" {
		return "shard in memory"
	}
	return s.dir
}

// View runs fn with one consistent view of the shard: everything committed
// before, nothing committed after it started. Views do not wait for the writer,
// except in memory for a batch that is being committed in pieces.
// View returns fn's error, or ErrClosed, or ErrCorrupt when the snapshot came
// upon damage.
func (s *Shard) View(fn func(*Snapshot) error) error {
	if !s.inside.enter() {
		return ErrClosed
	}
	defer s.inside.leave()
	// A mapped file that has shrunk, or that the device fails to read, faults
	// on access. Make that a panic, which protect turns into ErrCorrupt,
	// instead of the end of the process.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if s.dir == "" {
		s.whole.RLock()
	}
	txn := s.db.NewTransaction(false)
	if s.dir == "" {
		s.whole.RUnlock()
	}
	defer txn.Discard()
	return fn(&Snapshot{reader{shard: s, txn: txn}})
}

// Size returns the bytes that the shard takes up: its tables with the logs of
// its memtables, and its value logs. In memory it is that of the tables, which
// hold what was written some time ago. It is 0 after Close.
func (s *Shard) Size() (lsm, vlog int64) {
	if !s.inside.enter() {
		return 0, 0
	}
	defer s.inside.leave()
	if s.dir == "" {
		for _, t := range s.db.Tables() {
			lsm += int64(t.OnDiskSize)
		}
		return lsm, 0
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, 0
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // removed since
		}
		switch filepath.Ext(e.Name()) {
		case tableSuffix, memLogSuffix:
			lsm += allocated(info)
		case valueLogSuffix:
			vlog += allocated(info)
		}
	}
	return lsm, vlog
}

// readError turns an error of a Badger read into one of ours. Badger reads
// mapped files only, so what is left besides closing is damage.
func (s *Shard) readError(err error) error {
	if errors.Is(err, badger.ErrDBClosed) {
		return ErrClosed
	}
	return corrupt(s.name(), "%w", err)
}

// summed says that stored values end in a checksum. Memory needs none.
func (s *Shard) summed() bool { return s.dir != "" }

// fail makes err the answer to every later write.
func (s *Shard) fail(err error) error {
	err = fmt.Errorf("%s accepts no more writes until it is reopened: %w", s.name(), err)
	if s.failed.CompareAndSwap(nil, &err) {
		s.log.Error("storage write failed", "shard", s.name(), "error", err)
	}
	return *s.failed.Load()
}

// Badger's own damage checks are a mixture of errors, panics and slices out of
// range. guard tells a panic inside Badger from one of the caller's callback.
type guard struct {
	shard    *Shard
	callback bool // the caller's code is running
}

// protect, deferred around reads, turns a panic of Badger into ErrCorrupt.
func (g *guard) protect(err *error) {
	if g.callback {
		return // not ours: let it pass
	}
	if p := recover(); p != nil {
		*err = corrupt(g.shard.name(), "panic while reading: %v", p)
	}
}
