package server

import (
	"slices"
	"strings"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

const (
	// schemaMismatch is what most operations say of a key that is no key of the table.
	schemaMismatch = "The provided key element does not match the schema"
	// badStartKey opens, or is all of, what Query and Scan say of an ExclusiveStartKey.
	badStartKey = "The provided starting key is invalid"
)

// checkKey judges the Key member of a request: exactly the key attributes of the
// table, with their types and in the sizes allowed.
func checkKey(t *partition.Table, key item.Item) error {
	if key.Len() != len(t.Key.Hash)+len(t.Key.Range) || !hasKeyTypes(t.Key, key) {
		return validationText(schemaMismatch)
	}
	return checkKeySizes(t.Key, key)
}

// checkBatchItem judges the item of a BatchWriteItem put, whose key faults read
// like those of a Key.
func checkBatchItem(t *partition.Table, it item.Item) error {
	if !hasKeyTypes(t.Key, it) {
		return validationText(schemaMismatch)
	}
	return checkKeySizes(t.Key, it)
}

// checkPutItem judges the key attributes in the Item of PutItem.
func checkPutItem(t *partition.Table, it item.Item) error {
	for _, part := range [2][]partition.KeyAttribute{t.Key.Hash, t.Key.Range} {
		for _, a := range part {
			v := it.Get(a.Name)
			if v == nil {
				return invalid("Missing the key %s in the item", a.Name)
			}
			if v.Type() != a.Type {
				return invalid("Type mismatch for key %s expected: %s actual: %s", a.Name, a.Type, v.Type())
			}
		}
	}
	return checkKeySizes(t.Key, it)
}

// hasKeyTypes reports whether it holds every key attribute with its type.
func hasKeyTypes(k partition.KeySchema, it item.Item) bool {
	for _, part := range [2][]partition.KeyAttribute{k.Hash, k.Range} {
		for _, a := range part {
			if it.Get(a.Name).Type() != a.Type {
				return false
			}
		}
	}
	return true
}

// checkKeySizes judges a table key whose types are right: nothing empty, nothing
// too long (Developer Guide, "Quotas": partition keys and sort keys).
func checkKeySizes(k partition.KeySchema, it item.Item) error {
	for _, a := range k.Hash {
		v := it.Get(a.Name)
		if emptyKeyValue(v) {
			return emptyKey(a)
		}
		if a.Type != item.N && len(v.Bytes()) > partition.MaxHashKeySize {
			return hashKeyTooLong()
		}
	}
	for _, a := range k.Range {
		v := it.Get(a.Name)
		if emptyKeyValue(v) {
			return emptyKey(a)
		}
		if a.Type != item.N && len(v.Bytes()) > partition.MaxRangeKeySize {
			return rangeKeyTooLong()
		}
	}
	return nil
}

func emptyKeyValue(v item.Value) bool { return len(v.Bytes()) == 0 }

func emptyKey(a partition.KeyAttribute) *apiError {
	return validation("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s",
		emptyKind(a.Type), a.Name)
}

// emptyIndexKey is emptyKey for a key attribute of an index.
func emptyIndexKey(index string, a partition.KeyAttribute) *apiError {
	return validation("One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s",
		emptyKind(a.Type), index, a.Name)
}

// emptyKind names a key type in texts about empty values.
func emptyKind(t item.Type) string {
	if t == item.B {
		return "binary"
	}
	return "string"
}

func hashKeyTooLong() *apiError {
	return invalid("Size of hashkey has exceeded the maximum size limit of%d bytes", partition.MaxHashKeySize)
}

func rangeKeyTooLong() *apiError {
	return invalid("Aggregated size of all range keys has exceeded the size limit of %d bytes", partition.MaxRangeKeySize)
}

// checkKeyPaths refuses document paths that step into a key attribute of the
// table or of one of its indexes: keys are scalars.
func checkKeyPaths(t *partition.Table, lists ...[]expression.Path) error {
	for _, paths := range lists {
		for _, p := range paths {
			if len(p) < 2 {
				continue
			}
			if err := checkKeyPath(t, p[0].Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkKeyPath(t *partition.Table, name string) error {
	const text = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
	if hasKeyAttribute(t.Key, name) {
		return validation(text+"Key: %s", name)
	}
	for _, list := range [2][]*partition.Index{t.Local, t.Global} {
		for _, ix := range list {
			if hasKeyAttribute(ix.Key, name) {
				return validation(text+"IndexKey: %s", name)
			}
		}
	}
	return nil
}

func hasKeyAttribute(k partition.KeySchema, name string) bool {
	named := func(a partition.KeyAttribute) bool { return a.Name == name }
	return slices.ContainsFunc(k.Hash, named) || slices.ContainsFunc(k.Range, named)
}

// appendKeyIdentity appends bytes that are equal for equal keys of a table: what
// the batch operations find duplicates with.
func appendKeyIdentity(dst []byte, t *partition.Table, it item.Item) []byte {
	for _, part := range [2][]partition.KeyAttribute{t.Key.Hash, t.Key.Range} {
		for _, a := range part {
			dst = item.AppendKey(dst, it.Get(a.Name))
		}
	}
	return dst
}

// queryRange is the part of a table or index that a Query reads.
type queryRange struct {
	hash []item.Value
	sort partition.SortRange
}

// planQueryRange turns the key conditions of a Query into a range of the queried
// schema (that of the table if ix is nil). start is the ExclusiveStartKey or nil:
// its types are judged attribute by attribute together with the conditions.
func planQueryRange(t *partition.Table, ix *partition.Index, terms []expression.KeyTerm, start item.Item) (queryRange, error) {
	schema := t.Key
	if ix != nil {
		schema = ix.Key
	}
	attributes := len(schema.Hash) + len(schema.Range)
	if len(terms) > attributes && (attributes > 1 || len(terms) > 2) {
		return queryRange{}, validation("The number of query conditions (%d) exceeds the number of key attributes defined in the schema (%d)",
			len(terms), attributes)
	}
	var r queryRange
	for _, a := range schema.Hash {
		if err := checkStartAttribute(start, a); err != nil {
			return queryRange{}, err
		}
		if attributes == 1 && len(terms) > 1 {
			return queryRange{}, conditionNotSupported()
		}
		term := findTerm(terms, a.Name)
		if term == nil {
			return queryRange{}, missedKey(a.Name)
		}
		if term.Op == unindexable {
			return queryRange{}, notIndexable()
		}
		if err := checkTerm(ix, a, term, true); err != nil {
			return queryRange{}, err
		}
		if term.Op != expression.KeyEq {
			return queryRange{}, conditionNotSupported()
		}
		r.hash = append(r.hash, term.Values[0])
	}
	if err := planSortRange(&r.sort, ix, schema, terms, start); err != nil {
		return queryRange{}, err
	}
	return r, nil
}

// planSortRange fills in the conditions on the range attributes: equality from
// the left without a gap, then at most one other condition.
func planSortRange(sort *partition.SortRange, ix *partition.Index, schema partition.KeySchema, terms []expression.KeyTerm, start item.Item) error {
	matched := len(schema.Hash)
	var unequal []string // range attributes passed without an equality condition
	var unmatched string // first range attribute without any condition
	for _, a := range schema.Range {
		if err := checkStartAttribute(start, a); err != nil {
			return err
		}
		term := findTerm(terms, a.Name)
		if term == nil {
			unequal = append(unequal, a.Name)
			if unmatched == "" {
				unmatched = a.Name
			}
			continue
		}
		matched++
		if len(unequal) > 0 {
			return validation("RANGE key attributes %s must have equality conditions specified in the query because a condition is present on key attribute %s",
				strings.Join(unequal, ", "), a.Name)
		}
		if term.Op == unindexable {
			return notIndexable()
		}
		if err := checkTerm(ix, a, term, false); err != nil {
			return err
		}
		if term.Op == expression.KeyEq {
			sort.Equal = append(sort.Equal, term.Values[0])
			continue
		}
		sort.Op, sort.Values = sortOps[term.Op], term.Values
		unequal = append(unequal, a.Name)
	}
	switch {
	case matched == len(terms):
		return nil
	case unmatched != "":
		return missedKey(unmatched)
	}
	return conditionNotSupported()
}

// checkStartAttribute judges one key attribute of the queried schema in an
// ExclusiveStartKey, which is nil if there is none.
func checkStartAttribute(start item.Item, a partition.KeyAttribute) error {
	if start == nil {
		return nil
	}
	switch v := start.Get(a.Name); {
	case v == nil:
		return validationText(badStartKey)
	case v.Type() != a.Type:
		return validationText(schemaMismatch)
	}
	return nil
}

// unindexable stands for the operator of a legacy KeyConditions entry that no key
// condition can use; it is told apart only here, after the lookup.
const unindexable expression.KeyOp = -1

func findTerm(terms []expression.KeyTerm, name string) *expression.KeyTerm {
	for i := range terms {
		if terms[i].Name == name {
			return &terms[i]
		}
	}
	return nil
}

// checkTerm judges the values of a condition on a key attribute.
func checkTerm(ix *partition.Index, a partition.KeyAttribute, term *expression.KeyTerm, hash bool) error {
	for _, v := range term.Values {
		if v.Type() != a.Type {
			return invalid("Condition parameter type does not match schema type")
		}
	}
	for _, v := range term.Values {
		switch {
		case a.Type == item.N:
		case emptyKeyValue(v) && ix != nil:
			return emptyIndexKey(ix.Name, a)
		case emptyKeyValue(v):
			return emptyKey(a)
		case hash && len(v.Bytes()) > partition.MaxHashKeySize:
			return hashKeyTooLong()
		case !hash && len(v.Bytes()) > partition.MaxRangeKeySize:
			return rangeKeyTooLong()
		}
	}
	return nil
}

func missedKey(name string) *apiError {
	return validation("Query condition missed key schema element: %s", name)
}

func conditionNotSupported() *apiError {
	return validationText("Query key condition not supported")
}

func notIndexable() *apiError {
	return validationText("Attempted conditional constraint is not an indexable operation")
}
