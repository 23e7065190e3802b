package server

import (
	"bytes"
	"errors"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// sortOps maps operators of key conditions to those of a range read.
var sortOps = map[expression.KeyOp]partition.SortOp{
	expression.KeyLt:         partition.SortLt,
	expression.KeyLe:         partition.SortLe,
	expression.KeyGt:         partition.SortGt,
	expression.KeyGe:         partition.SortGe,
	expression.KeyBetween:    partition.SortBetween,
	expression.KeyBeginsWith: partition.SortBeginsWith,
}

// checkStartValues judges the values of an ExclusiveStartKey before the table is
// known. Faults of a value as such are wrapped, those of its content are not.
func (p phrasing) checkStartValues(start *api.AttributeMap) error {
	f := start.Invalid
	if f == nil {
		return nil
	}
	wrapped := false
	switch f.Kind {
	case item.NoType, item.MoreThanOneType, item.NullFalse:
		wrapped = true
	case item.EmptySet:
		wrapped = f.Type != item.NS
	}
	if wrapped {
		return validationText(badStartKey + ": " + valueFault(f, p.values))
	}
	return p.value(f)
}

// hasStartKeyNames reports whether an ExclusiveStartKey has exactly the
// attributes of a LastEvaluatedKey of the table (ix nil) or index.
func hasStartKeyNames(t *partition.Table, ix *partition.Index, start item.Item) bool {
	names := t.KeyNames(ix)
	if start.Len() != len(names) {
		return false
	}
	for _, name := range names {
		if start.Get(name) == nil {
			return false
		}
	}
	return true
}

// checkStartKeyValues judges, on an index, the table key inside an
// ExclusiveStartKey, and then that nothing in it is empty or too long. The key
// attributes of the queried schema have their types already.
func checkStartKeyValues(t *partition.Table, ix *partition.Index, start item.Item) error {
	if !hasKeyTypes(t.Key, start) {
		return validationText(badStartKey + ": " + schemaMismatch)
	}
	err := checkKeySizes(t.Key, start)
	if err == nil && ix != nil {
		err = checkKeySizes(ix.Key, start)
	}
	if fault, ok := errors.AsType[*apiError](err); ok {
		return validationText(badStartKey + ": " + fault.Message)
	}
	return err
}

// checkQueryStart refuses an ExclusiveStartKey that cannot be a position inside
// the range which the Query reads.
func checkQueryStart(schema partition.KeySchema, r *queryRange, start item.Item) error {
	samePartition := true
	for i, a := range schema.Hash {
		samePartition = samePartition && bytes.Equal(start.Get(a.Name), r.hash[i])
	}
	conditions := len(r.sort.Equal) > 0 || r.sort.Op != partition.SortAll
	switch {
	case conditions && !inSortRange(schema, &r.sort, start):
		return validationText("The provided starting key does not match the range key predicate")
	case conditions && !samePartition:
		return validationText("The query can return at most one row and cannot be restarted")
	case !samePartition:
		return validationText("The provided starting key is outside query boundaries based on provided conditions")
	}
	return nil
}

// inSortRange evaluates the sort conditions on an item or key.
func inSortRange(schema partition.KeySchema, sort *partition.SortRange, it item.Item) bool {
	for i, want := range sort.Equal {
		if !bytes.Equal(it.Get(schema.Range[i].Name), want) {
			return false
		}
	}
	if sort.Op == partition.SortAll {
		return true
	}
	v := it.Get(schema.Range[len(sort.Equal)].Name)
	if sort.Op == partition.SortBeginsWith {
		return bytes.HasPrefix(v.Bytes(), sort.Values[0].Bytes())
	}
	cmp, ok := item.Compare(v, sort.Values[0])
	if !ok {
		return false
	}
	switch sort.Op {
	case partition.SortLt:
		return cmp < 0
	case partition.SortLe:
		return cmp <= 0
	case partition.SortGt:
		return cmp > 0
	case partition.SortGe:
		return cmp >= 0
	case partition.SortBetween:
		upper, ok := item.Compare(v, sort.Values[1])
		return ok && cmp >= 0 && upper <= 0
	}
	return false
}

// checkScanStart refuses an ExclusiveStartKey that is no position of the scanned
// table or index.
func checkScanStart(t *partition.Table, ix *partition.Index, start item.Item) error {
	if ix == nil {
		if start.Len() != len(t.Key.Hash)+len(t.Key.Range) || !hasKeyTypes(t.Key, start) {
			return validationText(badStartKey + ": " + schemaMismatch)
		}
		return checkStartKeyValues(t, nil, start)
	}
	if !hasStartKeyNames(t, ix, start) || !hasKeyTypes(ix.Key, start) || !hasKeyTypes(t.Key, start) {
		return validationText(badStartKey)
	}
	return checkStartKeyValues(t, ix, start)
}
