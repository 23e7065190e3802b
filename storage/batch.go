package storage

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// Batch is a set of writes that become visible, and survive the death of the
// process, all together when it is committed. It reads its own writes. A shard
// has one live batch at a time, and a batch belongs to one goroutine.
//
// In memory a batch may be of any size: what exceeds Badger's limit is
// committed in pieces, and no view begins between the first and the last.
type Batch struct {
	reader
	// pieces is set once a part was committed, which holds shard.whole.
	pieces bool
	// count and size mirror Badger's account of the transaction; bytes is the
	// size of all keys and values.
	count, size, bytes int64
	// err is why the batch cannot be used.
	err error
}

var (
	errBatchLive = errors.New("another batch of the shard is live")
	errBatchDone = errors.New("batch is committed or discarded")
	// errHalfDiscarded can only follow a write that Badger refuses.
	errHalfDiscarded = errors.New("batch was given up after a piece of it was committed")
)

// NewBatch starts a batch, which must be ended with Commit or Discard. If the
// store is closed, or the shard has failed to write before, or another batch
// is live, every method of the batch returns that error.
func (s *Shard) NewBatch() *Batch {
	b := &Batch{reader: reader{shard: s}}
	if !s.writing.CompareAndSwap(false, true) {
		b.err = errBatchLive
		return b
	}
	if !s.inside.enter() {
		s.writing.Store(false)
		b.err = ErrClosed
		return b
	}
	if err := s.failed.Load(); err != nil {
		b.end(*err)
		return b
	}
	b.begin()
	return b
}

func (b *Batch) begin() {
	b.txn = b.shard.db.NewTransaction(true)
	// Badger reserves room for the end mark of the transaction.
	b.count, b.size = 1, batchOverhead
}

// end makes err the answer to all further calls and lets the next batch in.
func (b *Batch) end(err error) {
	b.err = err
	if b.pieces {
		b.pieces = false
		b.shard.whole.Unlock()
	}
	b.shard.arena.reset()
	b.shard.writing.Store(false)
	b.shard.inside.leave()
}

// Get returns the value of key as this batch sees it, or false if there is
// none. The value must not be changed and stays valid until Commit or Discard.
func (b *Batch) Get(key []byte) (value []byte, found bool, err error) {
	if b.err != nil {
		return nil, false, b.err
	}
	found, err = b.get(key, func(v []byte) error {
		value = b.shard.arena.copy(v)
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return value, found, nil
}

// Set gives key a value. Both slices are used until the batch ends and must
// not be changed before. ErrBatchTooLarge leaves the batch as it was.
func (b *Batch) Set(key, value []byte) error {
	if b.err != nil {
		return b.err
	}
	if b.shard.summed() {
		stored := b.shard.arena.alloc(len(value) + sumSize)
		n := copy(stored, value)
		binary.LittleEndian.PutUint32(stored[n:], checksum(key, value))
		value = stored
	}
	entry := badger.NewEntry(key, value)
	if b.shard.dir == "" && len(value) > maxMemoryValue {
		packed, err := pack(value)
		if err == nil && len(packed) > maxMemoryValue {
			err = ErrBatchTooLarge
		}
		if err != nil {
			return fmt.Errorf("%s: %w", b.shard.name(), err)
		}
		entry = badger.NewEntry(key, packed).WithMeta(packedValue)
	}
	return b.write(len(key), len(entry.Value), func() error { return b.txn.SetEntry(entry) })
}

// Delete removes key, which need not exist. The slice is used until the batch
// ends and must not be changed before. ErrBatchTooLarge leaves the batch as it
// was.
func (b *Batch) Delete(key []byte) error {
	if b.err != nil {
		return b.err
	}
	return b.write(len(key), 0, func() error { return b.txn.Delete(key) })
}

func (b *Batch) write(keySize, valueSize int, do func() error) error {
	err := do()
	if errors.Is(err, badger.ErrTxnTooBig) {
		if b.shard.dir != "" {
			return fmt.Errorf("%w: %s", ErrBatchTooLarge, b.shard.name())
		}
		if !b.pieces {
			b.pieces = true
			b.shard.whole.Lock()
		}
		if err := b.txn.Commit(); err != nil {
			return b.shard.fail(err)
		}
		b.begin()
		err = do()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", b.shard.name(), err)
	}
	b.count++
	b.bytes += int64(keySize + valueSize)
	b.size += entrySize(b.shard.db.Opts().ValueThreshold, keySize, valueSize)
	return nil
}

// maxKeySize is the longest key that Badger takes, and maxMemoryValue the
// longest value that it keeps in memory. One more byte is for a value log, which
// it then looks for, finds none and panics.
const (
	maxKeySize     = 65000
	maxMemoryValue = 1<<20 - 1
)

// batchOverhead and entryOverhead are what Badger adds to keys and values.
const (
	batchOverhead = 64
	entryOverhead = 2 + 10 // meta bytes, version
)

// entrySize is what Badger counts for an entry against the transaction limit:
// the value, or a pointer into the value log, and a few bytes of its own.
func entrySize(threshold int64, keySize, valueSize int) int64 {
	const pointer = 12
	size := int64(keySize) + entryOverhead
	if int64(valueSize) < threshold {
		return size + int64(valueSize)
	}
	return size + pointer
}

// Cost is what a write takes of the room in a batch, by the sizes of key and
// value in bytes.
func (b *Batch) Cost(keySize, valueSize int) int64 {
	if b.shard.summed() {
		valueSize += sumSize
	}
	return entrySize(b.shard.db.Opts().ValueThreshold, keySize, valueSize)
}

// Fits reports whether that many more writes, with that much Cost in all, will
// be taken. In memory an empty batch takes anything. A batch that cannot be
// used has room, so that the first write tells what is wrong with it.
func (b *Batch) Fits(entries int, cost int64) bool {
	if b.err != nil || b.shard.dir == "" && b.count == 1 {
		return true
	}
	db := b.shard.db
	return b.count+int64(entries) < db.MaxBatchCount() && b.size+cost < db.MaxBatchSize()
}

// Scan is Snapshot.Scan, seeing the writes made to this batch before the call.
// Each call sorts those writes. The batch must not be written to inside fn.
func (b *Batch) Scan(r Range, fn func(key, value []byte) (more bool, err error)) error {
	if b.err != nil {
		return b.err
	}
	return b.scan(r, fn)
}

// Commit makes the writes visible and, with Options.Sync, durable. After
// ErrClosed and ErrDiskFull nothing is written. After any other error the shard
// takes no more writes until it is reopened, for part of the batch may have
// reached the log.
func (b *Batch) Commit() error {
	if b.err != nil {
		return b.err
	}
	if b.bytes > 0 {
		if err := b.shard.reserveSpace(b.bytes); err != nil {
			b.Discard()
			return err
		}
	}
	err := b.shard.commit(b)
	if err != nil {
		err = b.shard.fail(err)
	} else {
		if b.bytes > 0 {
			b.shard.dirty.Store(true)
			b.shard.written.Store(true)
		}
	}
	b.end(errBatchDone)
	return err
}

// Discard drops the writes. It does nothing after Commit or Discard.
func (b *Batch) Discard() {
	if b.err != nil {
		return
	}
	if b.pieces {
		_ = b.shard.fail(errHalfDiscarded) // the answer to what comes next
	}
	b.txn.Discard()
	b.end(errBatchDone)
}
