package item

import (
	"bytes"
	"maps"
	"slices"
)

// String returns an S. Its text must be valid UTF-8.
func String(s string) Value {
	v := make([]byte, 0, 1+uvarintWidth(len(s))+len(s))
	v = appendUvarint(append(v, byte(S)), len(s))
	return append(v, s...)
}

// Binary returns a B that holds a copy of b.
func Binary(b []byte) Value {
	return appendScalar(make([]byte, 0, 1+uvarintWidth(len(b))+len(b)), B, b)
}

// Bool returns a BOOL.
func Bool(b bool) Value {
	if b {
		return Value{byte(BOOL), 1}
	}
	return Value{byte(BOOL), 0}
}

// Null returns a NULL.
func Null() Value { return Value{byte(NULL)} }

// NumberValue returns an N.
func NumberValue(n Number) Value {
	var text [maxNumberText]byte
	t := n.AppendText(text[:0])
	return appendScalar(make([]byte, 0, 1+uvarintWidth(len(t))+len(t)), N, t)
}

// List returns an L of elems in their order. Nil elements are left out.
func List(elems ...Value) Value {
	size := containerHeader + uvarintWidth(len(elems))
	for _, e := range elems {
		size += len(e)
	}
	v, start := beginContainer(make([]byte, 0, size), L)
	count := 0
	for _, e := range elems {
		if e != nil {
			v = append(v, e...)
			count++
		}
	}
	return endContainer(v, start, count)
}

// Map returns an M. Nil values are left out.
func Map(fields map[string]Value) Value {
	v, start := beginContainer(nil, M)
	count := 0
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if f := fields[name]; f != nil {
			v = append(appendUvarint(v, len(name)), name...)
			v = append(v, f...)
			count++
		}
	}
	return endContainer(v, start, count)
}

// Set returns the set of type t (SS, NS or BS) with the given members, which
// are S, N or B values accordingly; equal members are kept once. A set is
// never empty, so without members, and for a type that is no set type, the
// result is nil. Members of another type and nil ones are left out.
func Set(t Type, members ...Value) Value {
	if !t.isSet() {
		return nil
	}
	sorted := make([]Value, 0, len(members))
	size := containerHeader + uvarintWidth(len(members))
	for _, m := range members {
		if m.Type() == t.member() {
			sorted = append(sorted, m)
			size += len(m)
		}
	}
	if len(sorted) == 0 {
		return nil
	}
	slices.SortFunc(sorted, compareScalars)
	sorted = slices.CompactFunc(sorted, func(a, b Value) bool { return bytes.Equal(a, b) })
	v, start := beginContainer(make([]byte, 0, size), t)
	for _, m := range sorted {
		v = append(v, m...)
	}
	return endContainer(v, start, len(sorted))
}

func appendScalar(dst []byte, t Type, payload []byte) []byte {
	dst = appendUvarint(append(dst, byte(t)), len(payload))
	return append(dst, payload...)
}
