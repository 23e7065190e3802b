package server

import (
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveDeleteItem answers DeleteItem. Its checks stand in the order in which the
// service reports faults, that of PutItem.
func serveDeleteItem(c *call) error {
	var in api.DeleteItemInput
	if err := c.decode(&in); err != nil {
		return err
	}
	p := writePhrasing
	holders := placeholders{in.ExpressionAttributeNames, in.ExpressionAttributeValues}
	if err := p.checkWriteMembers(in.Expected, in.ConditionalOperator, in.ConditionExpression, holders); err != nil {
		return err
	}
	if in.Key.Invalid != nil {
		return p.value(in.Key.Invalid)
	}
	if err := p.checkReturnOld(in.ReturnValues); err != nil {
		return err
	}
	condition, err := p.writeCondition(in.Expected, in.ConditionalOperator, in.ConditionExpression, holders)
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
	if err := checkConditionPaths(t, condition); err != nil {
		return err
	}
	w := partition.Write{
		Table:      t,
		Kind:       partition.Delete,
		Item:       in.Key.Item,
		Condition:  condition,
		WantOld:    in.ReturnValues.Value == returnAllOld,
		WantFailed: in.ReturnValuesOnConditionCheckFailure.Value == returnAllOld,
	}
	answer := writeAnswer{
		table:    in.TableName.Value,
		values:   in.ReturnValues.Value,
		capacity: in.ReturnConsumedCapacity.Value,
		metrics:  in.ReturnItemCollectionMetrics.Value,
	}
	return c.write(&w, &answer)
}
