package expression

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The printer writes a syntax tree as text that parses to the same tree.

func (n *orSyntax) String() string { return printList(n.Terms, " OR ") }

func (n *andSyntax) String() string { return printList(n.Terms, " AND ") }

func (n *factorSyntax) String() string {
	switch {
	case n.Not != nil:
		return "NOT " + n.Not.String()
	case n.Group != nil:
		return "(" + n.Group.String() + ")"
	}
	return n.Test.String()
}

func (n *testSyntax) String() string {
	if call := n.condition(); call != nil {
		return call.String()
	}
	left, relation := n.comparison()
	return left.String() + " " + relation.String()
}

func (n *relationSyntax) String() string {
	switch {
	case n.Low != nil:
		return "BETWEEN " + n.Low.String() + " AND " + n.High.String()
	case n.In != nil:
		return "IN (" + printList(n.In, ", ") + ")"
	}
	return n.Comparator + " " + n.Right.String()
}

func (n *operandSyntax) String() string {
	switch {
	case n.Call != nil:
		return n.Call.String()
	case n.Path != nil:
		return n.Path.String()
	}
	return n.Value
}

func (n *callSyntax) String() string { return n.Name + "(" + printList(n.Args, ", ") + ")" }

func (n *pathSyntax) String() string {
	text := n.Head
	for _, s := range n.Steps {
		if s.Index != "" {
			text += "[" + s.Index + "]"
		} else {
			text += "." + s.Name
		}
	}
	return text
}

func (n *projectionSyntax) String() string { return printList(n.Paths, ", ") }

func (n *updateSyntax) String() string { return printList(n.Clauses, " ") }

func (n *clauseSyntax) String() string {
	return n.keyword() + " " + printList(n.Set, ", ") + printList(n.Remove, ", ") + printList(n.Add, ", ") + printList(n.Delete, ", ")
}

func (n *assignmentSyntax) String() string { return n.Path.String() + " = " + n.Value.String() }

func (n *changeSyntax) String() string { return n.Path.String() + " " + n.Value }

func (n *sumSyntax) String() string {
	if n.More == nil {
		return n.Left.String()
	}
	return n.Left.String() + " " + n.More.Operator + " " + n.More.Right.String()
}

func (n *termSyntax) String() string {
	switch {
	case n.Group != nil:
		return "(" + n.Group.String() + ")"
	case n.Call != nil:
		return n.Call.Name + "(" + printList(n.Call.Args, ", ") + ")"
	case n.Path != nil:
		return n.Path.String()
	}
	return n.Value
}

func printList[T fmt.Stringer](nodes []T, separator string) string {
	texts := make([]string, len(nodes))
	for i, n := range nodes {
		texts[i] = n.String()
	}
	return strings.Join(texts, separator)
}

// Random trees. They are what the grammars accept, whatever it means.

var (
	genName    = rapid.SampledFrom([]string{"a", "b", "_c1", "#n", "#1", "ANDROID", "Inn", "setter", "status"})
	genValue   = rapid.SampledFrom([]string{":v", ":1", ":_x", ":ANDy"})
	genOp      = rapid.SampledFrom([]string{"=", "<>", "<", "<=", ">", ">="})
	genFunName = rapid.SampledFrom([]string{"size", "contains", "f", "attribute_exists", "not_"})
)

func genPath(t *rapid.T) *pathSyntax {
	p := &pathSyntax{Head: genName.Draw(t, "head")}
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		s := &stepSyntax{}
		if rapid.Bool().Draw(t, "index") {
			s.Index = fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "i"))
		} else {
			s.Name = genName.Draw(t, "name")
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

func genOperand(t *rapid.T, depth int) *operandSyntax {
	switch n := rapid.IntRange(0, 4).Draw(t, "operand"); {
	case n == 0 && depth > 0:
		return &operandSyntax{Call: genCall(t, depth-1)}
	case n <= 2:
		return &operandSyntax{Value: genValue.Draw(t, "value")}
	}
	return &operandSyntax{Path: genPath(t)}
}

func genCall(t *rapid.T, depth int) *callSyntax {
	name := genFunName.Filter(func(s string) bool { return s[0] != '#' }).Draw(t, "function")
	c := &callSyntax{Name: name}
	for range rapid.IntRange(0, 3).Draw(t, "args") {
		c.Args = append(c.Args, genOperand(t, depth))
	}
	return c
}

func genRelation(t *rapid.T, depth int) *relationSyntax {
	switch rapid.IntRange(0, 2).Draw(t, "relation") {
	case 0:
		return &relationSyntax{Low: genOperand(t, depth), High: genOperand(t, depth)}
	case 1:
		r := &relationSyntax{}
		for range rapid.IntRange(1, 4).Draw(t, "in") {
			r.In = append(r.In, genOperand(t, depth))
		}
		return r
	}
	return &relationSyntax{Comparator: genOp.Draw(t, "comparator"), Right: genOperand(t, depth)}
}

func genTest(t *rapid.T, depth int) *testSyntax {
	left := genOperand(t, depth)
	if left.Call != nil {
		n := &testSyntax{Call: left.Call}
		if rapid.Bool().Draw(t, "compared") {
			n.CallRelation = genRelation(t, depth)
		}
		return n
	}
	return &testSyntax{Left: left, Relation: genRelation(t, depth)}
}

func genFactor(t *rapid.T, depth int) *factorSyntax {
	switch n := rapid.IntRange(0, 4).Draw(t, "factor"); {
	case n == 0 && depth > 0:
		return &factorSyntax{Not: genFactor(t, depth-1)}
	case n == 1 && depth > 0:
		return &factorSyntax{Group: genOr(t, depth-1)}
	}
	return &factorSyntax{Test: genTest(t, depth)}
}

func genOr(t *rapid.T, depth int) *orSyntax {
	n := &orSyntax{}
	for range rapid.IntRange(1, 3).Draw(t, "or") {
		and := &andSyntax{}
		for range rapid.IntRange(1, 3).Draw(t, "and") {
			and.Terms = append(and.Terms, genFactor(t, depth))
		}
		n.Terms = append(n.Terms, and)
	}
	return n
}

func genTerm(t *rapid.T, depth int) *termSyntax {
	switch n := rapid.IntRange(0, 5).Draw(t, "term"); {
	case n == 0 && depth > 0:
		return &termSyntax{Group: genSum(t, depth-1)}
	case n == 1 && depth > 0:
		c := &setCallSyntax{Name: genFunName.Draw(t, "function")}
		for range rapid.IntRange(0, 3).Draw(t, "args") {
			c.Args = append(c.Args, genTerm(t, depth-1))
		}
		return &termSyntax{Call: c}
	case n <= 3:
		return &termSyntax{Value: genValue.Draw(t, "value")}
	}
	return &termSyntax{Path: genPath(t)}
}

func genSum(t *rapid.T, depth int) *sumSyntax {
	s := &sumSyntax{Left: genTerm(t, depth)}
	if rapid.Bool().Draw(t, "sum") {
		s.More = &addendSyntax{Operator: rapid.SampledFrom([]string{"+", "-"}).Draw(t, "operator"), Right: genTerm(t, depth)}
	}
	return s
}

func genChanges(t *rapid.T) []*changeSyntax {
	var changes []*changeSyntax
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		changes = append(changes, &changeSyntax{Path: genPath(t), Value: genValue.Draw(t, "value")})
	}
	return changes
}

func genClause(t *rapid.T) *clauseSyntax {
	c := &clauseSyntax{}
	switch rapid.IntRange(0, 3).Draw(t, "clause") {
	case 0:
		for range rapid.IntRange(1, 3).Draw(t, "assignments") {
			c.Set = append(c.Set, &assignmentSyntax{Path: genPath(t), Value: genSum(t, 3)})
		}
	case 1:
		for range rapid.IntRange(1, 3).Draw(t, "paths") {
			c.Remove = append(c.Remove, genPath(t))
		}
	case 2:
		c.Add = genChanges(t)
	case 3:
		c.Delete = genChanges(t)
	}
	return c
}

// respace writes text in another way that means the same.
func respace(text string) string {
	return strings.NewReplacer(" ", "\t\r\n ", ".", " . ", "[", " [ ", "]", " ]", "(", " ( ", ",", " ,",
		"AND ", "and ", "OR ", "oR ", "NOT ", "Not ", "SET ", "set ", "REMOVE ", "remove ").Replace(text)
}

// checkRoundTrip parses the text of a tree, in two spellings, and compares.
// Positions are not part of the comparison.
func checkRoundTrip[T any](t *rapid.T, g *grammar[T], tree *T, print func(*T) string) {
	text := print(tree)
	for _, spelling := range []string{text, respace(text)} {
		parsed, err := g.parser.ParseString("", spelling)
		require.NoError(t, err, spelling)
		require.Equal(t, text, print(parsed), spelling)
	}
}

func TestPrintThenParse(t *testing.T) {
	t.Run("condition", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			checkRoundTrip(t, conditions, genOr(t, 4), (*orSyntax).String)
		})
	})
	t.Run("projection", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			tree := &projectionSyntax{}
			for range rapid.IntRange(1, 5).Draw(t, "paths") {
				tree.Paths = append(tree.Paths, genPath(t))
			}
			checkRoundTrip(t, projections, tree, (*projectionSyntax).String)
			parsed, err := projections.parser.ParseString("", tree.String())
			require.NoError(t, err)
			require.Equal(t, tree, parsed)
		})
	})
	t.Run("update", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			tree := &updateSyntax{}
			for range rapid.IntRange(1, 4).Draw(t, "clauses") {
				tree.Clauses = append(tree.Clauses, genClause(t))
			}
			checkRoundTrip(t, updates, tree, (*updateSyntax).String)
		})
	})
}
