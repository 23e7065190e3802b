package partiql

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

func num(n int64) item.Value { return item.NumberValue(item.NumberFromInt(n)) }

func where(t require.TestingT, text string) *Where {
	s, err := Parse("SELECT * FROM t WHERE " + text)
	require.NoError(t, err, text)
	c, err := s.Bind(nil)
	require.NoError(t, err, text)
	return c.Where
}

func TestItemKey(t *testing.T) {
	for _, test := range []struct {
		where    string
		single   bool
		complete bool
		conflict string
		rest     int
	}{
		{where: "pk = 1 AND sk = 2", complete: true},
		{where: "2 = sk AND (x = 1 AND pk = 1)", complete: true, rest: 1},
		{where: "pk = 1 AND sk = 2 AND pk = 1", complete: true},
		{where: "pk = 1 AND sk = 2 AND pk = 3 AND sk = 4", complete: true, conflict: "pk", rest: 2},
		{where: "pk = 1", complete: false},
		{where: "pk = 1 AND sk > 2", rest: 1},
		{where: "pk = 1 OR sk = 2", rest: 1},
		{where: "NOT pk = 1 AND sk = 2", rest: 1},
		{where: "pk IN (1) AND sk = 2", rest: 1},
		{where: "pk IN (1) AND sk = 2", single: true, complete: true},
		{where: "pk IN (1, 2) AND sk = 2", single: true, rest: 1},
		{where: "pk.a = 1 AND sk = 2", rest: 1},
		{where: "pk = sk AND sk = 2", rest: 1},
	} {
		k := where(t, test.where).ItemKey([]string{"pk", "sk"}, test.single)
		require.Equal(t, test.complete, k.Complete, test.where)
		require.Equal(t, test.conflict, k.Conflict, test.where)
		require.Len(t, k.Rest, test.rest, test.where)
		if k.Complete {
			require.Equal(t, num(1), k.Key.Get("pk"), test.where)
			require.Equal(t, num(2), k.Key.Get("sk"), test.where)
		}
	}
	var none *Where
	require.False(t, none.ItemKey([]string{"pk"}, false).Complete)
}

func TestBranches(t *testing.T) {
	for _, test := range []struct {
		where string
		reads int // 0 if not keyed
	}{
		{"pk = 1", 1},
		{"pk = 1 AND sk > 2", 1},
		{"pk IN (1, 2, 3)", 3},
		{"pk IN (1, 2) AND sk IN (1, 2, 3)", 6},
		{"pk = 1 OR pk = 2 AND sk = 1", 2},
		{"pk = 1 AND (sk = 1 OR sk = 2 OR x = 1)", 3},
		{"pk = 1 AND (x = 1 OR y = 2)", 1},
		{"(pk = 1 OR pk = 2) AND (sk < 1 OR sk > 2)", 4},
		{"x = 1 AND y = 2 AND (pk = 1)", 1},
		{"pk = 1 OR x = 1", 0},
		{"pk > 1", 0},
		{"NOT pk = 1", 0},
		{"pk = x", 0},
	} {
		w := where(t, test.where)
		require.Equal(t, test.reads > 0, w.Keyed("pk"), test.where)
		if test.reads > 0 {
			branches, ok := w.Branches("pk", "sk", 50)
			require.True(t, ok)
			require.Len(t, branches, test.reads, test.where)
		}
	}
	w := where(t, "pk IN (1, 2, 3, 4, 5, 6, 7, 8) AND sk IN (1, 2, 3, 4, 5, 6, 7)")
	_, ok := w.Branches("pk", "sk", 50)
	require.False(t, ok)
}

// TestBranchesCover: every item that fulfils a keyed clause lies in one of its
// branches.
func TestBranchesCover(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var condition func(depth int) string
		condition = func(depth int) string {
			kinds := 5
			if depth > 0 {
				kinds = 8
			}
			n := rapid.SampledFrom([]string{"1", "2", "3"})
			name := rapid.SampledFrom([]string{"pk", "sk", "x"}).Draw(t, "name")
			switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
			case 0, 1:
				return name + " = " + n.Draw(t, "n")
			case 2:
				return name + rapid.SampledFrom([]string{" < ", " >= ", " <> ", " <= ", " > "}).Draw(t, "op") + n.Draw(t, "n")
			case 3:
				return name + " IN (" + n.Draw(t, "n") + ", " + n.Draw(t, "n") + ")"
			case 4:
				return name + " BETWEEN 1 AND " + n.Draw(t, "n")
			case 5:
				return "NOT (" + condition(depth-1) + ")"
			case 6:
				return "(" + condition(depth-1) + " AND " + condition(depth-1) + ")"
			}
			return "(" + condition(depth-1) + " OR " + condition(depth-1) + ")"
		}
		text := condition(3)
		w := where(t, text)
		if !w.Keyed("pk") {
			return
		}
		branches, ok := w.Branches("pk", "sk", 1000)
		require.True(t, ok)
		for i := range 27 {
			b := item.NewBuilder()
			b.Set("pk", num(int64(i%3+1)))
			b.Set("sk", num(int64(i/3%3+1)))
			b.Set("x", num(int64(i/9%3+1)))
			if it := b.Item(); w.Condition().Eval(it) {
				require.True(t, covered(branches, it), "%s: %s", text, it.AppendJSON(nil))
			}
		}
	})
}

func covered(branches []Branch, it item.Item) bool {
	for _, b := range branches {
		in := holds(&b.Hash, it)
		for i := range b.Sort {
			in = in && holds(&b.Sort[i], it)
		}
		if in {
			return true
		}
	}
	return false
}

// holds evaluates a key term.
func holds(term *expression.KeyTerm, it item.Item) bool {
	v := it.Get(term.Name)
	order, _ := item.Compare(v, term.Values[0])
	switch term.Op {
	case expression.KeyEq:
		return order == 0
	case expression.KeyLt:
		return order < 0
	case expression.KeyLe:
		return order <= 0
	case expression.KeyGt:
		return order > 0
	case expression.KeyGe:
		return order >= 0
	}
	upper, _ := item.Compare(v, term.Values[1])
	return order >= 0 && upper <= 0
}
