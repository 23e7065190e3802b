package partition

import (
	"fmt"
	"maps"
)

// recoverCatalog reads the catalog and finishes what was interrupted. What takes
// longer is returned as jobs, to be started when nobody but they looks at it.
func (db *DB) recoverCatalog() (jobs []func(), err error) {
	if err := db.store.Shards()[0].View(db.catalog.read); err != nil {
		return nil, fmt.Errorf("reading the catalog: %w", err)
	}
	if err := db.resolveTransactions(); err != nil {
		return nil, fmt.Errorf("finishing transactions: %w", err)
	}
	if err := db.adoptTables(); err != nil {
		return nil, fmt.Errorf("removing forgotten tables: %w", err)
	}
	c := &db.catalog
	for _, t := range c.dropped {
		for i, r := range db.replicas {
			if r.tables[t.ID] != nil {
				if err := db.logs[i].propose(db.jobs.ctx, &dropCommand{t}, true); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, t := range c.names {
		for i, r := range db.replicas {
			if installed := r.tables[t.ID]; installed == nil || installed.Version != t.Version {
				if err := db.logs[i].propose(db.jobs.ctx, &installCommand{t}, true); err != nil {
					return nil, err
				}
			}
		}
	}
	return db.resumeCatalog()
}

// resumeCatalog makes pending versions visible and returns jobs for what was
// under way.
func (db *DB) resumeCatalog() (jobs []func(), err error) {
	c := &db.catalog
	c.RLock()
	pending := maps.Clone(c.pending)
	c.RUnlock()
	for _, t := range pending {
		if err := db.publish(t.clone()); err != nil {
			return nil, err
		}
	}
	c.RLock()
	names, dropped, streams := maps.Clone(c.names), maps.Clone(c.dropped), maps.Clone(c.streams)
	c.RUnlock()
	for _, t := range dropped {
		jobs = append(jobs, func() { db.purgeTable(t) })
	}
	for _, t := range names {
		for _, ix := range t.Global {
			switch ix.Status {
			case IndexCreating:
				jobs = append(jobs, func() { db.buildIndex(t.ID, ix.ID) })
			case IndexDeleting:
				jobs = append(jobs, func() { db.removeIndex(t.ID, ix.ID) })
			}
		}
		switch {
		case t.TTL == nil:
		case !t.TTL.Enabled:
			jobs = append(jobs, func() { db.forgetExpiry(t.ID) })
		case t.TTL.Building:
			jobs = append(jobs, db.orderByExpiry(t))
		}
	}
	// A stream stays open only as long as its table writes to it.
	for id, s := range streams {
		t := names[tableName{s.Namespace, s.Table}]
		if t == nil || t.ID != id.table || t.Stream == nil || t.Stream.ID != id.stream {
			if err := db.closeStream(id.table, id.stream); err != nil {
				return nil, err
			}
		}
	}
	return jobs, nil
}

// adoptTables makes dropped tables of those that a shard knows and the catalog
// does not. A power cut without Sync can leave them, for each shard loses its
// own last moments. Their ids must not be used again before all is removed.
func (db *DB) adoptTables() error {
	known := maps.Clone(db.catalog.dropped)
	maps.Copy(known, db.catalog.pending)
	for _, t := range db.catalog.names {
		known[t.ID] = t
	}
	for _, r := range db.replicas {
		for id, t := range r.tables {
			if known[id] != nil {
				continue
			}
			db.log.Warn("a table whose creation was lost is removed", "table", t.Name, "id", id)
			t = t.clone()
			t.Status = TableDeleting
			known[id] = t
			if err := db.recordTable(t, max(db.catalog.nextID, id+1)); err != nil {
				return err
			}
		}
	}
	return nil
}
