package expression

import "github.com/alecthomas/participle/v2/lexer"

// The checks of this file need only the text of an expression. They run once
// per tree, before it is cached.

const redundantParenthesesFault = "The expression has redundant parentheses;"

var (
	conditions  = newGrammar(checkCondition, "AND", "OR", "NOT", "BETWEEN", "IN")
	projections = newGrammar(checkProjection)
	updates     = newGrammar(checkUpdate, "SET", "REMOVE", "ADD", "DELETE")
)

// functionUse says where a function may be called.
type functionUse int

const (
	useUnknown   functionUse = iota // there is no such function
	useCondition                    // standing alone in a condition
	useOperand                      // as an operand in a condition
	useSet                          // as an operand of SET
)

// useOf returns where a function may be called. Names are case-sensitive.
func useOf(function string) functionUse {
	switch function {
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains":
		return useCondition
	case "size":
		return useOperand
	case "if_not_exists", "list_append":
		return useSet
	}
	return useUnknown
}

// textCheck collects the faults of one tree.
type textCheck struct {
	faults
	operators int
}

// operator counts n more operators or functions.
func (c *textCheck) operator(n int) {
	if c.operators += n; c.operators > maxOperators {
		c.note(tooManyOperators, "The expression contains too many operators; operator count: %d", maxOperators+1)
	}
}

func (c *textCheck) function(name string, use functionUse) {
	c.operator(1)
	switch useOf(name) {
	case use:
	case useUnknown:
		c.note(unknownFunction, "Invalid function name; function: %s", name)
	default:
		c.misused(name)
	}
}

func (c *textCheck) misused(function string) {
	c.note(misusedFunction, "The function is not allowed to be used this way in an expression; function: %s", function)
}

func (c *textCheck) parentheses(redundant bool) {
	if redundant {
		c.note(redundantParentheses, redundantParenthesesFault)
	}
}

func (c *textCheck) name(name string) {
	if !isAlias(name) && isReserved(name) {
		c.note(reservedWord, "Attribute name is a reserved keyword; reserved keyword: %s", name)
	}
}

func (c *textCheck) path(p *pathSyntax) {
	c.name(p.Head)
	for _, s := range p.Steps {
		if s.Index == "" {
			c.name(s.Name)
		} else if s.step("").Index > maxListIndex {
			c.note(indexOutOfRange, "List index is not within the allowable range; index: [%s]", s.Index)
		}
	}
	if depth := 1 + len(p.Steps); depth > maxPathDepth {
		c.note(pathTooDeep, "The document path has too many nesting elements; nesting levels: %d", depth)
	}
	p.bindStatic()
}

func checkCondition(tree *orSyntax) (fault string, misplaced *lexer.Position) {
	var c textCheck
	if misplaced = c.settle(tree); misplaced != nil {
		return "", misplaced
	}
	c.or(tree)
	return c.first(conditionTextFaults), nil
}

func (c *textCheck) or(n *orSyntax) {
	c.operator(len(n.Terms) - 1)
	for _, and := range n.Terms {
		c.operator(len(and.Terms) - 1)
		for _, f := range and.Terms {
			c.factor(f)
		}
	}
}

func (c *textCheck) factor(f *factorSyntax) {
	switch {
	case f.Not != nil:
		c.operator(1)
		c.factor(f.Not)
	case f.Group != nil:
		c.parentheses(f.Group.isGroup())
		c.or(f.Group)
	default:
		c.test(f.Test)
	}
}

// isGroup reports whether n is nothing but a pair of parentheses and what is
// inside.
func (n *orSyntax) isGroup() bool {
	return len(n.Terms) == 1 && len(n.Terms[0].Terms) == 1 && n.Terms[0].Terms[0].Group != nil
}

func (c *textCheck) test(t *testSyntax) {
	if call := t.condition(); call != nil {
		c.call(call, useCondition)
		return
	}
	left, relation := t.comparison()
	c.operand(left)
	c.operator(1)
	if n := len(relation.In); n > maxInOperands {
		c.note(tooManyInOperands, "The IN operator is provided with too many operands; number of operands: %d", n)
	}
	for _, o := range relation.operands() {
		c.operand(o)
	}
}

func (c *textCheck) operand(o *operandSyntax) {
	for o.Group != nil {
		c.parentheses(o.Group.Group != nil)
		*o = *o.Group
	}
	switch {
	case o.Call != nil:
		c.call(o.Call, useOperand)
	case o.Path != nil:
		c.path(o.Path)
	}
}

func (c *textCheck) call(call *callSyntax, use functionUse) {
	c.function(call.Name, use)
	for _, arg := range call.Args {
		c.operand(arg)
	}
}

func checkProjection(tree *projectionSyntax) (fault string, misplaced *lexer.Position) {
	var c textCheck
	for _, p := range tree.Paths {
		c.path(p)
	}
	return c.first(projectionTextFaults), nil
}

func checkUpdate(tree *updateSyntax) (fault string, misplaced *lexer.Position) {
	for _, clause := range tree.Clauses {
		for _, a := range clause.Set {
			if op := a.Value.misplacedSum(); op != nil {
				return "", &op.Pos
			}
		}
	}
	var c textCheck
	seen := make(map[string]bool, 4)
	for _, clause := range tree.Clauses {
		keyword := clause.keyword()
		if seen[keyword] {
			c.note(sectionTwice, `The "%s" section can only be used once in an update expression;`, keyword)
		}
		seen[keyword] = true
		for _, a := range clause.Set {
			c.path(a.Path)
			c.sum(a.Value)
		}
		for _, p := range clause.Remove {
			c.path(p)
		}
		for _, a := range clause.Add {
			c.path(a.Path)
		}
		for _, a := range clause.Delete {
			c.path(a.Path)
		}
	}
	return c.first(updateTextFaults), nil
}

func (c *textCheck) sum(s *sumSyntax) {
	c.term(s.Left)
	if s.More != nil {
		c.operator(1)
		c.term(s.More.Right)
	}
}

func (c *textCheck) term(t *termSyntax) {
	switch {
	case t.Group != nil:
		c.parentheses(t.Group.More == nil && t.Group.Left.Group != nil)
		c.sum(t.Group)
	case t.Call != nil:
		c.function(t.Call.Name, useSet)
		for _, arg := range t.Call.Args {
			c.term(arg)
			if t.Call.Name == "list_append" && arg.calls("list_append") {
				c.misused("list_append") // what the service has against it is not known
			}
		}
	case t.Path != nil:
		c.path(t.Path)
	}
}
