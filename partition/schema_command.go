package partition

import (
	"bytes"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// schema returns the table as the current command must see it: as installed by
// an earlier command, in this transaction or before.
func (a *application) schema(id uint32) *Table {
	for i := len(a.schemas) - 1; i >= 0; i-- {
		if a.schemas[i].id == id {
			return a.schemas[i].table
		}
	}
	return a.r.tables[id]
}

// installCommand makes a schema the one that this shard evaluates writes by. In
// the order of the log, every write before it was judged by the old schema and
// every write after it by the new one; that is what makes a backfill complete.
type installCommand struct{ table *Table }

func (c *installCommand) apply(a *application) error {
	body, err := encodeTable(c.table)
	if err != nil {
		return err
	}
	a.set(schemaKey(c.table.ID), body)
	a.schemas = append(a.schemas, schemaChange{c.table.ID, c.table})
	return nil
}

// dropCommand forgets a table's schema and counts. Its items and entries are
// out of reach from here on; purgeCommand removes them.
type dropCommand struct{ table *Table }

func (c *dropCommand) apply(a *application) error {
	a.delete(schemaKey(c.table.ID))
	a.delete(statsKey(c.table.ID, 0))
	for _, ix := range c.table.byName {
		a.delete(statsKey(c.table.ID, ix.ID))
	}
	a.schemas = append(a.schemas, schemaChange{c.table.ID, nil})
	a.forgetTotals(func(id statsID) bool { return id.table == c.table.ID })
	return nil
}

// dropIndexCountsCommand forgets the counts of a deleted index.
type dropIndexCountsCommand struct {
	table uint32
	index uint16
}

func (c *dropIndexCountsCommand) apply(a *application) error {
	a.delete(statsKey(c.table, c.index))
	a.forgetTotals(func(id statsID) bool { return id.table == c.table && id.index == c.index })
	return nil
}

// forgetTotals takes counts out of the open transaction and, when it is
// committed, out of memory.
func (a *application) forgetTotals(match func(statsID) bool) {
	a.forgotten = append(a.forgotten, match)
}

// purgeCommand deletes records under a prefix: up to limit, and in as few bytes
// of keys as one commit takes.
type purgeCommand struct {
	prefix []byte
	limit  int
	// expiry is set if the records are expiry records of that table: they stay
	// if it has a time to live again.
	expiry uint32
	more   bool // result: there may be more
}

func (c *purgeCommand) apply(a *application) error {
	c.more = false
	if t := a.schema(c.expiry); t != nil && ttlAttribute(t) != "" {
		return nil
	}
	n, size := 0, 0
	return a.b.Scan(storage.Range{Lower: c.prefix, Upper: item.PrefixEnd(c.prefix), KeysOnly: true},
		func(key, _ []byte) (bool, error) {
			if n == c.limit || size > stepBytes {
				c.more = true
				return false, nil
			}
			n++
			size += len(key)
			a.delete(bytes.Clone(key))
			return true, nil
		})
}

// reindexCommand adds the items under the given keys to an index, as they are
// now: items that are gone or that the index does not hold are passed over.
type reindexCommand struct {
	table uint32
	index uint16
	keys  [][]byte
}

func (c *reindexCommand) apply(a *application) error {
	t := a.schema(c.table)
	if t == nil {
		return ErrTableNotFound
	}
	ix := t.indexByID(c.index)
	if ix == nil || ix.Status == IndexDeleting {
		return nil
	}
	var out outgoing
	for _, key := range c.keys {
		value, found, err := a.b.Get(key)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		_, it, err := parseRecord(value)
		if err != nil {
			return err
		}
		if entry := ix.entry(it); entry != nil {
			if err := a.globalEntry(t, ix, nil, entry, false, &out); err != nil {
				return err
			}
		}
	}
	a.outgoing = append(a.outgoing, out.entries...)
	return nil
}

// recordsCommand sets and deletes records of catalog and ledger.
type recordsCommand struct{ records []mutation }

func (c *recordsCommand) apply(a *application) error {
	for _, m := range c.records {
		if m.key[0] != kindCatalog {
			continue
		}
		change, err := decodeCatalogRecord(m.key, m.value)
		if err != nil {
			return err
		}
		a.catalog = append(a.catalog, change)
	}
	a.mutations = append(a.mutations, c.records...)
	return nil
}
