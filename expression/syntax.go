package expression

import (
	"strconv"

	"github.com/alecthomas/participle/v2/lexer"
)

// The syntax trees. Field tags are participle's grammar; what is captured is
// source text, so that a tree can be shared by requests whose placeholders
// stand for different things.
//
// With the one explicit look at the parenthesis after a function's name, every
// choice is made on the next token and never taken back. So the parser takes
// linear time, and it is stopped by exactly the token that does not fit, but for
// one thing: whether parentheses hold a condition or an operand shows only after
// them. The grammar takes either for either, and settle tells them apart.

// pathSyntax is a document path: a name followed by names and list indexes.
type pathSyntax struct {
	Head  string        `parser:"@(Name | Alias)"`
	Steps []*stepSyntax `parser:"@@*"`

	// bound is the path itself if it contains no #name, nil otherwise. It is
	// set once, before the tree is shared.
	bound Path
}

type stepSyntax struct {
	Name  string `parser:"  '.' @(Name | Alias)"`
	Index string `parser:"| '[' @Index ']'"`
}

func isAlias(name string) bool { return name[0] == '#' }

// orSyntax is a whole condition, or one in parentheses.
type orSyntax struct {
	Terms []*andSyntax `parser:"@@ ( 'OR' @@ )*"`
}

type andSyntax struct {
	Terms []*factorSyntax `parser:"@@ ( 'AND' @@ )*"`
}

// factorSyntax is a negation, a test, or a group: a condition in parentheses. The
// parser may leave in Group an operand in parentheses, and then the comparison it
// belongs to in GroupRelation; settle makes a Test of both.
type factorSyntax struct {
	Not           *factorSyntax   `parser:"  'NOT' @@"`
	Group         *orSyntax       `parser:"| '(' @@ ')'"`
	GroupRelation *relationSyntax `parser:"  @@?"`
	Test          *testSyntax     `parser:"| @@"`
}

// testSyntax is a comparison or a boolean function. Any function may stand on
// either side of a comparison as far as the syntax goes; what is allowed where
// is checked later, with an error of its own. Only a function may stand alone; the
// parser leaves other operands without a relation to settle.
type testSyntax struct {
	Call         *callSyntax     `parser:"  @@"`
	CallRelation *relationSyntax `parser:"  @@?"`
	Left         *operandSyntax  `parser:"| @@"`
	Relation     *relationSyntax `parser:"  @@?"`
	EndPos       lexer.Position  // of what follows
}

// relationSyntax is a comparison without its first operand.
type relationSyntax struct {
	Pos        lexer.Position
	Comparator string           `parser:"  @Comparator"`
	Right      *operandSyntax   `parser:"  @@"`
	Low        *operandSyntax   `parser:"| 'BETWEEN' @@"`
	High       *operandSyntax   `parser:"  'AND' @@"`
	In         []*operandSyntax `parser:"| 'IN' '(' @@ ( ',' @@ )* ')'"`
}

// operandSyntax is an operand in a condition. Group, an operand in parentheses, is
// gone once the text has been checked.
type operandSyntax struct {
	Call  *callSyntax    `parser:"  @@"`
	Value string         `parser:"| @Value"`
	Group *operandSyntax `parser:"| '(' @@ ')'"`
	Path  *pathSyntax    `parser:"| @@"`
}

type callSyntax struct {
	Name string           `parser:"(?= Name '(' ) @Name '('"`
	Args []*operandSyntax `parser:"( @@ ( ',' @@ )* )? ')'"`
}

// condition returns the function that stands alone as a condition, nil if t is
// a comparison.
func (t *testSyntax) condition() *callSyntax {
	if t.CallRelation != nil {
		return nil
	}
	return t.Call
}

// comparison returns the first operand of a comparison and the rest of it, nil
// if t is a function.
func (t *testSyntax) comparison() (*operandSyntax, *relationSyntax) {
	if t.Call != nil {
		return &operandSyntax{Call: t.Call}, t.CallRelation
	}
	return t.Left, t.Relation
}

// operands returns the operands after the first.
func (r *relationSyntax) operands() []*operandSyntax {
	switch {
	case r.Low != nil:
		return []*operandSyntax{r.Low, r.High}
	case r.In != nil:
		return r.In
	}
	return []*operandSyntax{r.Right}
}

// projectionSyntax is a whole projection expression.
type projectionSyntax struct {
	Paths []*pathSyntax `parser:"@@ ( ',' @@ )*"`
}

// bindStatic sets p.bound if no placeholder is involved. The indexes must be
// in range.
func (p *pathSyntax) bindStatic() {
	if isAlias(p.Head) {
		return
	}
	path := make(Path, 0, 1+len(p.Steps))
	path = append(path, Step{Name: p.Head})
	for _, s := range p.Steps {
		if s.Index == "" && isAlias(s.Name) {
			return
		}
		path = append(path, s.step(s.Name))
	}
	p.bound = path
}

// step returns the step with the given name if it has one.
func (s *stepSyntax) step(name string) Step {
	if s.Index == "" {
		return Step{Name: name}
	}
	index, err := strconv.ParseUint(s.Index, 10, 63)
	if err != nil {
		index = maxListIndex + 1
	}
	return Step{Index: int(index), IsIndex: true}
}
