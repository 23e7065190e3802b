package api

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/stator-db/stator/storage/item"
)

// beginInput opens the object that is a whole request.
func beginInput(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return ErrNotJSON
	}
	_, err := d.ReadToken()
	return err
}

// beginStruct opens the object of a structure. It reports false for null, which
// it consumes.
func beginStruct(d *jsontext.Decoder, class string, at place) (bool, error) {
	kind := d.PeekKind()
	if kind == '{' {
		_, err := d.ReadToken()
		return err == nil, err
	}
	return begin(d, kind, structFault(class, kind, at))
}

// beginList opens an array. It reports false for null, which it consumes.
func beginList(d *jsontext.Decoder, at place) (bool, error) {
	kind := d.PeekKind()
	if kind == '[' {
		_, err := d.ReadToken()
		return err == nil, err
	}
	return begin(d, kind, listFault(kind, at))
}

// beginMap opens the object of a map with values of class. It reports false for
// null, which it consumes.
func beginMap(d *jsontext.Decoder, class string, at place) (bool, error) {
	kind := d.PeekKind()
	if kind == '{' {
		_, err := d.ReadToken()
		return err == nil, err
	}
	return begin(d, kind, mapFault(class, kind, at))
}

// begin ends an attempt to open something that is not there: null is absent,
// broken JSON is reported as such, and anything else is wrong.
func begin(d *jsontext.Decoder, kind jsontext.Kind, wrong error) (bool, error) {
	if absent, err := null(d, kind); absent {
		return false, err
	}
	if _, err := skipFault(d, kind); err != nil {
		return false, err
	}
	return false, wrong
}

// name reads the next member name of the open object. It is nil at the end of
// the object, which it closes. The bytes are valid until the next read from d.
func name(d *jsontext.Decoder) ([]byte, error) {
	if d.PeekKind() == '}' {
		_, err := d.ReadToken()
		return nil, err
	}
	raw, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(raw, '\\') >= 0 {
		return jsontext.AppendUnquote(make([]byte, 0, len(raw)), raw)
	}
	return raw[1 : len(raw)-1], nil
}

// more reports whether the open array has another element; it closes the array
// when not.
func more(d *jsontext.Decoder) (bool, error) {
	if d.PeekKind() != ']' {
		return true, nil
	}
	_, err := d.ReadToken()
	return false, err
}

// decodeList reads a list whose elements each reads. A null element is a zero
// one.
func decodeList[T any](d *jsontext.Decoder, at place, each func(*jsontext.Decoder) (T, error)) ([]T, error) {
	if ok, err := beginList(d, at); !ok {
		return nil, err
	}
	list := []T{}
	for {
		if ok, err := more(d); !ok {
			return list, err
		}
		v, err := each(d)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// decodeMap reads a map whose values each reads. class names the values' class
// in full.
func decodeMap[T any](d *jsontext.Decoder, class string, each func(*jsontext.Decoder) (T, error)) (Map[T], error) {
	if ok, err := beginMap(d, class, member); !ok {
		return nil, err
	}
	m := Map[T]{}
	var index map[string]int
	for {
		raw, err := name(d)
		if raw == nil || err != nil {
			return m, err
		}
		key := string(raw)
		v, err := each(d)
		if err != nil {
			return nil, err
		}
		m.set(&index, key, v)
	}
}

// structure is a generated structure, as a pointer to its type T.
type structure[T any] interface {
	*T
	decode(d *jsontext.Decoder, at place) (present bool, err error)
}

// decodeStruct reads a structure that is a member of another.
func decodeStruct[T any, P structure[T]](d *jsontext.Decoder) (*T, error) {
	if absent, err := null(d, d.PeekKind()); absent {
		return nil, err
	}
	v := new(T)
	if _, err := P(v).decode(d, member); err != nil {
		return nil, err
	}
	return v, nil
}

// decodeElement reads a structure that is a list element or a map value.
func decodeElement[T any, P structure[T]](d *jsontext.Decoder) (T, error) {
	var v T
	_, err := P(&v).decode(d, element)
	return v, err
}

// decodeText reads a string that is a list element or a map value.
func decodeText(d *jsontext.Decoder) (string, error) {
	s, err := decodeString(d)
	return s.Value, err
}

// decodeNames reads a map of strings: ExpressionAttributeNames.
func decodeNames(d *jsontext.Decoder) (map[string]string, error) {
	if ok, err := beginMap(d, classString, member); !ok {
		return nil, err
	}
	m := make(map[string]string)
	for {
		raw, err := name(d)
		if raw == nil || err != nil {
			return m, err
		}
		key := string(raw)
		s, err := decodeString(d)
		if err != nil {
			return nil, err
		}
		if s.Present {
			m[key] = s.Value
		}
	}
}

// decodeAttributeMap reads an item or a key.
func decodeAttributeMap(d *jsontext.Decoder, at place) (AttributeMap, error) {
	if kind := d.PeekKind(); kind != '{' {
		_, err := begin(d, kind, mapFault(classAttributeValue, kind, at))
		return AttributeMap{}, err
	}
	it, invalid, err := item.DecodeItem(d)
	if err != nil {
		return AttributeMap{}, typed(err)
	}
	return AttributeMap{Item: it, Invalid: invalid, Present: true}, nil
}

// decodeKey reads an attribute map that is a list element.
func decodeKey(d *jsontext.Decoder) (AttributeMap, error) {
	return decodeAttributeMap(d, element)
}

// decodeAttributeValue reads one attribute value.
func decodeAttributeValue(d *jsontext.Decoder, at place) (AttributeValue, error) {
	if kind := d.PeekKind(); kind != '{' {
		_, err := begin(d, kind, structFault("AttributeValue", kind, at))
		return AttributeValue{}, err
	}
	v, invalid, err := item.DecodeValue(d)
	if err != nil {
		return AttributeValue{}, typed(err)
	}
	if invalid != nil {
		v = nil
	}
	return AttributeValue{Value: v, Invalid: invalid, Present: true}, nil
}

// decodeParameter reads an attribute value that is a list element. Null is a
// value without a type.
func decodeParameter(d *jsontext.Decoder) (AttributeValue, error) {
	v, err := decodeAttributeValue(d, element)
	if err == nil && !v.Present {
		v = AttributeValue{Invalid: &item.ValueError{Kind: item.NoType}, Present: true}
	}
	return v, err
}

// decodeValues reads ExpressionAttributeValues.
func decodeValues(d *jsontext.Decoder) (ExpressionAttributeValues, error) {
	if ok, err := beginMap(d, classAttributeValue, member); !ok {
		return ExpressionAttributeValues{}, err
	}
	m := ExpressionAttributeValues{Values: make(map[string]item.Value)}
	for {
		raw, err := name(d)
		if raw == nil || err != nil {
			return m, err
		}
		key := string(raw)
		v, err := decodeParameter(d)
		if err != nil {
			return ExpressionAttributeValues{}, err
		}
		if v.Invalid != nil && m.Invalid == nil {
			m.Invalid, m.InvalidKey = v.Invalid, key
		}
		m.Values[key] = v.Value
	}
}

// decodeElements reads a list of structures that is a map value.
func decodeElements[T any, P structure[T]](d *jsontext.Decoder) ([]T, error) {
	return decodeList(d, element, decodeElement[T, P])
}
