package expression

import "github.com/alecthomas/participle/v2/lexer"

// updateSyntax is a whole update expression.
type updateSyntax struct {
	Clauses []*clauseSyntax `parser:"@@+"`
}

type clauseSyntax struct {
	Set    []*assignmentSyntax `parser:"  'SET' @@ ( ',' @@ )*"`
	Remove []*pathSyntax       `parser:"| 'REMOVE' @@ ( ',' @@ )*"`
	Add    []*changeSyntax     `parser:"| 'ADD' @@ ( ',' @@ )*"`
	Delete []*changeSyntax     `parser:"| 'DELETE' @@ ( ',' @@ )*"`
}

// assignmentSyntax is one action of SET.
type assignmentSyntax struct {
	Path  *pathSyntax `parser:"@@ '='"`
	Value *sumSyntax  `parser:"@@"`
}

// changeSyntax is one action of ADD or DELETE.
type changeSyntax struct {
	Path  *pathSyntax `parser:"@@"`
	Value string      `parser:"@Value"`
}

// sumSyntax is a value to assign: one term, or two with an operator.
type sumSyntax struct {
	Left *termSyntax   `parser:"@@"`
	More *addendSyntax `parser:"@@?"`
}

// addendSyntax is the second term of a sum, with the operator before it.
type addendSyntax struct {
	Pos      lexer.Position // of Operator
	Operator string         `parser:"@Arithmetic"`
	Right    *termSyntax    `parser:"@@"`
}

// termSyntax is an operand of SET. Parentheses may hold a sum only where they
// enclose the whole value to assign; see misplacedSum.
type termSyntax struct {
	Group *sumSyntax     `parser:"  '(' @@ ')'"`
	Call  *setCallSyntax `parser:"| @@"`
	Value string         `parser:"| @Value"`
	Path  *pathSyntax    `parser:"| @@"`
}

type setCallSyntax struct {
	Name string        `parser:"(?= Name '(' ) @Name '('"`
	Args []*termSyntax `parser:"( @@ ( ',' @@ )* )? ')'"`
}

// calls reports whether the term is a call of function, perhaps in parentheses.
func (t *termSyntax) calls(function string) bool {
	for t.Group != nil && t.Group.More == nil {
		t = t.Group.Left
	}
	return t.Call != nil && t.Call.Name == function
}

func (c *clauseSyntax) keyword() string {
	switch {
	case c.Set != nil:
		return "SET"
	case c.Remove != nil:
		return "REMOVE"
	case c.Add != nil:
		return "ADD"
	}
	return "DELETE"
}

// misplacedSum returns the operator that the grammar of SET does not allow
// where it stands, nil if all is well. A value is a sum of at most two
// operands, and may as a whole stand in parentheses; participle's grammar is
// more generous because it would have to look ahead past the closing
// parenthesis to know which of the two it is reading.
func (s *sumSyntax) misplacedSum() *addendSyntax {
	if s.More == nil {
		if g := s.Left.Group; g != nil {
			return g.misplacedSum()
		}
		return s.Left.innerSum()
	}
	if g := s.Left.Group; g != nil && g.More != nil {
		return s.More
	}
	if inner := s.Left.innerSum(); inner != nil {
		return inner
	}
	return s.More.Right.innerSum()
}

// innerSum returns the first operator inside the term.
func (t *termSyntax) innerSum() *addendSyntax {
	switch {
	case t.Group != nil && t.Group.More != nil:
		return t.Group.More
	case t.Group != nil:
		return t.Group.Left.innerSum()
	case t.Call != nil:
		for _, arg := range t.Call.Args {
			if inner := arg.innerSum(); inner != nil {
				return inner
			}
		}
	}
	return nil
}
