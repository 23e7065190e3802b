package server

import (
	"slices"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// Limits of a table's schema (Developer Guide, "Quotas").
const (
	maxLocalIndexes     = 5
	maxGlobalIndexes    = 20
	maxIndexHashKeys    = 4
	maxIndexRangeKeys   = 4
	maxProjectedInTable = 100 // NonKeyAttributes over all indexes
)

// definitions are the AttributeDefinitions of one request.
type definitions []api.AttributeDefinition

func (d definitions) names() []string {
	names := make([]string, len(d))
	for i := range d {
		names[i] = d[i].AttributeName.Value
	}
	return names
}

// typeOf is the declared type of an attribute; ok is false if it is not declared.
func (d definitions) typeOf(name string) (t item.Type, ok bool) {
	for i := range d {
		if d[i].AttributeName.Value == name {
			return item.ParseType(d[i].AttributeType.Value)
		}
	}
	return 0, false
}

// checkUnique reports an attribute that is declared twice.
func (d definitions) checkUnique() error {
	names := d.names()
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return validation("Attribute Name is duplicated: %s", name)
		}
	}
	return nil
}

// checkDefines reports a key with attributes that are not declared.
func (d definitions) checkDefines(key []api.KeySchemaElement) error {
	names := d.names()
	for i := range key {
		if !slices.Contains(names, key[i].AttributeName.Value) {
			return invalid("Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s",
				bracketed(javaSet(distinct(keyNames(key)), javaDefaultSize)),
				bracketed(javaSet(distinct(names), javaSizeFor(len(names)))))
		}
	}
	return nil
}

func keyNames(key []api.KeySchemaElement) []string {
	names := make([]string, len(key))
	for i := range key {
		names[i] = key[i].AttributeName.Value
	}
	return names
}

func distinct(names []string) []string {
	var out []string
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// checkPair checks the shape of the key of a table or a local index: HASH, or
// HASH and RANGE.
func checkPair(key []api.KeySchemaElement) error {
	if len(key) == 2 && key[0].AttributeName.Value == key[1].AttributeName.Value {
		return validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	}
	if key[0].KeyType.Value != keyHash {
		return validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	}
	if len(key) == 2 && key[1].KeyType.Value != keyRange {
		return validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	}
	return nil
}

// checkGlobalKey checks the shape of a global index's key: up to four HASH
// attributes, then up to four RANGE attributes (Developer Guide, "Multi-attribute keys").
func checkGlobalKey(key []api.KeySchemaElement) error {
	if key[0].KeyType.Value != keyHash {
		return validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	}
	hashes := 0
	for i := range key {
		if key[i].KeyType.Value != keyHash {
			continue
		}
		if hashes++; hashes != i+1 {
			return invalid("All HASH key attributes must precede RANGE key attributes in the KeySchema")
		}
	}
	if hashes > maxIndexHashKeys {
		return invalid("The KeySchema exceeds the maximum allowed number of HASH key attributes")
	}
	if len(key)-hashes > maxIndexRangeKeys {
		return invalid("The KeySchema exceeds the maximum allowed number of RANGE key attributes")
	}
	if names := keyNames(key); len(distinct(names)) != len(names) {
		return validation("The KeySchema contains multiple key attributes with the same name")
	}
	return nil
}

// Values of the API shape KeyType.
const (
	keyHash  = "HASH"
	keyRange = "RANGE"
)

// projectionKinds are the values of the API shape ProjectionType.
var projectionKinds = map[string]partition.ProjectionKind{
	"ALL":       partition.ProjectAll,
	"KEYS_ONLY": partition.ProjectKeysOnly,
	"INCLUDE":   partition.ProjectInclude,
}

// checkProjection checks what an index copies.
func checkProjection(p *api.Projection) error {
	if !p.ProjectionType.Present {
		return invalid("Unknown ProjectionType: null")
	}
	kind := p.ProjectionType.Value
	switch {
	case kind != "INCLUDE" && p.NonKeyAttributes != nil:
		return invalid("ProjectionType is %s, but NonKeyAttributes is specified", kind)
	case kind == "INCLUDE" && p.NonKeyAttributes == nil:
		return invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	}
	for i, name := range p.NonKeyAttributes {
		if slices.Contains(p.NonKeyAttributes[:i], name) {
			return invalid("Duplicate element in NonKeyAttributes: %s", name)
		}
	}
	return nil
}

// keySchema builds the stored form of a checked key; typeOf knows the types of all
// its attributes.
func keySchema(key []api.KeySchemaElement, typeOf func(string) item.Type) partition.KeySchema {
	var k partition.KeySchema
	for i := range key {
		name := key[i].AttributeName.Value
		a := partition.KeyAttribute{Name: name, Type: typeOf(name)}
		if key[i].KeyType.Value == keyHash {
			k.Hash = append(k.Hash, a)
		} else {
			k.Range = append(k.Range, a)
		}
	}
	return k
}

// declared looks types up among the definitions of a table.
func declared(attributes []partition.KeyAttribute) func(name string) item.Type {
	return func(name string) item.Type {
		for _, a := range attributes {
			if a.Name == name {
				return a.Type
			}
		}
		return 0
	}
}

// newIndex builds an index from its checked parts.
func newIndex(name string, key partition.KeySchema, p *api.Projection) *partition.Index {
	ix := &partition.Index{
		Name:       name,
		Key:        key,
		Projection: projectionKinds[p.ProjectionType.Value],
		NonKey:     slices.Clone(p.NonKeyAttributes),
	}
	slices.Sort(ix.NonKey)
	return ix
}
