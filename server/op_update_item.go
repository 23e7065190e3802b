package server

import (
	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveUpdateItem answers UpdateItem. Its checks stand in the order in which the
// service reports faults: the request, the table, its keys; what needs the stored
// item is decided where the write is applied.
func serveUpdateItem(c *call) error {
	var in api.UpdateItemInput
	if err := c.decode(&in); err != nil {
		return err
	}
	change, err := bindUpdate(&in)
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
	if err := change.checkSchema(t); err != nil {
		return err
	}
	w := partition.Write{
		Table:      t,
		Kind:       partition.Update,
		Item:       in.Key.Item,
		Condition:  change.condition,
		Update:     change.update,
		WantFailed: in.ReturnValuesOnConditionCheckFailure.Value == returnAllOld,
	}
	answer := writeAnswer{
		table:    in.TableName.Value,
		values:   in.ReturnValues.Value,
		capacity: in.ReturnConsumedCapacity.Value,
		metrics:  in.ReturnItemCollectionMetrics.Value,
	}
	switch answer.values {
	case returnAllOld:
		w.WantOld = true
	case returnAllNew:
		w.WantNew = true
	case returnUpdatedOld, returnUpdatedNew:
		w.WantOld = answer.values == returnUpdatedOld
		w.WantNew = !w.WantOld
		if change.update != nil {
			answer.targets = change.update.Targets()
		}
	}
	return c.write(&w, &answer)
}

// A boundUpdate is what UpdateItem does to an item: update nil changes nothing
// but creates the item, condition nil is always true.
type boundUpdate struct {
	update    *expression.Update
	condition *expression.Condition
}

// bindUpdate makes the request checks of UpdateItem and binds its expressions or
// their legacy forms.
func bindUpdate(in *api.UpdateItemInput) (boundUpdate, error) {
	p := writePhrasing
	holders := placeholders{in.ExpressionAttributeNames, in.ExpressionAttributeValues}
	none := boundUpdate{}
	legacy := [...]member{
		{"AttributeUpdates", in.AttributeUpdates != nil},
		{"Expected", in.Expected != nil},
		{"ConditionalOperator", in.ConditionalOperator.Present},
	}
	expressions := [...]member{
		{"UpdateExpression", in.UpdateExpression.Present},
		{"ConditionExpression", in.ConditionExpression.Present},
	}
	if err := p.checkMixing(legacy[:], expressions[:]); err != nil {
		return none, err
	}
	usable := anySent(expressions[:])
	if err := p.checkOrphans(holders, usable, usable, ""); err != nil {
		return none, err
	}
	if in.Key.Invalid != nil {
		return none, p.value(in.Key.Invalid)
	}
	if !usable {
		return p.legacyUpdate(in)
	}

	b, err := p.binder(holders)
	if err != nil {
		return none, err
	}
	var change boundUpdate
	if in.UpdateExpression.Present {
		if change.update, err = b.Update(in.UpdateExpression.Value); err != nil {
			return none, err
		}
	}
	if change.condition, err = bindCondition(b, expression.KindCondition, in.ConditionExpression); err != nil {
		return none, err
	}
	return change, b.Unused()
}

// legacyUpdate builds the update from AttributeUpdates and Expected.
func (p phrasing) legacyUpdate(in *api.UpdateItemInput) (change boundUpdate, err error) {
	if len(in.AttributeUpdates) > 0 {
		if change.update, err = p.attributeUpdates(in.AttributeUpdates); err != nil {
			return boundUpdate{}, err
		}
	}
	change.condition, err = p.expected(in.Expected, in.ConditionalOperator)
	return change, err
}

// checkSchema refuses changes of the key and paths into key attributes.
func (u *boundUpdate) checkSchema(t *partition.Table) error {
	if u.update != nil {
		for _, target := range u.update.Targets() {
			if name := target[0].Name; hasKeyAttribute(t.Key, name) {
				return invalid("Cannot update attribute %s. This attribute is part of the key", name)
			}
		}
		if err := checkKeyPaths(t, u.update.Paths()); err != nil {
			return err
		}
	}
	return checkConditionPaths(t, u.condition)
}
