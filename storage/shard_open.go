package storage

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/dgraph-io/badger/v4"
)

// shardOptions is what a Store and a Pool choose for a shard.
type shardOptions struct {
	// sync makes every commit durable.
	sync bool
	// ordered is Shard.ordered.
	ordered bool
	// compact merges tables and collects garbage before openShard returns.
	compact bool
	// memTable is the size of a memtable in bytes.
	memTable int64
	// valueLog is the size at which a value log is full.
	valueLog  int64
	log       *slog.Logger
	freeSpace func(dir string) (int64, error)
}

// openShard opens the shard in dir, or one in memory if dir is "". ready is
// whether it has been created before, so that an absent or empty directory is
// damage.
func openShard(dir string, ready bool, o shardOptions) (*Shard, error) {
	s := &Shard{dir: dir, sync: o.sync, ordered: o.ordered && dir != "", log: o.log, inside: newGate(), freeSpace: o.freeSpace}
	if dir != "" {
		if err := restoreKept(dir); err != nil {
			return nil, err
		}
		if err := inspect(dir, ready, o.log); err != nil {
			return nil, err
		}
		if o.ordered {
			if err := cutGaps(dir); err != nil {
				return nil, err
			}
		}
	}
	eo := engineOptions(dir, o)
	compact := o.compact && dir != ""
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
		s.memLog = files.newestMemLog()
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

// close waits for views, the live batch and maintenance, and closes Badger. A
// shard on disk is then durable in all its files, with an inventory of them.
func (s *Shard) close() error {
	if err := s.abandon(); err != nil {
		return err
	}
	if s.dir == "" || s.failed.Load() != nil {
		return nil
	}
	return writeInventory(s.dir)
}

// abandon is close for a shard that nobody will open again.
func (s *Shard) abandon() error {
	s.inside.close()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.name(), err)
	}
	return nil
}
