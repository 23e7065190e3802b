package server

import (
	"bytes"
	"slices"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/expression/partiql"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// maxDecomposedReads is how many reads one SELECT may amount to (Developer Guide,
// PartiQL operators: IN).
const maxDecomposedReads = 50

// A keyedRead is one of the reads that a SELECT amounts to: a range of one
// partition. The condition of the statement is tested on all that is found in it.
type keyedRead struct {
	queryRange
	// low and high are the encoded sort keys it lies between, high not included;
	// nil is no bound.
	low, high []byte
	negated   bool // a negated condition on the sort key belongs to it
}

// planRanges takes the WHERE clause of a keyed SELECT apart. The ranges are in
// ascending order and do not overlap.
func (s *statement) planRanges() ([]keyedRead, error) {
	schema := s.schema()
	hash, sort := schema.Hash[0], partition.KeyAttribute{}
	if len(schema.Range) > 0 {
		sort = schema.Range[0]
	}
	branches, ok := s.Where.Branches(hash.Name, sort.Name, maxDecomposedReads)
	if !ok {
		return nil, validationText("Too many decomposed read operations for a given query.")
	}
	ranges := make([]keyedRead, 0, len(branches))
	for i := range branches {
		b := &branches[i]
		if err := checkBranchTypes(b, hash, sort); err != nil {
			return nil, err
		}
		r, empty, err := s.planRange(b)
		if err != nil {
			return nil, err
		}
		if !empty {
			ranges = append(ranges, r)
		}
	}
	slices.SortStableFunc(ranges, compareRanges)
	return mergeRanges(ranges)
}

// schema is the key schema of what the statement reads.
func (s *statement) schema() partition.KeySchema {
	if s.index != nil {
		return s.index.Key
	}
	return s.table.Key
}

func checkBranchTypes(b *partiql.Branch, hash, sort partition.KeyAttribute) error {
	mistyped := func(term *expression.KeyTerm, a partition.KeyAttribute) bool {
		return slices.ContainsFunc(term.Values, func(v item.Value) bool { return v.Type() != a.Type })
	}
	if mistyped(&b.Hash, hash) {
		return keyTypeMismatch(hash.Name)
	}
	for i := range b.Sort {
		if mistyped(&b.Sort[i], sort) {
			return keyTypeMismatch(sort.Name)
		}
	}
	return nil
}

func keyTypeMismatch(name string) *apiError {
	return validation("Key attribute's data type should match its data type in table's schema: Key %s", name)
}

// planRange turns one branch into a range. empty is set if nothing can be in it.
func (s *statement) planRange(b *partiql.Branch) (r keyedRead, empty bool, err error) {
	r.negated = b.Negated
	for _, t := range b.Sort {
		low, high := termBounds(&t)
		if bytes.Compare(low, r.low) > 0 {
			r.low = low
		}
		if high != nil && (r.high == nil || bytes.Compare(high, r.high) < 0) {
			r.high = high
		}
	}
	terms := append([]expression.KeyTerm{b.Hash}, narrowest(b.Sort)...)
	if r.queryRange, err = planQueryRange(s.table, s.index, terms, nil); err != nil {
		return r, false, err
	}
	return r, r.high != nil && bytes.Compare(r.low, r.high) >= 0, nil
}

// termBounds are the encoded sort keys that a condition on the sort key lies
// between.
func termBounds(t *expression.KeyTerm) (low, high []byte) {
	first := item.AppendKey(nil, t.Values[0])
	switch t.Op {
	case expression.KeyEq:
		return first, item.PrefixEnd(first)
	case expression.KeyLt:
		return nil, first
	case expression.KeyLe:
		return nil, item.PrefixEnd(first)
	case expression.KeyGt:
		return item.PrefixEnd(first), nil
	case expression.KeyGe:
		return first, nil
	case expression.KeyBetween:
		return first, item.PrefixEnd(item.AppendKey(nil, t.Values[1]))
	}
	prefix := item.AppendKeyPrefix(nil, t.Values[0])
	return prefix, item.PrefixEnd(prefix)
}

// narrowest picks, of several conditions on the sort key, the one to read by. A
// lower and an upper bound make one BETWEEN.
func narrowest(terms []expression.KeyTerm) []expression.KeyTerm {
	if len(terms) < 2 {
		return terms
	}
	var low, high *expression.KeyTerm
	for i := range terms {
		switch t := &terms[i]; t.Op {
		case expression.KeyEq:
			return terms[i : i+1]
		case expression.KeyGt, expression.KeyGe:
			low = t
		case expression.KeyLt, expression.KeyLe:
			high = t
		}
	}
	if low == nil || high == nil {
		return terms[:1]
	}
	values := []item.Value{low.Values[0], high.Values[0]}
	return []expression.KeyTerm{{Name: low.Name, Op: expression.KeyBetween, Values: values}}
}

// compareRanges orders ranges by partition key, then by where they begin.
func compareRanges(a, b keyedRead) int {
	if order, _ := item.Compare(a.hash[0], b.hash[0]); order != 0 {
		return order
	}
	return bytes.Compare(a.low, b.low)
}

// mergeRanges refuses sorted ranges that overlap. Only beside a negated condition
// on the sort key may they (measured): then they become one.
func mergeRanges(ranges []keyedRead) ([]keyedRead, error) {
	merged := ranges[:0]
	for _, r := range ranges {
		last := len(merged) - 1
		if last < 0 || !overlap(&merged[last], &r) {
			merged = append(merged, r)
			continue
		}
		if !merged[last].negated && !r.negated {
			return nil, validationText("Overlapping conditions with range keys are not supported in where clause")
		}
		merged[last] = keyedRead{queryRange: queryRange{hash: r.hash}, negated: true}
	}
	return merged, nil
}

// overlap reports whether b, which does not begin before a, begins inside it.
func overlap(a, b *keyedRead) bool {
	return item.Equal(a.hash[0], b.hash[0]) && (a.high == nil || bytes.Compare(b.low, a.high) < 0)
}

// contains reports whether the position of key is in the range.
func (r *keyedRead) contains(schema partition.KeySchema, key item.Item) bool {
	if !item.Equal(r.hash[0], key.Get(schema.Hash[0].Name)) {
		return false
	}
	if len(schema.Range) == 0 {
		return true
	}
	at := item.AppendKey(nil, key.Get(schema.Range[0].Name))
	return bytes.Compare(at, r.low) >= 0 && (r.high == nil || bytes.Compare(at, r.high) < 0)
}

// order sorts the ranges as ORDER BY asks for and reports whether each is read
// backwards. Ordered by the partition key alone, the sort key descends (measured).
func (s *statement) order(ranges []keyedRead) (reverse bool, err error) {
	if len(s.Order) == 0 {
		return false, nil
	}
	schema := s.schema()
	byHash, hashDescends, bySort, sortDescends := false, false, false, false
	for _, o := range s.Order {
		switch {
		case o.Attribute == schema.Hash[0].Name:
			byHash, hashDescends = true, o.Descending
		case len(schema.Range) > 0 && o.Attribute == schema.Range[0].Name:
			bySort, sortDescends = true, o.Descending
		default:
			return false, validation("Attribute %s in ORDER BY clause must be part of the primary key", o.Attribute)
		}
	}
	partitions := 0
	for i := range ranges {
		if i == 0 || !item.Equal(ranges[i].hash[0], ranges[i-1].hash[0]) {
			partitions++
		}
	}
	if partitions > 1 && !byHash {
		return false, validationText("Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.")
	}
	reverse = sortDescends || !bySort
	slices.SortStableFunc(ranges, func(a, b keyedRead) int {
		order, _ := item.Compare(a.hash[0], b.hash[0])
		if hashDescends {
			order = -order
		}
		if order == 0 {
			if order = bytes.Compare(a.low, b.low); reverse {
				order = -order
			}
		}
		return order
	})
	return reverse, nil
}
