package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/dgraph-io/badger/v4"
)

// Store is an open directory, or a store in memory. Its methods may be called
// from any goroutine.
type Store struct {
	options Options
	lock    *os.File // nil in memory
	shards  []*Shard

	// background is maintain's, stopped by stop.
	background sync.WaitGroup
	stop       context.CancelFunc

	closeOnce sync.Once
	closeErr  error
}

// Open opens or creates a store and takes the exclusive lock of its directory.
// It returns ErrLocked, ErrManifest, ErrShardCount or ErrCorrupt, wrapped with
// the file concerned, an error of the operating system, or an error about o
// itself. After an error nothing is left open.
func Open(o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Store{options: o, stop: func() {}}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if !o.InMemory {
		var ctx context.Context
		ctx, s.stop = context.WithCancel(context.Background())
		s.background.Go(func() { s.maintain(ctx) })
	}
	return s, nil
}

func (s *Store) open() error {
	o := s.options
	if o.InMemory {
		n := o.Shards
		if n == 0 {
			n = DefaultShards()
		}
		return s.openShards(make([]string, n), true)
	}
	if o.Existing {
		if err := requireManifest(o.Dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("storage directory: %w", err)
	}
	var err error
	if s.lock, err = lockDir(o.Dir); err != nil {
		return err
	}
	m, err := loadManifest(o.Dir, o.Shards)
	if err != nil {
		return err
	}
	dirs := make([]string, m.Shards)
	for i := range dirs {
		dirs[i] = shardDir(o.Dir, i)
	}
	if err := s.openShards(dirs, m.Ready); err != nil {
		return err
	}
	if m.Ready {
		return nil
	}
	m.Ready = true
	return writeFile(filepath.Join(o.Dir, manifestName), m.encode())
}

// openShards opens a shard in each of dirs, in parallel.
func (s *Store) openShards(dirs []string, ready bool) error {
	shards, errs := make([]*Shard, len(dirs)), make([]error, len(dirs))
	var wg sync.WaitGroup
	for i, dir := range dirs {
		wg.Go(func() { shards[i], errs[i] = openShard(dir, ready, s.options) })
	}
	wg.Wait()
	for _, sh := range shards {
		if sh != nil {
			s.shards = append(s.shards, sh)
		}
	}
	return errors.Join(errs...)
}

func openShard(dir string, ready bool, o Options) (*Shard, error) {
	s := &Shard{dir: dir, sync: o.Sync, log: o.Logger, inside: newGate(), freeSpace: freeSpace}
	if dir != "" {
		if err := restoreKept(dir); err != nil {
			return nil, err
		}
		if err := inspect(dir, ready, o.Logger); err != nil {
			return nil, err
		}
	}
	eo := engineOptions(dir, o.Sync, o.Logger)
	compact := o.Compact && dir != ""
	var err error
	if compact {
		// The one way to have Badger compact its first level at once.
		if s.db, err = openEngine(eo.WithCompactL0OnClose(true)); err != nil {
			return nil, err
		}
		if err := s.db.Close(); err != nil {
			return nil, fmt.Errorf("compact %s: %w", s.name(), err)
		}
	}
	if s.db, err = openEngine(eo); err != nil {
		return nil, err
	}
	if dir != "" {
		files, err := listFiles(dir)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.rotated = files.newest(valueLogSuffix)
	}
	if compact {
		if err := s.compact(); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// openEngine opens Badger, which panics on some kinds of damage.
func openEngine(o badger.Options) (db *badger.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, corrupt(o.Dir, "panic while opening: %v", p)
		}
	}()
	db, err = badger.Open(o)
	switch {
	case err == nil:
		return db, nil
	case isEnvironmental(err):
		return nil, fmt.Errorf("open %s: %w", o.Dir, err)
	default:
		return nil, corrupt(o.Dir, "%w", err)
	}
}

// Shards returns the shards in their fixed order. The slice must not be changed.
func (s *Store) Shards() []*Shard { return s.shards }

// Close waits for running views and batches, writes everything out, and gives
// up the directory. It returns the first error it met, on every call.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	// Maintenance first, for it works on the files of open shards.
	s.stop()
	s.background.Wait()
	errs := make([]error, len(s.shards))
	var wg sync.WaitGroup
	for i, sh := range s.shards {
		wg.Go(func() { errs[i] = sh.close() })
	}
	wg.Wait()
	// The lock goes last: whoever gets it next finds closed files.
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

func (s *Shard) close() error {
	s.inside.close()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.name(), err)
	}
	if s.dir == "" || s.failed.Load() != nil {
		return nil
	}
	return writeInventory(s.dir)
}
