//go:build linux

package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	clientsPerNode = 3
	pace           = 15 * time.Millisecond // between the operations of a client

	// Each epoch has items of its own, so that what was left undecided in one does not multiply with what is
	// left undecided in the next when porcupine looks for an order.
	epochLength   = 2 * time.Second
	cellsPerEpoch = 4
)

// load is clients of all nodes that write and read until they are stopped.
type load struct {
	client  *client
	history *history
	seed    uint64
	last    sync.Map // the number that a cell was last seen with
	unique  atomic.Int64
	working sync.WaitGroup
	cancel  context.CancelFunc
	name    string // in front of every key
}

func createTables(t *testing.T, c *client) {
	t.Helper()
	hash := []object{{"AttributeName": "pk", "KeyType": "HASH"}}
	key := object{"AttributeName": "pk", "AttributeType": "S"}
	for _, table := range []object{
		{
			"TableName": "Cells", "KeySchema": hash, "AttributeDefinitions": []object{key, {"AttributeName": "epoch", "AttributeType": "S"}},
			"GlobalSecondaryIndexes": []object{{
				"IndexName": "byEpoch", "KeySchema": []object{{"AttributeName": "epoch", "KeyType": "HASH"}}, "Projection": object{"ProjectionType": "ALL"},
			}},
		},
		{"TableName": "Accounts", "KeySchema": hash, "AttributeDefinitions": []object{key}},
		{"TableName": "Probes", "KeySchema": hash, "AttributeDefinitions": []object{key}},
	} {
		table["BillingMode"] = "PAY_PER_REQUEST"
		require.NoError(t, c.call(t.Context(), 1, "CreateTable", table, &object{}))
	}
}

// startLoad begins to work on nodes. The names of the items begin with name.
func startLoad(c *client, name string, seed uint64, nodes ...int) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{client: c, history: newHistory(), seed: seed, cancel: cancel, name: name}
	for i := range clientsPerNode * len(nodes) {
		l.working.Go(func() { l.work(ctx, i, nodes[i%len(nodes)]) })
	}
	return l
}

// stop lets every client finish what it has begun.
func (l *load) stop() {
	l.cancel()
	l.working.Wait()
}

func (l *load) work(ctx context.Context, id, node int) {
	random := rand.New(rand.NewPCG(l.seed, uint64(id)))
	tick := time.NewTicker(pace)
	defer tick.Stop()
	opened := -1
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		epoch := int(time.Since(l.history.start) / epochLength)
		cell := fmt.Sprintf("%s-%d-%d", l.name, epoch, random.IntN(cellsPerEpoch))
		bank := fmt.Sprintf("%s-%d", l.name, epoch)
		if opened != epoch {
			opened = epoch
			l.openBank(id, node, bank)
			continue
		}
		switch n := random.IntN(100); {
		case n < 25:
			l.swap(id, node, cell)
		case n < 45:
			l.count(id, node, cell)
		case n < 65:
			_ = l.read(id, node, cell) // recorded
		case n < 75:
			l.glance(node, cell)
		case n < 90:
			from := random.IntN(accounts)
			l.transfer(id, node, transfer{bank, from, (from + 1 + random.IntN(accounts-1)) % accounts, 1 + random.IntN(deposit)})
		default:
			_ = l.audit(id, node, bank)
		}
	}
}

// ask sends a request of an operation that, once begun, is waited for even if the load is being stopped.
func (l *load) ask(node int, operation string, input object, output any) error {
	return l.client.call(context.Background(), node, operation, input, output)
}

func (l *load) epochOf(cell string) object { return text(cell[:len(cell)-2]) }

func (l *load) swap(id, node int, cell string) {
	op := swap{key: cell, next: int(l.unique.Add(1)) * step}
	input := object{"TableName": "Cells", "Item": object{"pk": text(cell), "v": number(op.next), "epoch": l.epochOf(cell)}}
	if v, ok := l.last.Load(cell); ok && v.(int) != 0 {
		op.want = v.(int)
		input["ConditionExpression"] = "v = :want"
		input["ExpressionAttributeValues"] = object{":want": number(op.want)}
	} else {
		input["ConditionExpression"] = "attribute_not_exists(pk)"
	}
	l.history.attempts(cell, op.next)
	called := l.history.now()
	err := l.ask(node, "PutItem", input, &object{})
	switch outcomeOf(err) {
	case done:
		l.last.Store(cell, op.next)
	case refused:
		l.last.Delete(cell) // until the next read
	}
	l.history.add(id, op, called, held(err), err)
}

// held is the output of a conditional write: whether the condition held, if the client was told.
func held(err error) any {
	switch outcomeOf(err) {
	case done:
		return true
	case refused:
		return false
	}
	return undecided{}
}

func (l *load) count(id, node int, cell string) {
	called := l.history.now()
	var answer struct{ Attributes attributes }
	err := l.ask(node, "UpdateItem", object{
		"TableName": "Cells", "Key": object{"pk": text(cell)}, "UpdateExpression": "SET epoch = :e ADD v :one",
		"ExpressionAttributeValues": object{":one": number(1), ":e": l.epochOf(cell)}, "ReturnValues": "UPDATED_NEW",
	}, &answer)
	var output any = undecided{}
	if err == nil {
		output = answer.Attributes.int("v")
		l.last.Store(cell, output)
	}
	l.history.add(id, count{cell}, called, output, err)
}

func (l *load) read(id, node int, cell string) error {
	called := l.history.now()
	value, err := l.get(node, cell, true)
	if err == nil {
		l.last.Store(cell, value)
	}
	l.history.add(id, read{cell}, called, value, err)
	return err
}

// glance is an eventually consistent read.
func (l *load) glance(node int, cell string) {
	value, err := l.get(node, cell, false)
	l.history.shown(glance{cell}, value, err)
}

func (l *load) get(node int, cell string, consistent bool) (int, error) {
	var answer struct{ Item attributes }
	err := l.ask(node, "GetItem", object{"TableName": "Cells", "Key": object{"pk": text(cell)}, "ConsistentRead": consistent}, &answer)
	return answer.Item.int("v"), err
}

func account(bank string, i int) object { return text(fmt.Sprintf("%s-%d", bank, i)) }

func (l *load) openBank(id, node int, bank string) {
	var items []object
	for i := range accounts {
		items = append(items, object{"Put": object{
			"TableName": "Accounts", "Item": object{"pk": account(bank, i), "balance": number(deposit)}, "ConditionExpression": "attribute_not_exists(pk)",
		}})
	}
	l.transact(id, node, openBank{bank}, items)
}

func (l *load) transfer(id, node int, op transfer) {
	amount := object{":n": number(op.amount)}
	l.transact(id, node, op, []object{
		{"Update": object{
			"TableName": "Accounts", "Key": object{"pk": account(op.bank, op.from)}, "ConditionExpression": "balance >= :n",
			"UpdateExpression": "SET balance = balance - :n", "ExpressionAttributeValues": amount,
		}},
		{"Update": object{
			"TableName": "Accounts", "Key": object{"pk": account(op.bank, op.to)}, "ConditionExpression": "attribute_exists(pk)",
			"UpdateExpression": "SET balance = balance + :n", "ExpressionAttributeValues": amount,
		}},
	})
}

func (l *load) transact(id, node int, op any, items []object) {
	called := l.history.now()
	err := l.ask(node, "TransactWriteItems", object{"TransactItems": items}, &object{})
	l.history.add(id, op, called, held(err), err)
}

func (l *load) audit(id, node int, bank string) error {
	called := l.history.now()
	b, err := l.balances(node, bank)
	l.history.add(id, audit{bank}, called, b, err)
	return err
}

func (l *load) balances(node int, bank string) (b balances, err error) {
	var gets []object
	for i := range accounts {
		gets = append(gets, object{"Get": object{"TableName": "Accounts", "Key": object{"pk": account(bank, i)}}})
	}
	var answer struct{ Responses []struct{ Item attributes } }
	if err := l.ask(node, "TransactGetItems", object{"TransactItems": gets}, &answer); err != nil {
		return b, err
	}
	for i, r := range answer.Responses {
		b.open = b.open || r.Item != nil
		b.of[i] = r.Item.int("balance")
	}
	return b, nil
}

// readAll reads once more, by way of a node, everything that was worked on. The answers become the end of the
// history: what was acknowledged must be in them.
func (l *load) readAll(t *testing.T, node int) {
	t.Helper()
	keys, banks := map[string]bool{}, map[string]bool{}
	for _, op := range l.history.operations {
		switch op := op.Input.(type) {
		case swap:
			keys[op.key] = true
		case count:
			keys[op.key] = true
		case openBank:
			banks[op.bank] = true
		case transfer:
			banks[op.bank] = true
		}
	}
	const reader = -1
	insist := func(do func() error) {
		require.Eventually(t, func() bool { return do() == nil }, settleTimeout, 50*time.Millisecond)
	}
	for key := range keys {
		insist(func() error { return l.read(reader, node, key) })
	}
	for bank := range banks {
		insist(func() error { return l.audit(reader, node, bank) })
	}
}
