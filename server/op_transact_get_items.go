package server

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// serveTransactGetItems answers TransactGetItems; its checks come in the service's
// order.
func serveTransactGetItems(c *call) error {
	var in api.TransactGetItemsInput
	if err := c.decode(&in); err != nil {
		return err
	}
	projections, err := bindTransactGets(&in)
	if err != nil {
		return err
	}
	reads, err := c.planTransactGets(&in, projections)
	if err != nil {
		return err
	}

	var costs transactCosts
	size := 0
	c.out = append(c.out, `{"Responses":[`...)
	err = c.dbTransactGet(reads, func(i int, it item.Item) error {
		cost := costs.of(reads[i].Table, in.TransactItems[i].Get.TableName.Value)
		if c.out = append(appendElement(c.out), '{'); it != nil {
			if size += it.Size(); size > maxTransactSize {
				return transactionTooLarge()
			}
			cost.transactRead(it.Size())
			if projections[i] != nil {
				it = projections[i].Apply(it)
			}
			if it.Len() > 0 { // measured: nothing projected looks like no item, unlike in GetItem
				c.out = it.AppendJSON(appendName(c.out, "Item"))
			}
		} else {
			cost.transactRead(0)
		}
		c.out = append(c.out, '}')
		return nil
	})
	if err != nil {
		return err
	}
	c.out = append(c.out, ']')
	c.out = costs.appendMember(c.out, in.ReturnConsumedCapacity.Value)
	c.out = append(c.out, '}')
	return nil
}

// bindTransactGets makes the request checks of TransactGetItems that need no table
// and returns the projections, nil for a whole item.
func bindTransactGets(in *api.TransactGetItemsInput) ([]*expression.Projection, error) {
	p := olderPhrasing
	projections := make([]*expression.Projection, len(in.TransactItems))
	for i := range projections {
		get := in.TransactItems[i].Get
		if get.Key.Invalid != nil {
			return nil, p.value(get.Key.Invalid)
		}
		holders := placeholders{names: get.ExpressionAttributeNames}
		if err := p.checkOrphans(holders, get.ProjectionExpression.Present, true, ""); err != nil {
			return nil, err
		}
		var err error
		if projections[i], err = p.readProjection(nil, get.ProjectionExpression, holders); err != nil {
			return nil, err
		}
	}
	return projections, nil
}

// planTransactGets looks up the tables and judges keys and paths against their
// schemas. Faults of single actions cancel the transaction.
func (c *call) planTransactGets(in *api.TransactGetItemsInput, projections []*expression.Projection) ([]partition.KeyRead, error) {
	reads := make([]partition.KeyRead, len(in.TransactItems))
	for i := range reads {
		get := in.TransactItems[i].Get
		t, err := c.table(get.TableName.Value)
		if err != nil {
			return nil, err
		}
		reads[i] = partition.KeyRead{Table: t, Key: get.Key.Item}
	}
	var keys transactKeys
	for _, r := range reads {
		if err := keys.add(r.Table, r.Key); err != nil {
			return nil, err
		}
	}
	for _, r := range reads {
		if err := checkEmptyKey(r.Table.Key, r.Key); err != nil {
			return nil, err
		}
	}
	canceled := partition.TransactionCanceled{Reasons: make([]error, len(reads))}
	faults := false
	for i, r := range reads {
		err := checkKey(r.Table, r.Key)
		if err == nil {
			err = checkProjectionPaths(r.Table, projections[i])
		}
		canceled.Reasons[i] = err
		faults = faults || err != nil
	}
	if faults {
		return nil, &canceled
	}
	return reads, nil
}
