package item

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestItemAccessors(t *testing.T) {
	it := build(map[string]Value{"b": num("12"), "a": String("x"), "cc": List(Null())})
	require.Equal(t, 3, it.Len())
	require.Equal(t, 1+2+1+1+2+5, it.Size())
	require.Equal(t, String("x"), it.Get("a"))
	require.Equal(t, num("12"), it.Get("b"))
	require.Equal(t, List(Null()), it.Get("cc"))
	for _, absent := range []string{"", "A", "aa", "c", "ccc", "d"} {
		require.Nil(t, it.Get(absent))
	}
	var names []string
	for name, v := range it.Fields() {
		names = append(names, string(name))
		require.Equal(t, it.Get(string(name)), v)
	}
	require.Equal(t, []string{"a", "b", "cc"}, names)
	for range it.Fields() {
		break
	}

	for _, none := range []Item{nil, {}, Empty, {9, 1, 1}, {1}, {1, 0}, {1, 0, 5}, {1, 3, 1, 1, 'a', 77}} {
		require.Nil(t, none.Get("a"))
		for range none.Fields() {
			require.Fail(t, "no fields")
		}
	}
	require.Nil(t, Item(nil).Clone())
	require.Equal(t, it, it.Clone())
}

func TestBuilder(t *testing.T) {
	b := NewBuilder()
	require.Equal(t, Empty, b.Item())
	b.Set("b", num("1"))
	b.Set("a", String("first"))
	b.Set("c", Null())
	b.Set("a", String("second"))
	b.Set("c", nil)
	first := b.Item()
	require.NoError(t, Valid(first))
	require.Equal(t, `{"a":{"S":"second"},"b":{"N":"1"}}`, string(first.AppendJSON(nil)))

	b.Set("left over", Null())
	b.Reset()
	b.Set("a", Null())
	require.Equal(t, `{"a":{"NULL":true}}`, string(b.Item().AppendJSON(nil)))
	require.Equal(t, `{"a":{"S":"second"},"b":{"N":"1"}}`, string(first.AppendJSON(nil)), "not overwritten")
}

func TestBuilderManyNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.StringMatching(`(same start )?[a-f\x00]{1,2}`), 17, 80).Draw(t, "names")
		b, last := NewBuilder(), map[string]Value{}
		for i, name := range names {
			last[name] = NumberValue(NumberFromInt(int64(i)))
			b.Set(name, last[name])
		}
		it := b.Item()
		require.NoError(t, Valid(it))
		got := map[string]Value{}
		for name, v := range it.Fields() {
			got[string(name)] = v
		}
		require.Equal(t, last, got)
	})
}

func TestBuilderReusesMemory(t *testing.T) {
	b, name, v := NewBuilder(), "name", String("value")
	require.Equal(t, 1.0, testing.AllocsPerRun(100, func() {
		b.Set(name, v)
		b.Set("b", v)
		b.Item()
	}))
}

func TestWith(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := anyFields.Draw(t, "fields")
		it := build(fields)
		before := it.Clone()
		changes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Change {
			c := Change{Name: anyName.Draw(t, "name")}
			if rapid.Bool().Draw(t, "set") {
				c.Value = anyValue(2).Draw(t, "value")
			}
			return c
		}), 0, 6).Draw(t, "changes")
		asGiven := slices.Clone(changes)
		for _, c := range changes {
			fields[c.Name] = c.Value
		}
		maps.DeleteFunc(fields, func(_ string, v Value) bool { return v == nil })

		require.Equal(t, build(fields), it.With(changes...))
		require.Equal(t, asGiven, changes, "changes are not reordered")
		require.Equal(t, before, it)
	})
	require.Equal(t, Empty, Item(nil).With())
	require.Equal(t, Empty, Item(nil).With(Change{Name: "a"}))
	require.Equal(t, build(map[string]Value{"a": Null()}), Item(nil).With(Change{"a", Null()}))
}

func TestProject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := anyFields.Draw(t, "fields")
		it := build(fields)
		names := rapid.SliceOfN(anyName, 0, 6).Draw(t, "names")
		for name := range fields {
			if rapid.Bool().Draw(t, "keep") {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		maps.DeleteFunc(fields, func(name string, _ Value) bool { return !slices.Contains(names, name) })
		require.Equal(t, build(fields), it.Project(names))
	})
	require.Equal(t, Empty, Item(nil).Project([]string{"a"}))
}
