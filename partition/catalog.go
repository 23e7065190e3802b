package partition

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Table returns the current snapshot of a table, or ErrTableNotFound. Tables
// being created or deleted are included; see their Status.
func (db *DB) Table(ns Namespace, name string) (*Table, error) {
	t := db.knownTable(ns, name)
	if t == nil && db.node != nil && db.catchUp(db.node.ctx) {
		t = db.knownTable(ns, name) // it may have been created by way of another node
	}
	if t == nil {
		return nil, fmt.Errorf("%w: %s", ErrTableNotFound, name)
	}
	return t, nil
}

func (db *DB) knownTable(ns Namespace, name string) *Table {
	db.catalog.RLock()
	defer db.catalog.RUnlock()
	return db.catalog.names[tableName{ns, name}]
}

// TableNames lists the tables of a namespace in byte order.
func (db *DB) TableNames(ns Namespace) []string {
	db.catalog.RLock()
	defer db.catalog.RUnlock()
	names := []string{}
	for n := range db.catalog.names {
		if n.ns == ns {
			names = append(names, n.name)
		}
	}
	slices.Sort(names)
	return names
}

// FindTable lists the namespaces that have a table of that name, for telling a
// user where the table was created.
func (db *DB) FindTable(name string) []Namespace {
	db.catalog.RLock()
	defer db.catalog.RUnlock()
	var found []Namespace
	for n := range db.catalog.names {
		if n.name == name {
			found = append(found, n.ns)
		}
	}
	slices.SortFunc(found, func(a, b Namespace) int {
		return strings.Compare(a.Account+"/"+a.Region, b.Account+"/"+b.Region)
	})
	return found
}

// TableStats are live counts of a table and its indexes by index id.
type TableStats struct {
	Items, Bytes int64
	Indexes      map[uint16]IndexStats
}

// IndexStats are live counts of an index.
type IndexStats struct{ Items, Bytes int64 }

// Stats sums the counts of all shards. Each shard's part is as of its last commit.
func (db *DB) Stats(t *Table) TableStats {
	s := TableStats{Indexes: make(map[uint16]IndexStats, len(t.byName))}
	for shard := range db.logs {
		counts := db.tableStats(t.ID, shard)
		s.Items, s.Bytes = s.Items+counts[0][0], s.Bytes+counts[0][1]
		for _, ix := range t.byName {
			c, sum := counts[ix.ID], s.Indexes[ix.ID]
			s.Indexes[ix.ID] = IndexStats{sum.Items + c[0], sum.Bytes + c[1]}
		}
	}
	return s
}

// CreateTable creates a table from its schema and settings; id, uuid, time,
// status and index ids are filled in. It returns the table once every shard
// knows it and it can be used. Errors: ErrTableExists, and those of Write.
func (db *DB) CreateTable(ctx context.Context, spec Table) (*Table, error) {
	if err := db.enter(); err != nil {
		return nil, err
	}
	defer db.jobs.leave()
	db.ddl.Lock()
	defer db.ddl.Unlock()
	if db.knownTable(spec.Namespace, spec.Name) != nil {
		return nil, fmt.Errorf("%w: %s", ErrTableExists, spec.Name)
	}
	t := spec.clone()
	db.catalog.RLock()
	t.ID = db.catalog.nextID
	db.catalog.RUnlock()
	t.UUID = uuid.NewString()
	t.Created = db.Now()
	t.Status = TableActive
	for _, list := range [][]*Index{t.Local, t.Global} {
		for _, ix := range list {
			t.NextIndex++
			ix.ID, ix.Status, ix.Created = t.NextIndex, IndexActive, t.Created
		}
	}
	t.prepare()
	if t.Stream != nil {
		if err := db.openStream(t); err != nil {
			return nil, err
		}
	}
	// The id is used up before any shard hears of it.
	if err := db.replace(t, t.ID+1); err != nil {
		return nil, err
	}
	db.settle(ctx)
	return t, nil
}

// UpdateTable changes a table. change edits a deep copy of the current
// snapshot and may refuse with an error, which is returned as it is. In
// Global, an appended index is created and backfilled, and one whose Status was
// set to IndexDeleting is removed, both in the background; everything else
// takes effect before UpdateTable returns. Keys, Local and ids must not change.
func (db *DB) UpdateTable(ctx context.Context, ns Namespace, name string, change func(t *Table) error) (*Table, error) {
	if err := db.enter(); err != nil {
		return nil, err
	}
	defer db.jobs.leave()
	db.ddl.Lock()
	defer db.ddl.Unlock()
	old := db.knownTable(ns, name)
	if old == nil {
		return nil, fmt.Errorf("%w: %s", ErrTableNotFound, name)
	}
	t := old.clone()
	if err := change(t); err != nil {
		return nil, err
	}
	var jobs []func()
	for i, ix := range t.Global {
		switch {
		case ix.ID == 0:
			t.NextIndex++
			ix.ID, ix.Status, ix.Created = t.NextIndex, IndexCreating, db.Now()
			t.Status = TableUpdating
			id := ix.ID
			jobs = append(jobs, func() { db.buildIndex(t.ID, id) })
		case ix.Status == IndexDeleting && old.Global[i].Status != IndexDeleting:
			t.Status = TableUpdating
			id := ix.ID
			jobs = append(jobs, func() { db.removeIndex(t.ID, id) })
		}
	}
	wasOrdered, isOrdered := ttlAttribute(old), ttlAttribute(t)
	if isOrdered != "" && isOrdered != wasOrdered {
		// Records of an earlier setting go before any shard maintains new ones,
		// and after all have ceased to maintain old ones.
		if wasOrdered != "" {
			off := old.clone()
			off.TTL.Enabled = false
			if err := db.replace(off, 0); err != nil {
				return nil, err
			}
			t.Version = off.Version
		}
		if err := db.purgeExpiry(t.ID); err != nil {
			return nil, err
		}
		t.TTL.Building, t.TTL.Since = true, t.Version+1
	} else if isOrdered != "" {
		t.TTL.Building, t.TTL.Since = old.TTL.Building, old.TTL.Since
	}
	if t.Stream != nil && (old.Stream == nil || old.Stream.ID != t.Stream.ID) {
		if err := db.openStream(t); err != nil {
			return nil, err
		}
	}
	if err := db.replace(t, 0); err != nil {
		return nil, err
	}
	if old.Stream != nil && (t.Stream == nil || t.Stream.ID != old.Stream.ID) {
		if err := db.closeStream(t.ID, old.Stream.ID); err != nil {
			return nil, err
		}
	}
	switch {
	case isOrdered != "" && isOrdered != wasOrdered:
		jobs = append(jobs, db.orderByExpiry(t))
	case isOrdered == "" && wasOrdered != "":
		jobs = append(jobs, func() { db.forgetExpiry(t.ID) })
	}
	for _, job := range jobs {
		db.jobs.start(job)
	}
	db.settle(ctx)
	return t, nil
}

// DeleteTable removes a table. When it returns, the table is out of reach; its
// records are removed in the background. The returned snapshot is deleting.
func (db *DB) DeleteTable(ctx context.Context, ns Namespace, name string) (*Table, error) {
	if err := db.enter(); err != nil {
		return nil, err
	}
	defer db.jobs.leave()
	db.ddl.Lock()
	defer db.ddl.Unlock()
	old := db.knownTable(ns, name)
	if old == nil {
		return nil, fmt.Errorf("%w: %s", ErrTableNotFound, name)
	}
	t := old.clone()
	t.Version++
	t.Status = TableDeleting
	t.prepare()
	if err := db.recordTable(t, 0); err != nil {
		return nil, err
	}
	if err := db.everyShard(&dropCommand{t}); err != nil {
		return nil, err
	}
	if t.Stream != nil {
		if err := db.closeStream(t.ID, t.Stream.ID); err != nil {
			return nil, err
		}
	}
	db.jobs.start(func() { db.purgeTable(t) })
	db.settle(ctx)
	return t, nil
}

// replace makes t the current version of its table: it is in the catalog, as
// pending, before any shard hears of it, and visible when all have. What a crash
// leaves pending is finished at the next start. next, if not 0, is the next
// table id. The caller holds ddl.
func (db *DB) replace(t *Table, next uint32) error {
	t.Version++
	t.prepare()
	t.Pending = true
	if err := db.recordTable(t, next); err != nil {
		return err
	}
	return db.publish(t)
}

// publish installs a pending version and makes it visible.
func (db *DB) publish(t *Table) error {
	if err := db.install(t); err != nil {
		return err
	}
	t.Pending = false
	record, err := tableRecord(t)
	if err == nil {
		err = db.insist(db.jobs.ctx, db.catalogLog, &recordsCommand{[]mutation{record}}, true)
	}
	if err != nil {
		db.fail(fmt.Errorf("changing a table: %w", err))
	}
	return err
}

// recordTable writes the table's catalog record and, if not 0, the next table id.
func (db *DB) recordTable(t *Table, next uint32) error {
	record, err := tableRecord(t)
	if err != nil {
		return err
	}
	records := []mutation{record}
	if next != 0 {
		records = append(records, mutation{catalogNextKey, binary.BigEndian.AppendUint32(nil, next)})
	}
	return db.catalogLog.propose(db.jobs.ctx, &recordsCommand{records}, true)
}

func tableRecord(t *Table) (mutation, error) {
	body, err := encodeTable(t)
	return mutation{catalogTableKey(t.ID), body}, err
}

// install makes every shard evaluate writes by t.
func (db *DB) install(t *Table) error { return db.everyShard(&installCommand{t}) }

// everyShard runs a command without result on all shards. It finishes what the
// catalog tells of already: if that cannot be done, only the next start can.
func (db *DB) everyShard(c command) error {
	for _, l := range db.logs {
		if err := db.insist(db.jobs.ctx, l, c, true); err != nil {
			db.fail(fmt.Errorf("changing a table: %w", err))
			return err
		}
	}
	return nil
}
