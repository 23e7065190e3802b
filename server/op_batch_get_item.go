package server

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

const (
	maxBatchGets = 100
	// maxBatchGetSize is how many bytes of items one response holds (API Reference,
	// BatchGetItem: "16 MB"; its example of 52 items of 300 KB makes these decimal).
	maxBatchGetSize = 16_000_000
	// maxBatchGetOutput bounds the response where JSON is much longer than the item
	// it stands for, as with numbers of large exponents.
	maxBatchGetOutput = 32 << 20
)

// serveBatchGetItem answers BatchGetItem. Each check is made for all tables before
// the next one, in the order in which the service reports faults.
func serveBatchGetItem(c *call) error {
	var in api.BatchGetItemInput
	if err := c.decode(&in); err != nil {
		return err
	}
	gets, err := bindBatchGets(&in)
	if err != nil {
		return err
	}
	for i := range gets {
		if err := c.findKeys(&gets[i]); err != nil {
			return err
		}
	}

	c.out = append(c.out, `{"Responses":{`...)
	for i := range gets {
		if err := c.readKeys(gets, i); err != nil {
			return err
		}
	}
	if err := nothingRead(gets); err != nil {
		return err
	}
	c.out = append(c.out, `},"UnprocessedKeys":{`...)
	for i := range gets {
		if g := &gets[i]; len(g.left) > 0 {
			c.out = appendStringName(c.out, g.name)
			c.out = appendUnprocessedKeys(c.out, g.in, g.left)
		}
	}
	c.out = append(c.out, '}')
	if mode := in.ReturnConsumedCapacity.Value; wantsCapacity(mode) {
		c.out = appendName(c.out, "ConsumedCapacity")
		c.out = append(c.out, '[')
		for i := range gets {
			c.out = appendElement(c.out)
			c.out = gets[i].cost.appendJSON(c.out, gets[i].name, mode)
		}
		c.out = append(c.out, ']')
	}
	c.out = append(c.out, '}')
	return nil
}

// batchGets is the part of a BatchGetItem that concerns one table.
type batchGets struct {
	name       string // as sent
	in         *api.KeysAndAttributes
	projection *expression.Projection

	table     *partition.Table
	left      []api.AttributeMap // keys not read
	full      bool               // some of them because the response is full
	throttled error              // why others were not read
	size      int                // bytes of items read
	cost      consumption
}

// nothingRead returns the exception of a batch of which every key was throttled.
func nothingRead(gets []batchGets) error {
	var first error
	for i := range gets {
		g := &gets[i]
		if len(g.left) < len(g.in.Keys) {
			return nil
		}
		if first == nil {
			first = g.throttled
		}
	}
	return first
}

// bindBatchGets makes the request checks of BatchGetItem that need no table.
func bindBatchGets(in *api.BatchGetItemInput) ([]batchGets, error) {
	p := readPhrasing
	var legacy, expressions bool
	keys := 0
	for i := range in.RequestItems {
		g := &in.RequestItems[i].Value
		legacy = legacy || g.AttributesToGet != nil
		expressions = expressions || g.ProjectionExpression.Present
		keys += len(g.Keys)
	}
	if keys > maxBatchGets {
		return nil, validationText("Too many items requested for the BatchGetItem call")
	}
	if err := p.checkMixing([]member{{"AttributesToGet", legacy}}, []member{{"ProjectionExpression", expressions}}); err != nil {
		return nil, err
	}
	for i := range in.RequestItems {
		if err := p.checkAttributesToGet(in.RequestItems[i].Value.AttributesToGet); err != nil {
			return nil, err
		}
	}
	gets := make([]batchGets, len(in.RequestItems))
	for i := range gets {
		g := &gets[i]
		g.name, g.in = in.RequestItems[i].Key, &in.RequestItems[i].Value
		holders := placeholders{names: g.in.ExpressionAttributeNames}
		if err := p.checkOrphans(holders, g.in.ProjectionExpression.Present, true, ""); err != nil {
			return nil, err
		}
		var err error
		if g.projection, err = p.readProjection(g.in.AttributesToGet, g.in.ProjectionExpression, holders); err != nil {
			return nil, err
		}
	}
	for i := range gets {
		for _, key := range gets[i].in.Keys {
			if key.Invalid != nil {
				return nil, p.value(key.Invalid)
			}
		}
	}
	for i := range gets {
		if err := checkRepeatedKeys(gets[i].in.Keys); err != nil {
			return nil, err
		}
	}
	return gets, nil
}

// checkRepeatedKeys refuses a key that is there twice. Keys are canonical, so that
// equal ones have equal bytes.
func checkRepeatedKeys(keys []api.AttributeMap) error {
	seen := make(map[string]struct{}, len(keys))
	for _, key := range keys {
		if _, again := seen[string(key.Item)]; again {
			return repeatedKey()
		}
		seen[string(key.Item)] = struct{}{}
	}
	return nil
}

func repeatedKey() *apiError {
	return validationText("Provided list of item keys contains duplicates")
}

// findKeys looks up the table and judges keys and paths against its schema.
func (c *call) findKeys(g *batchGets) error {
	t, err := c.table(g.name)
	if err != nil {
		return err
	}
	g.table = t
	for _, key := range g.in.Keys {
		if err := checkKey(t, key.Item); err != nil {
			return err
		}
	}
	return checkProjectionPaths(t, g.projection)
}

// readKeys appends one table's member of Responses. It stops at the first item
// that would exceed the size of the response; what is left is unprocessed, and so
// are keys that are throttled.
func (c *call) readKeys(gets []batchGets, at int) error {
	g := &gets[at]
	before := 0
	for i := range gets[:at] {
		if gets[i].full {
			g.left, g.full = g.in.Keys, true
			return nil
		}
		before += gets[i].size
	}
	consistency := consistencyOf(g.in.ConsistentRead)
	c.out = appendStringName(c.out, g.name)
	c.out = append(c.out, '[')
	for i, key := range g.in.Keys {
		size := 0
		err := c.dbGet(g.table, key.Item, consistency, func(it item.Item) error {
			size = it.Size()
			if g.full = before+g.size+size > maxBatchGetSize || len(c.out) > maxBatchGetOutput; g.full {
				return nil
			}
			if g.projection != nil {
				it = g.projection.Apply(it)
			}
			c.out = appendElement(c.out)
			c.out = it.AppendJSON(c.out)
			return nil
		})
		switch {
		case isThrottled(err):
			g.throttled = err
			g.left = append(g.left, key)
			continue
		case err != nil:
			return err
		}
		if g.full {
			g.left = append(g.left, g.in.Keys[i:]...)
			break
		}
		g.size += size
		g.cost.table += readUnits(size, consistency)
	}
	c.out = append(c.out, ']')
	return nil
}

// appendUnprocessedKeys writes the API shape KeysAndAttributes for the keys that
// are left, with everything else as it was requested.
func appendUnprocessedKeys(dst []byte, in *api.KeysAndAttributes, left []api.AttributeMap) []byte {
	rest := *in
	rest.Keys = left
	return api.AppendKeysAndAttributes(dst, rest)
}
