package partition

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

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

// expireCommand deletes the items that the given expiry records tell of, if
// they are still due.
type expireCommand struct {
	table   uint32
	records [][]byte
	at      time.Time
}

func (c *expireCommand) apply(a *application) error {
	t := a.schema(c.table)
	if t == nil {
		return ErrTableNotFound
	}
	for _, record := range c.records {
		key := append(appendTablePrefix(nil, t.ID), record[13:]...)
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
	for _, t := range db.tablesWith(func(t *Table) bool { return ttlAttribute(t) != "" }) {
		for shard := range db.logs {
			if !db.acts(shard) {
				continue
			}
			now := db.Now()
			prefix := expiryPrefix(t.ID)
			from := binary.BigEndian.AppendUint64(prefix[:len(prefix):len(prefix)], uint64(max(now.Add(-expiryGrace).Unix(), 0)))
			to := binary.BigEndian.AppendUint64(prefix[:len(prefix):len(prefix)], uint64(now.Unix()))
			for from != nil {
				records, next, err := db.keysFrom(ctx, shard, from, to, expireStep, 0)
				if err == nil {
					err = db.admit(ctx, shard)
				}
				if err == nil {
					err = db.expire(ctx, shard, expireCommand{table: t.ID, at: now, records: records})
				}
				if err != nil {
					return err
				}
				from = next
			}
		}
	}
	return nil
}

// expire runs a command, in halves if it deletes more than one commit can.
func (db *DB) expire(ctx context.Context, shard int, c expireCommand) error {
	if len(c.records) == 0 {
		return nil
	}
	err := db.logs[shard].propose(ctx, &c, db.opts.GSI == GSISync)
	if n := len(c.records); errors.Is(err, ErrWriteTooLarge) && n > 1 {
		first, second := c, c
		first.records, second.records = c.records[:n/2], c.records[n/2:]
		err = errors.Join(db.expire(ctx, shard, first), db.expire(ctx, shard, second))
	}
	return err
}

// ttlAttribute is the attribute by which a table's items expire, "" for none.
func ttlAttribute(t *Table) string {
	if t.TTL == nil || !t.TTL.Enabled {
		return ""
	}
	return t.TTL.Attribute
}

// ordering counts the tables whose items are being ordered by expiry.
type ordering struct {
	sync.Mutex
	running int
	idle    chan struct{} // closed when running turns 0
}

// orderByExpiry begins to add expiry records of the items of a table; the
// returned job does it.
func (db *DB) orderByExpiry(t *Table) (job func()) {
	db.ordering.Lock()
	defer db.ordering.Unlock()
	if db.ordering.running++; db.ordering.running == 1 {
		db.ordering.idle = make(chan struct{})
	}
	return func() {
		db.backfillExpiry(t.ID, t.TTL.Since)
		db.ordering.Lock()
		defer db.ordering.Unlock()
		if db.ordering.running--; db.ordering.running == 0 {
			close(db.ordering.idle)
		}
	}
}

// awaitOrdering waits until no items are being ordered, or Close begins.
func (db *DB) awaitOrdering() {
	db.ordering.Lock()
	idle := db.ordering.idle
	db.ordering.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-db.jobs.ctx.Done():
	}
}

// backfillExpiry adds the records of items that were there before. Time to live
// may be switched off and on meanwhile, which is another job's then.
func (db *DB) backfillExpiry(table uint32, since uint64) {
	err := db.eachItemKeys(table, func(shard int, keys [][]byte) error {
		return db.logs[shard].propose(db.jobs.ctx, &expiryBackfillCommand{table, keys}, true)
	})
	if err == nil {
		err = db.editTable(table, func(t *Table) {
			if t.TTL != nil && t.TTL.Since == since {
				t.TTL.Building = false
			}
		})
	}
	if err != nil {
		db.ended("ordering items by expiry", err)
	}
}

// forgetExpiry is the job that removes the expiry records of a table whose time
// to live was switched off. It stops where it is on again.
func (db *DB) forgetExpiry(table uint32) {
	if err := db.purgeExpiry(table); err != nil {
		db.ended("removing expiry records", err)
	}
}

func (db *DB) purgeExpiry(table uint32) error {
	return db.purgeWith(purgeCommand{prefix: expiryPrefix(table), expiry: table})
}
