package partiql

import "strings"

// This file looks at syntax trees: what an expression amounts to, once the
// levels of the grammar that add nothing are taken away.

// unquote returns the name or string that source text stands for.
func unquote(text string) string {
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') {
		quote := text[:1]
		return strings.ReplaceAll(text[1:n-1], quote+quote, quote)
	}
	return text
}

// terms returns the terms of n, also if it is a single operand.
func (n *orSyntax) terms() []*andSyntax {
	if n.Alone == "" {
		return n.Terms
	}
	return []*andSyntax{{Terms: []*relationSyntax{{Left: &sumSyntax{Left: n.alone()}}}}}
}

// alone returns the operand that n is, nil if it was not parsed as one.
func (n *orSyntax) alone() *operandSyntax {
	switch {
	case n.Alone == "":
		return nil
	case n.Alone[0] == '"' || isNameStart(n.Alone[0]) && !literalWords[n.Alone]:
		return &operandSyntax{Pos: n.Pos, Name: n.Alone}
	}
	return &operandSyntax{Pos: n.Pos, Literal: n.Alone}
}

// relation returns the only comparison or operand of n, nil if n has AND, OR or
// NOT.
func (n *orSyntax) relation() *relationSyntax {
	terms := n.terms()
	if len(terms) != 1 || len(terms[0].Terms) != 1 || len(terms[0].Terms[0].Not) > 0 {
		return nil
	}
	return terms[0].Terms[0]
}

// sum returns the only operand of n, nil if n has an operator that yields a
// truth value.
func (n *orSyntax) sum() *sumSyntax {
	r := n.relation()
	if r == nil || len(r.More) > 0 {
		return nil
	}
	if inner := r.Left.operand().group(); inner != nil {
		return inner.sum()
	}
	return r.Left
}

// operand returns the only operand of n, nil if n has an arithmetic operator.
func (n *sumSyntax) operand() *operandSyntax {
	if len(n.More) > 0 {
		return nil
	}
	return n.Left
}

// operand returns the only operand of n without parentheses around it, nil if n
// has an operator.
func (n *orSyntax) operand() *operandSyntax {
	if u := n.alone(); u != nil {
		return u
	}
	s := n.sum()
	if s == nil {
		return nil
	}
	return s.operand()
}

// group returns what stands in parentheses, nil if u is something else.
func (u *operandSyntax) group() *orSyntax {
	if u.term() == nil || len(u.Group) != 1 {
		return nil
	}
	return u.Group[0]
}

// term returns u unless it has a sign or leads into something, nil then.
func (u *operandSyntax) term() *operandSyntax {
	if u == nil || len(u.Signs) > 0 || len(u.Steps) > 0 {
		return nil
	}
	return u
}

// isPath reports whether u is a document path.
func (u *operandSyntax) isPath() bool {
	return u != nil && u.Name != "" && u.Call == nil && len(u.Signs) == 0
}

// call returns the name that a function is called by and its arguments, nil if u
// is something else.
func (u *operandSyntax) call() (name string, call *callSyntax) {
	switch {
	case u.term() == nil:
		return "", nil
	case u.Function != "":
		return u.Function, u.Args
	}
	return u.Name, u.Call
}

// functionName is the name a function is known by: it is called in any case.
func (u *operandSyntax) functionName() string {
	name, _ := u.call()
	return strings.ToLower(unquote(name))
}

// str returns the string that u writes down; ok is false if it is something
// else.
func (u *operandSyntax) str() (text string, ok bool) {
	if u.term() == nil || u.Literal == "" || u.Literal[0] != '\'' {
		return "", false
	}
	return unquote(u.Literal), true
}

// number returns the digits of a number, empty if u is something else.
func (u *operandSyntax) number() string {
	if u.term() == nil || u.Literal == "" || !isDigit(u.Literal[0]) && u.Literal[0] != '.' {
		return ""
	}
	return u.Literal
}

// parameter returns the text of a parameter, empty if u is something else.
func (u *operandSyntax) parameter() string {
	if u.term() == nil || u.Literal == "" || u.Literal[0] != '?' {
		return ""
	}
	return u.Literal
}

// first returns the first token of n.
func (n *orSyntax) first() string {
	r := n.terms()[0].Terms[0]
	u := r.Left.Left
	switch {
	case len(r.Not) > 0:
		return "NOT"
	case len(u.Signs) > 0:
		return u.Signs[0]
	case u.Literal != "" && u.Literal[0] == '?':
		return "?"
	case u.Bag != nil:
		return u.Bag.Open
	case u.List != nil, u.Struct != nil, u.Group != nil:
		return "["
	}
	return u.Literal + u.Name + u.Function
}

// operation names the kind of an expression as the service does.
func (n *orSyntax) operation() string {
	terms := n.terms()
	switch {
	case len(terms) > 1:
		return "Or"
	case len(terms[0].Terms) > 1:
		return "And"
	case len(terms[0].Terms[0].Not) > 0:
		return "Not"
	}
	r := n.relation()
	if len(r.More) > 0 {
		return r.More[len(r.More)-1].operation()
	}
	return r.Left.operation()
}

var comparatorOperations = map[string]string{
	"=": "Eq", "<>": "Ne", "!=": "Ne", "<": "Lt", "<=": "Lte", ">": "Gt", ">=": "Gte",
}

func (c *compareSyntax) operation() string {
	switch {
	case c.Comparator != "":
		return comparatorOperations[c.Comparator]
	case c.Is != nil && c.Is.Not, c.NotRange != nil:
		return "Not"
	case c.Is != nil:
		return "IsType"
	case c.Range.Low != nil:
		return "Between"
	case c.Range.In != nil:
		return "InCollection"
	}
	return "Like"
}

func (n *sumSyntax) operation() string {
	names := map[string]string{"+": "Plus", "-": "Minus", "||": "Concat", "*": "Times", "/": "Divide", "%": "Modulo"}
	if i := len(n.More); i > 0 {
		return names[n.More[i-1].Operator]
	}
	return n.Left.operation()
}

func (u *operandSyntax) operation() string {
	if inner := u.group(); inner != nil {
		return inner.operation()
	}
	_, call := u.call()
	switch {
	case len(u.Signs) > 0 && u.Signs[0] == "-":
		return "Neg"
	case len(u.Signs) > 0:
		return "Pos"
	case len(u.Steps) > 0:
		return "Path"
	case call != nil:
		return u.functionName()
	case u.Name != "":
		return "Id"
	case u.parameter() != "":
		return "Parameter"
	case u.Literal == "MISSING":
		return "Missing"
	case u.Bag != nil:
		return "Bag"
	case u.Struct != nil:
		return "Struct"
	case u.List != nil, u.Group != nil:
		return "List"
	}
	return "Lit"
}
