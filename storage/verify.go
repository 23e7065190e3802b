package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
)

// VerifyChecksums reads the whole shard and reports all damage it finds: each
// table and value log whose checksums do not hold, and the first entry that
// cannot be read. Every error in the result wraps ErrCorrupt or is one of the
// operating system. It can run beside other work. In memory there is nothing
// to verify.
func (s *Shard) VerifyChecksums() (err error) {
	if !s.inside.enter() {
		return ErrClosed
	}
	defer s.inside.leave()
	if s.dir == "" {
		return nil
	}
	// Even asking Badger for its tables reads their mappings.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	g := guard{shard: s}
	defer g.protect(&err)
	errs := s.checkLiveTables()
	errs = append(errs, s.checkSealedLogs()...)
	// Values that are not where the tables say, and missing value logs.
	errs = append(errs, s.View(func(sn *Snapshot) error {
		return sn.Scan(Range{}, func(_, _ []byte) (bool, error) { return true, nil })
	}))
	return errors.Join(errs...)
}

func (s *Shard) checkLiveTables() (errs []error) {
	for _, t := range s.db.Tables() {
		path := filepath.Join(s.dir, tableName(t.ID))
		err := checkTable(path, true)
		if err != nil && !s.hasTable(t.ID) {
			continue // compacted away: Badger cuts a file to nothing, then removes it
		}
		if err != nil {
			errs = append(errs, corrupt(path, "%w", err))
		}
	}
	return errs
}

func (s *Shard) hasTable(id uint64) bool {
	for _, t := range s.db.Tables() {
		if t.ID == id {
			return true
		}
	}
	return false
}

// checkSealedLogs checks all value logs but the newest, which is being written.
func (s *Shard) checkSealedLogs() (errs []error) {
	files, err := listFiles(s.dir)
	if err != nil {
		return []error{fmt.Errorf("%s: %w", s.name(), err)}
	}
	names := files.with(valueLogSuffix)
	for _, name := range names[:max(len(names)-1, 0)] {
		path := filepath.Join(s.dir, name)
		err := checkValueLog(path)
		if err != nil && !removed(path) { // by a collection
			errs = append(errs, corrupt(path, "%w", err))
		}
	}
	return errs
}

// removed reports whether Badger has removed a file, or is about to: it cuts it to
// nothing first. Values that were in it and should not have been removed show when
// they are read.
func removed(path string) bool {
	info, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}
