package server_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/server/internal/model"
)

// drawActions draws the writes of a transaction, on different items but for rare
// cases, and the entries of TransactItems. failed holds, for each, the reason that
// a false condition gives.
func (m *machine) drawActions(t *rapid.T) (writes []model.Write, entries []any, failed []object) {
	for range rapid.IntRange(1, 6).Draw(t, "actions") {
		write := model.Write{Kind: pick(t, "kind", "Put", "Update", "Delete", "ConditionCheck"), Item: drawTarget(t, m.table)}
		w := drawWriter(t)
		action := object{"TableName": m.table.Name}
		if oneIn(t, 3, "conditional") || write.Kind == "ConditionCheck" {
			write.Condition = drawCondition(t, allPaths(), 1)
		}
		switch write.Kind {
		case "Put":
			write.Item = drawItem(t, m.table)
			action["Item"] = write.Item.Request()
		case "Update":
			write.Update = drawUpdate(t, m.table.Get(write.Item))
			action["UpdateExpression"] = w.Update(write.Update)
			fallthrough
		default:
			action["Key"] = write.Item.Request()
		}
		// Without this, hardly any transaction of several actions would succeed.
		if _, err := m.table.Judge(write); err != nil && !oneIn(t, 6, "fails") {
			continue
		}
		same := func(other model.Write) bool { return m.table.SameKey(other.Item, write.Item) }
		if slices.ContainsFunc(writes, same) && !oneIn(t, 12, "same item") {
			continue
		}
		reason := m.conditional(t, action, w, write)
		reason["Code"], reason["Message"] = "ConditionalCheckFailed", "The conditional request failed"
		addExpressions(action, w)
		writes, entries, failed = append(writes, write), append(entries, object{write.Kind: action}), append(failed, reason)
	}
	return writes, entries, failed
}

func (m *machine) transactWrite(t *rapid.T) {
	writes, entries, failed := m.drawActions(t)
	if writes == nil {
		return
	}
	request := object{"TransactItems": entries}
	if rapid.Bool().Draw(t, "token") {
		m.tokens++
		request["ClientRequestToken"] = fmt.Sprint("token", m.tokens)
	}
	refused := false
	for i, w := range writes {
		same := func(other model.Write) bool { return m.table.SameKey(other.Item, w.Item) }
		refused = refused || w.Update.Clashes() || slices.ContainsFunc(writes[:i], same)
	}
	if refused {
		m.expect(t, "TransactWriteItems", request, nil, model.ErrValidation)
		return
	}
	var want []any
	canceled := false
	for i, err := range m.table.DoAll(writes) {
		reason := object{"Code": "None"}
		switch {
		case errors.Is(err, model.ErrCondition):
			reason = failed[i]
		case errors.Is(err, model.ErrValidation):
			reason = object{"Code": "ValidationError"}
		}
		canceled = canceled || err != nil
		want = append(want, reason)
	}
	if !canceled {
		m.expect(t, "TransactWriteItems", request, object{}, nil)
		if request["ClientRequestToken"] != nil {
			m.repeat = request
		}
		return
	}
	exception, answer := m.send(t, "TransactWriteItems", request)
	require.Equal(t, "TransactionCanceledException", exception)
	reasons := members(answer, "CancellationReasons")
	for _, reason := range reasons {
		if reason["Code"] == "ValidationError" {
			require.NotEmpty(t, reason["Message"])
			delete(reason, "Message")
		}
	}
	require.Equal(t, canonical(want), canonical(answer["CancellationReasons"]))
}

// transactAgain sends a transaction once more, which does nothing whatever happened
// since, or another one under its token, which is refused.
func (m *machine) transactAgain(t *rapid.T) {
	if m.repeat == nil {
		t.Skip("nothing to repeat")
	}
	if rapid.Bool().Draw(t, "the same") {
		m.expect(t, "TransactWriteItems", m.repeat, object{}, nil)
		return
	}
	other := maps.Clone(m.repeat)
	it := drawKey(t, m.table)
	it["new"] = model.Null() // which no other transaction writes
	other["TransactItems"] = []any{object{"Put": object{"TableName": m.table.Name, "Item": it.Request()}}}
	exception, _ := m.send(t, "TransactWriteItems", other)
	require.Equal(t, "IdempotentParameterMismatchException", exception)
}

func (m *machine) transactGet(t *rapid.T) {
	var entries, want []any
	var keys []model.Item
	var failure error
	for range rapid.IntRange(1, 6).Draw(t, "items") {
		key := drawTarget(t, m.table)
		if slices.ContainsFunc(keys, func(other model.Item) bool { return m.table.SameKey(other, key) }) {
			if !oneIn(t, 12, "same item") {
				continue
			}
			failure = model.ErrValidation
		}
		keys = append(keys, key)
		get := object{"TableName": m.table.Name, "Key": key.Request()}
		it := m.table.Get(key)
		if rapid.Bool().Draw(t, "project") {
			w, paths := drawWriter(t), drawPaths(t)
			get["ProjectionExpression"] = w.Paths(paths)
			addExpressions(get, w)
			it = model.Project(it, paths)
		}
		entries = append(entries, object{"Get": get})
		if len(it) == 0 { // also when nothing is left of an item, unlike GetItem
			want = append(want, object{})
		} else {
			want = append(want, object{"Item": it.JSON()})
		}
	}
	m.expect(t, "TransactGetItems", object{"TransactItems": entries}, object{"Responses": want}, failure)
}
