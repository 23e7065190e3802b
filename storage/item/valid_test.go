package item

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidRefuses(t *testing.T) {
	deep := String("x")
	for range MaxDepth {
		deep = List(deep)
	}
	item := func(entries ...string) []byte {
		return append([]byte{1, 3, byte(len(entries))}, strings.Join(entries, "")...)
	}
	for why, it := range map[string][]byte{
		"no bytes":                  {},
		"unknown version":           {2, 0, 0},
		"size cut":                  {1},
		"size with needless byte":   {1, 0x80, 0, 0},
		"size over 31 bits":         {1, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0},
		"count cut":                 {1, 0},
		"fewer entries":             {1, 0, 1},
		"more entries":              append(item("\x01a\x05"), "\x01b\x05"...),
		"wrong size":                {1, 3, 1, 1, 'a', byte(NULL)},
		"empty name":                {1, 1, 1, 0, byte(NULL)},
		"name past the end":         item("\x09a\x05"),
		"name not UTF-8":            item("\x02\xff\xff\x05"),
		"names out of order":        item("\x01b\x04\x01", "\x01a\x05"),
		"name twice":                item("\x01a\x05", "\x01a\x05"),
		"unknown tag":               item("\x01a\x0b"),
		"no value":                  item("\x01a"),
		"boolean 2":                 item("\x01a\x04\x02"),
		"payload past the end":      item("\x01a\x01\x05x"),
		"length with needless byte": item("\x01a\x01\x81\x00x"),
		"string not UTF-8":          item("\x01a\x01\x02\xff\xff"),
		"no number":                 item("\x01a\x02\x01x"),
		"number not canonical":      item("\x01a\x02\x0201"),
		"container past the end":    item("\x01a\x07\x00\x00\x00\x05\x00"),
		"container without count":   item("\x01a\x07\x00\x00\x00\x00"),
		"list with too few":         item("\x01a\x07\x00\x00\x00\x02\x02\x05"),
		"list with too many":        item("\x01a\x07\x00\x00\x00\x02\x00\x05"),
		"map with too many":         item("\x01a\x06\x00\x00\x00\x02\x00\x05"),
		"empty set":                 item("\x01a\x08\x00\x00\x00\x01\x00"),
		"set of another type":       item("\x01a\x08\x00\x00\x00\x04\x01\x03\x01x"),
		"set with too many":         item("\x01a\x08\x00\x00\x00\x07\x01\x01\x01a\x01\x01b"),
		"set out of order":          item("\x01a\x08\x00\x00\x00\x07\x02\x01\x01b\x01\x01a"),
		"set member cut":            item("\x01a\x08\x00\x00\x00\x03\x01\x01\x05"),
		"set member twice":          item("\x01a\x08\x00\x00\x00\x07\x02\x01\x01b\x01\x01b"),
		"too deep":                  build(map[string]Value{"a": deep}),
	} {
		require.ErrorIs(t, Valid(it), ErrCorrupt, why)
	}
	require.NoError(t, Valid(Empty))
	require.NoError(t, Valid(build(map[string]Value{"a": deep.Index(0)})))
}

// exercise calls everything that reads stored bytes.
func exercise(b []byte) {
	it := Item(b)
	_, _, _ = it.Get("a"), it.Len(), it.Size()
	_ = it.AppendJSON(nil)
	_ = it.With(Change{"a", nil}, Change{"b", Null()})
	_ = it.Project([]string{"a", "b"})
	values := []Value{Value(b)}
	for _, v := range it.Fields() {
		values = append(values, v)
	}
	for _, v := range values {
		_, _, _, _, _ = v.Type(), v.Bytes(), v.Bool(), v.Number(), v.Len()
		_, _, _, _ = v.Field("a"), v.Index(1), v.Size(), v.Depth()
		_ = v.AppendJSON(nil)
		_ = AppendKey(nil, v)
		_ = AppendKeyPrefix(nil, v)
		_ = v.Tree().Value()
		_, _ = Compare(v, v)
		_, _ = Compare(v, num("-1.5"))
	}
}

func TestDamagedBytes(t *testing.T) {
	whole := build(map[string]Value{
		"a": String("text"), "b": num("-12.5"), "c": Binary([]byte{0, 1}), "d": Bool(true), "e": Null(),
		"f": List(String("x"), List(num("1"))), "g": Map(map[string]Value{"a": Null(), "b": Set(BS, Binary([]byte{1}))}),
		"h": Set(NS, num("1"), num("-2")), "i": Set(SS, String("a"), String("b")),
	})
	for i := range whole {
		exercise(whole[:i])
		require.Error(t, Valid(whole[:i]))
		for _, flip := range []byte{0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF} {
			damaged := slices.Clone(whole)
			damaged[i] ^= flip
			exercise(damaged)
		}
	}
	exercise(slices.Concat([]byte{1, 0, 1, 1, 'a'}, endlessNesting(L)))
	exercise(endlessNesting(L))
	exercise(endlessNesting(M))
}

// endlessNesting is a value nested far more deeply than anything written here,
// which nothing may follow to the bottom.
func endlessNesting(t Type) []byte {
	const levels = 100_000
	inner := []byte{byte(t), 0, 0, 0, 0, 1}
	if t == M {
		inner = append(inner, 0) // empty name
	}
	var b []byte
	for i := range levels {
		length := (levels-i)*len(inner) - containerHeader
		inner[1], inner[2], inner[3], inner[4] = byte(length>>24), byte(length>>16), byte(length>>8), byte(length)
		b = append(b, inner...)
	}
	return b
}

func FuzzValid(f *testing.F) {
	f.Add([]byte(Empty))
	f.Add([]byte(build(map[string]Value{"a": String("text"), "n": num("-12.5"), "l": List(Null(), Bool(true)), "m": Map(map[string]Value{"x": Binary([]byte{1})})})))
	f.Add([]byte(build(map[string]Value{"s": Set(SS, String("a"), String("b")), "n": Set(NS, num("1"), num("2")), "b": Set(BS, Binary(nil))})))
	f.Add(endlessNesting(L)[:200])
	f.Fuzz(func(t *testing.T, b []byte) {
		exercise(b)
		if Valid(b) != nil {
			return
		}
		it, again := Item(b), NewBuilder()
		for name, v := range it.Fields() {
			require.Equal(t, v, v.Tree().Value())
			require.LessOrEqual(t, v.Depth(), MaxDepth)
			again.Set(string(name), v)
		}
		require.Equal(t, it, again.Item())
		decoded, fault, err := decodeItem(string(it.AppendJSON(nil)))
		require.NoError(t, err)
		require.Nil(t, fault)
		require.Equal(t, it, decoded)
	})
}
