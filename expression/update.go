package expression

import (
	"errors"

	"github.com/stator-db/stator/storage/item"
)

// Update is a bound update expression. It is immutable and safe for concurrent
// use.
type Update struct {
	actions []action // in written order
	targets []Path   // of actions
	paths   []Path
	tree    *pathTree // of targets
	legacy  bool
}

// action is one change of one target.
type action struct {
	verb verb

	// value is what SET assigns, ADD adds or DELETE takes away; nil for REMOVE.
	value setValue
}

type verb int

const (
	verbSet verb = iota
	verbRemove
	verbAdd
	verbDelete
)

// Targets returns the paths that the update changes, clause by clause in
// written order. No two overlap. The caller must not change it.
func (u *Update) Targets() []Path { return u.targets }

// Paths returns every document path the update uses, targets and operands, in
// written order. The caller must not change it.
func (u *Update) Paths() []Path { return u.paths }

// LiteralSet returns the value that SET assigns to the top-level attribute
// name, if it is given literally. The type of an index key is checked on it
// before the item is read.
func (u *Update) LiteralSet(name string) (item.Value, bool) {
	for i, target := range u.targets {
		if len(target) == 1 && target[0].Name == name && u.actions[i].verb == verbSet {
			v, ok := u.actions[i].value.(literalValue)
			return item.Value(v), ok
		}
	}
	return nil, false
}

// The parts of an update's charge, in bytes, as measured on the service.
const (
	chargeUpdate     = 3
	chargeWrite      = 19 // an action that writes a value
	chargeClear      = 2  // an action that removes one
	chargeListIndex  = 1  // more for assigning through a list index
	chargeArithmetic = 50 // more for + or -
)

// Charge returns the bytes that UpdateItem adds for the update itself when it
// compares an item with the size limit: the larger of the resulting item's
// size, and that size without the key attributes plus the charge, must not
// exceed 409,600.
func (u *Update) Charge() int {
	charge := chargeUpdate
	for i, a := range u.actions {
		if a.verb == verbRemove {
			charge += chargeClear
			continue
		}
		charge += chargeWrite
		if a.verb != verbSet {
			continue
		}
		for _, s := range u.targets[i] {
			if s.IsIndex {
				charge += chargeListIndex
				break
			}
		}
		if _, ok := a.value.(*sum); ok {
			charge += chargeArithmetic
		}
	}
	return charge
}

// Writes reports whether the update can leave a value anywhere. One that only
// removes creates no item where there is none, nor is it looked at there.
func (u *Update) Writes() bool {
	for _, a := range u.actions {
		if a.verb == verbSet || a.verb == verbAdd {
			return true
		}
	}
	return false
}

// Apply returns old with the changes of the update (UpdateItem API,
// UpdateExpression); old is the item before the update or, if there is none, an
// item that consists of the key. It is not changed, and the result shares no
// memory with it. All changes take effect at once: operands are those of old, and
// so are list positions.
//
// The error is ErrPathInvalid, ErrAttributeMissing, ErrOperandType (from an
// update made by [NewLegacyUpdate], ErrTypeMismatch), ErrTooDeep,
// [item.ErrNumberOverflow] or [item.ErrNumberUnderflow].
func (u *Update) Apply(old item.Item) (item.Item, error) {
	operands := make([]item.Value, len(u.actions))
	for i, a := range u.actions {
		if a.value == nil {
			continue
		}
		v, err := a.value.resolve(old)
		if err != nil {
			return nil, err
		}
		operands[i] = v
	}
	changes := make([]item.Change, 0, len(u.tree.children))
	for _, c := range u.tree.children {
		var v item.Value
		if u.readsTarget(c) {
			v = old.Get(c.step.Name)
		}
		v, err := u.change(c, v, operands)
		if err != nil {
			if u.legacy && errors.Is(err, ErrOperandType) {
				return nil, ErrTypeMismatch
			}
			return nil, err
		}
		if nestable := v.Type() == item.M || v.Type() == item.L; nestable && v.Depth() > item.MaxDepth {
			return nil, ErrTooDeep
		}
		changes = append(changes, item.Change{Name: c.step.Name, Value: v})
	}
	return old.With(changes...), nil
}

// readsTarget reports whether the new value of a top-level attribute depends on
// the one it has. Looking up what is about to be replaced is worth avoiding.
func (u *Update) readsTarget(t *pathTree) bool {
	if !t.isLeaf() {
		return true
	}
	verb := u.actions[t.path].verb
	return verb == verbAdd || verb == verbDelete
}

// change returns what becomes of v, the value at node t; nil if nothing is
// left, or was there and still is not.
func (u *Update) change(t *pathTree, v item.Value, operands []item.Value) (item.Value, error) {
	switch {
	case t.isLeaf():
		return u.actions[t.path].verb.apply(v, operands[t.path])
	case t.byIndex():
		return u.changeList(t, v, operands)
	}
	return u.changeMap(t, v, operands)
}

func (u *Update) changeMap(t *pathTree, v item.Value, operands []item.Value) (item.Value, error) {
	if v.Type() != item.M {
		return nil, ErrPathInvalid
	}
	fields := make(map[string]item.Value, v.Len()+len(t.children))
	for name, field := range v.Fields() {
		fields[string(name)] = field
	}
	for _, c := range t.children {
		field, err := u.change(c, fields[c.step.Name], operands)
		if err != nil {
			return nil, err
		}
		fields[c.step.Name] = field // Map leaves out nil
	}
	return item.Map(fields), nil
}

// changeList changes elements where they are and appends, in ascending order
// of index, those that are set beyond the end. Removed elements become nil and
// are dropped only when the list is put together again.
func (u *Update) changeList(t *pathTree, v item.Value, operands []item.Value) (item.Value, error) {
	if v.Type() != item.L {
		return nil, ErrPathInvalid
	}
	length := v.Len()
	elems := make([]item.Value, 0, length+len(t.children))
	for elem := range v.Elements() {
		elems = append(elems, elem)
	}
	for _, c := range t.children {
		var elem item.Value
		if c.step.Index < length {
			elem = elems[c.step.Index]
		}
		changed, err := u.change(c, elem, operands)
		if err != nil {
			return nil, err
		}
		if c.step.Index < length {
			elems[c.step.Index] = changed
		} else {
			elems = append(elems, changed)
		}
	}
	return item.List(elems...), nil
}

// apply returns what an action makes of v, the value at its target or nil.
func (verb verb) apply(v, by item.Value) (item.Value, error) {
	switch verb {
	case verbSet:
		return by, nil
	case verbAdd:
		return addTo(v, by)
	case verbDelete:
		return deleteFrom(v, by)
	}
	return nil, nil
}

// addTo adds a number to a number, or the members of a set to a set. Only
// AttributeUpdates adds lists, which are appended.
func addTo(v, by item.Value) (item.Value, error) {
	if v == nil {
		return by, nil
	}
	if v.Type() != by.Type() {
		return nil, ErrOperandType
	}
	switch by.Type() {
	case item.N:
		n, err := v.Number().Add(by.Number())
		if err != nil {
			return nil, err
		}
		return item.NumberValue(n), nil
	case item.SS, item.NS, item.BS:
		return item.Set(by.Type(), collect(v, by)...), nil
	case item.L:
		return item.List(collect(v, by)...), nil
	}
	return nil, ErrOperandType
}

// deleteFrom takes the members of a set out of a set, of which nil is left if
// it would be empty.
func deleteFrom(v, by item.Value) (item.Value, error) {
	if v == nil {
		return nil, nil
	}
	if v.Type() != by.Type() {
		return nil, ErrOperandType
	}
	unwanted := make(map[string]struct{}, by.Len())
	for member := range by.Elements() {
		unwanted[string(member)] = struct{}{}
	}
	var kept []item.Value
	for member := range v.Elements() {
		if _, ok := unwanted[string(member)]; !ok {
			kept = append(kept, member)
		}
	}
	return item.Set(v.Type(), kept...), nil
}

// collect returns the elements of two lists or sets, those of a first.
func collect(a, b item.Value) []item.Value {
	all := make([]item.Value, 0, a.Len()+b.Len())
	for elem := range a.Elements() {
		all = append(all, elem)
	}
	for elem := range b.Elements() {
		all = append(all, elem)
	}
	return all
}
