package model

import (
	"slices"
	"strings"
)

// KeyCondition is what a Query asks of the key: a value for every hash attribute,
// values for the first range attributes, and Op with its Operands for the next one.
// Op is empty, a comparison, BETWEEN or begins_with.
type KeyCondition struct {
	Hash, Equal []*Value
	Op          string
	Operands    []*Value
}

// Matches judges an entry of a table or index with the given key.
func (c *KeyCondition) Matches(key Schema, entry Item) bool {
	for i, k := range key.Hash {
		if !c.Hash[i].Equal(entry[k.Name]) {
			return false
		}
	}
	for i, v := range c.Equal {
		if !v.Equal(entry[key.Range[i].Name]) {
			return false
		}
	}
	if c.Op == "" {
		return true
	}
	v := entry[key.Range[len(c.Equal)].Name]
	switch c.Op {
	case "BETWEEN":
		return ordered(v, ">=", c.Operands[0]) && ordered(v, "<=", c.Operands[1])
	case "begins_with":
		return strings.HasPrefix(v.Text, c.Operands[0].Text)
	}
	return ordered(v, c.Op, c.Operands[0])
}

// CompareSort orders two entries by the range attributes of a key.
func (s Schema) CompareSort(a, b Item) int {
	for _, k := range s.Range {
		if order, ok := a[k.Name].Compare(b[k.Name]); ok && order != 0 {
			return order
		}
	}
	return 0
}

// Query lists the entries of an index, or, for nil, the items of the table that a
// condition selects, by their sort keys, ascending. unique is false if two of them
// have the same, so that their order is not known.
func (t *Table) Query(ix *Index, c *KeyCondition) (found []Entry, unique bool) {
	key := t.Key
	if ix != nil {
		key = ix.Key
	}
	for _, e := range t.Entries(ix) {
		if c.Matches(key, e.Entry) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b Entry) int { return key.CompareSort(a.Entry, b.Entry) })
	unique = true
	for i := 1; i < len(found); i++ {
		unique = unique && key.CompareSort(found[i-1].Entry, found[i].Entry) != 0
	}
	return found, unique
}
