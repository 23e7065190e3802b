package server

import (
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

const gigabyte = 1 << 30

// collectionGB tells the size of the item collection of key in whole gigabytes,
// rounded down. In a table below one gigabyte no collection needs to be walked.
func (c *call) collectionGB(t *partition.Table, key item.Item) (int, error) {
	stats := c.s.db.Stats(t)
	all := stats.Bytes
	for _, ix := range t.Local {
		all += stats.Indexes[ix.ID].Bytes
	}
	if all < gigabyte {
		return 0, nil
	}
	size, err := c.collectionSize(t, key)
	return size / gigabyte, err
}

// collectionSize measures the item collection of key in bytes: its items and their
// entries in local indexes (Developer Guide, "Item collections").
func (c *call) collectionSize(t *partition.Table, key item.Item) (int, error) {
	read := partition.Read{Table: t, Hash: []item.Value{key.Get(t.Key.Hash[0].Name)}}
	size := 0
	measure := func(e *partition.Entry) (bool, error) {
		size += e.Item.Size()
		return true, nil
	}
	if err := c.s.db.Read(c.ctx, &read, measure); err != nil {
		return 0, err
	}
	for _, read.Index = range t.Local {
		if err := c.s.db.Read(c.ctx, &read, measure); err != nil {
			return 0, err
		}
	}
	return size, nil
}

// tableWrites are the writes of a request to one table, named as the request does.
type tableWrites struct {
	name   string
	writes []*partition.Write
}

// appendTableMetrics appends the member ItemCollectionMetrics of a request with
// several writes: for each table with local indexes its collections, each once.
// Without such a table it is absent.
func (c *call) appendTableMetrics(tables []tableWrites) error {
	open := false
	for _, t := range tables {
		if len(t.writes) == 0 || len(t.writes[0].Table.Local) == 0 {
			continue
		}
		if !open {
			c.out = append(appendName(c.out, "ItemCollectionMetrics"), '{')
			open = true
		}
		c.out = append(appendStringName(c.out, t.name), '[')
		for _, w := range distinctCollections(t.writes) {
			size, err := c.collectionGB(w.Table, w.Item)
			if err != nil {
				return err
			}
			c.out = appendCollectionMetrics(appendElement(c.out), w.Table, w.Item, size)
		}
		c.out = append(c.out, ']')
	}
	if open {
		c.out = append(c.out, '}')
	}
	return nil
}

// distinctCollections keeps the first write of each item collection of a table.
func distinctCollections(writes []*partition.Write) []*partition.Write {
	var distinct []*partition.Write
	for _, w := range writes {
		hash := w.Table.Key.Hash[0].Name
		known := false
		for _, d := range distinct {
			known = known || item.Equal(d.Item.Get(hash), w.Item.Get(hash))
		}
		if !known {
			distinct = append(distinct, w)
		}
	}
	return distinct
}
