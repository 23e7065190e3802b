package api

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Optional is a scalar member that may be absent. The zero Optional is absent;
// a present zero value is something else (Limit 0 is an error, no Limit is not).
type Optional[T any] struct {
	Value   T
	Present bool
}

// Some returns a present v.
func Some[T any](v T) Optional[T] {
	return Optional[T]{Value: v, Present: true}
}

// Or returns the value, or def when it is absent.
func (o Optional[T]) Or(def T) T {
	if o.Present {
		return o.Value
	}
	return def
}

// IsZero reports absence; it makes omitzero drop the member from a response.
func (o Optional[T]) IsZero() bool { return !o.Present }

// MarshalJSONTo writes the bare value.
func (o Optional[T]) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, o.Value)
}
