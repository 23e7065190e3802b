package server

import (
	"errors"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveTransactWriteItems answers TransactWriteItems; its checks come in the
// service's order. Faults that show only with the table's schema become reasons of
// the cancellation, like those that show with the stored items.
func serveTransactWriteItems(c *call) error {
	var in api.TransactWriteItemsInput
	if err := c.decode(&in); err != nil {
		return err
	}
	actions, err := bindTransactWrites(&in)
	if err != nil {
		return err
	}
	if err := c.findTransactTables(actions); err != nil {
		return err
	}
	if err := checkTransactWrites(actions); err != nil {
		return err
	}
	writes := make([]*partition.Write, len(actions))
	for i := range actions {
		a := &actions[i]
		a.write.Fault = a.schemaFault()
		writes[i] = a.write
	}
	token := c.idempotencyToken(in.ClientRequestToken, func(f fingerprint) { fingerprintActions(f, actions) })
	result, err := c.dbTransactWrite(writes, token)
	switch {
	case errors.Is(err, partition.ErrWriteTooLarge):
		return transactionTooLarge()
	case err != nil:
		return err
	}
	return c.answerTransactWrites(&in, actions, &result)
}

// A transactAction is one action of a TransactWriteItems.
type transactAction struct {
	write *partition.Write
	in    actionMembers
}

// actionMembers are the members that Put, Update, Delete and ConditionCheck share,
// as far as they have them; item is the Item or the Key.
type actionMembers struct {
	table             api.Optional[string]
	item              *api.AttributeMap
	update, condition api.Optional[string]
	placeholders      placeholders
	onFailure         api.Optional[string] // ReturnValuesOnConditionCheckFailure
}

// bindTransactWrites makes the request checks of TransactWriteItems that need no
// table. The first action with a fault is the one reported.
func bindTransactWrites(in *api.TransactWriteItemsInput) ([]transactAction, error) {
	actions := make([]transactAction, len(in.TransactItems))
	for i := range actions {
		kind, members, err := actionOf(&in.TransactItems[i])
		if err != nil {
			return nil, err
		}
		if actions[i], err = olderPhrasing.bindAction(kind, members); err != nil {
			return nil, err
		}
	}
	for _, a := range actions {
		if a.write.Kind == partition.Put && a.write.Item.Size() > partition.MaxItemSize {
			return nil, itemTooLarge()
		}
	}
	return actions, nil
}

// actionOf returns the one member of an entry of TransactItems.
func actionOf(entry *api.TransactWriteItem) (kind partition.WriteKind, m actionMembers, err error) {
	members := 0
	if a := entry.ConditionCheck; a != nil {
		kind, members = partition.Check, members+1
		m = actionMembers{
			table: a.TableName, item: &a.Key, condition: a.ConditionExpression, onFailure: a.ReturnValuesOnConditionCheckFailure,
			placeholders: placeholders{a.ExpressionAttributeNames, a.ExpressionAttributeValues},
		}
	}
	if a := entry.Put; a != nil {
		kind, members = partition.Put, members+1
		m = actionMembers{
			table: a.TableName, item: &a.Item, condition: a.ConditionExpression, onFailure: a.ReturnValuesOnConditionCheckFailure,
			placeholders: placeholders{a.ExpressionAttributeNames, a.ExpressionAttributeValues},
		}
	}
	if a := entry.Delete; a != nil {
		kind, members = partition.Delete, members+1
		m = actionMembers{
			table: a.TableName, item: &a.Key, condition: a.ConditionExpression, onFailure: a.ReturnValuesOnConditionCheckFailure,
			placeholders: placeholders{a.ExpressionAttributeNames, a.ExpressionAttributeValues},
		}
	}
	if a := entry.Update; a != nil {
		kind, members = partition.Update, members+1
		m = actionMembers{
			table: a.TableName, item: &a.Key, condition: a.ConditionExpression, onFailure: a.ReturnValuesOnConditionCheckFailure,
			placeholders: placeholders{a.ExpressionAttributeNames, a.ExpressionAttributeValues},
			update:       a.UpdateExpression,
		}
	}
	if members != 1 {
		err = validationText("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	return kind, m, err
}

// bindAction judges the values of one action and binds its expressions.
func (p phrasing) bindAction(kind partition.WriteKind, m actionMembers) (transactAction, error) {
	none := transactAction{}
	if m.item.Invalid != nil {
		return none, p.value(m.item.Invalid)
	}
	w := &partition.Write{Kind: kind, Item: m.item.Item, WantFailed: m.onFailure.Value == returnAllOld}
	usable := m.update.Present || m.condition.Present
	if err := p.checkOrphans(m.placeholders, usable, usable, ": ConditionExpression is null"); err != nil {
		return none, err
	}
	if usable {
		b, err := p.binder(m.placeholders)
		if err != nil {
			return none, err
		}
		if m.update.Present {
			if w.Update, err = b.Update(m.update.Value); err != nil {
				return none, err
			}
		}
		if w.Condition, err = bindCondition(b, expression.KindCondition, m.condition); err != nil {
			return none, err
		}
		if err := b.Unused(); err != nil {
			return none, err
		}
	}
	return transactAction{w, m}, nil
}

// findTransactTables looks up the table of every action.
func (c *call) findTransactTables(actions []transactAction) (err error) {
	for i := range actions {
		if actions[i].write.Table, err = c.table(actions[i].in.table.Value); err != nil {
			return err
		}
	}
	return nil
}

// checkTransactWrites judges the actions together, and what is left of each on its
// own that fails the request and not just the transaction.
func checkTransactWrites(actions []transactAction) error {
	var keys transactKeys
	size := 0
	for _, a := range actions {
		if err := keys.add(a.write.Table, a.write.Item); err != nil {
			return err
		}
		size += a.write.Item.Size()
	}
	if size > maxTransactSize {
		return transactionTooLarge()
	}
	for _, a := range actions {
		if err := checkEmptyKey(a.write.Table.Key, a.write.Item); err != nil {
			return err
		}
	}
	return nil
}

// schemaFault is what is wrong with an action on its table: a reason to cancel the
// transaction.
func (a *transactAction) schemaFault() error {
	w := a.write
	check := checkKey
	if w.Kind == partition.Put {
		check = checkPutItem
	}
	if err := check(w.Table, w.Item); err != nil {
		return err
	}
	change := boundUpdate{w.Update, w.Condition}
	return change.checkSchema(w.Table)
}

// fingerprintActions hashes what has to be the same for a repeated request to be
// the same: everything but what its answer is to tell of costs.
func fingerprintActions(f fingerprint, actions []transactAction) {
	for i := range actions {
		in := &actions[i].in
		f.number(int(actions[i].write.Kind))
		f.optional(in.table)
		f.bytes(in.item.Item)
		f.optional(in.update)
		f.optional(in.condition)
		f.placeholders(in.placeholders)
		f.optional(in.onFailure)
	}
}

// answerTransactWrites appends the response. A replayed transaction is charged for
// reading what it had written.
func (c *call) answerTransactWrites(in *api.TransactWriteItemsInput, actions []transactAction, result *partition.TransactResult) error {
	c.out = append(c.out, '{')
	var costs transactCosts
	for i, a := range actions {
		r := &result.Results[i]
		cost := costs.of(a.write.Table, a.in.table.Value)
		if result.Replayed {
			cost.transactRead(max(r.OldSize, r.NewSize))
		} else {
			cost.transactWrite(r)
		}
	}
	c.out = costs.appendMember(c.out, in.ReturnConsumedCapacity.Value)
	if in.ReturnItemCollectionMetrics.Value == metricsSize {
		if err := c.appendTableMetrics(changesByTable(actions)); err != nil {
			return err
		}
	}
	c.out = append(c.out, '}')
	return nil
}

// changesByTable groups the actions that can change an item, tables in the order
// in which the request names them.
func changesByTable(actions []transactAction) []tableWrites {
	var tables []tableWrites
actions:
	for _, a := range actions {
		if a.write.Kind == partition.Check {
			continue
		}
		for i := range tables {
			if tables[i].writes[0].Table.ID == a.write.Table.ID {
				tables[i].writes = append(tables[i].writes, a.write)
				continue actions
			}
		}
		tables = append(tables, tableWrites{a.in.table.Value, []*partition.Write{a.write}})
	}
	return tables
}
