package partition

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// lockChange takes (tx set) or releases a lock with the open transaction.
type lockChange struct {
	key string
	tx  *txID
}

// locked reports whether a transaction holds the item.
func (a *application) locked(key []byte) bool {
	if len(a.locks) == 0 && len(a.r.locks) == 0 {
		return false
	}
	for i := len(a.locks) - 1; i >= 0; i-- {
		if a.locks[i].key == string(key) {
			return a.locks[i].tx != nil
		}
	}
	_, held := a.r.locks[string(key)]
	return held
}

func lockKey(itemKey []byte) []byte { return append([]byte{kindLock}, itemKey...) }

// intentPrefix starts the keys of all intents of a transaction on a shard.
func intentPrefix(id txID) []byte { return append([]byte{kindIntent}, id[:]...) }

func intentKey(id txID, n int) []byte {
	return binary.BigEndian.AppendUint16(intentPrefix(id), uint16(n))
}

func ledgerKey(id txID) []byte { return append([]byte{kindLedger}, id[:]...) }

// maxIntents is beyond every number of a transaction's intents.
const maxIntents = 1<<16 - 1

// intents reads count numbers of what a transaction has prepared here, as far
// as there are intents, in the order of its writes.
func (a *application) intents(id txID, from, count int) (intents []intent, err error) {
	bounds := storage.Range{Lower: intentKey(id, from), Upper: intentKey(id, from+count)}
	err = a.b.Scan(bounds, func(key, value []byte) (bool, error) {
		in, err := decodeIntent(bytes.Clone(value))
		in.n = int(binary.BigEndian.Uint16(key[len(key)-2:]))
		intents = append(intents, in)
		return true, err
	})
	return intents, err
}

// release stages the removal of an intent and of its lock.
func (a *application) release(id txID, in intent) {
	a.delete(intentKey(id, in.n))
	a.delete(lockKey(in.key))
	a.locks = append(a.locks, lockChange{key: string(in.key)})
}

// An intent is the outcome of one write of a prepared transaction.
type intent struct {
	n           int // its number, from its key
	coordinator int
	table       uint32
	kind        WriteKind
	at          int64 // milliseconds since the epoch
	key         []byte
	next        item.Item // nil deletes
}

// A stored intent: a format byte, the coordinator, table id, kind, time, and key
// and new item with their lengths (an absent item has none).
const intentFormat = 1

func encodeIntent(coordinator int, d decision) []byte {
	b := binary.BigEndian.AppendUint16([]byte{intentFormat}, uint16(coordinator))
	b = binary.BigEndian.AppendUint32(b, d.t.ID)
	b = append(b, byte(d.w.Kind))
	b = binary.AppendVarint(b, d.w.at.UnixMilli())
	b = binary.AppendUvarint(b, uint64(len(d.key)))
	b = append(b, d.key...)
	b = binary.AppendUvarint(b, uint64(len(d.next)))
	return append(b, d.next...)
}

// decodeIntent parses a stored intent; key and next alias b.
func decodeIntent(b []byte) (in intent, err error) {
	bad := fmt.Errorf("%w: intent of a transaction", ErrCorruptRecord)
	if len(b) < 8 || b[0] != intentFormat {
		return in, bad
	}
	in.coordinator = int(binary.BigEndian.Uint16(b[1:]))
	in.table, in.kind = binary.BigEndian.Uint32(b[3:]), WriteKind(b[7])
	at, n := binary.Varint(b[8:])
	if n <= 0 {
		return in, bad
	}
	in.at, b = at, b[8+n:]
	for _, field := range []*[]byte{&in.key, (*[]byte)(&in.next)} {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return in, bad
		}
		if size > 0 {
			*field = b[n : n+int(size) : n+int(size)]
		}
		b = b[n+int(size):]
	}
	if len(b) > 0 {
		return in, bad
	}
	return in, nil
}

// write rebuilds what store needs to know of a write from its intent.
func (in intent) write(t *Table) *Write {
	return &Write{Table: t, Kind: in.kind, at: time.UnixMilli(in.at).UTC()}
}
