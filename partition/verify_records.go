package partition

import (
	"bytes"
	"encoding/binary"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// What Verify and Repair do about records beside items and index entries. The
// one finds and the other sets right the same things:
//
//   - an item with a time to live has an expiry record, and no other record
//     names it;
//   - a lock belongs to an intent of its transaction for the same item, and an
//     intent has its lock. A pair is a transaction that the next start finishes.

// checkExpiry wants the expiry record of an item to be there.
func (c *checker) checkExpiry(shard int, snap *storage.Snapshot, t *Table, key []byte, it item.Item) error {
	record, missing, err := missingExpiry(snap, t, key, it)
	if err == nil && missing {
		c.problem(Problem{Table: t.Name, Shard: shard, Key: record, What: "the item's expiry record is missing"})
	}
	return err
}

// missingExpiry tells the expiry record that an item should have and has not.
func missingExpiry(snap *storage.Snapshot, t *Table, key []byte, it item.Item) (record []byte, missing bool, err error) {
	seconds, ok := expiryOf(t, it)
	if !ok || t.TTL.Building {
		return nil, false, nil
	}
	record = appendExpiryKey(nil, t.ID, seconds, key)
	found, err := snap.Has(record)
	return record, !found, err
}

// strayExpiry reports whether no item calls for an expiry record.
func (c *checker) strayExpiry(snap *storage.Snapshot, record []byte) (*Table, bool, error) {
	id, _ := tableOwner(record)
	t := c.tables[id]
	if t == nil || ttlAttribute(t) == "" || t.TTL.Building {
		return t, false, nil // removed or added by the next start
	}
	if len(record) < 13 {
		return t, true, nil
	}
	called := false
	key := append(appendTablePrefix(nil, id), record[13:]...)
	_, err := snap.Get(key, func(value []byte) error {
		if _, it, err := parseRecord(value); err == nil {
			seconds, ok := expiryOf(t, it)
			called = ok && uint64(seconds) == binary.BigEndian.Uint64(record[5:])
		}
		return nil
	})
	return t, !called, err
}

func (c *checker) checkExpiryRecords(shard int, snap *storage.Snapshot) error {
	return scanKind(snap, kindExpiry, func(key, _ []byte) error {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		t, stray, err := c.strayExpiry(snap, key)
		if err == nil && stray {
			c.problem(Problem{Table: t.Name, Shard: shard, Key: bytes.Clone(key), What: "the expiry record is of no item"})
		}
		return err
	})
}

// eachIntent visits what transactions have prepared in a shard.
func eachIntent(snap *storage.Snapshot, fn func(id txID, in intent) error) error {
	return scanKind(snap, kindIntent, func(key, value []byte) error {
		in, err := decodeIntent(value)
		if err != nil || len(key) != 1+len(txID{})+2 {
			return err
		}
		return fn(txID(key[1:17]), in)
	})
}

// intended collects the items that intents of a shard hold, by transaction.
func intended(snap *storage.Snapshot) (map[string]txID, error) {
	held := make(map[string]txID)
	err := eachIntent(snap, func(id txID, in intent) error { held[string(in.key)] = id; return nil })
	return held, err
}

func (c *checker) checkLocks(shard int, snap *storage.Snapshot) error {
	held, err := intended(snap)
	if err != nil {
		return err
	}
	locks := c.replicas[shard].locks
	for key, id := range locks {
		if by, ok := held[key]; !ok || by != id {
			c.problem(Problem{Shard: shard, Key: []byte(key), What: "the item is locked by a transaction that did not prepare it"})
		}
	}
	for key := range held {
		if _, ok := locks[key]; !ok {
			c.problem(Problem{Shard: shard, Key: []byte(key), What: "a transaction prepared the item and does not lock it"})
		}
	}
	return nil
}

// records sets right, in one shard, all but items, index entries and counts.
func (r *repairer) records(shard int) error {
	w := r.writer(shard)
	for id, t := range r.tables {
		if in := r.replicas[shard].tables[id]; in != nil && in.Version == t.Version {
			continue
		}
		body, err := encodeTable(t)
		if err == nil {
			err = w.add(mutation{schemaKey(id), body})
		}
		if err != nil {
			return err
		}
	}
	if err := r.store.Shards()[shard].View(func(snap *storage.Snapshot) error { return r.locks(shard, snap, w) }); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	if err := r.edit(shard, kindExpiry, func(s *storage.Snapshot, key, _ []byte) (mutation, bool, error) {
		_, stray, err := r.strayExpiry(s, key)
		return mutation{key: bytes.Clone(key)}, stray, err
	}); err != nil {
		return err
	}
	return r.edit(shard, kindItem, func(s *storage.Snapshot, key, value []byte) (mutation, bool, error) {
		id, _ := tableOwner(key)
		_, it, err := parseRecord(value)
		if t := r.tables[id]; t != nil && err == nil {
			record, missing, err := missingExpiry(s, t, key, it)
			return mutation{record, expiryRecord}, missing, err
		}
		return mutation{}, false, nil // items are not touched
	})
}

func (r *repairer) locks(shard int, snap *storage.Snapshot, w *repairWriter) error {
	held, err := intended(snap)
	if err != nil {
		return err
	}
	for key, id := range r.replicas[shard].locks {
		if by, ok := held[key]; !ok {
			err = w.add(mutation{key: lockKey([]byte(key))})
		} else if by != id {
			delete(r.replicas[shard].locks, key) // and take it for the other
		}
		if err != nil {
			return err
		}
	}
	for key, id := range held {
		if _, ok := r.replicas[shard].locks[key]; !ok {
			if err := w.add(mutation{lockKey([]byte(key)), id[:]}); err != nil {
				return err
			}
		}
	}
	return nil
}
