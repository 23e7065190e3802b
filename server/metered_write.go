package server

import (
	"errors"
	"slices"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// A meteredWrite is a write that was admitted. It has been charged the least that
// it can cost, so that writes side by side do not all pass on the last unit.
type meteredWrite struct {
	write      partition.Write // with everything wanted that tells its cost
	wantFailed bool            // of the original
	factor     units           // 2 in a transaction, for the table's part
	table      load            // what it was charged
}

// meter admits a write, or returns the exception. A write waits for the buckets of
// its table and of every global index that it changes.
func (c *call) meter(w *partition.Write, factor units) (*meteredWrite, error) {
	m := &meteredWrite{write: *w, wantFailed: w.WantFailed, factor: factor}
	m.write.WantFailed = true
	images := len(w.Table.Global) > 0
	m.write.WantOld, m.write.WantNew = w.WantOld || images, w.WantNew || images

	least := -1
	if w.Kind == partition.Put {
		least = w.Item.Size()
	}
	m.table = load{resource: resource{table: w.Table}, direction: writing, units: factor * writeUnits(-1, least)}.in(w.Item)
	loads := []load{m.table}
	for _, ix := range w.Table.Global {
		if w.Kind != partition.Check && ix.Status != partition.IndexDeleting {
			loads = append(loads, load{resource: resource{w.Table, ix}, direction: writing}.in(w.Item))
		}
	}
	err := c.admit(loads...)
	if err == nil || len(loads) == 1 {
		return m, err
	}

	// Something is exhausted. If it is an index, it holds back only those writes
	// that change it, which the stored item tells.
	spare := func(old item.Item) {
		loads = slices.DeleteFunc(loads, func(l load) bool {
			return l.resource.index != nil && !changesIndex(w, l.resource.index, old)
		})
	}
	found, err := c.s.db.Get(c.ctx, w.Table, w.Item, partition.Strong, func(old item.Item) error {
		spare(old)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !found {
		spare(nil)
	}
	return m, c.admit(loads...)
}

// changesIndex tells whether a write changes entries of an index, given the stored
// item. An update is taken to change the attributes that it names.
func changesIndex(w *partition.Write, ix *partition.Index, old item.Item) bool {
	before := inIndex(ix, old)
	switch w.Kind {
	case partition.Put:
		after := inIndex(ix, w.Item)
		return before != after || before && !sameEntry(ix, old, w.Item)
	case partition.Delete:
		return before
	}
	if old == nil && inIndex(ix, w.Item) { // its key alone is an entry
		return true
	}
	if w.Update == nil {
		return false
	}
	for _, target := range w.Update.Targets() {
		name := target[0].Name
		if before && ix.Projects(name) || hasKeyAttribute(ix.Key, name) {
			return true
		}
	}
	return false
}

// inIndex reports whether the item has all key attributes of an index.
func inIndex(ix *partition.Index, it item.Item) bool {
	for _, a := range ix.Key.Attributes() {
		if it.Get(a.Name) == nil {
			return false
		}
	}
	return true
}

// sameEntry compares what two items have in an index.
func sameEntry(ix *partition.Index, a, b item.Item) bool {
	projected := 0
	for name, v := range a.Fields() {
		if !ix.Projects(string(name)) {
			continue
		}
		projected++
		if !item.Equal(v, b.Get(string(name))) {
			return false
		}
	}
	for name := range b.Fields() {
		if ix.Projects(string(name)) {
			projected--
		}
	}
	return projected == 0
}

// settle charges what the write consumed, or gives back what it did not. A write
// whose condition was false costs as much as rewriting the stored item.
func (m *meteredWrite) settle(c *call, r *partition.WriteResult, err error) {
	failed, ok := errors.AsType[*partition.ConditionFailed](err)
	switch {
	case ok:
		size := -1
		if failed.Item != nil {
			size = failed.Item.Size()
		}
		m.charge(c, m.factor*writeUnits(size, -1))
		m.hideFailed(err)
		return
	case err != nil:
		m.charge(c, 0)
		return
	}
	table := m.factor * writeUnits(r.OldSize, r.NewSize)
	for i := range r.Indexes {
		if w := &r.Indexes[i]; w.Index.Local {
			table += indexWriteUnits(*w)
		} else {
			c.chargeIndex(m.write.Table, w, r.Old, r.New)
		}
	}
	m.charge(c, table)
}

// charge corrects what was charged in advance to what the table's part consumed.
func (m *meteredWrite) charge(c *call, consumed units) {
	l := m.table
	l.units = consumed - l.units
	c.charge(l)
}

// hideFailed removes the item that only the price needed.
func (m *meteredWrite) hideFailed(err error) {
	if failed, ok := errors.AsType[*partition.ConditionFailed](err); ok && !m.wantFailed {
		failed.Item = nil
	}
}

// chargeIndex charges a global index. An entry that moves to another index key is a
// delete in one partition and a put in another.
func (c *call) chargeIndex(t *partition.Table, w *partition.IndexWrite, before, after item.Item) {
	l := load{resource: resource{t, w.Index}, direction: writing, units: indexWriteUnits(*w)}
	switch {
	case l.units == 0:
	case w.NewSize < 0:
		c.charge(l.in(before))
	case w.OldSize < 0 || w.SameKey:
		c.charge(l.in(after))
	default:
		put := l
		l.units, put.units = writeUnits(w.OldSize, -1), writeUnits(-1, w.NewSize)
		c.charge(l.in(before), put.in(after))
	}
}
