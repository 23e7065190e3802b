package main

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// members are the members of a structure in the order of the model, which is
// the order in which the service prints its objects.
type members []field

type field struct {
	name  string
	shape string
}

// UnmarshalJSONFrom reads an object and keeps its order.
func (m *members) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		f := field{name: name.String()}
		var r ref
		if err := json.UnmarshalDecode(d, &r); err != nil {
			return err
		}
		f.shape = r.Shape
		*m = append(*m, f)
	}
	_, err := d.ReadToken()
	return err
}
