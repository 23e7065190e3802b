package partition

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// How much one command of a background job does: enough to be quick, little
// enough that a client's write behind it does not notice.
const (
	purgeStep   = 1000
	reindexStep = 100
	stepBytes   = 512 << 10 // of what is read for it
)

// tableByID finds the current snapshot of a table that is not being deleted.
func (db *DB) tableByID(id uint32) *Table {
	db.catalog.RLock()
	defer db.catalog.RUnlock()
	for _, t := range db.catalog.names {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// tablesWith lists the current snapshots that match.
func (db *DB) tablesWith(match func(*Table) bool) []*Table {
	db.catalog.RLock()
	defer db.catalog.RUnlock()
	var all []*Table
	for _, t := range db.catalog.names {
		if match(t) {
			all = append(all, t)
		}
	}
	return all
}

// editTable edits a copy of the table for a job; nothing happens if it is gone.
func (db *DB) editTable(table uint32, change func(t *Table)) error {
	db.ddl.Lock()
	defer db.ddl.Unlock()
	old := db.tableByID(table)
	if old == nil {
		return nil
	}
	t := old.clone()
	change(t)
	return db.replace(t, 0)
}

// updateIndex does the same for an index; ok is false if it is gone.
func (db *DB) updateIndex(table uint32, index uint16, change func(t *Table, ix *Index)) (ok bool, err error) {
	err = db.editTable(table, func(t *Table) {
		if ix := t.indexByID(index); ix != nil {
			change(t, ix)
			ok = true
		}
	})
	return ok, err
}

// ended handles the end of a job's step: quiet at shutdown and for a dropped
// table, fatal otherwise. The job is taken up again at the next start.
func (db *DB) ended(what string, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrTableNotFound) || errors.Is(err, ErrClosed) {
		return
	}
	db.log.Error("background job failed and goes on after a restart", "job", what, "error", err)
}

// pause waits for half of the configured index delay.
func (db *DB) pause() error {
	if db.opts.IndexDelay <= 0 {
		return db.jobs.ctx.Err()
	}
	timer := time.NewTimer(db.opts.IndexDelay / 2)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-db.jobs.ctx.Done():
		return db.jobs.ctx.Err()
	}
}

// buildIndex takes a new global index from CREATING to ACTIVE (Developer Guide,
// "Adding a global secondary index to an existing table"): resource allocation,
// during which the table is UPDATING, then the backfill.
//
// Every shard has the index in its schema before the backfill begins, so writes
// maintain it already; the backfill adds what was there before. Both go through
// the shard's log, which orders them item by item.
func (db *DB) buildIndex(table uint32, index uint16) {
	if err := db.pause(); err != nil {
		return
	}
	ok, err := db.updateIndex(table, index, func(t *Table, ix *Index) {
		if ix.Status == IndexCreating { // else it is being removed again
			t.Status, ix.Backfilling = TableActive, true
		}
	})
	if err == nil && ok {
		err = db.backfill(table, index)
	}
	if err == nil && ok {
		err = db.pause()
	}
	if err == nil && ok {
		_, err = db.updateIndex(table, index, func(t *Table, ix *Index) {
			if ix.Status == IndexCreating {
				ix.Status, ix.Backfilling = IndexActive, false
			}
		})
	}
	if err != nil {
		db.ended("building an index", err)
	}
}

// backfill adds the items of all shards to the index.
func (db *DB) backfill(table uint32, index uint16) error {
	return db.eachItemKeys(table, func(shard int, keys [][]byte) error {
		if err := db.admit(db.jobs.ctx, shard); err != nil {
			return err
		}
		// Waiting for the entries to be visible makes ACTIVE mean complete.
		if err := db.logs[shard].propose(db.jobs.ctx, &reindexCommand{table, index, keys}, true); err != nil {
			return err
		}
		return db.usable()
	})
}

// eachItemKeys walks the keys of a table's items in steps that one command can
// work off.
func (db *DB) eachItemKeys(table uint32, fn func(shard int, keys [][]byte) error) error {
	prefix := appendTablePrefix(nil, table)
	for shard := range db.logs {
		from := prefix
		for from != nil {
			keys, next, err := db.keysFrom(db.jobs.ctx, shard, from, item.PrefixEnd(prefix), reindexStep, stepBytes)
			if err != nil {
				return err
			}
			if err := db.jobs.ctx.Err(); err != nil {
				return err
			}
			if len(keys) > 0 {
				if err := fn(shard, keys); err != nil {
					return err
				}
			}
			from = next
		}
	}
	return nil
}

// keysFrom lists up to limit keys of a range, and where to go on (nil: the
// end). With maxBytes not 0 it also ends after so many bytes of keys and values.
func (db *DB) keysFrom(ctx context.Context, shard int, from, to []byte, limit, maxBytes int) (keys [][]byte, next []byte, err error) {
	size := 0
	err = db.view(ctx, shard, Strong, func(s snapshot) error {
		bounds := storage.Range{Lower: from, Upper: to, KeysOnly: maxBytes == 0}
		return s.Scan(bounds, func(key, value []byte) (bool, error) {
			if len(keys) == limit || maxBytes > 0 && size > maxBytes {
				next = bytes.Clone(key)
				return false, nil
			}
			size += len(key) + len(value)
			keys = append(keys, bytes.Clone(key))
			return true, nil
		})
	})
	return keys, next, err
}

// removeIndex takes a global index from DELETING to nothing.
func (db *DB) removeIndex(table uint32, index uint16) {
	err := db.pause()
	if err == nil {
		t := db.tableByID(table)
		if t == nil || t.indexByID(index) == nil {
			return
		}
		err = db.purge(appendIndexPrefix(nil, table, t.indexByID(index)))
	}
	if err == nil {
		err = db.pause()
	}
	if err == nil {
		err = db.everyShard(&dropIndexCountsCommand{table, index})
	}
	if err == nil {
		_, err = db.updateIndex(table, index, func(t *Table, _ *Index) { t.dropIndex(index) })
	}
	if err != nil {
		db.ended("removing an index", err)
	}
}

// dropIndex takes a global index, and the attribute definitions that only it
// used, out of the table.
func (t *Table) dropIndex(id uint16) {
	kept := t.Global[:0]
	for _, ix := range t.Global {
		if ix.ID != id {
			kept = append(kept, ix)
		}
	}
	t.Global = kept
	t.Status = TableActive

	used := make(map[string]bool)
	for _, name := range t.Key.Names() {
		used[name] = true
	}
	for _, list := range [][]*Index{t.Local, t.Global} {
		for _, ix := range list {
			for _, name := range ix.Key.Names() {
				used[name] = true
			}
		}
	}
	attributes := t.Attributes[:0]
	for _, a := range t.Attributes {
		if used[a.Name] {
			attributes = append(attributes, a)
		}
	}
	t.Attributes = attributes
}

// purgeTable removes everything a dropped table left behind, its catalog record
// last.
func (db *DB) purgeTable(t *Table) {
	err := db.purge(appendTablePrefix(nil, t.ID))
	if err == nil {
		err = db.purge(expiryPrefix(t.ID))
	}
	if err == nil && !db.hasStream(t.ID) {
		err = db.purge(streamsPrefix(t.ID))
	}
	for _, ix := range t.byName {
		if err == nil {
			err = db.purge(appendIndexPrefix(nil, t.ID, ix))
		}
	}
	if err == nil {
		err = db.catalogLog.propose(db.jobs.ctx, &recordsCommand{[]mutation{{key: catalogTableKey(t.ID)}}}, true)
	}
	if err != nil {
		db.ended("removing a table", err)
	}
}

// purge removes all records under a prefix from every shard, step by step.
func (db *DB) purge(prefix []byte) error { return db.purgeWith(purgeCommand{prefix: prefix}) }

func (db *DB) purgeWith(c purgeCommand) error {
	c.limit = purgeStep
	for _, l := range db.logs {
		for more := true; more; {
			if err := db.jobs.ctx.Err(); err != nil {
				return err
			}
			if err := l.propose(db.jobs.ctx, &c, true); err != nil {
				return err
			}
			more = c.more
		}
	}
	return nil
}
