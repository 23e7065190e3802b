package item

import (
	"bytes"
	"iter"
)

// Value is one attribute value in canonical stored form, as drawn in the
// package documentation. It is immutable. A nil Value means that there is no
// value; accessors used on nil, on a value of another type or on damaged bytes
// return nil or zero.
//
// Because the form is canonical (numbers in one spelling, sets and map entries
// sorted), two values are equal exactly when their bytes are.
//
// A Value may alias a larger buffer: an item, or memory that a storage
// transaction owns. Clone it to keep it longer.
type Value []byte

// Type returns the value's type, 0 for nil.
func (v Value) Type() Type {
	if len(v) == 0 {
		return 0
	}
	return Type(v[0])
}

// Bytes returns the payload of an S or B, or the canonical decimal text of an
// N. The result aliases v.
func (v Value) Bytes() []byte {
	if len(v) == 0 || v[0] > byte(B) {
		return nil
	}
	payload, end := extent(v)
	if end == 0 {
		return nil
	}
	return v[payload:end:end]
}

// Bool returns the value of a BOOL.
func (v Value) Bool() bool { return len(v) > 1 && v[0] == byte(BOOL) && v[1] != 0 }

// Number returns the value of an N.
func (v Value) Number() Number {
	if v.Type() != N {
		return Number{}
	}
	n, _ := ParseNumber(v.Bytes())
	return n
}

// contents returns the number of entries of a container and their bytes.
func (v Value) contents() (count int, entries []byte) {
	if len(v) == 0 || v[0] < byte(M) {
		return 0, nil
	}
	payload, end := extent(v)
	if end == 0 {
		return 0, nil
	}
	count, w := uvarint(v[payload:end])
	if w == 0 || count > end-payload-w { // an entry takes at least one byte
		return 0, nil
	}
	return count, v[payload+w : end : end]
}

// Len returns the number of entries of an M, an L or a set.
func (v Value) Len() int {
	count, _ := v.contents()
	return count
}

// Field returns the entry of an M with the given name, nil if there is none.
// The result aliases v.
func (v Value) Field(name string) Value {
	if v.Type() != M {
		return nil
	}
	_, entries := v.contents()
	return findField(entries, name)
}

// Index returns the i-th element of an L, counted from 0, nil if there is
// none. The result aliases v.
func (v Value) Index(i int) Value {
	if v.Type() != L || i < 0 {
		return nil
	}
	_, entries := v.contents()
	for ; i > 0; i-- {
		_, end := extent(entries)
		if end == 0 {
			return nil
		}
		entries = entries[end:]
	}
	elem, _ := cutValue(entries)
	return elem
}

// Elements yields the elements of an L in order, or the members of a set in
// their canonical order. The values yielded alias v.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Type() < L {
			return
		}
		_, entries := v.contents()
		for {
			var elem Value
			if elem, entries = cutValue(entries); elem == nil || !yield(elem) {
				return
			}
		}
	}
}

// Fields yields the names and values of an M, sorted by name bytes. What it
// yields aliases v.
func (v Value) Fields() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if v.Type() != M {
			return
		}
		_, entries := v.contents()
		yieldFields(entries, yield)
	}
}

func yieldFields(entries []byte, yield func([]byte, Value) bool) {
	for {
		name, rest := cutName(entries)
		v, rest := cutValue(rest)
		if v == nil || !yield(name, v) {
			return
		}
		entries = rest
	}
}

// Clone returns a copy of v that shares no memory with it.
func (v Value) Clone() Value { return bytes.Clone(v) }
