package item

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
)

// formatVersion is the first byte of every stored item.
const formatVersion = 1

// Item is a whole item in stored form, as drawn in the package documentation.
// It is immutable. A nil Item means that there is no item; its accessors behave
// as for an empty one, and so do those of damaged bytes (see [Valid]).
//
// An Item may alias memory that a storage transaction owns. Clone it to keep it
// longer.
type Item []byte

// Empty is the item without attributes. It must not be modified.
var Empty = Item{formatVersion, 0, 0}

// header returns the size and count that the item states, and its entries.
func (it Item) header() (size, count int, entries []byte) {
	if len(it) == 0 || it[0] != formatVersion {
		return 0, 0, nil
	}
	rest := it[1:]
	size, w := uvarint(rest)
	rest = rest[w:]
	count, w2 := uvarint(rest)
	if w == 0 || w2 == 0 || count > len(rest)-w2 {
		return 0, 0, nil
	}
	return size, count, rest[w2:]
}

// Get returns the top-level attribute with the given name, nil if there is
// none. The result aliases it.
func (it Item) Get(name string) Value {
	_, _, entries := it.header()
	return findField(entries, name)
}

// Len returns the number of top-level attributes.
func (it Item) Len() int {
	_, count, _ := it.header()
	return count
}

// Size returns the item's size in bytes by DynamoDB's rules: the lengths of the
// names and the sizes of the values ([Value.Size]). It is stored, so reading it
// is cheap.
func (it Item) Size() int {
	size, _, _ := it.header()
	return size
}

// Fields yields the names and values of the top-level attributes, sorted by
// name bytes. What it yields aliases it.
func (it Item) Fields() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		_, _, entries := it.header()
		yieldFields(entries, yield)
	}
}

// Clone returns a copy that shares no memory with it.
func (it Item) Clone() Item { return bytes.Clone(it) }

// Change sets one top-level attribute, or removes it when Value is nil.
type Change struct {
	Name  string
	Value Value
}

// With returns a copy of it with the changes made; attributes that no change
// names are copied without being decoded. Of changes with the same name the
// last wins. Changing a nil Item starts from an empty one.
func (it Item) With(changes ...Change) Item {
	if !slices.IsSortedFunc(changes, compareChanges) {
		changes = slices.Clone(changes)
		slices.SortStableFunc(changes, compareChanges)
	}
	room := len(it)
	for _, c := range changes {
		room += uvarintWidth(len(c.Name)) + len(c.Name) + len(c.Value)
	}
	w := newItemWriter(room)
	size, _, entries := it.header()
	for len(entries) > 0 || len(changes) > 0 {
		if len(changes) > 1 && changes[0].Name == changes[1].Name {
			changes = changes[1:]
			continue
		}
		name, rest := cutName(entries)
		v, rest := cutValue(rest)
		if v == nil {
			entries = nil
			if len(changes) == 0 {
				break
			}
		}
		order := -1 // of the entry against the change: before, same name, after
		if v == nil {
			order = 1
		} else if len(changes) > 0 {
			order = compareName(name, changes[0].Name)
		}
		if order < 0 {
			w.copyEntry(entries[:len(entries)-len(rest)])
			entries = rest
			continue
		}
		if order == 0 {
			size -= len(name) + v.Size()
			entries = rest
		}
		if c := changes[0]; c.Value != nil {
			size += len(c.Name) + c.Value.Size()
			w.addEntry(c.Name, c.Value)
		}
		changes = changes[1:]
	}
	return w.item(size)
}

func compareChanges(a, b Change) int { return cmp.Compare(a.Name, b.Name) }

// compareName compares without converting the name to a string.
func compareName(name []byte, with string) int {
	switch {
	case string(name) < with:
		return -1
	case string(name) > with:
		return 1
	}
	return 0
}

// Project returns a copy of it that keeps only the top-level attributes in
// names, which must be sorted.
func (it Item) Project(names []string) Item {
	w := newItemWriter(len(it))
	size := 0
	_, _, entries := it.header()
	for len(entries) > 0 && len(names) > 0 {
		name, rest := cutName(entries)
		v, rest := cutValue(rest)
		if v == nil {
			break
		}
		for len(names) > 0 && compareName(name, names[0]) > 0 {
			names = names[1:]
		}
		if len(names) > 0 && string(name) == names[0] {
			w.copyEntry(entries[:len(entries)-len(rest)])
			size += len(name) + v.Size()
		}
		entries = rest
	}
	return w.item(size)
}

// itemWriter writes entries that come in order, and then the header into the
// room left in front of them.
type itemWriter struct {
	buf   []byte
	count int
}

// maxItemHeader is the version and two counts of at most five bytes.
const maxItemHeader = 1 + 5 + 5

func newItemWriter(room int) itemWriter {
	return itemWriter{buf: make([]byte, maxItemHeader, maxItemHeader+room)}
}

func (w *itemWriter) copyEntry(entry []byte) {
	w.buf = append(w.buf, entry...)
	w.count++
}

func (w *itemWriter) addEntry(name string, v Value) {
	w.buf = append(appendUvarint(w.buf, len(name)), name...)
	w.buf = append(w.buf, v...)
	w.count++
}

func (w *itemWriter) item(size int) Item {
	size = max(size, 0) // a damaged item may state less than it holds
	start := maxItemHeader - 1 - uvarintWidth(size) - uvarintWidth(w.count)
	putItemHeader(w.buf[start:start], size, w.count)
	return Item(w.buf[start:])
}

func putItemHeader(dst []byte, size, count int) []byte {
	dst = append(dst, formatVersion)
	dst = appendUvarint(dst, size)
	return appendUvarint(dst, count)
}

// assembleItem returns a new item made of entries that are in order.
func assembleItem(size, count int, entries []byte) Item {
	it := make([]byte, 0, 1+uvarintWidth(size)+uvarintWidth(count)+len(entries))
	return append(putItemHeader(it, size, count), entries...)
}
