package partition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// A Problem is one inconsistency that Verify found.
type Problem struct {
	Table string // name; empty if the record belongs to no table
	Index string // name; empty if it concerns the table itself
	Shard int    // -1: the catalog of a cluster
	Key   []byte // stored key concerned; nil if the problem is not about one record
	What  string
}

func (p Problem) String() string {
	where := fmt.Sprintf("shard %d", p.Shard)
	if p.Shard < 0 {
		where = "catalog"
	}
	if p.Table != "" {
		where += ", table " + p.Table
	}
	if p.Index != "" {
		where += ", index " + p.Index
	}
	if p.Key != nil {
		where += fmt.Sprintf(", key %x", p.Key)
	}
	return where + ": " + p.What
}

// VerifySummary counts what Verify looked at.
type VerifySummary struct {
	Tables, Items, IndexEntries, Problems int64
	// Node is the name of the cluster node whose directory it was, "" for that of a
	// single server. Of a node, Replicas are what was looked at.
	Node     string
	Replicas int
}

// Verify opens the data in o.Dir, alone and without changing it, and checks
// that it agrees with itself: checksums, that every item is well formed, of the
// size it claims and where its key says, that every index holds exactly the
// entries its items call for, that items are ordered by expiry, that locks and
// prepared transactions belong together, and that counts are right. What the next
// start finishes is no inconsistency: index changes on their way, transactions,
// tables and indexes being made or removed. Each inconsistency goes to report.
// Memory use does not grow with the data.
//
// In the directory of a cluster node each replica is checked by itself, against
// the schemas installed in it, and that the log can be read and goes on where the
// replicas stop. What would take other shards as they were at the same time is left
// out: whether global indexes hold what the items of other shards call for.
func Verify(ctx context.Context, o Options, report func(Problem)) (VerifySummary, error) {
	c, err := openChecker(ctx, o)
	if errors.Is(err, storage.ErrKind) {
		return verifyNode(ctx, o, report)
	}
	if err != nil {
		return VerifySummary{}, err
	}
	c.report = report
	err = errors.Join(c.run(), c.close())
	return c.summary, err
}

// checker walks all shards of a database nobody serves, or one shard alone: then the
// others are nil.
type checker struct {
	ctx      context.Context
	store    *storage.Store // nil for a shard alone
	shards   []*storage.Shard
	alone    bool
	replicas []*replica
	tables   map[uint32]*Table // of the catalog, without dropped ones
	dropped  map[uint32]bool
	report   func(Problem)
	summary  VerifySummary
	counted  []map[statsID]counts // by shard
}

func openChecker(ctx context.Context, o Options) (*checker, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	store, err := storage.Open(storage.Options{Dir: o.Dir, Existing: true, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	c := &checker{ctx: ctx, store: store, shards: store.Shards(), tables: make(map[uint32]*Table), dropped: make(map[uint32]bool)}
	for i, s := range store.Shards() {
		r, err := openReplica(i, len(store.Shards()), s, o.GSI)
		if err != nil {
			return nil, errors.Join(err, store.Close())
		}
		c.replicas = append(c.replicas, r)
		c.counted = append(c.counted, make(map[statsID]counts))
		for id := range r.tables {
			c.dropped[id] = true // unless the catalog has it; the next start drops it
		}
	}
	err = store.Shards()[0].View(func(s *storage.Snapshot) error {
		return scanKind(s, kindCatalog, func(key, value []byte) error {
			if bytes.Equal(key, catalogNextKey) || key[1] != 't' {
				return nil
			}
			t, err := decodeTable(value)
			if err != nil {
				return err
			}
			if t.Status == TableDeleting {
				c.dropped[t.ID] = true
			} else {
				c.tables[t.ID] = t
				delete(c.dropped, t.ID)
			}
			return nil
		})
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return c, nil
}

func (c *checker) close() error { return c.store.Close() }

func (c *checker) problem(p Problem) {
	c.summary.Problems++
	c.report(p)
}

func (c *checker) run() error {
	c.summary.Tables = int64(len(c.tables))
	for i, s := range c.shards {
		if s == nil {
			continue
		}
		if err := s.VerifyChecksums(); err != nil {
			c.problem(Problem{Shard: i, What: err.Error()})
		}
	}
	pending, err := c.pending()
	if err != nil {
		return err
	}
	for i, s := range c.shards {
		if s == nil {
			continue
		}
		for _, t := range c.tables {
			if in := c.replicas[i].tables[t.ID]; in == nil || in.Version != t.Version {
				c.problem(Problem{Table: t.Name, Shard: i, What: "the shard does not have the current schema (the next start installs it)"})
			}
		}
		if err := s.View(func(snap *storage.Snapshot) error { return c.checkItems(i, snap, pending) }); err != nil {
			return err
		}
		for _, kind := range []byte{kindLocal, kindGlobal} {
			if err := s.View(func(snap *storage.Snapshot) error { return c.checkEntries(i, snap, kind, pending) }); err != nil {
				return err
			}
		}
		if err := s.View(func(snap *storage.Snapshot) error {
			return errors.Join(c.checkExpiryRecords(i, snap), c.checkLocks(i, snap))
		}); err != nil {
			return err
		}
	}
	c.checkCounts(pending)
	return nil
}

// pending collects the entry keys that changes in an outbox are about to touch:
// until the next start has delivered them, their entries may be either way.
func (c *checker) pending() (map[string]bool, error) {
	keys := make(map[string]bool)
	for i, s := range c.shards {
		if s == nil {
			continue
		}
		err := s.View(func(snap *storage.Snapshot) error {
			return scanKind(snap, kindOutbox, func(_, value []byte) error {
				return eachChange(value, func(_ uint32, _ uint16, ch change) error {
					keys[string(ch.key)] = true
					return nil
				})
			})
		})
		if err != nil {
			return nil, fmt.Errorf("outbox of shard %d: %w", i, err)
		}
	}
	return keys, nil
}

// indexed reports whether entries of the index must be complete.
func indexed(ix *Index) bool { return ix.Local || ix.Status == IndexActive }

func (c *checker) checkItems(shard int, snap *storage.Snapshot, pending map[string]bool) error {
	part := splitRing(shard, len(c.replicas))
	return scanKind(snap, kindItem, func(key, value []byte) error {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		t, it := c.record(shard, nil, key, value)
		if t == nil || it == nil {
			return nil
		}
		c.summary.Items++
		want, token := appendItemKey(nil, t, it)
		if !bytes.Equal(want, key) {
			c.problem(Problem{Table: t.Name, Shard: shard, Key: bytes.Clone(key), What: "the item is not the one its key names"})
			return nil
		}
		if !part.contains(token) {
			c.problem(Problem{Table: t.Name, Shard: shard, Key: bytes.Clone(key), What: "the item's token belongs to another shard"})
		}
		c.add(shard, statsID{t.ID, 0}, it)
		if err := c.checkExpiry(shard, snap, t, key, it); err != nil {
			return err
		}
		for _, ix := range t.byName {
			if !indexed(ix) || c.alone && !ix.Local {
				continue
			}
			entry := ix.entry(it)
			if entry == nil {
				continue
			}
			if err := c.expectEntry(shard, t, ix, entry, pending); err != nil {
				return err
			}
		}
		return nil
	})
}

// expectEntry checks that the index holds exactly this entry.
func (c *checker) expectEntry(shard int, t *Table, ix *Index, entry item.Item, pending map[string]bool) error {
	key, token := appendEntryKey(nil, t, ix, entry)
	if pending[string(key)] {
		return nil
	}
	at := shard
	if !ix.Local {
		at = shardOf(token, len(c.replicas))
	}
	return c.shards[at].View(func(s *storage.Snapshot) error {
		found, err := s.Get(key, func(value []byte) error {
			if _, stored, err := parseRecord(value); err != nil || !bytes.Equal(stored, entry) {
				c.problem(Problem{Table: t.Name, Index: ix.Name, Shard: at, Key: key, What: "the index entry differs from its item"})
			}
			return nil
		})
		if err == nil && !found {
			c.problem(Problem{Table: t.Name, Index: ix.Name, Shard: at, Key: key, What: "the index lacks the entry of an item"})
		}
		return err
	})
}

func (c *checker) checkEntries(shard int, snap *storage.Snapshot, kind byte, pending map[string]bool) error {
	part := splitRing(shard, len(c.replicas))
	return scanKind(snap, kind, func(key, value []byte) error {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		ix := c.indexOf(key)
		if ix == nil || !indexed(ix) {
			return nil // of a dropped table or of an index under way: purged or rebuilt at the next start
		}
		t, entry := c.record(shard, ix, key, value)
		if t == nil || entry == nil {
			return nil
		}
		c.summary.IndexEntries++
		c.add(shard, statsID{t.ID, ix.ID}, entry)
		want, token := appendEntryKey(nil, t, ix, entry)
		if !bytes.Equal(want, key) {
			c.problem(Problem{Table: t.Name, Index: ix.Name, Shard: shard, Key: bytes.Clone(key), What: "the entry is not the one its key names"})
			return nil
		}
		if !part.contains(token) {
			c.problem(Problem{Table: t.Name, Index: ix.Name, Shard: shard, Key: bytes.Clone(key), What: "the entry's token belongs to another shard"})
		}
		if pending[string(key)] || c.alone && !ix.Local {
			return nil
		}
		// That entry and item agree was checked from the item; here only that
		// there is an item which calls for an entry under this key.
		base, baseToken := appendItemKey(nil, t, entry)
		return c.shards[shardOf(baseToken, len(c.replicas))].View(func(s *storage.Snapshot) error {
			called := false
			_, err := s.Get(base, func(value []byte) error {
				if _, it, err := parseRecord(value); err == nil && item.Valid(it) == nil {
					if e := ix.entry(it); e != nil {
						k, _ := appendEntryKey(nil, t, ix, e)
						called = bytes.Equal(k, key)
					}
				}
				return nil
			})
			if err == nil && !called {
				c.problem(Problem{Table: t.Name, Index: ix.Name, Shard: shard, Key: bytes.Clone(key), What: "the index holds an entry that no item calls for"})
			}
			return err
		})
	})
}

// indexOf finds the index an entry key belongs to, nil if it has none.
func (c *checker) indexOf(key []byte) *Index {
	table, index, ok := entryOwner(key)
	if !ok || c.tables[table] == nil {
		return nil
	}
	return c.tables[table].indexByID(index)
}

// record parses what is stored under a key of an item (ix nil) or entry and
// reports what is wrong with it by itself. Both results are nil if it belongs
// to a dropped table or cannot be used.
func (c *checker) record(shard int, ix *Index, key, value []byte) (*Table, item.Item) {
	id, ok := tableOwner(key)
	t := c.tables[id]
	if !ok || t == nil {
		if !c.dropped[id] && !c.alone {
			c.problem(Problem{Shard: shard, Key: bytes.Clone(key), What: "the record belongs to no table"})
		}
		return nil, nil
	}
	p := Problem{Table: t.Name, Shard: shard}
	if ix != nil {
		p.Index = ix.Name
	}
	_, it, err := parseRecord(value)
	if err == nil {
		err = item.Valid(it)
	}
	if err == nil {
		for _, name := range t.KeyNames(ix) {
			if it.Get(name) == nil {
				err = fmt.Errorf("key attribute %s is missing", name)
			}
		}
	}
	if err != nil {
		p.Key, p.What = bytes.Clone(key), err.Error()
		c.problem(p)
		return nil, nil
	}
	return t, it
}

func (c *checker) add(shard int, id statsID, it item.Item) {
	n := c.counted[shard][id]
	c.counted[shard][id] = counts{n.items + 1, n.bytes + int64(it.Size())}
}

// checkCounts compares the stored counts with those of the walk. Counts of
// global indexes are not judged while changes are pending.
func (c *checker) checkCounts(pending map[string]bool) {
	for _, t := range c.tables {
		for shard, r := range c.replicas {
			if r == nil {
				continue
			}
			compare := func(index string, id statsID) {
				if have, want := r.stats.counts[id], c.counted[shard][id]; have != want {
					c.problem(Problem{Table: t.Name, Index: index, Shard: shard, What: fmt.Sprintf(
						"counts say %d records of %d bytes, there are %d of %d", have.items, have.bytes, want.items, want.bytes)})
				}
			}
			compare("", statsID{t.ID, 0})
			for _, ix := range t.byName {
				if indexed(ix) && (ix.Local || len(pending) == 0 && !c.alone) {
					compare(ix.Name, statsID{t.ID, ix.ID})
				}
			}
		}
	}
}
