package partition

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stator-db/stator/storage/item"
)

// KeyRead names an item to read: Key holds at least the key attributes.
type KeyRead struct {
	Table *Table
	Key   item.Item
}

// How often and after what pause a transactional read that met a write tries again.
const (
	transactGetTries = 12
	transactGetPause = 500 * time.Microsecond
)

// TransactGet reads all items as of one moment and passes each to fn in order,
// nil for an absent one; an item is valid until fn returns.
//
// Items of one shard come from one snapshot. Of several shards they are read,
// and then looked at again ("Distributed transactions at scale in Amazon
// DynamoDB", section 3.4): if no version has changed and no transaction holds
// any, there was a moment between the two looks at which all of them were
// current. Otherwise the read is tried again, and at last canceled with
// ErrTransactionConflict.
func (db *DB) TransactGet(ctx context.Context, reads []KeyRead, fn func(i int, it item.Item) error) error {
	var canceled *TransactionCanceled
	for try := range transactGetTries {
		var items []item.Item
		var err error
		if items, canceled, err = db.readTogether(ctx, reads); err != nil {
			return err
		}
		if canceled == nil {
			for i, it := range items {
				if err := fn(i, it); err != nil {
					return err
				}
			}
			return nil
		}
		if !db.rest(ctx, transactGetPause<<min(try, 5)) {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			return ErrClosed
		}
	}
	return canceled
}

// sighting is what one look at an item found.
type sighting struct {
	version uint64 // of an absent item: when the shard last deleted one
	held    bool
	// incarnation is of the state that was looked at: when a shard last deleted
	// something is known of one only.
	incarnation uint64
	item        item.Item // nil if absent or not wanted
}

func (db *DB) readTogether(ctx context.Context, reads []KeyRead) ([]item.Item, *TransactionCanceled, error) {
	byShard := make(map[int][]int)
	keys := make([][]byte, len(reads))
	for i, r := range reads {
		var token Token
		keys[i], token = appendItemKey(nil, r.Table, r.Key)
		shard := shardOf(token, len(db.logs))
		byShard[shard] = append(byShard[shard], i)
	}
	items := make([]item.Item, len(reads))
	first, err := db.look(ctx, byShard, keys, items, false)
	if err != nil {
		return nil, nil, err
	}
	second := first
	if len(byShard) > 1 {
		if second, err = db.look(ctx, byShard, keys, nil, true); err != nil {
			return nil, nil, err
		}
	}
	canceled := &TransactionCanceled{Reasons: make([]error, len(reads))}
	conflict := false
	for i := range reads {
		if first[i].held || second[i].held || first[i].version != second[i].version ||
			first[i].incarnation != second[i].incarnation {
			canceled.Reasons[i], conflict = ErrTransactionConflict, true
		}
	}
	if conflict {
		return nil, canceled, nil
	}
	return items, nil, nil
}

// look reads version and lock of every item, and copies the items if wanted.
//
// An absent item that was put and deleted again between two looks must show
// another version. The delete raises lastDelete before it can be seen, and
// after the put can: so the first look reads lastDelete before its snapshot
// begins, and again, the second, when its snapshot is there.
func (db *DB) look(ctx context.Context, byShard map[int][]int, keys [][]byte, items []item.Item, again bool) ([]sighting, error) {
	seen := make([]sighting, len(keys))
	for _, shard := range slices.Sorted(maps.Keys(byShard)) {
		positions := byShard[shard]
		wanted := make([][]byte, len(positions))
		for n, i := range positions {
			wanted[n] = keys[i]
		}
		found, err := db.lookShard(ctx, shard, wanted, again, items != nil)
		if err != nil {
			return nil, err
		}
		for n, i := range positions {
			seen[i] = found[n]
			if items != nil {
				items[i] = found[n].item
			}
		}
	}
	return seen, nil
}

func (db *DB) lookShard(ctx context.Context, shard int, keys [][]byte, again, wanted bool) (found []sighting, err error) {
	if db.world != nil {
		return db.lookSimulated(ctx, shard, keys, wanted)
	}
	if db.node != nil {
		return db.node.lookFar(ctx, shard, keys, again, wanted)
	}
	lastDelete := db.replicas[shard].lastDelete.Load()
	err = db.view(ctx, shard, Strong, func(snap snapshot) error {
		if again {
			lastDelete = db.replicas[shard].lastDelete.Load()
		}
		found, err = lookAt(snap, keys, lastDelete, wanted)
		return err
	})
	return found, err
}

// lookAt reads version and lock, and the items if wanted, of one shard.
func lookAt(snap snapshot, keys [][]byte, lastDelete uint64, wanted bool) ([]sighting, error) {
	seen := make([]sighting, len(keys))
	for i, key := range keys {
		held, err := snap.Has(lockKey(key))
		if err != nil {
			return nil, err
		}
		seen[i] = sighting{version: lastDelete, held: held}
		if _, err := snap.Get(key, func(value []byte) error {
			version, it, err := parseRecord(value)
			if err != nil {
				return err
			}
			seen[i].version = version
			if wanted {
				seen[i].item = it.Clone()
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return seen, nil
}
