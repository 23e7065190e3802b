package server_test

import (
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/server/internal/model"
)

// drawGuard draws the condition of a write, often none.
func drawGuard(t *rapid.T) *model.Condition {
	if rapid.Bool().Draw(t, "conditional") {
		return drawCondition(t, allPaths(), 2)
	}
	return nil
}

// conditional adds a condition to a write. It returns what the answer to its
// failure holds beside the exception.
func (m *machine) conditional(t *rapid.T, request object, w *model.Writer, write model.Write) (failed object) {
	failed = object{}
	if write.Condition == nil {
		return failed
	}
	request["ConditionExpression"] = w.Condition(write.Condition)
	if rapid.Bool().Draw(t, "return item") {
		request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
		if old := m.table.Get(write.Item); old != nil {
			failed["Item"] = old.JSON()
		}
	}
	return failed
}

// do sends a write of one item. image is what ReturnValues asks for, given the item
// before and after; nothing, if nil or empty.
func (m *machine) do(t *rapid.T, operation string, request object, w *model.Writer, write model.Write, image func(old, next model.Item) model.Item) {
	request["TableName"] = m.table.Name
	failed := m.conditional(t, request, w, write)
	addExpressions(request, w)
	metered := rapid.Bool().Draw(t, "metered")
	if metered {
		request["ReturnConsumedCapacity"] = "INDEXES"
	}
	old, next, err := m.table.Do(write)
	if err != nil {
		m.expect(t, operation, request, failed, err)
		return
	}
	want := object{}
	if it := image(old, next); len(it) > 0 {
		want["Attributes"] = it.JSON()
	}
	if metered {
		want["ConsumedCapacity"] = m.writeCapacity(old, next)
	}
	m.expect(t, operation, request, want, nil)
}

// writeCapacity is the ConsumedCapacity of a write.
func (m *machine) writeCapacity(old, next model.Item) object {
	total, indexes := m.table.WriteUnits(old, next)
	capacity := object{"TableName": m.table.Name, "Table": object{"CapacityUnits": total}}
	for name, units := range indexes {
		list := "GlobalSecondaryIndexes"
		if m.table.Index(name).Local {
			list = "LocalSecondaryIndexes"
		}
		if capacity[list] == nil {
			capacity[list] = object{}
		}
		capacity[list].(object)[name] = object{"CapacityUnits": units}
		total += units
	}
	capacity["CapacityUnits"] = total
	return capacity
}

// drawOldImage draws ReturnValues of PutItem and DeleteItem.
func drawOldImage(t *rapid.T, request object) (image func(old, next model.Item) model.Item) {
	switch mode := pick(t, "return values", "", "NONE", "ALL_OLD"); mode {
	case "ALL_OLD":
		request["ReturnValues"] = mode
		return func(old, _ model.Item) model.Item { return old }
	case "NONE":
		request["ReturnValues"] = mode
	}
	return func(model.Item, model.Item) model.Item { return nil }
}

func drawWriter(t *rapid.T) *model.Writer {
	return &model.Writer{Alias: rapid.Bool().Draw(t, "aliases")}
}

func (m *machine) put(t *rapid.T) {
	write := model.Write{Kind: "Put", Item: drawItem(t, m.table), Condition: drawGuard(t)}
	request := object{"Item": write.Item.Request()}
	image := drawOldImage(t, request)
	m.do(t, "PutItem", request, drawWriter(t), write, image)
}

func (m *machine) delete(t *rapid.T) {
	write := model.Write{Kind: "Delete", Item: drawTarget(t, m.table), Condition: drawGuard(t)}
	request := object{"Key": write.Item.Request()}
	image := drawOldImage(t, request)
	m.do(t, "DeleteItem", request, drawWriter(t), write, image)
}

func (m *machine) update(t *rapid.T) {
	write := model.Write{Kind: "Update", Item: drawTarget(t, m.table), Condition: drawGuard(t)}
	request := object{"Key": write.Item.Request()}
	w := drawWriter(t)
	if !oneIn(t, 16, "nothing") {
		write.Update = drawUpdate(t, m.table.Get(write.Item))
		request["UpdateExpression"] = w.Update(write.Update)
	}
	mode := pick(t, "return values", "NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
	request["ReturnValues"] = mode
	m.do(t, "UpdateItem", request, w, write, func(old, next model.Item) model.Item {
		switch mode {
		case "ALL_OLD":
			return old
		case "ALL_NEW":
			return next
		case "UPDATED_OLD":
			return model.Project(old, write.Update.Targets())
		case "UPDATED_NEW":
			return model.Project(next, write.Update.Targets())
		}
		return nil
	})
}

// batchWrite puts and deletes several items. One bad request fails them all.
func (m *machine) batchWrite(t *rapid.T) {
	var writes []model.Write
	var requests []any
	var failure error
	var keys []string
	for range rapid.IntRange(1, 12).Draw(t, "requests") {
		w := model.Write{Kind: "Put", Item: drawItem(t, m.table)}
		if oneIn(t, 5, "delete") {
			w = model.Write{Kind: "Delete", Item: drawTarget(t, m.table)}
		}
		_, err := m.table.Judge(w)
		if err != nil && !oneIn(t, 12, "bad request") {
			continue
		}
		key := canonical(m.table.KeyOf(w.Item).JSON())
		again := slices.Contains(keys, key)
		if again && !oneIn(t, 12, "same key") {
			continue
		}
		if err != nil || again {
			failure = model.ErrValidation
		}
		keys = append(keys, key)
		writes = append(writes, w)
		if w.Kind == "Put" {
			requests = append(requests, object{"PutRequest": object{"Item": w.Item.Request()}})
		} else {
			requests = append(requests, object{"DeleteRequest": object{"Key": w.Item.Request()}})
		}
	}
	if requests == nil {
		return
	}
	m.expect(t, "BatchWriteItem", object{"RequestItems": object{m.table.Name: requests}}, object{"UnprocessedItems": object{}}, failure)
	if failure != nil {
		return
	}
	for _, w := range writes {
		_, _, err := m.table.Do(w)
		require.NoError(t, err)
	}
}
