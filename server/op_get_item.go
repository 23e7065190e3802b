package server

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// serveGetItem answers GetItem. Its checks stand in the order in which the service
// reports faults.
func serveGetItem(c *call) error {
	var in api.GetItemInput
	if err := c.decode(&in); err != nil {
		return err
	}
	projection, err := bindGet(&in)
	if err != nil {
		return err
	}

	t, err := c.table(in.TableName.Value)
	if err != nil {
		return err
	}
	if err := checkKey(t, in.Key.Item); err != nil {
		return err
	}
	if err := checkProjectionPaths(t, projection); err != nil {
		return err
	}
	consistency := consistencyOf(in.ConsistentRead)
	size := 0
	c.out = append(c.out, '{')
	err = c.dbGet(t, in.Key.Item, consistency, func(it item.Item) error {
		size = it.Size()
		if projection != nil {
			it = projection.Apply(it)
		}
		c.out = appendName(c.out, "Item")
		c.out = it.AppendJSON(c.out)
		return nil
	})
	if err != nil {
		return err
	}
	cost := consumption{table: readUnits(size, consistency)}
	c.out = cost.appendMember(c.out, in.TableName.Value, in.ReturnConsumedCapacity.Value)
	c.out = append(c.out, '}')
	return nil
}

// bindGet makes the request checks of GetItem and returns its projection, nil for
// the whole item.
func bindGet(in *api.GetItemInput) (*expression.Projection, error) {
	p := readPhrasing
	holders := placeholders{names: in.ExpressionAttributeNames}
	legacy := [...]member{{"AttributesToGet", in.AttributesToGet != nil}}
	expressions := [...]member{{"ProjectionExpression", in.ProjectionExpression.Present}}
	if err := p.checkMixing(legacy[:], expressions[:]); err != nil {
		return nil, err
	}
	if err := p.checkOrphans(holders, in.ProjectionExpression.Present, true, ""); err != nil {
		return nil, err
	}
	if in.Key.Invalid != nil {
		return nil, p.value(in.Key.Invalid)
	}
	return p.readProjection(in.AttributesToGet, in.ProjectionExpression, holders)
}

// readProjection binds the projection of a read without other expressions from
// either form; nil is the whole item.
func (p phrasing) readProjection(names []string, text api.Optional[string], in placeholders) (*expression.Projection, error) {
	if names != nil {
		return p.attributesToGet(names)
	}
	if !text.Present {
		return nil, nil
	}
	b, err := p.binder(in)
	if err != nil {
		return nil, err
	}
	bound, err := bindProjection(b, text)
	if err != nil {
		return nil, err
	}
	return bound, b.Unused()
}

// checkProjectionPaths is checkKeyPaths for a projection, which may be nil.
func checkProjectionPaths(t *partition.Table, p *expression.Projection) error {
	if p == nil {
		return nil
	}
	return checkKeyPaths(t, p.Paths())
}

// consistencyOf reads the member ConsistentRead.
func consistencyOf(strong api.Optional[bool]) partition.Consistency {
	if strong.Value {
		return partition.Strong
	}
	return partition.Eventual
}
