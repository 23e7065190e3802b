package storage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
)

const (
	// flushInterval bounds what a power cut takes without Options.Sync. The
	// kernel alone would wait half a minute.
	flushInterval = time.Second
	// poolFlushInterval only bounds how much Shard.Sync finds to do: what a power
	// cut takes from a pool's shard, the node's log has.
	poolFlushInterval = 10 * time.Second
	// collectInterval is how often the value logs are looked at.
	collectInterval = 10 * time.Second
	// collectRatio is the share of a value log that must be garbage for the
	// rest to be worth copying.
	collectRatio = 0.5
	// logsPerTable is how many value logs may be begun before the memtable is
	// written out.
	logsPerTable = 2
	// keepSuffix is added to the second name of a value log under collection.
	keepSuffix = ".keep"
)

// maintain flushes and collects until ctx is done. shards names the shards there
// are at the moment. One of them that is closed meanwhile is passed over, and
// its close waits for work on it.
func maintain(ctx context.Context, flushInterval time.Duration, shards func() []*Shard) {
	flush, collect := time.NewTicker(flushInterval), time.NewTicker(collectInterval)
	defer flush.Stop()
	defer collect.Stop()
	for {
		var work func(*Shard) error
		select {
		case <-ctx.Done():
			return
		case <-flush.C:
			work = (*Shard).upkeep
		case <-collect.C:
			work = func(sh *Shard) error { return sh.collect(ctx) }
		}
		for _, sh := range shards() {
			if !sh.inside.enter() {
				continue
			}
			if err := work(sh); err != nil {
				sh.log.Error("storage maintenance failed", "shard", sh.name(), "error", err)
			}
			sh.inside.leave()
		}
	}
}

// upkeep is what a shard that was written to needs now and then.
func (s *Shard) upkeep() error {
	if !s.written.Swap(false) {
		return nil
	}
	return errors.Join(s.flush(), s.rotate())
}

// Sync makes everything committed before the call durable: it survives a power
// cut. It costs a flush of the memtable's log and of the value logs written to
// since the last one, about three fsyncs, and nothing if there was no commit
// since. Commits go on meanwhile. In memory it does nothing. Besides errors of
// the operating system it returns ErrClosed, and after a failed write or flush
// that error on every call.
func (s *Shard) Sync() error {
	if !s.inside.enter() {
		return ErrClosed
	}
	defer s.inside.leave()
	if s.dir == "" {
		return nil
	}
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return s.flush()
}

// flush makes what has been committed before durable, if the commits were not
// already. It does so by way of the file system, for Badger's Sync keeps
// writers out meanwhile and passes over a log that has just been sealed.
func (s *Shard) flush() error {
	// Who finds nothing to do must still wait for who is doing it.
	s.flushing.Lock()
	defer s.flushing.Unlock()
	if s.sync || !s.dirty.Swap(false) {
		return nil
	}
	err := s.flushLogs()
	if err != nil {
		s.dirty.Store(true)
	}
	return err
}

func (s *Shard) flushLogs() error {
	files, err := listFiles(s.dir)
	if err != nil {
		return err
	}
	values := files.with(valueLogSuffix)
	names := files.with(memLogSuffix)
	for _, name := range values {
		if name >= s.flushed { // older ones were sealed at the last flush
			names = append(names, name)
		}
	}
	for _, name := range names {
		err := syncFile(filepath.Join(s.dir, name))
		var failed *fs.PathError
		if errors.As(err, &failed) && failed.Op == "sync" {
			// The kernel may have dropped what it could not write, and would
			// call the next attempt a success.
			return s.fail(err)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // its content is in a table now
			return err
		}
	}
	if len(values) > 0 {
		s.flushed = values[len(values)-1]
	}
	return syncDir(s.dir)
}

// syncFiles makes the whole of a new shard durable: its names, and the files
// that Badger makes once and leaves to the kernel.
func (s *Shard) syncFiles() error {
	files, err := listFiles(s.dir)
	if err != nil {
		return err
	}
	for name := range files {
		err := syncFile(filepath.Join(s.dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // compacted away
			return err
		}
	}
	return syncDir(s.dir)
}

// collect rewrites value logs that are mostly garbage until there is none or
// ctx is done.
func (s *Shard) collect(ctx context.Context) error {
	for ctx.Err() == nil {
		name, err := s.collectable()
		if err != nil || name == "" {
			return err
		}
		path := filepath.Join(s.dir, name)
		if err := checkValueLog(path); err != nil {
			return corrupt(path, "%w; its garbage is kept", err)
		}
		collect := s.collectLog
		if s.ordered {
			collect = s.collectOrdered
		}
		if err := collect(path); err != nil {
			if errors.Is(err, badger.ErrNoRewrite) || errors.Is(err, badger.ErrRejected) {
				return nil
			}
			return fmt.Errorf("collect %s: %w", path, err)
		}
	}
	return nil
}

// collectLog has Badger rewrite the log it deems worst, which is at path.
// Badger deletes the log when the copies are written, not when they are
// durable. A second name keeps it until they are; see restoreKept.
func (s *Shard) collectLog(path string) error {
	keep := path + keepSuffix
	if !s.sync {
		if err := os.Link(path, keep); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		if err := syncDir(s.dir); err != nil {
			return err
		}
	}
	gcErr := s.db.RunValueLogGC(collectRatio)
	if s.sync {
		return gcErr
	}
	s.flushing.Lock()
	err := s.flushLogs()
	s.flushing.Unlock()
	if err != nil {
		return err
	}
	if err := os.Remove(keep); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return gcErr
}

// restoreKept undoes the collection of value logs during which the process or
// the machine died: tables may still point into them.
func restoreKept(dir string) error {
	files, err := listFiles(dir)
	if err != nil {
		return err
	}
	for _, name := range files.with(keepSuffix) {
		keep := filepath.Join(dir, name)
		original := strings.TrimSuffix(keep, keepSuffix)
		if _, missing := os.Stat(original); missing == nil {
			err = os.Remove(keep) // Badger had not deleted its name yet
		} else {
			err = os.Rename(keep, original)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// collectable returns the value log that Badger would rewrite, or "".
func (s *Shard) collectable() (string, error) {
	files, err := listFiles(s.dir)
	if err != nil {
		return "", err
	}
	newest := files.newest(valueLogSuffix)
	f, err := os.Open(filepath.Join(s.dir, "DISCARD"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	name, garbage, err := worstLog(f)
	if err != nil {
		return "", err
	}
	size, ok := files[name]
	if !ok || name == newest || float64(garbage) < collectRatio*float64(size) {
		return "", nil
	}
	return name, nil
}

// worstLog reads Badger's DISCARD file, pairs of a value log's number and the
// bytes of garbage in it up to a pair of zeros, big endian. The file has a
// megabyte, of which only the first few bytes are used.
func worstLog(f io.Reader) (name string, garbage uint64, err error) {
	r := bufio.NewReaderSize(f, 512)
	var pair [16]byte
	for {
		_, err := io.ReadFull(r, pair[:])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return name, garbage, nil
		}
		if err != nil {
			return "", 0, err
		}
		id := binary.BigEndian.Uint64(pair[:])
		if id == 0 {
			return name, garbage, nil
		}
		if n := binary.BigEndian.Uint64(pair[8:]); n > garbage {
			name, garbage = fmt.Sprintf("%06d%s", id, valueLogSuffix), n
		}
	}
}

// compact merges the shard's tables into one level, which reveals garbage in
// the value logs, and collects that.
func (s *Shard) compact() error {
	if err := s.db.Flatten(1); err != nil {
		return fmt.Errorf("compact %s: %w", s.name(), err)
	}
	return s.collect(context.Background())
}

// rotate makes Badger write its memtable out when much has gone to the value
// log since it last did. Badger knows the garbage in the value logs from
// compactions only, and a memtable that takes a hundred bytes for a large value
// would be full, and give the compactor work, after gigabytes.
//
// Badger cannot be told, but a full memtable is written out at the next commit,
// and deleting long keys that do not exist fills it without a reader noticing.
func (s *Shard) rotate() error {
	files, err := listFiles(s.dir)
	if err != nil {
		return err
	}
	logs := files.with(valueLogSuffix)
	known, found := slices.BinarySearch(logs, s.rotated)
	if found {
		known++
	}
	if len(logs)-known < logsPerTable || s.failed.Load() != nil {
		return nil
	}
	s.rotated = logs[len(logs)-1]
	if s.ordered {
		s.order.Lock()
		defer s.order.Unlock()
		return s.fillOrdered()
	}
	return s.fillMemtable()
}

func (s *Shard) fillMemtable() error {
	const keySize = maxKeySize - 1
	key := func(i int) []byte {
		k := bytes.Repeat([]byte{0xff}, keySize)
		binary.BigEndian.PutUint32(k[keySize-4:], uint32(i))
		return k
	}
	perTxn := int(s.db.MaxBatchSize()/maxKeySize) - 2
	for i := 0; int64(i)*keySize < s.db.Opts().MemTableSize; {
		txn := s.db.NewTransaction(true)
		for range perTxn {
			if err := txn.Delete(key(i)); err != nil {
				txn.Discard()
				return err
			}
			i++
		}
		if err := txn.Commit(); err != nil {
			return s.fail(err)
		}
		if !s.ordered {
			continue
		}
		// This was the first in another memtable, or there is none yet.
		if begun, err := s.newMemtable(); begun || err != nil {
			s.use.add(int64(perTxn), int64(perTxn)*keySize)
			return err
		}
	}
	return nil
}
