package storage

import (
	"errors"

	"github.com/dgraph-io/badger/v4"
)

// A power cut may take any page of a file that was not flushed, and leave a
// later one. Within the log of a memtable that does no harm: what follows the
// first gap is dropped, so that the shard falls back to a state it once had. But
// a log that has lost its end, followed by the log of the next memtable, would
// be a state with commits missing in the middle, and a table that points to
// values that were lost would be damage.
//
// An ordered shard therefore flushes everything before a commit with which
// Badger may put a full memtable aside: at most the newest memtable has anything
// to lose. Values in a value log may still be lost while the entry that points to
// them is not; openShard cuts the memtable's log there (cutGaps). So after a power
// cut an ordered shard holds all commits up to some point, not before the last
// Sync, and nothing of any later one.
//
// Badger does not say when it will put the memtable aside, hence the estimate.

// memtableUse is an upper estimate of what is in the memtable, in bytes: in
// memory and in its log. The memtable is full when either reaches its size.
type memtableUse struct{ memory, log int64 }

const (
	// Beside key and value an entry takes, in memory, a key's version (8), the
	// value's meta bytes (3) and a node of 29 on average: 23, and 4 for each of
	// the levels of a skip list that it is in.
	entryMemory = 40
	// In the log it takes two meta bytes, two lengths, the expiry, the version
	// and a checksum. Few keys or values are of 128 bytes or more and still short;
	// two more bytes for those of them that are.
	entryLog, longLog = 17, 2
	// A transaction ends in an entry of its own in the log, with up to twelve
	// digits of its number.
	endLog = 40
	// memtableSlack covers the spread of the average, ten times over.
	memtableSlack = 64 << 10
)

// add counts a transaction of n writes with that many bytes of keys, and of
// values as far as they are not in a value log.
func (u *memtableUse) add(n, size int64) {
	u.memory += size + n*entryMemory
	// Of the bytes beyond 119, at least so many are in each long key or value.
	long := min(2*n, size/119)
	u.log += size + n*entryLog + long*longLog + endLog
}

// mayBeFull reports whether a memtable of that size may be put aside at the
// next commit.
func (u *memtableUse) mayBeFull(size int64) bool {
	return max(u.memory, u.log) >= size-memtableSlack
}

// commit commits the transaction of b.
func (s *Shard) commit(b *Batch) error {
	if !s.ordered {
		return b.txn.Commit()
	}
	s.order.Lock()
	defer s.order.Unlock()
	full := s.use.mayBeFull(s.db.Opts().MemTableSize)
	if full {
		if err := s.flush(); err != nil {
			b.txn.Discard()
			return err
		}
	}
	if err := b.txn.Commit(); err != nil {
		return err
	}
	if full {
		if _, err := s.newMemtable(); err != nil {
			return err
		}
	}
	n := b.count - 1
	s.use.add(n, b.size-batchOverhead-n*entryOverhead)
	return nil
}

// newMemtable reports whether there is another memtable than at the last call,
// and if so counts nothing to be in it. The caller holds order.
func (s *Shard) newMemtable() (bool, error) {
	files, err := listFiles(s.dir)
	if err != nil {
		return false, err
	}
	name := files.newestMemLog()
	if name == s.memLog {
		return false, nil
	}
	s.memLog, s.use = name, memtableUse{}
	return true, nil
}

// newestMemLog returns the name of the newest memtable's log. Badger gives them
// five digits, and more when those do not suffice.
func (f inventory) newestMemLog() (newest string) {
	for _, name := range f.with(memLogSuffix) {
		if len(name) >= len(newest) {
			newest = name
		}
	}
	return newest
}

// collectOrdered is collectLog for an ordered shard: nothing is committed while
// Badger moves values, for nobody knows how many, and then it begins another
// memtable.
func (s *Shard) collectOrdered(path string) error {
	s.order.Lock()
	defer s.order.Unlock()
	if err := s.flush(); err != nil {
		return err
	}
	err := s.collectLog(path)
	if errors.Is(err, badger.ErrNoRewrite) || errors.Is(err, badger.ErrRejected) {
		return err // and nothing was moved
	}
	return errors.Join(err, s.fillOrdered())
}

// fillOrdered is fillMemtable for an ordered shard. The caller holds order.
func (s *Shard) fillOrdered() error {
	s.dirty.Store(true)
	if err := s.flush(); err != nil {
		return err
	}
	_, err := s.newMemtable()
	if err != nil {
		return err
	}
	s.use.memory = s.db.Opts().MemTableSize // at the end, unless it is another by then
	return s.fillMemtable()
}
