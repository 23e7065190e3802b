package server

import (
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

const gigabyte = 1 << 30

// collectionGB measures the item collection of key, its items and local index
// entries, in whole gigabytes rounded down. In a table below one gigabyte no
// collection needs to be walked.
func (c *call) collectionGB(t *partition.Table, key item.Item) (int, error) {
	stats := c.s.db.Stats(t)
	all := stats.Bytes
	for _, ix := range t.Local {
		all += stats.Indexes[ix.ID].Bytes
	}
	if all < gigabyte {
		return 0, nil
	}
	hash := []item.Value{key.Get(t.Key.Hash[0].Name)}
	size := 0
	measure := func(e *partition.Entry) (bool, error) {
		size += e.Item.Size()
		return true, nil
	}
	if err := c.s.db.Read(c.ctx, &partition.Read{Table: t, Hash: hash}, measure); err != nil {
		return 0, err
	}
	for _, ix := range t.Local {
		if err := c.s.db.Read(c.ctx, &partition.Read{Table: t, Index: ix, Hash: hash}, measure); err != nil {
			return 0, err
		}
	}
	return size / gigabyte, nil
}
