package expression

import (
	"bytes"

	"github.com/stator-db/stator/storage/item"
)

// Condition is a bound condition or filter expression. It is immutable and
// safe for concurrent use.
type Condition struct {
	root  predicate
	paths []Path
}

// Eval reports whether the condition holds for it, which is nil if there is no
// item: then every path is missing. It never fails and has no side effects
// (Developer Guide, "Condition and filter expressions, operators, and
// functions").
func (c *Condition) Eval(it item.Item) bool { return c.root.eval(it) }

// Paths returns every document path the condition uses, in written order and
// as often as it is written. The caller must not change it.
func (c *Condition) Paths() []Path { return c.paths }

// predicate is a node of a condition. There are two truth values only: a
// missing operand makes a comparison false (and <> true).
type predicate interface {
	eval(it item.Item) bool
	// encode appends the binary form (see encode.go).
	encode(dst []byte) []byte
}

type (
	disjunction []predicate
	conjunction []predicate
	negation    struct{ of predicate }

	// comparison is one of = <> < <= > >=.
	comparison struct {
		operator    comparator
		left, right operand
	}
	between    struct{ of, low, high operand }
	membership struct {
		of    operand
		among []operand
	}

	attributeExists    struct{ path Path }
	attributeNotExists struct{ path Path }
	attributeType      struct {
		path Path
		is   item.Type
	}
	beginsWith struct{ of, prefix operand }
	contains   struct{ of, part operand }
)

func (d disjunction) eval(it item.Item) bool {
	for _, p := range d {
		if p.eval(it) {
			return true
		}
	}
	return false
}

func (c conjunction) eval(it item.Item) bool {
	for _, p := range c {
		if !p.eval(it) {
			return false
		}
	}
	return true
}

func (n negation) eval(it item.Item) bool { return !n.of.eval(it) }

func (c *comparison) eval(it item.Item) bool {
	left, right := c.left.resolve(it), c.right.resolve(it)
	switch c.operator {
	case equal:
		return left.equal(right)
	case notEqual:
		return !left.equal(right)
	}
	order, ok := left.compare(right)
	if !ok {
		return false
	}
	switch c.operator {
	case less:
		return order < 0
	case lessOrEqual:
		return order <= 0
	case greater:
		return order > 0
	}
	return order >= 0
}

func (b *between) eval(it item.Item) bool {
	of := b.of.resolve(it)
	low, ok := of.compare(b.low.resolve(it))
	if !ok || low < 0 {
		return false
	}
	high, ok := of.compare(b.high.resolve(it))
	return ok && high <= 0
}

func (m *membership) eval(it item.Item) bool {
	of := m.of.resolve(it)
	for i := range m.among {
		if of.equal(m.among[i].resolve(it)) {
			return true
		}
	}
	return false
}

func (a attributeExists) eval(it item.Item) bool { return a.path.resolve(it) != nil }

func (a attributeNotExists) eval(it item.Item) bool { return a.path.resolve(it) == nil }

func (a *attributeType) eval(it item.Item) bool {
	v := a.path.resolve(it)
	return v != nil && v.Type() == a.is
}

func (b *beginsWith) eval(it item.Item) bool {
	of, prefix := b.of.resolve(it).value, b.prefix.resolve(it).value
	t := of.Type()
	return (t == item.S || t == item.B) && prefix.Type() == t && bytes.HasPrefix(of.Bytes(), prefix.Bytes())
}

func (c *contains) eval(it item.Item) bool {
	of, part := c.of.resolve(it).value, c.part.resolve(it).stored()
	if part == nil {
		return false
	}
	switch of.Type() {
	case item.S, item.B:
		return part.Type() == of.Type() && bytes.Contains(of.Bytes(), part.Bytes())
	case item.SS, item.NS, item.BS, item.L:
		// Members carry their own type, so a part of another type equals none.
		for member := range of.Elements() {
			if item.Equal(member, part) {
				return true
			}
		}
	}
	return false
}
