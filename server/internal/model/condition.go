package model

import (
	"strings"
)

// Operand of a condition: a path, the size of what it leads to, or a literal.
type Operand struct {
	Path    Path
	Size    bool
	Literal *Value
}

func (o Operand) value(it Item) *Value {
	switch {
	case o.Literal != nil:
		return o.Literal
	case o.Size:
		n, ok := o.Path.Resolve(it).length()
		if !ok {
			return nil
		}
		return integer(n)
	}
	return o.Path.Resolve(it)
}

// Condition is a condition or filter expression. Op says what the other fields
// mean:
//
//	AND OR               Parts
//	NOT                  Parts[0]
//	= <> < <= > >=       Operands[0] and [1]
//	BETWEEN              Operands[0], lower bound [1] and upper bound [2]
//	IN                   Operands[0] and the members
//	attribute_exists attribute_not_exists          Operands[0]
//	attribute_type begins_with contains            Operands[0] and [1]
type Condition struct {
	Op       string
	Parts    []*Condition
	Operands []Operand
}

// Holds evaluates the condition; a nil item is one that does not exist. A nil
// condition always holds.
func (c *Condition) Holds(it Item) bool {
	if c == nil {
		return true
	}
	var v []*Value
	for _, o := range c.Operands {
		v = append(v, o.value(it))
	}
	switch c.Op {
	case "AND":
		for _, part := range c.Parts {
			if !part.Holds(it) {
				return false
			}
		}
		return true
	case "OR":
		for _, part := range c.Parts {
			if part.Holds(it) {
				return true
			}
		}
		return false
	case "NOT":
		return !c.Parts[0].Holds(it)
	case "=":
		return v[0] != nil && v[0].Equal(v[1])
	case "<>":
		return v[0] == nil || !v[0].Equal(v[1])
	case "<", "<=", ">", ">=":
		return ordered(v[0], c.Op, v[1])
	case "BETWEEN":
		return ordered(v[0], ">=", v[1]) && ordered(v[0], "<=", v[2])
	case "IN":
		for _, member := range v[1:] {
			if v[0] != nil && v[0].Equal(member) {
				return true
			}
		}
		return false
	case "attribute_exists":
		return v[0] != nil
	case "attribute_not_exists":
		return v[0] == nil
	case "attribute_type":
		return v[0] != nil && v[0].Kind == v[1].Text
	case "begins_with":
		return sameText(v[0], v[1]) && strings.HasPrefix(v[0].Text, v[1].Text)
	case "contains":
		return contains(v[0], v[1])
	}
	panic("no such operator: " + c.Op)
}

func ordered(a *Value, op string, b *Value) bool {
	order, ok := a.Compare(b)
	if !ok {
		return false
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func sameText(a, b *Value) bool {
	return a != nil && b != nil && a.Kind == b.Kind && (a.Kind == "S" || a.Kind == "B")
}

func contains(v, x *Value) bool {
	if v == nil || x == nil {
		return false
	}
	switch v.Kind {
	case "S", "B":
		return sameText(v, x) && strings.Contains(v.Text, x.Text)
	case "L", "SS", "NS", "BS":
		return v.has(x)
	}
	return false
}
