package model

import (
	"encoding/json"
	"errors"
	"slices"
)

// ErrValidation stands for the answer ValidationException.
var ErrValidation = errors.New("validation")

// ErrCondition stands for the answer ConditionalCheckFailedException.
var ErrCondition = errors.New("condition failed")

// KeyAttribute is a key attribute with its declared type.
type KeyAttribute struct{ Name, Type string }

// Schema is the key of a table or an index.
type Schema struct{ Hash, Range []KeyAttribute }

// Attributes lists hash and range attributes.
func (s Schema) Attributes() []KeyAttribute { return slices.Concat(s.Hash, s.Range) }

// Has reports whether the attribute is part of the key.
func (s Schema) Has(name string) bool { return slices.Contains(s.names(), name) }

func (s Schema) names() (names []string) {
	for _, a := range s.Attributes() {
		names = append(names, a.Name)
	}
	return names
}

// Index is a secondary index. Projection is the API's name of the projection type.
type Index struct {
	Name       string
	Local      bool
	Key        Schema
	Projection string
	NonKey     []string
}

// Table is a table with its items. No Table is a table that does not exist.
type Table struct {
	Name    string
	Key     Schema
	Indexes []*Index
	items   map[string]Item // by key
}

// Items lists all items in no order.
func (t *Table) Items() []Item {
	var all []Item
	for _, it := range t.items {
		all = append(all, it)
	}
	return all
}

// KeyOf is the part of an item that is its key.
func (t *Table) KeyOf(it Item) Item { return it.pick(t.Key.names()) }

// Position is the part of an entry that says where it stands in the index, or,
// for nil, of an item in the table: the attributes of a LastEvaluatedKey.
func (t *Table) Position(ix *Index, entry Item) Item {
	names := t.Key.names()
	if ix != nil {
		names = append(names, ix.Key.names()...)
	}
	return entry.pick(names)
}

// id is the same for equal keys, and for no others.
func (t *Table) id(key Item) string {
	text, err := json.Marshal(t.KeyOf(key).JSON())
	if err != nil {
		panic(err)
	}
	return string(text)
}

// SameKey reports whether two items, or keys, have the same key.
func (t *Table) SameKey(a, b Item) bool { return t.id(a) == t.id(b) }

// Get returns the item under a key, or nil.
func (t *Table) Get(key Item) Item { return t.items[t.id(key)] }

func (t *Table) store(key, it Item) {
	if t.items == nil {
		t.items = map[string]Item{}
	}
	if it == nil {
		delete(t.items, t.id(key))
	} else {
		t.items[t.id(key)] = it
	}
}

// A Write is one action of a transaction, or a request of its own.
type Write struct {
	Kind      string // Put, Update, Delete or ConditionCheck
	Item      Item   // the whole item of a Put, else the key
	Update    Update
	Condition *Condition
}

// DoAll does all the writes, which concern different items, or none of them: then
// one of the errors, which stand at the positions of their writes, is not nil.
func (t *Table) DoAll(writes []Write) (errs []error) {
	fine := true
	for _, w := range writes {
		_, err := t.Judge(w)
		errs, fine = append(errs, err), fine && err == nil
	}
	for _, w := range writes {
		if next, _ := t.Judge(w); fine {
			t.store(w.Item, next)
		}
	}
	return errs
}

// Judge decides a write without doing it: the item afterwards, nil for none.
func (t *Table) Judge(w Write) (next Item, err error) {
	old := t.Get(w.Item)
	switch w.Kind {
	case "Put":
		if !t.indexable(nil, w.Item) {
			return nil, ErrValidation
		}
	case "Update":
		if !t.allows(w.Update) {
			return nil, ErrValidation
		}
	}
	if !w.Condition.Holds(old) {
		return nil, ErrCondition
	}
	switch w.Kind {
	case "Put":
		return w.Item, nil
	case "Delete":
		return nil, nil
	case "ConditionCheck":
		return old, nil
	}
	base := old
	if base == nil {
		base = w.Item
	}
	if old == nil && len(w.Update) > 0 && !w.Update.Writes() {
		return nil, nil
	}
	if next, err = w.Update.Apply(base); err != nil {
		return nil, err
	}
	if !t.indexable(old, next) {
		return nil, ErrValidation
	}
	return next, nil
}

// Do judges a write and does it. It returns the item before and after.
func (t *Table) Do(w Write) (old, next Item, err error) {
	old = t.Get(w.Item)
	if next, err = t.Judge(w); err != nil {
		return old, old, err
	}
	t.store(w.Item, next)
	return old, next, nil
}

// allows judges an update by what is known without the item.
func (t *Table) allows(u Update) bool {
	if u.Clashes() {
		return false
	}
	for _, a := range u {
		if t.Key.Has(a.Target[0].Name) {
			return false
		}
		if a.Verb != "SET" || a.Set.Op != "" || a.Set.Operand.Literal == nil || len(a.Target) > 1 {
			continue
		}
		for _, ix := range t.Indexes {
			for _, k := range ix.Key.Attributes() {
				if k.Name == a.Target[0].Name && k.Type != a.Set.Operand.Literal.Kind {
					return false
				}
			}
		}
	}
	return true
}

// indexable reports whether no index key attribute that differs from old has a
// value that cannot be one.
func (t *Table) indexable(old, next Item) bool {
	for _, ix := range t.Indexes {
		for _, k := range ix.Key.Attributes() {
			if v := next[k.Name]; v != nil && !v.Equal(old[k.Name]) && !k.fits(v) {
				return false
			}
		}
	}
	return true
}

func (k KeyAttribute) fits(v *Value) bool {
	return v != nil && v.Kind == k.Type && (v.Kind == "N" || v.Text != "")
}

// Index finds an index, or returns nil.
func (t *Table) Index(name string) *Index {
	for _, ix := range t.Indexes {
		if ix.Name == name {
			return ix
		}
	}
	return nil
}

// Projects reports whether entries of an index hold the attribute.
func (t *Table) Projects(ix *Index, name string) bool {
	return ix.Projection == "ALL" || ix.Key.Has(name) || t.Key.Has(name) || slices.Contains(ix.NonKey, name)
}

// Entry is what an index holds of an item, beside the item itself.
type Entry struct{ Entry, Item Item }

// entry is what an index holds of an item, nil for nothing.
func (t *Table) entry(ix *Index, it Item) Item {
	for _, k := range ix.Key.Attributes() {
		if !k.fits(it[k.Name]) {
			return nil
		}
	}
	entry := Item{}
	for name, v := range it {
		if t.Projects(ix, name) {
			entry[name] = v
		}
	}
	return entry
}

// Entries lists what an index holds, or, for nil, the table, in no order.
func (t *Table) Entries(ix *Index) (all []Entry) {
	for _, it := range t.items {
		if ix == nil {
			all = append(all, Entry{it, it})
		} else if entry := t.entry(ix, it); entry != nil {
			all = append(all, Entry{entry, it})
		}
	}
	return all
}

// Size is what DescribeTable says of the table (nil) or an index.
func (t *Table) Size(ix *Index) (items, bytes int) {
	for _, e := range t.Entries(ix) {
		items++
		bytes += e.Entry.Size()
	}
	return items, bytes
}
