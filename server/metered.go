package server

import (
	"errors"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// Operations reach items through the methods in this file. With
// Options.EnforceThroughput each of them is turned away while a bucket it takes
// from is empty, and charged what it consumed as soon as that is known; otherwise
// they are the methods of partition.DB of the same name. Here too, parts of a batch
// are left unprocessed that a fault befalls.

// dbGet is DB.Get.
func (c *call) dbGet(t *partition.Table, key item.Item, consistency partition.Consistency, fn func(item.Item) error) error {
	c.reads(consistency)
	if err := c.turnAway(t, key, reading); err != nil {
		return err
	}
	if c.trace != nil {
		fn = c.trace.get(consistency, fn)
	}
	if c.s.throttle == nil {
		_, err := c.s.db.Get(c.ctx, t, key, consistency, fn)
		return err
	}
	l := load{resource: resource{table: t}, direction: reading, units: readUnits(0, consistency)}.in(key)
	if err := c.admit(l); err != nil {
		return err
	}
	size := 0
	_, err := c.s.db.Get(c.ctx, t, key, consistency, func(it item.Item) error {
		size = it.Size()
		return fn(it)
	})
	l.units = readUnits(size, consistency) - l.units
	c.charge(l)
	return err
}

// dbRead is DB.Read; cost is asked afterwards what was read.
func (c *call) dbRead(r *partition.Read, fn func(*partition.Entry) (bool, error), cost func() consumption) error {
	c.reads(r.Consistency)
	if c.s.throttle == nil {
		err := c.s.db.Read(c.ctx, r, fn)
		if c.trace != nil {
			c.trace.walked(r, cost())
		}
		return err
	}
	l := load{resource: resourceOf(r.Table, r.Index), direction: reading, units: readUnits(0, r.Consistency)}
	if r.Hash != nil {
		l = l.at(r.Hash)
	}
	if err := c.admit(l); err != nil {
		return err
	}
	err := c.s.db.Read(c.ctx, r, fn)
	consumed := cost()
	l.units = consumed.total() - l.units
	c.charge(l)
	if c.trace != nil {
		c.trace.walked(r, consumed)
	}
	return err
}

// dbTransactGet is DB.TransactGet. Reads that are turned away cancel it.
func (c *call) dbTransactGet(reads []partition.KeyRead, fn func(i int, it item.Item) error) error {
	c.reads(partition.Strong)
	if c.trace != nil {
		fn = c.trace.transactGet(len(reads), fn)
	}
	if c.s.throttle == nil {
		return c.s.db.TransactGet(c.ctx, reads, fn)
	}
	loads := make([]load, len(reads))
	reasons := make([]error, len(reads))
	canceled := false
	for i, r := range reads {
		loads[i] = load{resource: resource{table: r.Table}, direction: reading, units: 2 * readUnits(0, partition.Strong)}.in(r.Key)
		reasons[i] = c.admit(loads[i])
		canceled = canceled || reasons[i] != nil
	}
	if canceled {
		return &partition.TransactionCanceled{Reasons: reasons}
	}
	return c.s.db.TransactGet(c.ctx, reads, func(i int, it item.Item) error {
		loads[i].units = 2*readUnits(it.Size(), partition.Strong) - loads[i].units
		c.charge(loads[i])
		return fn(i, it)
	})
}

// dbWrite is DB.Write.
func (c *call) dbWrite(w *partition.Write) (result partition.WriteResult, err error) {
	if c.trace != nil {
		defer func() { c.trace.wrote(&result, err, 1) }()
	}
	if c.s.throttle == nil {
		return c.s.db.Write(c.ctx, w)
	}
	m, err := c.meter(w, 1)
	if err != nil {
		return partition.WriteResult{}, err
	}
	result, err = c.s.db.Write(c.ctx, &m.write)
	m.settle(c, &result, err)
	return result, err
}

// dbWriteAll is DB.WriteAll. Writes that are turned away have an error for which
// isThrottled is true.
func (c *call) dbWriteAll(ws []*partition.Write) (results []partition.WriteResult, errs []error) {
	if c.trace != nil {
		defer func() {
			for i := range results {
				c.trace.wrote(&results[i], errs[i], 1)
			}
		}()
	}
	if c.s.throttle == nil && c.partial == nil {
		return c.s.db.WriteAll(c.ctx, ws)
	}
	results, errs = make([]partition.WriteResult, len(ws)), make([]error, len(ws))
	var admitted []*partition.Write
	var metered []*meteredWrite
	var at []int
	for i, w := range ws {
		if errs[i] = c.turnAway(w.Table, w.Item, writing); errs[i] != nil {
			continue
		}
		var m *meteredWrite
		if c.s.throttle != nil {
			if m, errs[i] = c.meter(w, 1); errs[i] != nil {
				continue
			}
			w = &m.write
		}
		admitted, metered, at = append(admitted, w), append(metered, m), append(at, i)
	}
	done, failed := c.s.db.WriteAll(c.ctx, admitted)
	for n, i := range at {
		results[i], errs[i] = done[n], failed[n]
		if metered[n] != nil {
			metered[n].settle(c, &results[i], errs[i])
		}
	}
	return results, errs
}

// dbTransactWrite is DB.TransactWrite. Writes that are turned away cancel it.
func (c *call) dbTransactWrite(ws []*partition.Write, token *partition.IdempotencyToken) (result partition.TransactResult, err error) {
	if c.trace != nil {
		defer func() {
			for i := range result.Results {
				c.trace.wrote(&result.Results[i], err, 2)
			}
		}()
	}
	if c.s.throttle == nil {
		return c.s.db.TransactWrite(c.ctx, ws, token)
	}
	admitted, metered := make([]*partition.Write, len(ws)), make([]*meteredWrite, len(ws))
	for i, w := range ws {
		admitted[i] = w
		if w.Fault != nil {
			continue
		}
		m, err := c.meter(w, 2)
		if err != nil {
			turnedAway := *w
			turnedAway.Fault = err
			admitted[i] = &turnedAway
			continue
		}
		admitted[i], metered[i] = &m.write, m
	}
	result, err = c.s.db.TransactWrite(c.ctx, admitted, token)
	canceled, _ := errors.AsType[*partition.TransactionCanceled](err)
	for i, m := range metered {
		switch {
		case m == nil:
		case canceled != nil:
			m.hideFailed(canceled.Reasons[i]) // and what was charged in advance is what it cost
		case err != nil:
			m.charge(c, 0)
		case result.Replayed:
			m.charge(c, 0)
			size := max(result.Results[i].OldSize, result.Results[i].NewSize)
			c.charge(load{resource: resource{table: m.write.Table}, direction: reading, units: 2 * readUnits(size, partition.Strong)}.in(m.write.Item))
		default:
			m.settle(c, &result.Results[i], nil)
		}
	}
	return result, err
}
