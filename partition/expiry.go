package partition

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// Time to live (Developer Guide, "Using time to live in DynamoDB"). Beside each
// item that has a usable TTL attribute lies a record that orders items by expiry:
//
//	'e' table:4 seconds:8 <item key behind its table id>
//
// so the sweeper reads what is due and nothing else.

// expiryOf is the item's expiry in epoch seconds. Values that are no number, not
// positive or beyond the year 292 billion never expire.
func expiryOf(t *Table, it item.Item) (seconds int64, ok bool) {
	if it == nil || t.TTL == nil || !t.TTL.Enabled {
		return 0, false
	}
	v := it.Get(t.TTL.Attribute)
	if v == nil || v.Type() != item.N {
		return 0, false
	}
	seconds, ok = v.Number().Floor()
	return seconds, ok && seconds > 0
}

func expiryPrefix(table uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kindExpiry}, table)
}

// appendExpiryKey appends the key of an item's expiry record.
func appendExpiryKey(dst []byte, table uint32, seconds int64, itemKey []byte) []byte {
	dst = append(dst, kindExpiry)
	dst = binary.BigEndian.AppendUint32(dst, table)
	dst = binary.BigEndian.AppendUint64(dst, uint64(seconds))
	return append(dst, itemKey[5:]...)
}

var expiryRecord = []byte{1}

// expiry stages the change of an item's expiry record.
func (a *application) expiry(t *Table, key []byte, old, next item.Item) {
	if t.TTL == nil || !t.TTL.Enabled {
		return
	}
	before, had := expiryOf(t, old)
	after, has := expiryOf(t, next)
	if had && has && before == after {
		return
	}
	if had {
		a.delete(a.arena.keep(appendExpiryKey(a.arena.grab(256), t.ID, before, key)))
	}
	if has {
		a.set(a.arena.keep(appendExpiryKey(a.arena.grab(256), t.ID, after, key)), expiryRecord)
	}
}

// expiryBackfillCommand adds expiry records for items written before the
// table's TTL was enabled.
type expiryBackfillCommand struct {
	table uint32
	keys  [][]byte
}

func (c *expiryBackfillCommand) apply(a *application) error {
	t := a.schema(c.table)
	if t == nil {
		return ErrTableNotFound
	}
	for _, key := range c.keys {
		it, err := a.load(key)
		if err != nil {
			return err
		}
		if seconds, ok := expiryOf(t, it); ok {
			a.set(appendExpiryKey(nil, t.ID, seconds, key), expiryRecord)
		}
	}
	return nil
}

// expiryGrace is how far in the past an expiry may lie: older values are taken
// for mistakes (milliseconds, zero) and never deleted.
const expiryGrace = 5 * 365 * 24 * time.Hour

// due reports whether an expiry in epoch seconds has come at a time.
func due(seconds int64, now time.Time) bool {
	return seconds < now.Unix() && seconds >= now.Add(-expiryGrace).Unix()
}

// expireCommand deletes the items under the given keys if they are still due.
type expireCommand struct {
	table uint32
	keys  [][]byte
	at    time.Time
}

func (c *expireCommand) apply(a *application) error {
	t := a.schema(c.table)
	if t == nil {
		return ErrTableNotFound
	}
	for _, key := range c.keys {
		if a.locked(key) {
			continue // the transaction decides; the next sweep looks again
		}
		old, err := a.load(key)
		if err != nil {
			return err
		}
		if seconds, ok := expiryOf(t, old); !ok || !due(seconds, c.at) {
			continue
		}
		var result WriteResult
		w := Write{Table: t, Kind: Delete, at: c.at, expired: true}
		if err := a.store(decision{t: t, w: &w, key: key, old: old}, &result); err != nil {
			return err
		}
	}
	return nil
}

// expireStep is how many items one command deletes.
const expireStep = 100

// expireItems deletes what is due in all tables.
func (db *DB) expireItems(ctx context.Context) error {
	for _, t := range db.tablesWith(func(t *Table) bool { return t.TTL != nil && t.TTL.Enabled }) {
		for shard, s := range db.store.Shards() {
			now := db.Now()
			prefix := expiryPrefix(t.ID)
			from := binary.BigEndian.AppendUint64(prefix[:len(prefix):len(prefix)], uint64(max(now.Add(-expiryGrace).Unix(), 0)))
			to := binary.BigEndian.AppendUint64(prefix[:len(prefix):len(prefix)], uint64(now.Unix()))
			for from != nil {
				records, next, err := keysFrom(s, from, to, expireStep, 0)
				if err != nil {
					return err
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if len(records) > 0 {
					c := expireCommand{table: t.ID, at: now}
					for _, r := range records {
						c.keys = append(c.keys, append(appendTablePrefix(nil, t.ID), r[13:]...))
					}
					if err := db.logs[shard].propose(&c, db.opts.GSI == GSISync); err != nil {
						return err
					}
				}
				from = next
			}
		}
	}
	return nil
}

// ttlAttribute is the attribute by which a table's items expire, "" for none.
func ttlAttribute(t *Table) string {
	if t.TTL == nil || !t.TTL.Enabled {
		return ""
	}
	return t.TTL.Attribute
}

// orderByExpiry starts the job that adds expiry records.
func (db *DB) orderByExpiry(table uint32) {
	db.ordering.Add(1)
	db.jobs.Go(func() {
		defer db.ordering.Done()
		db.backfillExpiry(table)
	})
}

// backfillExpiry adds the records of items that were there before.
func (db *DB) backfillExpiry(table uint32) {
	err := db.eachItemKeys(table, func(shard int, keys [][]byte) error {
		return db.logs[shard].propose(&expiryBackfillCommand{table, keys}, true)
	})
	if err == nil {
		err = db.editTable(table, func(t *Table) {
			if t.TTL != nil {
				t.TTL.Building = false
			}
		})
	}
	if err != nil {
		db.ended("ordering items by expiry", err)
	}
}

// checkExpiry wants the expiry record of an item to be there.
func (c *checker) checkExpiry(shard int, snap *storage.Snapshot, t *Table, key []byte, it item.Item) error {
	seconds, ok := expiryOf(t, it)
	if !ok || t.TTL.Building {
		return nil
	}
	found, err := snap.Has(appendExpiryKey(nil, t.ID, seconds, key))
	if err == nil && !found {
		c.problem(Problem{Table: t.Name, Shard: shard, Key: append([]byte(nil), key...), What: "the item's expiry record is missing"})
	}
	return err
}
