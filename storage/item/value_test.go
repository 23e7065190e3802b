package item

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func num(text string) Value {
	n, fault := ParseNumber([]byte(text))
	if fault != nil {
		panic(fault)
	}
	return NumberValue(n)
}

func TestTypeTags(t *testing.T) {
	for _, tag := range []string{"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"} {
		parsed, ok := ParseType(tag)
		require.True(t, ok)
		require.Equal(t, tag, parsed.String())
	}
	for _, tag := range []string{"", "s", "XS", "BOOLEAN"} {
		_, ok := ParseType(tag)
		require.False(t, ok)
	}
	require.Empty(t, Type(0).String())
	require.Empty(t, Type(200).String())
}

func TestAccessors(t *testing.T) {
	m := Map(map[string]Value{"b": Bool(true), "a": String("x"), "gone": nil})
	l := List(num("1"), nil, Null(), m)
	ss := Set(SS, String("b"), String("a"), String("b"), num("1"), nil)
	ns := Set(NS, num("10"), num("9"), num("-1"), num("9.0"))

	require.Equal(t, "x", string(String("x").Bytes()))
	require.Equal(t, []byte{0, 255}, Binary([]byte{0, 255}).Bytes())
	require.Equal(t, "-1.5", string(num("-1.50").Bytes()))
	require.Equal(t, NumberFromInt(7), num("7").Number())
	require.True(t, Bool(true).Bool())
	require.False(t, Bool(false).Bool())
	require.Equal(t, 2, m.Len())
	require.Equal(t, String("x"), m.Field("a"))
	require.Equal(t, Bool(true), m.Field("b"))
	require.Nil(t, m.Field("aa"))
	require.Nil(t, m.Field("c"))
	require.Equal(t, []string{"a", "b"}, fieldNames(m))
	require.Equal(t, 3, l.Len())
	require.Equal(t, Null(), l.Index(1))
	require.Equal(t, m, l.Index(2))
	require.Nil(t, l.Index(3))
	require.Nil(t, l.Index(-1))
	require.Equal(t, []Value{num("1"), Null(), m}, slices.Collect(l.Elements()))
	require.Equal(t, []Value{String("a"), String("b")}, slices.Collect(ss.Elements()))
	require.Equal(t, []Value{num("-1"), num("9"), num("10")}, slices.Collect(ns.Elements()))
	require.Nil(t, ss.Index(0), "a set has no positions")
	require.Nil(t, Set(SS))
	require.Nil(t, Set(M, String("a")))
	require.Nil(t, Set(SS, Null()))

	for range m.Fields() {
		break
	}
	for range l.Elements() {
		break
	}
	for _, v := range []Value{nil, Null(), {0}, {99}, {byte(S)}, {byte(S), 5, 'a'}, {byte(M), 0, 0}, {byte(L), 0, 0, 0, 9, 1}, {byte(BOOL)}} {
		require.Nil(t, v.Bytes())
		require.False(t, v.Bool())
		require.Zero(t, v.Number())
		require.Zero(t, v.Len())
		require.Nil(t, v.Field("a"))
		require.Nil(t, v.Index(0))
		require.Empty(t, slices.Collect(v.Elements()))
		require.Empty(t, maps.Collect(fieldStrings(v)))
	}
	require.Zero(t, Value(nil).Type())
	require.Nil(t, Value(nil).Clone())
}

func fieldNames(v Value) (names []string) {
	for name := range v.Fields() {
		names = append(names, string(name))
	}
	return names
}

func fieldStrings(v Value) func(func(string, Value) bool) {
	return func(yield func(string, Value) bool) {
		for name, f := range v.Fields() {
			if !yield(string(name), f) {
				return
			}
		}
	}
}

func TestLargeContainer(t *testing.T) {
	elems := make([]Value, 300) // a count of two bytes
	for i := range elems {
		elems[i] = NumberValue(NumberFromInt(int64(i)))
	}
	l := List(elems...)
	require.Equal(t, 300, l.Len())
	require.Equal(t, elems[299], l.Index(299))
	again, fault, err := decodeValue(string(l.AppendJSON(nil)))
	require.NoError(t, err)
	require.Nil(t, fault)
	require.Equal(t, l, again)
	set := Set(NS, elems...)
	again, fault, err = decodeValue(string(set.AppendJSON(nil)))
	require.NoError(t, err)
	require.Nil(t, fault)
	require.Equal(t, set, again)
	require.Equal(t, elems, slices.Collect(set.Elements()))
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		json string
		size int
	}{
		{`{"S":""}`, 0},
		{`{"S":"é€"}`, 5},
		{`{"B":"AAEC"}`, 3},
		{`{"BOOL":false}`, 1},
		{`{"NULL":true}`, 1},
		{`{"N":"-100.5"}`, 5},
		{`{"SS":["a","bc"]}`, 3},
		{`{"NS":["1","12","123"]}`, 7},
		{`{"BS":["AA==",""]}`, 1},
		{`{"L":[]}`, 3},
		{`{"M":{}}`, 3},
		{`{"L":[{"S":"ab"},{"L":[]}]}`, 3 + 1 + 2 + 1 + 3},
		{`{"M":{"é":{"S":"ab"},"b":{"NULL":true}}}`, 3 + 1 + 2 + 2 + 1 + 1 + 1},
	} {
		v, fault, err := decodeValue(c.json)
		require.NoError(t, err)
		require.Nil(t, fault)
		require.Equal(t, c.size, v.Size(), c.json)
	}
	it, fault, err := decodeItem(`{"shirt-color":{"S":"R"},"shirt-size":{"S":"M"}}`)
	require.NoError(t, err)
	require.Nil(t, fault)
	require.Equal(t, 23, it.Size()) // the Developer Guide's example
}

func TestDepth(t *testing.T) {
	require.Equal(t, 0, Value(nil).Depth())
	require.Equal(t, 1, String("").Depth())
	require.Equal(t, 1, Set(SS, String("a")).Depth())
	require.Equal(t, 1, List().Depth())
	require.Equal(t, 2, List(Null(), Null()).Depth())
	require.Equal(t, 4, Map(map[string]Value{"a": Null(), "b": List(List(Null()), Null()), "c": Null()}).Depth())
}

func TestCompare(t *testing.T) {
	ordered := [][]Value{
		{String(""), String("\x00"), String("10"), String("2"), String("A"), String("a"), String("ab"), String("\uffff"), String("\U00010000")},
		{Binary(nil), Binary([]byte{0}), Binary([]byte{0, 0}), Binary([]byte{1}), Binary([]byte{0x7f, 0xff}), Binary([]byte{0x80})},
		{num("-1e125"), num("-10"), num("-9.5"), num("-9"), num("-0.1"), num("-0.01"), num("0"), num("1e-130"), num("0.01"), num("0.1"), num("0.15"), num("1"), num("1.5"), num("9"), num("10"), num("10.01"), num("12"), num("12.5"), num("1e125")},
	}
	for _, values := range ordered {
		for i, a := range values {
			for j, b := range values {
				got, ok := Compare(a, b)
				require.True(t, ok)
				require.Equal(t, cmpInt(i, j), got, "%s %s", a.AppendJSON(nil), b.AppendJSON(nil))
				require.Equal(t, i == j, Equal(a, b))
				if a.Type() == N {
					require.Equal(t, got, a.Number().Cmp(b.Number()))
				}
			}
		}
	}
	for _, pair := range [][2]Value{
		{String("1"), num("1")}, {String("a"), Binary([]byte("a"))}, {Null(), Null()}, {Bool(true), Bool(true)},
		{List(), List()}, {Set(SS, String("a")), Set(SS, String("a"))}, {nil, nil}, {nil, String("")},
	} {
		_, ok := Compare(pair[0], pair[1])
		require.False(t, ok)
	}
}

func cmpInt(i, j int) int {
	switch {
	case i < j:
		return -1
	case i > j:
		return 1
	}
	return 0
}

// deepEqual is DynamoDB's equality, spelled out over the accessors.
func deepEqual(a, b Value) bool {
	if a.Type() != b.Type() || a.Len() != b.Len() {
		return false
	}
	switch a.Type() {
	case N:
		return a.Number().Cmp(b.Number()) == 0
	case M:
		for name, f := range a.Fields() {
			if g := b.Field(string(name)); g == nil || !deepEqual(f, g) {
				return false
			}
		}
		return true
	case L:
		for i := range a.Len() {
			if !deepEqual(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case SS, NS, BS:
		for m := range a.Elements() {
			found := false
			for n := range b.Elements() {
				found = found || deepEqual(m, n)
			}
			if !found {
				return false
			}
		}
		return true
	case BOOL:
		return a.Bool() == b.Bool()
	}
	return string(a.Bytes()) == string(b.Bytes())
}

func TestEqualMeansSameBytes(t *testing.T) {
	small := rapid.Custom(func(t *rapid.T) Value {
		scalars := rapid.SampledFrom([]Value{num("1"), num("2"), String("1"), Binary([]byte("1")), Null(), Bool(true), Bool(false)})
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0:
			return List(rapid.SliceOfN(scalars, 0, 2).Draw(t, "l")...)
		case 1:
			return Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b"}), scalars, 0, 2).Draw(t, "m"))
		case 2:
			return Set(NS, rapid.SliceOfN(rapid.SampledFrom([]Value{num("1"), num("2.0"), num("2"), num("10")}), 1, 4).Draw(t, "ns")...)
		}
		return scalars.Draw(t, "s")
	})
	rapid.Check(t, func(t *rapid.T) {
		mixed := rapid.OneOf(small, anyValue(3))
		a, b := mixed.Draw(t, "a"), mixed.Draw(t, "b")
		require.Equal(t, deepEqual(a, b), Equal(a, b))
		require.True(t, deepEqual(a, a.Clone()))
	})
}

func TestTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(5).Draw(t, "v")
		require.Equal(t, v, v.Tree().Value())
	})
	require.Nil(t, Value(nil).Tree())
	require.Nil(t, (*Tree)(nil).Value())

	tree := Map(map[string]Value{"l": List(Null(), num("1")), "s": String("x"), "set": Set(SS, String("a"))}).Tree()
	tree.Fields["l"].List[0] = &Tree{Type: S, Scalar: String("new")}
	tree.Fields["l"].List = append(tree.Fields["l"].List, nil)
	tree.Fields["a"] = &Tree{Type: M}
	tree.Fields["set"].Scalar = nil
	delete(tree.Fields, "s")
	require.Equal(t, Map(map[string]Value{"a": Map(nil), "l": List(String("new"), num("1"))}), tree.Value())
}
