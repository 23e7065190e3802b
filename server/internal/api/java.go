package api

import (
	"strconv"

	"github.com/stator-db/stator/storage/item"
)

// Messages about lists and maps echo them as the service's implementation
// prints its objects: KeySchemaElement(attributeName=a, keyType=HASH). The
// generated appendX functions print structures with the functions here.

const javaNull = "null"

func appendString(dst []byte, v Optional[string]) []byte {
	if !v.Present {
		return append(dst, javaNull...)
	}
	return append(dst, v.Value...)
}

func appendText(dst []byte, v string) []byte { return append(dst, v...) }

func appendBool(dst []byte, v Optional[bool]) []byte {
	if !v.Present {
		return append(dst, javaNull...)
	}
	return strconv.AppendBool(dst, v.Value)
}

// appendPointer prints a structure that may be absent.
func appendPointer[T any](dst []byte, v *T, each func([]byte, T) []byte) []byte {
	if v == nil {
		return append(dst, javaNull...)
	}
	return each(dst, *v)
}

// appendList prints [a, b], and null for an absent list.
func appendList[T any](dst []byte, list []T, each func([]byte, T) []byte) []byte {
	if list == nil {
		return append(dst, javaNull...)
	}
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = each(dst, v)
	}
	return append(dst, ']')
}

// appendMap prints {k=v, l=w}, and null for an absent map.
func appendMap[T any](dst []byte, m Map[T], each func([]byte, T) []byte) []byte {
	if m == nil {
		return append(dst, javaNull...)
	}
	dst = append(dst, '{')
	for i, e := range m {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = each(append(append(dst, e.Key...), '='), e.Value)
	}
	return append(dst, '}')
}

// appendAttributeMap prints an item or a key.
func appendAttributeMap(dst []byte, m AttributeMap) []byte {
	if !m.Present {
		return append(dst, javaNull...)
	}
	dst = append(dst, '{')
	first := true
	for name, v := range m.Item.Fields() {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		dst = appendValue(append(append(dst, name...), '='), v)
	}
	return append(dst, '}')
}

func appendAttributeValue(dst []byte, v AttributeValue) []byte {
	if !v.Present {
		return append(dst, javaNull...)
	}
	return appendValue(dst, v.Value)
}

// javaFields are the fields of the service's AttributeValue class in the order
// in which it prints them; those without a type are internal and always null.
var javaFields = []struct {
	name string
	of   item.Type
}{
	{"s", item.S}, {"n", item.N}, {"b", item.B}, {"iNT", 0}, {"dECIMAL", 0}, {"dOUBLE", 0},
	{"sS", item.SS}, {"nS", item.NS}, {"bS", item.BS}, {"iNTSET", 0}, {"dECIMALSET", 0}, {"dOUBLESET", 0},
	{"m", item.M}, {"l", item.L}, {"nULL", item.NULL}, {"bOOL", item.BOOL},
}

// appendValue prints AttributeValue(s=x, n=null, ...). A nil v has no type.
func appendValue(dst []byte, v item.Value) []byte {
	dst = append(dst, "AttributeValue("...)
	for i, f := range javaFields {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(append(dst, f.name...), '=')
		if f.of == 0 || len(v) == 0 || v.Type() != f.of {
			dst = append(dst, javaNull...)
			continue
		}
		dst = appendPayload(dst, v)
	}
	return append(dst, ')')
}

// appendPayload prints what v holds.
func appendPayload(dst []byte, v item.Value) []byte {
	switch v.Type() {
	case item.S, item.N:
		return append(dst, v.Bytes()...)
	case item.B:
		n := strconv.Itoa(len(v.Bytes()))
		return append(dst, "java.nio.HeapByteBuffer[pos=0 lim="+n+" cap="+n+"]"...)
	case item.BOOL:
		return strconv.AppendBool(dst, v.Bool())
	case item.NULL:
		return append(dst, "true"...)
	case item.M:
		var fields Map[item.Value]
		for name, field := range v.Fields() {
			fields = append(fields, Entry[item.Value]{Key: string(name), Value: field})
		}
		return appendMap(dst, append(Map[item.Value]{}, fields...), appendValue)
	}
	var elements []item.Value
	for e := range v.Elements() {
		elements = append(elements, e)
	}
	each := appendValue
	if v.Type() != item.L {
		each = appendPayload
	}
	return appendList(dst, append([]item.Value{}, elements...), each)
}
