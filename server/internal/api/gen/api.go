package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// api is what both models say about the operations that are generated.
type api struct {
	targets []target
	ops     map[string]*operation
	shapes  map[string]*shape
	structs map[string]*structure
}

// target is one row of the operation table.
type target struct{ service, prefix, name string }

// structure is a Go structure to generate.
type structure struct {
	name   string // in Go, and in the override tables
	class  string // in the model and in messages
	input  bool   // decoded and checked
	output bool   // written to responses
	top    bool   // a whole request or response
	op     string // of a whole request or response
	fields []goField
}

// goField is one member of a structure.
type goField struct {
	name  string // in Go
	wire  string // in JSON
	shape string
	kind  kind
	elem  string // structure of a pointer, or of the elements of a list or map
}

// kind decides the Go type of a member and how it is decoded.
type kind int

const (
	kindString kind = iota
	kindEnum
	kindInteger
	kindLong
	kindBool
	kindTime
	kindStruct
	kindValue      // AttributeValue
	kindItem       // map of AttributeValue
	kindValues     // ExpressionAttributeValues
	kindNames      // map of strings
	kindStrings    // list of strings
	kindStructs    // list of structures
	kindValueList  // list of AttributeValue
	kindItems      // list of maps of AttributeValue
	kindStructMap  // map of structures
	kindStructsMap // map of lists of structures
)

// newAPI returns an api without models.
func newAPI() *api {
	return &api{
		ops: map[string]*operation{}, shapes: map[string]*shape{}, structs: map[string]*structure{},
	}
}

// merge adds a model. Shapes that both models define must be the same.
func (a *api) merge(m *model, constant string) error {
	for name, op := range m.Operations {
		a.targets = append(a.targets, target{constant, m.Metadata.TargetPrefix, name})
		a.ops[name] = op
	}
	for name, s := range m.Shapes {
		old, ok := a.shapes[name]
		if ok && !reflect.DeepEqual(old, s) && !differing[name] {
			return fmt.Errorf("shape %s differs between the models", name)
		}
		if !ok {
			a.shapes[name] = s
		}
	}
	slices.SortFunc(a.targets, func(x, y target) int {
		return strings.Compare(x.service+"."+x.name, y.service+"."+y.name)
	})
	return nil
}

// collect finds the structures of the listed operations.
func (a *api) collect() error {
	for _, name := range inputs {
		op, ok := a.ops[name]
		if !ok {
			return fmt.Errorf("no operation %s", name)
		}
		s, err := a.structure(op.Input, name+"Input", true)
		if err != nil {
			return err
		}
		s.top, s.op = true, name
	}
	for _, name := range outputs {
		s, err := a.structure(a.ops[name].Output, name+"Output", false)
		if err != nil {
			return err
		}
		s.top, s.op = true, name
	}
	return nil
}

// structure adds the structure of a shape and everything below it.
func (a *api) structure(class, name string, input bool) (*structure, error) {
	s := a.structs[name]
	if s == nil {
		s = &structure{name: name, class: class}
		a.structs[name] = s
	} else if (input && s.input) || (!input && s.output) {
		return s, nil
	}
	if input {
		s.input = true
	} else {
		s.output = true
	}
	fields := make([]goField, 0, len(a.shapes[class].Members))
	for _, m := range a.shapes[class].Members {
		f, err := a.field(m)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", class, m.name, err)
		}
		fields = append(fields, f)
		if f.elem != "" {
			if _, err := a.structure(f.elem, f.elem, input); err != nil {
				return nil, err
			}
		}
	}
	s.fields = fields
	return s, nil
}

// field derives the kind of a member.
func (a *api) field(m field) (goField, error) {
	f := goField{name: strings.ToUpper(m.name[:1]) + m.name[1:], wire: m.name, shape: m.shape}
	sh := a.shapes[m.shape]
	switch sh.Type {
	case "string":
		f.kind = kindString
		if sh.Enum != nil {
			f.kind = kindEnum
		}
	case "integer":
		f.kind = kindInteger
	case "long":
		f.kind = kindLong
	case "boolean":
		f.kind = kindBool
	case "timestamp":
		f.kind = kindTime
	case "structure":
		f.kind, f.elem = kindStruct, m.shape
		if m.shape == "AttributeValue" {
			f.kind, f.elem = kindValue, ""
		}
	case "list":
		return a.listField(f, sh.Member.Shape)
	case "map":
		return a.mapField(f, sh.Value.Shape)
	default:
		return f, fmt.Errorf("type %s", sh.Type)
	}
	return f, nil
}

func (a *api) listField(f goField, elem string) (goField, error) {
	switch a.shapes[elem].Type {
	case "string":
		f.kind = kindStrings
	case "structure":
		f.kind, f.elem = kindStructs, elem
		if elem == "AttributeValue" {
			f.kind, f.elem = kindValueList, ""
		}
	case "map":
		f.kind = kindItems
	default:
		return f, fmt.Errorf("list of %s", elem)
	}
	return f, nil
}

func (a *api) mapField(f goField, value string) (goField, error) {
	switch {
	case f.shape == "ExpressionAttributeValueMap":
		f.kind = kindValues
	case value == "AttributeValue":
		f.kind = kindItem
	case a.shapes[value].Type == "string":
		f.kind = kindNames
	case a.shapes[value].Type == "structure":
		f.kind, f.elem = kindStructMap, value
	case a.shapes[value].Type == "list":
		f.kind, f.elem = kindStructsMap, a.shapes[value].Member.Shape
	default:
		return f, fmt.Errorf("map of %s", value)
	}
	return f, nil
}

// sorted returns the structures by name.
func (a *api) sorted() []*structure {
	return slices.SortedFunc(maps.Values(a.structs), func(x, y *structure) int {
		return strings.Compare(x.name, y.name)
	})
}

// field returns the member of s with a wire name.
func (s *structure) field(wire string) (goField, bool) {
	i := slices.IndexFunc(s.fields, func(f goField) bool { return f.wire == wire })
	if i < 0 {
		return goField{}, false
	}
	return s.fields[i], true
}

// unusedOverrides reports entries of the override tables that name nothing.
func (a *api) unusedOverrides() error {
	for _, table := range []map[string]bool{keys(memberOrder), keys(variants), keys(internalFields)} {
		for name := range table {
			if a.structs[name] == nil {
				return fmt.Errorf("override of unknown structure %s", name)
			}
		}
	}
	for name, order := range enumOrder {
		if sh := a.shapes[name]; sh == nil || !sameSet(sh.Enum, order) {
			return fmt.Errorf("print order of %s is not an order of its values", name)
		}
	}
	for _, table := range []map[string]bool{keys(checks), keys(limits), names, patternFirst, required} {
		for key := range table {
			owner, wire, ok := strings.Cut(key, ".")
			if !ok {
				if a.shapes[owner] == nil {
					return fmt.Errorf("override of unknown shape %s", key)
				}
				continue
			}
			s := a.structs[owner]
			if s == nil {
				return fmt.Errorf("override of unknown structure %s", key)
			}
			if _, ok := s.field(wire); !ok {
				return fmt.Errorf("override of unknown member %s", key)
			}
		}
	}
	return nil
}

// sameSet reports whether a and b hold the same values in any order.
func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func keys[V any](m map[string]V) map[string]bool {
	set := make(map[string]bool, len(m))
	for k := range m {
		set[k] = true
	}
	return set
}
