package partition

import (
	"bytes"
	"time"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

// MaxItemSize is the largest item in bytes by DynamoDB's rules (Developer
// Guide, "Quotas"): names and values, no overhead.
const MaxItemSize = 400 << 10

// WriteKind is what a Write does with its item.
type WriteKind uint8

// Put replaces the item, Update edits it, Delete removes it, Check only
// evaluates the condition.
const (
	Put WriteKind = iota + 1
	Update
	Delete
	Check
)

// Write is one conditional change of one item. The shard that owns the item
// evaluates and applies it in one step.
type Write struct {
	Table *Table
	Kind  WriteKind
	// Item is the whole new item of a Put, else exactly the key attributes.
	// Key attributes have been checked against the table's schema.
	Item      item.Item
	Condition *expression.Condition // nil = unconditional
	Update    *expression.Update    // Kind Update only; nil creates or leaves the item

	WantOld    bool // fill WriteResult.Old
	WantNew    bool // fill WriteResult.New
	WantFailed bool // fill ConditionFailed.Item

	// Fault, if set, is the outcome of this write in a transaction, which it
	// cancels: something the caller found wrong that counts as a reason.
	Fault error

	at      time.Time // stamped by the DB: the log has no clock
	expired bool      // the sweeper's, not a client's
	size    int       // set by a transaction's first phase: the larger of old and new item
}

// WriteResult tells what a write did, in sizes that capacity is computed from.
type WriteResult struct {
	// Old and New are the item before and after if they were asked for; nil if
	// there was none.
	Old, New item.Item
	// OldSize and NewSize are DynamoDB sizes in bytes, -1 for no item.
	OldSize, NewSize int
	// Indexes lists the indexes that hold the item before or after.
	Indexes []IndexWrite
}

// IndexWrite tells what a write meant for one index.
type IndexWrite struct {
	Index            *Index
	OldSize, NewSize int  // size of the entry in bytes, -1 for none
	SameKey          bool // both entries exist under the same index key
	Unchanged        bool // both entries exist and are equal
}

// evaluate decides a write against the stored item. It is a pure function: the
// new item (nil = no item) or the reason why nothing happens.
//
// The order of checks is the service's: index keys known from the request, the
// condition, the update itself, index keys of the result, its size.
func evaluate(t *Table, w *Write, old item.Item) (item.Item, error) {
	switch w.Kind {
	case Put:
		if err := checkIndexKeys(t, nil, w.Item, false); err != nil {
			return nil, err
		}
	case Update:
		if err := checkLiterals(t, w.Update); err != nil {
			return nil, err
		}
	}
	if w.Condition != nil && !w.Condition.Eval(old) {
		failed := &ConditionFailed{}
		if w.WantFailed && old != nil {
			failed.Item = old.Clone()
		}
		return nil, failed
	}
	switch w.Kind {
	case Put:
		return w.Item, nil
	case Delete:
		return nil, nil
	case Check:
		return old, nil
	}

	base := old
	if base == nil {
		base = w.Item
	}
	switch {
	case w.Update == nil:
		return base, nil
	case old == nil && !w.Update.Writes():
		return nil, nil
	}
	next, err := w.Update.Apply(base)
	if err != nil {
		return nil, err
	}
	if err := checkIndexKeys(t, old, next, true); err != nil {
		return nil, err
	}
	// An update counts for more than the item it leaves: without the key, but
	// with a charge for the update itself (measured on the service).
	if max(next.Size(), next.Size()-w.Item.Size()+w.Update.Charge()) > MaxItemSize {
		return nil, ErrItemTooLarge
	}
	return next, nil
}

// CheckIndexKeys reports, as an *IndexKeyError, the first index by name for
// which the item has an attribute that cannot be its key. Write judges this
// itself; a batch has to be refused before anything of it is written.
func (t *Table) CheckIndexKeys(it item.Item) error { return checkIndexKeys(t, nil, it, false) }

// checkIndexKeys reports the first index, in name order, for which the item has
// an attribute that cannot be its key. With old given, attributes that did not
// change are not judged: a value from before the index existed stays legal.
func checkIndexKeys(t *Table, old, next item.Item, fromUpdate bool) error {
	if len(t.byName) == 0 {
		return nil
	}
	for _, ix := range t.byName {
		if ix.Status == IndexDeleting {
			continue
		}
		for i, a := range ix.keys {
			v := next.Get(a.Name)
			if v == nil || old != nil && bytes.Equal(v, old.Get(a.Name)) {
				continue
			}
			if fault := keyFault(v, a.Type, i < len(ix.Key.Hash)); fault != 0 {
				return &IndexKeyError{Fault: fault, Index: ix, Attribute: a.Name, Want: a.Type, Got: v.Type(), FromUpdate: fromUpdate}
			}
		}
	}
	return nil
}

// checkLiterals reports index keys that an update sets from a literal of the
// wrong kind: they are refused before the condition is looked at.
func checkLiterals(t *Table, u *expression.Update) error {
	if u == nil || len(t.byName) == 0 {
		return nil
	}
	for _, ix := range t.byName {
		if ix.Status == IndexDeleting {
			continue
		}
		for _, a := range ix.keys {
			v, ok := u.LiteralSet(a.Name)
			if !ok {
				continue
			}
			if v.Type() != a.Type {
				return &IndexKeyError{Fault: KeyWrongType, Index: ix, Attribute: a.Name, Want: a.Type, Got: v.Type(), FromUpdate: true}
			}
		}
	}
	return nil
}

// keyFault judges a value as an index key; 0 means it can be one.
func keyFault(v item.Value, want item.Type, hash bool) KeyFault {
	if v.Type() != want {
		return KeyWrongType
	}
	if want == item.N {
		return 0
	}
	limit := MaxRangeKeySize
	if hash {
		limit = MaxHashKeySize
	}
	switch n := len(v.Bytes()); {
	case n == 0:
		return KeyEmpty
	case n > limit:
		return KeyTooLong
	}
	return 0
}
