package model

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/cockroachdb/apd/v3"
)

// Value is an attribute value. Which fields mean something depends on the kind.
type Value struct {
	Kind     string // the type's name in the API: S, N, B, BOOL, NULL, M, L, SS, NS or BS
	Text     string // of S; the bytes of B; how an N is spelled in requests, "" for canonically
	Number   *apd.Decimal
	Bool     bool
	Elements []*Value          // of L, and the members of sets
	Fields   map[string]*Value // of M
}

// Item is an item, or a key.
type Item map[string]*Value

// Null is the value of the NULL type.
func Null() *Value { return &Value{Kind: "NULL"} }

// Bool is a BOOL.
func Bool(b bool) *Value { return &Value{Kind: "BOOL", Bool: b} }

// String is an S.
func String(s string) *Value { return &Value{Kind: "S", Text: s} }

// Binary is a B of the bytes of s.
func Binary(s string) *Value { return &Value{Kind: "B", Text: s} }

// Map is an M.
func Map(fields map[string]*Value) *Value { return &Value{Kind: "M", Fields: fields} }

// List is an L.
func List(elements ...*Value) *Value { return &Value{Kind: "L", Elements: elements} }

// Set is an SS, NS or BS of distinct members.
func Set(members ...*Value) *Value { return &Value{Kind: members[0].Kind + "S", Elements: members} }

// Equal compares deeply: numbers by value, sets without order.
func (v *Value) Equal(w *Value) bool {
	if v == nil || w == nil {
		return v == w
	}
	if v.Kind != w.Kind || len(v.Elements) != len(w.Elements) || len(v.Fields) != len(w.Fields) {
		return false
	}
	switch v.Kind {
	case "S", "B":
		return v.Text == w.Text
	case "N":
		return v.Number.Cmp(w.Number) == 0
	case "BOOL":
		return v.Bool == w.Bool
	case "M":
		for name, field := range v.Fields {
			if other := w.Fields[name]; other == nil || !field.Equal(other) {
				return false
			}
		}
	case "L":
		for i, element := range v.Elements {
			if !element.Equal(w.Elements[i]) {
				return false
			}
		}
	case "SS", "NS", "BS":
		for _, member := range v.Elements {
			if !w.has(member) {
				return false
			}
		}
	}
	return true
}

// has reports whether a list or set has an element equal to x.
func (v *Value) has(x *Value) bool { return slices.ContainsFunc(v.Elements, x.Equal) }

// Compare orders two values of one kind; ok is false if there is no order.
func (v *Value) Compare(w *Value) (order int, ok bool) {
	if v == nil || w == nil || v.Kind != w.Kind {
		return 0, false
	}
	switch v.Kind {
	case "S", "B":
		return strings.Compare(v.Text, w.Text), true
	case "N":
		return v.Number.Cmp(w.Number), true
	}
	return 0, false
}

// length is what the function size() says; ok is false if it says nothing.
func (v *Value) length() (n int, ok bool) {
	if v == nil {
		return 0, false
	}
	switch v.Kind {
	case "S":
		return len(utf16.Encode([]rune(v.Text))), true
	case "B":
		return len(v.Text), true
	case "M":
		return len(v.Fields), true
	case "L", "SS", "NS", "BS":
		return len(v.Elements), true
	}
	return 0, false
}

// Size is the number of bytes that DynamoDB counts for the value.
func (v *Value) Size() int {
	size := 0
	switch v.Kind {
	case "S", "B":
		return len(v.Text)
	case "N":
		return numberSize(v.Number)
	case "BOOL", "NULL":
		return 1
	case "M":
		size = 3
		for name, field := range v.Fields {
			size += 1 + len(name) + field.Size()
		}
	case "L":
		size = 3
		for _, element := range v.Elements {
			size += 1 + element.Size()
		}
	default:
		for _, member := range v.Elements {
			size += member.Size()
		}
	}
	return size
}

// Size is the number of bytes that DynamoDB counts for the item.
func (it Item) Size() int {
	size := 0
	for name, v := range it {
		size += len(name) + v.Size()
	}
	return size
}

// JSON is the value as an answer has it: numbers in canonical form.
func (v *Value) JSON() map[string]any { return v.json(false) }

// Request is the value as requests have it: numbers as they are spelled.
func (v *Value) Request() map[string]any { return v.json(true) }

func (v *Value) json(spelled bool) map[string]any {
	switch v.Kind {
	case "BOOL":
		return map[string]any{"BOOL": v.Bool}
	case "NULL":
		return map[string]any{"NULL": true}
	case "M":
		fields := map[string]any{}
		for name, field := range v.Fields {
			fields[name] = field.json(spelled)
		}
		return map[string]any{"M": fields}
	case "L":
		elements := []any{}
		for _, element := range v.Elements {
			elements = append(elements, element.json(spelled))
		}
		return map[string]any{"L": elements}
	case "SS", "NS", "BS":
		members := []any{}
		for _, member := range v.Elements {
			members = append(members, member.scalar(spelled))
		}
		return map[string]any{v.Kind: members}
	}
	return map[string]any{v.Kind: v.scalar(spelled)}
}

// scalar is the text of an S, N or B.
func (v *Value) scalar(spelled bool) string {
	switch {
	case v.Kind == "B":
		return base64.StdEncoding.EncodeToString([]byte(v.Text))
	case v.Kind == "N" && (!spelled || v.Text == ""):
		return numberText(v.Number)
	}
	return v.Text
}

// JSON is the item as an answer has it.
func (it Item) JSON() map[string]any { return Map(it).JSON()["M"].(map[string]any) }

// Request is the item as requests have it.
func (it Item) Request() map[string]any { return Map(it).Request()["M"].(map[string]any) }

// pick is the item with no attributes but the named ones.
func (it Item) pick(names []string) Item {
	picked := Item{}
	for _, name := range names {
		if v := it[name]; v != nil {
			picked[name] = v
		}
	}
	return picked
}

func (it Item) equal(other Item) bool {
	return it != nil == (other != nil) && Map(it).Equal(Map(other))
}
