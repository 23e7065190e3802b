package expression

import "github.com/alecthomas/participle/v2/lexer"

// settle finds out which parentheses in a condition hold an operand, as in
// (size(a)) > :n, and turns the groups that the parser made of them into tests. It
// returns the position of the first token that does not fit: a relation after a
// condition, or what stands where an operand needs a relation.
func (c *textCheck) settle(n *orSyntax) (misplaced *lexer.Position) {
	for _, and := range n.Terms {
		for _, f := range and.Terms {
			if misplaced = c.settleFactor(f); misplaced != nil {
				return misplaced
			}
		}
	}
	return nil
}

func (c *textCheck) settleFactor(f *factorSyntax) (misplaced *lexer.Position) {
	switch {
	case f.Not != nil:
		return c.settleFactor(f.Not)
	case f.Test != nil:
		if f.Test.Left != nil && f.Test.Relation == nil {
			return &f.Test.EndPos
		}
		return nil
	case f.GroupRelation == nil:
		return c.settle(f.Group)
	}
	left := c.operandIn(f.Group)
	if left == nil {
		if misplaced = c.settle(f.Group); misplaced != nil {
			return misplaced
		}
		return &f.GroupRelation.Pos
	}
	*f = factorSyntax{Test: &testSyntax{Left: left, Relation: f.GroupRelation}}
	return nil
}

// operandIn returns the operand that n consists of, nil if it is a condition.
func (c *textCheck) operandIn(n *orSyntax) *operandSyntax {
	if len(n.Terms) != 1 || len(n.Terms[0].Terms) != 1 {
		return nil
	}
	switch f := n.Terms[0].Terms[0]; {
	case f.Group != nil && f.GroupRelation == nil:
		if o := c.operandIn(f.Group); o != nil {
			c.parentheses(true)
			return o
		}
	case f.Test != nil && f.Test.Call != nil && f.Test.CallRelation == nil:
		return &operandSyntax{Call: f.Test.Call}
	case f.Test != nil && f.Test.Relation == nil:
		return f.Test.Left
	}
	return nil
}
