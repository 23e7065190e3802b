package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/dgraph-io/badger/v4"
)

// Snapshot is a consistent view of a shard inside Shard.View. It must not
// leave the function it is passed to, nor be used by two goroutines at once.
type Snapshot struct{ reader }

// Get calls fn with the value of key and reports true, or reports false if
// there is none. The value is valid only inside fn and must not be changed. An
// error of fn is returned as it is.
func (s *Snapshot) Get(key []byte, fn func(value []byte) error) (found bool, err error) {
	return s.get(key, fn)
}

// Has reports whether key has a value, without reading it.
func (s *Snapshot) Has(key []byte) (bool, error) { return s.get(key, nil) }

// Scan calls fn for the entries of r in order until fn returns false or an
// error, which Scan returns. Key and value are valid only inside fn and must
// not be changed.
func (s *Snapshot) Scan(r Range, fn func(key, value []byte) (more bool, err error)) error {
	return s.scan(r, fn)
}

// Range is an interval of keys and how to walk it.
type Range struct {
	// Lower is the first key, nil for the very first. Upper is the first key
	// beyond the range, nil for none.
	Lower, Upper []byte
	// Reverse walks from the end of the range to its start.
	Reverse bool
	// KeysOnly passes a nil value and does not read any.
	KeysOnly bool
}

// prefix returns a prefix that all keys of the range have, so that Badger can
// leave out tables without it.
func (r Range) prefix() []byte {
	n := min(len(r.Lower), len(r.Upper))
	i := 0
	for i < n && r.Lower[i] == r.Upper[i] {
		i++
	}
	// [px.., py) with y = x+1 holds keys beginning with px only. Backwards the
	// walk starts at the upper bound, so that needs to have the prefix too.
	if !r.Reverse && len(r.Upper) == i+1 && len(r.Lower) > i && r.Lower[i]+1 == r.Upper[i] {
		i++
	}
	return r.Lower[:i]
}

// reader is what a snapshot and a batch share.
type reader struct {
	shard *Shard
	txn   *badger.Txn
}

func (r *reader) get(key []byte, fn func(value []byte) error) (found bool, err error) {
	g := guard{shard: r.shard}
	defer g.protect(&err)
	it, err := r.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, r.shard.readError(err)
	}
	if fn == nil {
		return true, nil
	}
	return true, r.value(&g, key, it, fn)
}

// value calls fn with the checked value of it. Errors of fn and of Badger come
// out of the same call, and only the latter are damage.
func (r *reader) value(g *guard, key []byte, it *badger.Item, fn func(value []byte) error) error {
	var result error
	err := it.Value(func(v []byte) error {
		if r.shard.summed() {
			if v, result = r.shard.unseal(key, v); result != nil {
				return nil //nolint:nilerr // Badger would wrap it: it is returned below
			}
		}
		if it.UserMeta() == packedValue {
			if v, result = unpack(v); result != nil {
				return nil //nolint:nilerr // as above
			}
		}
		g.callback = true
		result = fn(v)
		g.callback = false
		return nil
	})
	if err != nil {
		return r.shard.readError(err)
	}
	return result
}

func (r *reader) scan(rg Range, fn func(key, value []byte) (more bool, err error)) (err error) {
	if rg.Upper != nil && bytes.Compare(rg.Lower, rg.Upper) >= 0 {
		return nil
	}
	g := guard{shard: r.shard}
	defer g.protect(&err)
	// Prefetching values starts a goroutine for each: 100 us for a scan of ten.
	it := r.txn.NewIterator(badger.IteratorOptions{Reverse: rg.Reverse, Prefix: rg.prefix()})
	defer it.Close()

	first := rg.Lower
	if rg.Reverse {
		first = rg.Upper
	}
	it.Seek(first)
	if rg.Reverse && rg.Upper != nil && it.Valid() && bytes.Equal(it.Item().Key(), rg.Upper) {
		it.Next()
	}
	var (
		key  []byte
		more bool
	)
	visit := func(value []byte) (err error) {
		more, err = fn(key, value)
		return err
	}
	for ; it.Valid(); it.Next() {
		item := it.Item()
		key = item.Key()
		if rg.Reverse {
			if bytes.Compare(key, rg.Lower) < 0 {
				return nil
			}
		} else if rg.Upper != nil && bytes.Compare(key, rg.Upper) >= 0 {
			return nil
		}
		if rg.KeysOnly {
			g.callback = true
			more, err = fn(key, nil)
			g.callback = false
		} else {
			err = r.value(&g, key, item, visit)
		}
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// Values on disk end in the CRC-32C of key and value, little endian. Badger
// keeps a checksum of each table block but its lookups and iterators take a
// block that fails it for an absent key or the end of the table, and its
// compactions drop what follows. A sum that travels with the value holds from
// the write to the read whatever happened in between.
const sumSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// unseal returns the value within stored, the bytes Badger holds for key.
func (s *Shard) unseal(key, stored []byte) ([]byte, error) {
	n := len(stored) - sumSize
	if n < 0 || checksum(key, stored[:n]) != binary.LittleEndian.Uint32(stored[n:]) {
		return nil, corrupt(s.name(), "checksum mismatch in the value of a key of %d bytes", len(key))
	}
	return stored[:n:n], nil
}
