package item

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestKeyOrderIsCompareOrder(t *testing.T) {
	for _, typ := range []Type{S, N, B} {
		rapid.Check(t, func(t *rapid.T) {
			a, b := anyScalar(typ).Draw(t, "a"), anyScalar(typ).Draw(t, "b")
			suffix := rapid.SliceOf(rapid.Byte()).Draw(t, "what follows")
			aKey, bKey := AppendKey(nil, a), AppendKey(nil, b)
			cmp, ok := Compare(a, b)
			require.True(t, ok)
			require.Equal(t, cmp, bytes.Compare(aKey, bKey))
			if cmp != 0 {
				require.False(t, bytes.HasPrefix(aKey, bKey), "prefix-free")
				require.Equal(t, cmp, bytes.Compare(append(slices.Clone(aKey), suffix...), bKey))
			}
			if typ == N {
				require.LessOrEqual(t, len(aKey), 22)
			}
			v, rest, err := DecodeKey(append(aKey, suffix...), typ)
			require.NoError(t, err)
			require.Equal(t, a, v)
			require.Equal(t, suffix, slices.Clone(rest))
		})
	}
}

func TestNumberKeyOrder(t *testing.T) {
	ordered := []string{
		"-9.9999999999999999999999999999999999999e125", "-1e125", "-100", "-99.9", "-99", "-10", "-9.99", "-9.9", "-9",
		"-1.01", "-1.001", "-1", "-0.11", "-0.1", "-1.5e-130", "-1e-130", "0", "1e-130", "1.5e-130", "0.01", "0.1", "0.11",
		"1", "1.001", "1.01", "9", "9.9", "9.99", "10", "99", "99.9", "100", "101", "110", "1e125",
		"9.9999999999999999999999999999999999999e125",
	}
	var previous []byte
	for _, text := range ordered {
		key := AppendKey(nil, num(text))
		require.Negative(t, bytes.Compare(previous, key), text)
		v, rest, err := DecodeKey(key, N)
		require.NoError(t, err, text)
		require.Empty(t, rest)
		require.Equal(t, num(text), v)
		previous = key
	}
}

func TestKeyPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SliceOf(rapid.SampledFrom([]byte{0, 1, 'a', 0xFE, 0xFF}))
		v, prefix := value.Draw(t, "v"), value.Draw(t, "prefix")
		if rapid.Bool().Draw(t, "cut") {
			prefix = v[:rapid.IntRange(0, len(v)).Draw(t, "at")]
		}
		key, start := AppendKey(nil, Binary(v)), AppendKeyPrefix(nil, Binary(prefix))
		has := bytes.HasPrefix(v, prefix)
		require.Equal(t, has, bytes.HasPrefix(key, start))
		end := PrefixEnd(start)
		inRange := bytes.Compare(start, key) <= 0 && (end == nil || bytes.Compare(key, end) < 0)
		require.Equal(t, has, inRange)
	})
	require.Equal(t, []byte("x"), AppendKeyPrefix([]byte("x"), num("1")))
	require.Equal(t, []byte("x"), AppendKey([]byte("x"), Null()))
	require.Equal(t, []byte("x"), AppendKey([]byte("x"), nil))
}

func TestPrefixEnd(t *testing.T) {
	require.Nil(t, PrefixEnd(nil))
	require.Nil(t, PrefixEnd([]byte{0xFF, 0xFF}))
	require.Equal(t, []byte{1}, PrefixEnd([]byte{0}))
	require.Equal(t, []byte("ac"), PrefixEnd([]byte("ab")))
	require.Equal(t, []byte{1, 3}, PrefixEnd([]byte{1, 2, 0xFF}))
}

func TestDecodeKeyMalformed(t *testing.T) {
	for _, c := range []struct {
		typ Type
		key []byte
	}{
		{S, nil}, {S, []byte("a")}, {S, []byte("a\x00")}, {S, []byte("a\x00\x02")}, {S, []byte("a\x00\xFF")},
		{B, []byte{0, 0}},
		{N, nil}, {N, []byte{0}}, {N, []byte{0x81}}, {N, []byte{0x81, 130}}, {N, []byte{0x81, 130, 0}},
		{N, []byte{0x81, 130, 11}}, {N, []byte{0x81, 130, 5, 0}}, {N, []byte{0x81, 130, 101, 0}},
		{N, []byte{0x81, 130, 11, 1, 0}}, {N, []byte{0x81, 0}}, {N, []byte{0x81, 0, 11}}, {N, []byte{0x7F, 0xFF, 0xFF}},
		{N, append(append([]byte{0x81, 130}, bytes.Repeat([]byte{12}, 20)...), 0)},
		{M, []byte{0x80}}, {0, []byte{0x80}},
	} {
		_, _, err := DecodeKey(c.key, c.typ)
		require.ErrorIs(t, err, ErrKey, "%v % x", c.typ, c.key)
	}
}

func FuzzDecodeKey(f *testing.F) {
	for _, v := range []Value{String(""), String("a\x00b"), num("0"), num("-1.5"), num("123456e100"), Binary([]byte{0xFF, 0})} {
		f.Add(byte(v.Type()), append(AppendKey(nil, v), "more"...))
	}
	f.Fuzz(func(t *testing.T, typ byte, src []byte) {
		v, rest, err := DecodeKey(src, Type(typ))
		if err != nil {
			return
		}
		require.Equal(t, src[:len(src)-len(rest)], AppendKey(nil, v))
	})
}
