package partition

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// RepairSummary counts what Repair changed.
type RepairSummary struct {
	Tables, EntriesAdded, EntriesRemoved int64
}

// Repair opens the data in o.Dir, alone, and makes every index hold exactly the
// entries that the items call for, then sets all counts right, and what Verify
// finds wrong with schemas, expiry records and locks. Indexes being made lose
// their entries, which the next start adds anew. Items are never touched.
// Changes waiting in an outbox are superseded and removed. report is
// told of each table as it is done.
func Repair(ctx context.Context, o Options, report func(string)) (RepairSummary, error) {
	c, err := openChecker(ctx, o)
	if err != nil {
		return RepairSummary{}, err
	}
	r := repairer{checker: c}
	err = errors.Join(r.run(report), c.close())
	return r.summary, err
}

type repairer struct {
	*checker
	summary RepairSummary
}

func (r *repairer) run(report func(string)) error {
	r.report = func(Problem) {}
	for i := range r.replicas {
		if err := r.edit(i, kindOutbox, func(_ *storage.Snapshot, key, _ []byte) (mutation, bool, error) {
			return mutation{key: bytes.Clone(key)}, true, nil
		}); err != nil {
			return err
		}
	}
	// First what should not be there, then what is missing or differs, so that
	// an interrupted repair leaves no more wrong than it found.
	for i := range r.replicas {
		if err := r.records(i); err != nil {
			return err
		}
		for _, kind := range []byte{kindLocal, kindGlobal} {
			if err := r.edit(i, kind, r.strayEntry); err != nil {
				return err
			}
		}
	}
	for _, t := range r.tables {
		before := r.summary
		for i := range r.replicas {
			if err := r.addEntries(i, t); err != nil {
				return err
			}
		}
		r.summary.Tables++
		report(fmt.Sprintf("table %s: %d index entries added or replaced", t.Name, r.summary.EntriesAdded-before.EntriesAdded))
	}
	return r.recount()
}

// edit walks the records of one kind in a shard and changes what fn says.
func (r *repairer) edit(shard int, kind byte, fn func(s *storage.Snapshot, key, value []byte) (mutation, bool, error)) error {
	w := r.writer(shard)
	err := r.store.Shards()[shard].View(func(s *storage.Snapshot) error {
		return scanKind(s, kind, func(key, value []byte) error {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			m, ok, err := fn(s, key, value)
			if err != nil || !ok {
				return err
			}
			return w.add(m)
		})
	})
	return errors.Join(err, w.flush())
}

// strayEntry selects entries of live indexes that no item calls for.
func (r *repairer) strayEntry(_ *storage.Snapshot, key, value []byte) (mutation, bool, error) {
	remove := mutation{key: bytes.Clone(key)}
	ix := r.indexOf(key)
	if ix == nil || ix.Status == IndexDeleting {
		return mutation{}, false, nil
	}
	if !indexed(ix) {
		return remove, true, nil // a change removed from the outbox may have deleted it
	}
	id, _ := tableOwner(key)
	t := r.tables[id]
	_, entry, err := parseRecord(value)
	if err != nil || item.Valid(entry) != nil || ix.entry(entry) == nil || !hasKey(t, entry) {
		r.summary.EntriesRemoved++
		return remove, true, nil //nolint:nilerr // an entry that cannot be read is a stray one
	}
	base, token := appendItemKey(nil, t, entry)
	called := false
	err = r.store.Shards()[shardOf(token, len(r.replicas))].View(func(s *storage.Snapshot) error {
		_, err := s.Get(base, func(value []byte) error {
			_, it, err := parseRecord(value)
			if err != nil {
				return err
			}
			if e := ix.entry(it); e != nil {
				k, _ := appendEntryKey(nil, t, ix, e)
				called = bytes.Equal(k, key)
			}
			return nil
		})
		return err
	})
	if err == nil && !called {
		r.summary.EntriesRemoved++
	}
	return remove, !called, err
}

func hasKey(t *Table, it item.Item) bool {
	for _, name := range t.Key.Names() {
		if it.Get(name) == nil {
			return false
		}
	}
	return true
}

// addEntries writes the entries that items of one shard call for and that are
// missing or differ.
func (r *repairer) addEntries(shard int, t *Table) error {
	writers := make([]*repairWriter, len(r.replicas))
	for i := range writers {
		writers[i] = r.writer(i)
	}
	prefix := appendTablePrefix(nil, t.ID)
	err := r.store.Shards()[shard].View(func(s *storage.Snapshot) error {
		return s.Scan(storage.Range{Lower: prefix, Upper: item.PrefixEnd(prefix)}, func(key, value []byte) (bool, error) {
			if err := r.ctx.Err(); err != nil {
				return false, err
			}
			version, it, err := parseRecord(value)
			if err != nil {
				return false, fmt.Errorf("shard %d, table %s, key %x: %w", shard, t.Name, key, err)
			}
			for _, ix := range t.byName {
				entry := ix.entry(it)
				if entry == nil || !indexed(ix) {
					continue
				}
				entryKey, token := appendEntryKey(nil, t, ix, entry)
				at := shard
				if !ix.Local {
					at = shardOf(token, len(r.replicas))
				}
				same, err := r.holds(at, entryKey, entry)
				if err != nil {
					return false, err
				}
				if same {
					continue
				}
				r.summary.EntriesAdded++
				if err := writers[at].add(mutation{entryKey, appendRecord(nil, version, entry)}); err != nil {
					return false, err
				}
			}
			return true, nil
		})
	})
	for _, w := range writers {
		err = errors.Join(err, w.flush())
	}
	return err
}

func (r *repairer) holds(shard int, key []byte, entry item.Item) (same bool, err error) {
	err = r.store.Shards()[shard].View(func(s *storage.Snapshot) error {
		_, err := s.Get(key, func(value []byte) error {
			_, stored, err := parseRecord(value)
			same = err == nil && bytes.Equal(stored, entry)
			return nil
		})
		return err
	})
	return same, err
}

// recount walks everything once more and stores the counts found.
func (r *repairer) recount() error {
	for i, s := range r.store.Shards() {
		r.counted[i] = make(map[statsID]counts)
		err := s.View(func(snap *storage.Snapshot) error {
			for _, kind := range []byte{kindItem, kindLocal, kindGlobal} {
				if err := scanKind(snap, kind, func(key, value []byte) error {
					id := statsID{}
					id.table, _ = tableOwner(key)
					if kind != kindItem {
						_, id.index, _ = entryOwner(key)
					}
					if _, it, err := parseRecord(value); err == nil && r.tables[id.table] != nil {
						r.add(i, id, it)
					}
					return nil
				}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		w := r.writer(i)
		for id := range r.replicas[i].stats.counts {
			if _, counted := r.counted[i][id]; !counted {
				err = errors.Join(err, w.add(mutation{key: statsKey(id.table, id.index)}))
			}
		}
		for id, n := range r.counted[i] {
			value := binary.AppendVarint(binary.AppendVarint(nil, n.items), n.bytes)
			err = errors.Join(err, w.add(mutation{statsKey(id.table, id.index), value}))
		}
		if err := errors.Join(err, w.flush()); err != nil {
			return err
		}
	}
	return nil
}

// repairWriter commits mutations of one shard in batches.
type repairWriter struct {
	shard   *storage.Shard
	pending []mutation
}

func (r *repairer) writer(shard int) *repairWriter {
	return &repairWriter{shard: r.store.Shards()[shard]}
}

func (w *repairWriter) add(m mutation) error {
	if w.pending = append(w.pending, m); len(w.pending) < maxBatch {
		return nil
	}
	return w.flush()
}

func (w *repairWriter) flush() error {
	if len(w.pending) == 0 {
		return nil
	}
	defer func() { w.pending = w.pending[:0] }()
	b := w.shard.NewBatch()
	for _, m := range w.pending {
		var err error
		if m.value == nil {
			err = b.Delete(m.key)
		} else {
			err = b.Set(m.key, m.value)
		}
		if err != nil {
			b.Discard()
			return err
		}
	}
	return b.Commit()
}
