package server

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// servePutItem answers PutItem. Its checks stand in the order in which the service
// reports faults: which members go together, the item, ReturnValues, the item's
// size, the condition; then the table, its keys, and at last the stored item.
func servePutItem(c *call) error {
	var in api.PutItemInput
	if err := c.decode(&in); err != nil {
		return err
	}
	p := writePhrasing
	holders := placeholders{in.ExpressionAttributeNames, in.ExpressionAttributeValues}
	if err := p.checkWriteMembers(in.Expected, in.ConditionalOperator, in.ConditionExpression, holders); err != nil {
		return err
	}
	if in.Item.Invalid != nil {
		return p.value(in.Item.Invalid)
	}
	if err := p.checkReturnOld(in.ReturnValues); err != nil {
		return err
	}
	if in.Item.Item.Size() > partition.MaxItemSize {
		return itemTooLarge()
	}
	condition, err := p.writeCondition(in.Expected, in.ConditionalOperator, in.ConditionExpression, holders)
	if err != nil {
		return err
	}

	t, err := c.table(in.TableName.Value)
	if err != nil {
		return err
	}
	if err := checkPutItem(t, in.Item.Item); err != nil {
		return err
	}
	if err := checkConditionPaths(t, condition); err != nil {
		return err
	}
	w := partition.Write{
		Table:      t,
		Kind:       partition.Put,
		Item:       in.Item.Item,
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

// checkWriteMembers judges which of the members of PutItem and DeleteItem that
// concern a condition come together.
func (p phrasing) checkWriteMembers(expected api.Map[api.ExpectedAttributeValue], operator, text api.Optional[string], in placeholders) error {
	legacy := [...]member{{"Expected", expected != nil}, {"ConditionalOperator", operator.Present}}
	expressions := [...]member{{"ConditionExpression", text.Present}}
	if err := p.checkMixing(legacy[:], expressions[:]); err != nil {
		return err
	}
	return p.checkOrphans(in, text.Present, text.Present, "")
}

// writeCondition builds the condition of PutItem and DeleteItem from either form;
// nil means unconditional.
func (p phrasing) writeCondition(expected api.Map[api.ExpectedAttributeValue], operator, text api.Optional[string], in placeholders) (*expression.Condition, error) {
	legacy, err := p.expected(expected, operator)
	if err != nil || !text.Present {
		return legacy, err
	}
	b, err := p.binder(in)
	if err != nil {
		return nil, err
	}
	bound, err := bindCondition(b, expression.KindCondition, text)
	if err != nil {
		return nil, err
	}
	return bound, b.Unused()
}

// checkConditionPaths is checkKeyPaths for a condition, which may be nil.
func checkConditionPaths(t *partition.Table, c *expression.Condition) error {
	if c == nil {
		return nil
	}
	return checkKeyPaths(t, c.Paths())
}

// checkReturnOld refuses what PutItem and DeleteItem cannot return.
func (p phrasing) checkReturnOld(values api.Optional[string]) error {
	if v := values.Or(returnNone); v != returnNone && v != returnAllOld {
		return p.fault("ReturnValues can only be ALL_OLD or NONE")
	}
	return nil
}

func itemTooLarge() *apiError {
	return validationText("Item size has exceeded the maximum allowed size")
}
