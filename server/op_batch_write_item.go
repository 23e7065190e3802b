package server

import (
	"errors"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

const maxBatchWrites = 25

// serveBatchWriteItem answers BatchWriteItem. Each check is made for all requests
// before the next one, in the order in which the service reports faults; nothing is
// written unless all of them pass.
func serveBatchWriteItem(c *call) error {
	var in api.BatchWriteItemInput
	if err := c.decode(&in); err != nil {
		return err
	}
	if err := checkBatchWrites(&in); err != nil {
		return err
	}
	batch, err := c.planBatchWrites(&in)
	if err != nil {
		return err
	}

	results, errs := c.dbWriteAll(batch.writes)
	if batch.left, err = leftOver(errs); err != nil {
		return err
	}
	return c.answerBatchWrites(&in, batch, results)
}

// checkBatchWrites makes the request checks of BatchWriteItem that need no table.
func checkBatchWrites(in *api.BatchWriteItemInput) error {
	p := olderPhrasing
	total := 0
	for i := range in.RequestItems {
		total += len(in.RequestItems[i].Value)
	}
	if total > maxBatchWrites {
		return validationText("Too many items requested for the BatchWriteItem call")
	}
	for i := range in.RequestItems {
		for _, w := range in.RequestItems[i].Value {
			if (w.PutRequest != nil) == (w.DeleteRequest != nil) {
				return validationText(textTwoTypes)
			}
			if it := writeRequestItem(&w); it.Invalid != nil {
				return p.value(it.Invalid)
			}
		}
	}
	for i := range in.RequestItems {
		for _, w := range in.RequestItems[i].Value {
			if w.PutRequest != nil && w.PutRequest.Item.Item.Size() > partition.MaxItemSize {
				return itemTooLarge()
			}
		}
	}
	return nil
}

// writeRequestItem is the item or the key of a write request.
func writeRequestItem(w *api.WriteRequest) *api.AttributeMap {
	if w.PutRequest != nil {
		return &w.PutRequest.Item
	}
	return &w.DeleteRequest.Key
}

// batchWrites are the writes of a batch in the order of the request; first[i] is
// where those of the i-th table begin. left tells which were turned away; it is
// nil if none was.
type batchWrites struct {
	writes []*partition.Write
	first  []int
	left   []bool
}

func (b *batchWrites) isLeft(i int) bool { return b.left != nil && b.left[i] }

// leftOver tells which requests of a batch were throttled, or met a transaction on
// their item, for which this operation has no exception; nil is none. If all were
// throttled, the batch fails with the exception of the first, and any other error
// fails it at once.
func leftOver(errs []error) ([]bool, error) {
	var left []bool
	var first error
	throttled := 0
	for i, err := range errs {
		switch {
		case err == nil:
			continue
		case isThrottled(err):
			if throttled++; first == nil {
				first = err
			}
		case !errors.Is(err, partition.ErrTransactionConflict):
			return nil, err
		}
		if left == nil {
			left = make([]bool, len(errs))
		}
		left[i] = true
	}
	if throttled == len(errs) {
		return nil, first
	}
	return left, nil
}

// of returns the writes of the i-th table as a range of indices.
func (b *batchWrites) of(table int) (from, to int) {
	if table+1 < len(b.first) {
		return b.first[table], b.first[table+1]
	}
	return b.first[table], len(b.writes)
}

// planBatchWrites looks up the tables and judges all requests against their schemas.
func (c *call) planBatchWrites(in *api.BatchWriteItemInput) (*batchWrites, error) {
	batch := &batchWrites{}
	tables := make([]*partition.Table, len(in.RequestItems))
	for i := range in.RequestItems {
		t, err := c.table(in.RequestItems[i].Key)
		if err != nil {
			return nil, err
		}
		tables[i] = t
	}
	for i, t := range tables {
		batch.first = append(batch.first, len(batch.writes))
		for _, request := range in.RequestItems[i].Value {
			w := &partition.Write{Table: t, Item: writeRequestItem(&request).Item}
			var err error
			if request.PutRequest != nil {
				w.Kind = partition.Put
				if err = checkBatchItem(t, w.Item); err == nil {
					err = t.CheckIndexKeys(w.Item)
				}
			} else {
				w.Kind = partition.Delete
				err = checkKey(t, w.Item)
			}
			if err != nil {
				return nil, err
			}
			batch.writes = append(batch.writes, w)
		}
	}
	return batch, batch.checkRepeated()
}

// checkRepeated refuses two writes of one item.
func (b *batchWrites) checkRepeated() error {
	seen := make(map[batchKey]struct{}, len(b.writes))
	var buf []byte
	for _, w := range b.writes {
		buf = appendKeyIdentity(buf[:0], w.Table, w.Item)
		key := batchKey{w.Table.ID, string(buf)}
		if _, again := seen[key]; again {
			return repeatedKey()
		}
		seen[key] = struct{}{}
	}
	return nil
}

type batchKey struct {
	table uint32
	key   string
}

// answerBatchWrites appends the response. The shards hold writers back rather than
// turn them away, so that only throttling and transactions leave anything
// unprocessed.
func (c *call) answerBatchWrites(in *api.BatchWriteItemInput, batch *batchWrites, results []partition.WriteResult) error {
	c.out = append(c.out, `{"UnprocessedItems":{`...)
	c.appendUnprocessedItems(in, batch)
	c.out = append(c.out, '}')
	if mode := in.ReturnConsumedCapacity.Value; wantsCapacity(mode) {
		c.out = append(appendName(c.out, "ConsumedCapacity"), '[')
		for i := range in.RequestItems {
			var cost consumption
			from, to := batch.of(i)
			for w := from; w < to; w++ {
				if !batch.isLeft(w) {
					cost.write(&results[w])
				}
			}
			c.out = cost.appendJSON(appendElement(c.out), in.RequestItems[i].Key, mode)
		}
		c.out = append(c.out, ']')
	}
	if in.ReturnItemCollectionMetrics.Value == metricsSize {
		if err := c.appendTableMetrics(batch.byTable(in)); err != nil {
			return err
		}
	}
	c.out = append(c.out, '}')
	return nil
}

// appendUnprocessedItems appends what was left, by table, as it was requested.
func (c *call) appendUnprocessedItems(in *api.BatchWriteItemInput, batch *batchWrites) {
	for i := range in.RequestItems {
		open := false
		for w, to := batch.of(i); w < to; w++ {
			if !batch.isLeft(w) {
				continue
			}
			if !open {
				c.out = append(appendStringName(c.out, in.RequestItems[i].Key), '[')
				open = true
			}
			c.out = appendElement(c.out)
			if batch.writes[w].Kind == partition.Put {
				c.out = append(c.out, `{"PutRequest":{"Item":`...)
			} else {
				c.out = append(c.out, `{"DeleteRequest":{"Key":`...)
			}
			c.out = append(batch.writes[w].Item.AppendJSON(c.out), "}}"...)
		}
		if open {
			c.out = append(c.out, ']')
		}
	}
}

// byTable returns the writes grouped as in the request.
func (b *batchWrites) byTable(in *api.BatchWriteItemInput) []tableWrites {
	tables := make([]tableWrites, len(in.RequestItems))
	for i := range tables {
		from, to := b.of(i)
		tables[i] = tableWrites{in.RequestItems[i].Key, b.writes[from:to]}
	}
	return tables
}
