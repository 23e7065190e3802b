package expression

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func genWorldOperand(t *rapid.T) *operandSyntax {
	switch rapid.IntRange(0, 5).Draw(t, "operand") {
	case 0, 1:
		return &operandSyntax{Value: genWorldValue.Draw(t, "value")}
	case 2:
		return &operandSyntax{Call: &callSyntax{Name: "size", Args: []*operandSyntax{{Path: genWorldPath(t)}}}}
	}
	return &operandSyntax{Path: genWorldPath(t)}
}

func genWorldTest(t *rapid.T) *testSyntax {
	path := func() *operandSyntax { return &operandSyntax{Path: genWorldPath(t)} }
	switch f := rapid.SampledFrom([]string{"", "", "", "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "contains"}).Draw(t, "function"); f {
	case "":
	case "attribute_exists", "attribute_not_exists":
		return &testSyntax{Call: &callSyntax{Name: f, Args: []*operandSyntax{path()}}}
	case "attribute_type":
		return &testSyntax{Call: &callSyntax{Name: f, Args: []*operandSyntax{path(), {Value: genWorldValue.Draw(t, "value")}}}}
	default:
		return &testSyntax{Call: &callSyntax{Name: f, Args: []*operandSyntax{genWorldOperand(t), genWorldOperand(t)}}}
	}
	relation := &relationSyntax{}
	switch rapid.IntRange(0, 4).Draw(t, "relation") {
	case 0:
		relation.Low, relation.High = genWorldOperand(t), genWorldOperand(t)
	case 1:
		for range rapid.IntRange(1, 3).Draw(t, "in") {
			relation.In = append(relation.In, genWorldOperand(t))
		}
	default:
		relation.Comparator, relation.Right = genOp.Draw(t, "comparator"), genWorldOperand(t)
	}
	left := genWorldOperand(t)
	if left.Call != nil {
		return &testSyntax{Call: left.Call, CallRelation: relation}
	}
	return &testSyntax{Left: left, Relation: relation}
}

func genWorldOr(t *rapid.T, depth int) *orSyntax {
	n := &orSyntax{}
	for range rapid.IntRange(1, 2).Draw(t, "or") {
		and := &andSyntax{}
		for range rapid.IntRange(1, 2).Draw(t, "and") {
			and.Terms = append(and.Terms, genWorldFactor(t, depth))
		}
		n.Terms = append(n.Terms, and)
	}
	return n
}

func genWorldFactor(t *rapid.T, depth int) *factorSyntax {
	switch n := rapid.IntRange(0, 5).Draw(t, "factor"); {
	case n == 0 && depth > 0:
		return &factorSyntax{Not: genWorldFactor(t, depth-1)}
	case n == 1 && depth > 0:
		group := genWorldOr(t, depth-1)
		if group.isGroup() {
			group.Terms[0].Terms[0] = &factorSyntax{Test: genWorldTest(t)}
		}
		return &factorSyntax{Group: group}
	}
	return &factorSyntax{Test: genWorldTest(t)}
}

// TestEvalAgainstModel evaluates random conditions on random items, and
// compares with an evaluator that interprets the tree.
func TestEvalAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world := genWorld(t)
		it := world.item.item()
		for range 10 {
			tree := genWorldOr(t, 2)
			text := tree.String()
			c, err := world.binder().Condition(KindCondition, text)
			if err != nil {
				continue // literals of unsuitable types
			}
			require.Equal(t, world.or(tree), c.Eval(it), "%s\non %s", text, showItem(it))
		}
	})
}

// TestEvalOfEveryPair compares all pairs of values with all operators.
func TestEvalOfEveryPair(t *testing.T) {
	for _, a := range worldScalar {
		for _, b := range worldScalar {
			world := &model{item: &node{fields: map[string]*node{"a": a, "b": b}}}
			for _, text := range []string{"a = b", "a <> b", "a < b", "a <= b", "a > b", "a >= b", "a BETWEEN b AND b", "a IN (b)",
				"begins_with(a, b)", "contains(a, b)", "size(a) = size(b)", "size(a) = b", "a <> size(b)", "size(a) < b"} {
				tree, err := conditions.parser.ParseString("", text)
				require.NoError(t, err)
				c, err := world.binder().Condition(KindFilter, text)
				require.NoError(t, err)
				require.Equal(t, world.or(tree), c.Eval(world.item.item()), "%s: %s", text, showItem(world.item.item()))
			}
		}
	}
}
