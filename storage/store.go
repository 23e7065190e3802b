package storage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
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
		s.background.Go(func() { maintain(ctx, flushInterval, s.Shards) })
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
	var err error
	if s.lock, err = prepareDir(o.Dir, o.Existing); err != nil {
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
		wg.Go(func() { shards[i], errs[i] = openShard(dir, ready, s.options.shard()) })
	}
	wg.Wait()
	for _, sh := range shards {
		if sh != nil {
			s.shards = append(s.shards, sh)
		}
	}
	return errors.Join(errs...)
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
