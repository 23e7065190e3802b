package server

import (
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// A requestTrace is what the request log wants to know about a request while it is
// served. A call has one only if it will be logged.
type requestTrace struct {
	consumed       units
	index          string
	read, returned int
	scan           bool
}

// get counts an item that is read by its key, and passes it on to fn.
func (t *requestTrace) get(c partition.Consistency, fn func(item.Item) error) func(item.Item) error {
	t.consumed += readUnits(0, c) // unless it is there
	return func(it item.Item) error {
		t.consumed += readUnits(it.Size(), c) - readUnits(0, c)
		t.read++
		t.returned++
		return fn(it)
	}
}

// transactGet is get for n reads of a transaction, whose fn sees those as well that
// find nothing.
func (t *requestTrace) transactGet(n int, fn func(i int, it item.Item) error) func(int, item.Item) error {
	t.consumed += units(n) * 2 * readUnits(0, partition.Strong)
	return func(i int, it item.Item) error {
		if it != nil {
			t.consumed += 2 * (readUnits(it.Size(), partition.Strong) - readUnits(0, partition.Strong))
			t.read++
			t.returned++
		}
		return fn(i, it)
	}
}

// walked notes what a read of Query, Scan or SELECT went through, and its cost.
func (t *requestTrace) walked(r *partition.Read, cost consumption) {
	t.consumed += cost.total()
	t.scan = t.scan || r.Hash == nil
	if r.Index != nil {
		t.index = r.Index.Name
	}
}

// wrote adds a write that succeeded; its table's part counts factor times.
func (t *requestTrace) wrote(r *partition.WriteResult, err error, factor units) {
	if err != nil {
		return
	}
	var cost consumption
	cost.write(r)
	cost.table *= factor
	t.consumed += cost.total()
}
