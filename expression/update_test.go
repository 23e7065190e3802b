package expression

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

func mustUpdate(t testing.TB, text string, values map[string]item.Value) *Update {
	t.Helper()
	u, err := NewBinder(nil, values).Update(text)
	require.NoError(t, err)
	return u
}

func TestUpdatePaths(t *testing.T) {
	u := mustUpdate(t, "SET a.b = if_not_exists(c[1], d) + :n REMOVE e ADD f :n", testValues)
	print := func(paths []Path) string {
		var texts []string
		for _, p := range paths {
			texts = append(texts, p.String())
		}
		return strings.Join(texts, " ")
	}
	require.Equal(t, "[a, b] [e] [f]", print(u.Targets()))
	require.Equal(t, "[a, b] [c, [1]] [d] [e] [f]", print(u.Paths()))
}

func TestLiteralSet(t *testing.T) {
	u := mustUpdate(t, "SET a = :v, b.c = :v, d = a, e = (:n), f = if_not_exists(f, :v) ADD g :n", testValues)
	for name, want := range map[string]item.Value{"a": testValues[":v"], "e": testValues[":n"], "b": nil, "c": nil, "d": nil, "f": nil, "g": nil, "h": nil} {
		v, ok := u.LiteralSet(name)
		require.Equal(t, want != nil, ok, name)
		require.Equal(t, want, v, name)
	}
}

// TestUpdateTooDeep builds values of 32 and 33 levels out of shallower ones.
func TestUpdateTooDeep(t *testing.T) {
	deep := item.String("x") // one level
	for range 30 {
		deep = item.Map(map[string]item.Value{"a": deep})
	}
	require.Equal(t, 31, deep.Depth())
	values := map[string]item.Value{":deep": deep, ":list": item.List(deep)}
	old := mustItem(t, `{"pk":{"S":"p"},"m":{"M":{"n":{"M":{}}}},"l":{"L":[]}}`)

	tests := []struct {
		text string
		err  error
	}{
		{"SET m = :deep", nil},
		{"SET m.n = :deep", nil}, // 32 levels
		{"SET m.n.o = :deep", ErrTooDeep},
		{"SET l[0] = :deep", nil},
		{"SET l = list_append(l, :list)", nil},
		{"SET m.l = list_append(l, :list)", ErrTooDeep},
	}
	for _, tt := range tests {
		it, err := mustUpdate(t, tt.text, values).Apply(old)
		require.ErrorIs(t, err, tt.err, tt.text)
		if err == nil {
			require.NoError(t, item.Valid(it))
		}
	}
}

// TestUpdateLeavesItemsAlone changes an item in every way and compares it with
// a copy made before.
func TestUpdateLeavesItemsAlone(t *testing.T) {
	old := mustItem(t, `{"pk":{"S":"p"},"m":{"M":{"n":{"N":"1"}}},"l":{"L":[{"N":"1"},{"N":"2"}]},"ss":{"SS":["a","b"]}}`)
	before := old.Clone()
	values := map[string]item.Value{":n": testValues[":n"], ":ss": item.Set(item.SS, item.String("a"))}
	it, err := mustUpdate(t, "SET m.n = m.n + :n, l[0] = :n, q = m, r = ss REMOVE l[1] DELETE ss :ss", values).Apply(old)
	require.NoError(t, err)
	require.Equal(t, before, old)
	require.NoError(t, item.Valid(it))
	after := it.Clone()
	clear(old)
	require.Equal(t, after, it, "the result must not share memory with the old item")
}
