package partition

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/stator-db/stator/storage"
)

// A command is one entry of a shard's log: the only way its bytes change.
// apply stages mutations on the application; it reads no clock, no random
// source and no map order, so every replica that applies the same log holds the
// same bytes. An error leaves no trace of the command.
type command interface {
	apply(a *application) error
}

// replica is the state machine of one shard: a Badger database and what is kept
// of it in memory. Its owner serialises apply.
type replica struct {
	id     int
	shards int // number of shards in the ring
	shard  *storage.Shard
	mode   GSIMode

	seq      uint64            // sequence of the last applied command
	tables   map[uint32]*Table // schemas installed here
	received map[int]uint64    // outbox sequence applied from each source shard
	locks    map[string]txID   // item keys held by prepared transactions

	// applied is seq for readers; lastDelete the seq of the last batch that
	// deleted an item since the start.
	applied, lastDelete atomic.Uint64

	stats struct {
		sync.Mutex
		counts map[statsID]counts
	}

	// catalogChanged is told of committed records of the catalog.
	catalogChanged func([]catalogChange)
	// emit hands committed outbox entries to the propagator, in order.
	emit func([]outboxEntry)

	app application // reused from batch to batch

	// What is counted on a single node; in a cluster the group counts.
	proposals atomic.Uint64
	reads     readCounts

	// hooks are for tests: commit comes before every commit, which fails with
	// its error, and committed between a commit and its showing in memory.
	hooks struct {
		commit    func() error
		committed func()
	}
}

// statsID names the counts of a table (index 0) or of one of its indexes.
type statsID struct {
	table uint32
	index uint16
}

// counts is the number of items or entries and the sum of their sizes.
type counts struct{ items, bytes int64 }

// openReplica loads what a shard's database holds of schemas, counts and
// positions.
func openReplica(id, shards int, shard *storage.Shard, mode GSIMode) (*replica, error) {
	r := &replica{
		id: id, shards: shards, shard: shard, mode: mode,
		tables:   make(map[uint32]*Table),
		received: make(map[int]uint64),
		locks:    make(map[string]txID),
	}
	r.stats.counts = make(map[statsID]counts)
	err := shard.View(func(s *storage.Snapshot) error {
		if _, err := s.Get(appliedKey, func(v []byte) error {
			if len(v) != 8 {
				return fmt.Errorf("%w: applied index of %d bytes", ErrCorruptRecord, len(v))
			}
			r.seq = binary.BigEndian.Uint64(v)
			return nil
		}); err != nil {
			return err
		}
		if err := scanKind(s, kindTable, func(key, value []byte) error {
			t, err := decodeTable(value)
			if err != nil {
				return err
			}
			r.tables[t.ID] = t
			return nil
		}); err != nil {
			return err
		}
		if err := scanKind(s, kindStats, func(key, value []byte) error {
			if len(key) != 7 {
				return fmt.Errorf("%w: counts under key %x", ErrCorruptRecord, key)
			}
			id := statsID{binary.BigEndian.Uint32(key[1:]), binary.BigEndian.Uint16(key[5:])}
			items, n := binary.Varint(value)
			bytes, m := binary.Varint(value[max(n, 0):])
			if n <= 0 || m <= 0 {
				return fmt.Errorf("%w: counts under key %x", ErrCorruptRecord, key)
			}
			r.stats.counts[id] = counts{items, bytes}
			return nil
		}); err != nil {
			return err
		}
		if err := scanKind(s, kindLock, func(key, value []byte) error {
			if len(value) != len(txID{}) {
				return fmt.Errorf("%w: lock under key %x", ErrCorruptRecord, key)
			}
			r.locks[string(key[1:])] = txID(value)
			return nil
		}); err != nil {
			return err
		}
		return scanKind(s, kindReceived, func(key, value []byte) error {
			if len(key) != 3 || len(value) != 8 {
				return fmt.Errorf("%w: outbox position under key %x", ErrCorruptRecord, key)
			}
			r.received[int(binary.BigEndian.Uint16(key[1:]))] = binary.BigEndian.Uint64(value)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("loading shard %d: %w", id, err)
	}
	r.applied.Store(r.seq)
	return r, nil
}

// scanKind visits all records of one kind.
func scanKind(s snapshot, kind byte, fn func(key, value []byte) error) error {
	return s.Scan(storage.Range{Lower: []byte{kind}, Upper: []byte{kind + 1}}, func(key, value []byte) (bool, error) {
		return true, fn(key, value)
	})
}

// Table schemas are stored as JSON behind a format byte.
const tableFormat = 1

func encodeTable(t *Table) ([]byte, error) {
	body, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encoding schema of table %s: %w", t.Name, err)
	}
	return append([]byte{tableFormat}, body...), nil
}

func decodeTable(b []byte) (*Table, error) {
	if len(b) == 0 || b[0] != tableFormat {
		return nil, fmt.Errorf("%w: table schema of unknown format", ErrCorruptRecord)
	}
	t := new(Table)
	if err := json.Unmarshal(b[1:], t); err != nil {
		return nil, fmt.Errorf("%w: table schema: %w", ErrCorruptRecord, err)
	}
	t.prepare()
	return t, nil
}
