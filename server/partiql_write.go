package server

import (
	"errors"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/expression/partiql"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// planWrite turns an INSERT, UPDATE or DELETE into the write that PutItem,
// UpdateItem or DeleteItem would make.
func (s *statement) planWrite() (*partition.Write, error) {
	if s.Kind == partiql.Insert {
		return s.planInsert()
	}
	key := s.Where.ItemKey(s.table.KeyNames(nil), false)
	switch {
	case !key.Complete:
		return nil, validationText("Where clause does not contain a mandatory equality on all key attributes")
	case key.Conflict != "":
		return nil, validation("Multiple conditions on same key %s. Only single item Update/Insert/Delete are supported", key.Conflict)
	}
	w := s.writeOf(&key)
	if err := checkKey(s.table, key.Key); err != nil {
		return nil, err
	}
	change := boundUpdate{w.Update, w.Condition}
	return w, change.checkSchema(s.table)
}

func (s *statement) planInsert() (*partition.Write, error) {
	if s.Item.Size() > partition.MaxItemSize {
		return nil, itemTooLarge()
	}
	if err := checkPutItem(s.table, s.Item); err != nil {
		return nil, err
	}
	return s.insertion(), nil
}

// insertion is a put that fails if there is an item.
func (s *statement) insertion() *partition.Write {
	absent := expression.Not(s.itemExists())
	return &partition.Write{Table: s.table, Kind: partition.Put, Item: s.Item, Condition: expression.NewCondition(absent)}
}

// itemExists holds for an item, and not for none.
func (s *statement) itemExists() expression.Test {
	return expression.Exists(expression.Path{{Name: s.table.Key.Hash[0].Name}})
}

// writeOf is the write that the statement makes of the item with the key; what
// else WHERE says is its condition. An UPDATE and an EXISTS fail without an item,
// a DELETE then does nothing.
func (s *statement) writeOf(key *partiql.ItemKey) *partition.Write {
	w := &partition.Write{Table: s.table, Item: key.Key}
	exists := s.itemExists()
	condition := expression.All(append([]expression.Test{exists}, key.Rest...)...)
	switch s.Kind {
	case partiql.Update:
		w.Kind, w.Update = partition.Update, s.Update
	case partiql.Delete:
		w.Kind = partition.Delete
		if len(key.Rest) == 0 {
			return w
		}
		condition = expression.Any(expression.Not(exists), expression.All(key.Rest...))
	default:
		w.Kind = partition.Check
	}
	w.Condition = expression.NewCondition(condition)
	return w
}

// returned says what of the write its RETURNING clause shows, and has the write
// keep it.
func (s *statement) returned(w *partition.Write) writeAnswer {
	r := s.Returning
	var answer writeAnswer
	switch {
	case r.All && r.New:
		answer.values = returnAllNew
	case r.All:
		answer.values = returnAllOld
	case r.Modified && r.New:
		answer.values, answer.targets = returnUpdatedNew, s.Update.Targets()
	case r.Modified:
		answer.values, answer.targets = returnUpdatedOld, s.Update.Targets()
	default:
		return answer
	}
	w.WantNew, w.WantOld = r.New, !r.New
	return answer
}

// writeFault is what an error of a write means for the statement.
func (s *statement) writeFault(err error) error {
	_, failed := errors.AsType[*partition.ConditionFailed](err)
	switch {
	case failed && s.Kind == partiql.Insert:
		return duplicateItem()
	case errors.Is(err, expression.ErrTooDeep):
		return validationText("Nesting Levels have exceeded supported limits")
	}
	return err
}

// duplicateItem is the answer to an INSERT of an item that exists.
func duplicateItem() *apiError {
	return &apiError{Type: modelPrefix + "DuplicateItemException", Message: "Duplicate primary key exists in table"}
}

// itemKey returns the key of the one item that a SELECT reads in a batch or a
// transaction: ok is false unless WHERE fixes it and says nothing else.
func (s *statement) itemKey() (key item.Item, ok bool) {
	k := s.Where.ItemKey(s.table.KeyNames(nil), true)
	return k.Key, k.Complete && len(k.Rest) == 0
}
