package bench

import (
	"context"
	"strconv"
)

// operation is one kind of request, or a pair that belongs together.
type operation struct {
	name string
	do   func(ctx context.Context, w *worker) outcome
}

const (
	batchWriteSize    = 25  // the API's limit
	batchGetSize      = 100 // the API's limit
	transactionSize   = 4
	longestRangeQuery = 100 // YCSB's
)

var (
	opPut           = operation{"put", put}
	opGet           = operation{"get", func(ctx context.Context, w *worker) outcome { return get(ctx, w, w.choose(), false) }}
	opGetStrong     = operation{"get-strong", func(ctx context.Context, w *worker) outcome { return get(ctx, w, w.choose(), true) }}
	opUpdate        = operation{"update", updateCounter}
	opOverwrite     = operation{"update", func(ctx context.Context, w *worker) outcome { return overwrite(ctx, w, w.choose()) }}
	opPutOwn        = operation{"put", putOwn}
	opDeleteOwn     = operation{"delete", deleteOwn}
	opQuery10       = operation{"query10", query10}
	opQuery100      = operation{"query100", query100}
	opRange         = operation{"scan", rangeQuery}
	opScan          = operation{"scan", scan}
	opBatchWrite    = operation{"batch-write-25", batchWrite}
	opBatchGet      = operation{"batch-get-100", batchGet}
	opTransactWrite = operation{"transact-write", transactWrite}
	opTransactGet   = operation{"transact-get", transactGet}
	opInsert        = operation{"insert", insert}
	opReadModify    = operation{"read-modify-write", readModifyWrite}
)

// put replaces an existing item as a whole.
func put(ctx context.Context, w *worker) outcome { return putItem(ctx, w, w.choose()) }

func putItem(ctx context.Context, w *worker, index int64) outcome {
	w.open()
	w.text(`,"Item":`)
	w.item(index)
	w.text(`}`)
	_, out := w.call(ctx, "PutItem")
	return out
}

func get(ctx context.Context, w *worker, index int64, strong bool) outcome {
	w.open()
	w.text(`,"Key":`)
	w.key(index)
	if strong {
		w.text(`,"ConsistentRead":true`)
	}
	w.text(`}`)
	response, out := w.call(ctx, "GetItem")
	if out.fault == "" && len(response) <= len("{}") {
		out.fault = FaultMissing
	}
	return out
}

// updateCounter is a conditional update with arithmetic.
func updateCounter(ctx context.Context, w *worker) outcome {
	w.open()
	w.text(`,"Key":`)
	w.key(w.choose())
	w.updateCounterExpression()
	w.text(`}`)
	_, out := w.call(ctx, "UpdateItem")
	return out
}

func (w *worker) updateCounterExpression() {
	w.text(`,"UpdateExpression":"SET #c = #c + :one","ConditionExpression":"attribute_exists(pk) AND #c >= :zero",` +
		`"ExpressionAttributeNames":{"#c":"count"},"ExpressionAttributeValues":{":one":{"N":"1"},":zero":{"N":"0"}}`)
}

// overwrite is YCSB's update: one field gets a new value.
func overwrite(ctx context.Context, w *worker, index int64) outcome {
	name, length := w.items.updatedText()
	w.open()
	w.text(`,"Key":`)
	w.key(index)
	w.text(`,"UpdateExpression":"SET #f = :f","ExpressionAttributeNames":{"#f":"`)
	w.text(name)
	w.text(`"},"ExpressionAttributeValues":{":f":{"S":"`)
	w.body = w.items.appendText(w.body, length, w.random)
	w.text(`"}}}`)
	_, out := w.call(ctx, "UpdateItem")
	return out
}

// putOwn and deleteOwn take turns, so that each delete has an item to remove. The
// items are past all others and known to one connection only.
func putOwn(ctx context.Context, w *worker) outcome {
	out := putItem(ctx, w, w.own)
	w.present = w.present || out.fault == ""
	return out
}

func deleteOwn(ctx context.Context, w *worker) outcome {
	w.open()
	w.text(`,"Key":`)
	w.key(w.own)
	w.text(`}`)
	_, out := w.call(ctx, "DeleteItem")
	w.present = w.present && out.fault != ""
	return out
}

// query10 reads ten consecutive items of a partition by a range of sort keys, which
// contains the chosen one.
func query10(ctx context.Context, w *worker) outcome {
	index := w.choose()
	from := max(index%itemsPerPartition-9, 0)
	w.open()
	w.text(`,"KeyConditionExpression":"pk = :pk AND sk BETWEEN :from AND :to","ExpressionAttributeValues":{":pk":`)
	w.body = appendPartition(w.body, index)
	w.text(`,":from":`)
	w.body = appendSort(w.body, from)
	w.text(`,":to":`)
	w.body = appendSort(w.body, from+9)
	w.text(`}}`)
	return w.query(ctx)
}

// query100 reads a whole partition.
func query100(ctx context.Context, w *worker) outcome {
	w.open()
	w.text(`,"KeyConditionExpression":"pk = :pk","ExpressionAttributeValues":{":pk":`)
	w.body = appendPartition(w.body, w.choose())
	w.text(`}}`)
	return w.query(ctx)
}

// rangeQuery is YCSB's scan: up to a hundred items from a chosen one on.
func rangeQuery(ctx context.Context, w *worker) outcome {
	index := w.choose()
	w.open()
	w.text(`,"KeyConditionExpression":"pk = :pk AND sk >= :from","ExpressionAttributeValues":{":pk":`)
	w.body = appendPartition(w.body, index)
	w.text(`,":from":`)
	w.body = appendSort(w.body, index)
	w.text(`},"Limit":`)
	w.body = strconv.AppendInt(w.body, 1+w.random.Int64N(longestRangeQuery), 10)
	w.text(`}`)
	return w.query(ctx)
}

func (w *worker) query(ctx context.Context) outcome {
	response, out := w.call(ctx, "Query")
	if out.fault == "" {
		if out.items = countIn(response); out.items == 0 {
			out.fault = FaultMissing
		}
	}
	return out
}

// scan reads the next page of the table, up to 1 MB, and starts over at its end.
func scan(ctx context.Context, w *worker) outcome {
	w.open()
	if len(w.page) > 0 {
		w.text(`,"ExclusiveStartKey":`)
		w.body = append(w.body, w.page...)
	}
	w.text(`}`)
	response, out := w.call(ctx, "Scan")
	w.page = w.page[:0]
	if out.fault == "" {
		out.items = countIn(response)
		w.page = append(w.page, lastKey(response)...)
	}
	return out
}

func batchWrite(ctx context.Context, w *worker) outcome {
	return batchPut(ctx, w, w.chooseDistinct(batchWriteSize))
}

func batchPut(ctx context.Context, w *worker, indexes []int64) outcome {
	w.body = append(w.body[:0], `{"RequestItems":{"`...)
	w.text(w.table)
	w.text(`":[`)
	for i, index := range indexes {
		if i > 0 {
			w.text(`,`)
		}
		w.text(`{"PutRequest":{"Item":`)
		w.item(index)
		w.text(`}}`)
	}
	w.text(`]}}`)
	response, out := w.call(ctx, "BatchWriteItem")
	out.items *= int64(len(indexes))
	if out.fault == "" && handedBack(response, "UnprocessedItems") {
		out.fault = FaultUnprocessed
	}
	return out
}

func batchGet(ctx context.Context, w *worker) outcome {
	w.body = append(w.body[:0], `{"RequestItems":{"`...)
	w.text(w.table)
	w.text(`":{"Keys":[`)
	for i, index := range w.chooseDistinct(batchGetSize) {
		if i > 0 {
			w.text(`,`)
		}
		w.key(index)
	}
	w.text(`]}}}`)
	response, out := w.call(ctx, "BatchGetItem")
	out.items *= batchGetSize
	if out.fault == "" && handedBack(response, "UnprocessedKeys") {
		out.fault = FaultUnprocessed
	}
	return out
}

// transactWrite is a small business transaction: two conditional updates, an item
// replaced, a condition on a fourth.
func transactWrite(ctx context.Context, w *worker) outcome {
	chosen := w.chooseDistinct(transactionSize)
	w.body = append(w.body[:0], `{"TransactItems":[`...)
	for _, index := range chosen[:2] {
		w.transactItem(`{"Update":`, `,"Key":`)
		w.key(index)
		w.updateCounterExpression()
		w.text(`}},`)
	}
	w.transactItem(`{"Put":`, `,"Item":`)
	w.item(chosen[2])
	w.text(`}},`)
	w.transactItem(`{"ConditionCheck":`, `,"Key":`)
	w.key(chosen[3])
	w.text(`,"ConditionExpression":"attribute_exists(pk)"}}]}`)
	_, out := w.call(ctx, "TransactWriteItems")
	out.items *= transactionSize
	return out
}

func transactGet(ctx context.Context, w *worker) outcome {
	w.body = append(w.body[:0], `{"TransactItems":[`...)
	for i, index := range w.chooseDistinct(transactionSize) {
		if i > 0 {
			w.text(`,`)
		}
		w.transactItem(`{"Get":`, `,"Key":`)
		w.key(index)
		w.text(`}}`)
	}
	w.text(`]}`)
	_, out := w.call(ctx, "TransactGetItems")
	out.items *= transactionSize
	return out
}

func (w *worker) transactItem(kind, member string) {
	w.text(kind)
	w.text(`{"TableName":"`)
	w.text(w.table)
	w.text(`"`)
	w.text(member)
}

// insert writes an item that did not exist.
func insert(ctx context.Context, w *worker) outcome {
	index := w.inserts.reserve()
	out := putItem(ctx, w, index)
	w.inserts.finish(index, out.fault == "")
	return out
}

func readModifyWrite(ctx context.Context, w *worker) outcome {
	index := w.choose()
	if out := get(ctx, w, index, false); out.fault != "" {
		return out
	}
	return overwrite(ctx, w, index)
}
