package storage

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model is a sorted map, the obvious implementation of a shard.
type model map[string]string

func (m model) clone() model {
	c := model{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

func (m model) scan(r Range, limit int) []string {
	var ks []string
	for k := range m {
		if k >= string(r.Lower) && (r.Upper == nil || k < string(r.Upper)) {
			ks = append(ks, k)
		}
	}
	slices.Sort(ks)
	if r.Reverse {
		slices.Reverse(ks)
	}
	out := []string{}
	for _, k := range ks[:min(limit, len(ks))] {
		if r.KeysOnly {
			out = append(out, k)
		} else {
			out = append(out, k+"="+m[k])
		}
	}
	return out
}

type scanner interface {
	Scan(Range, func(key, value []byte) (bool, error)) error
}

func scanStrings(t require.TestingT, s scanner, r Range, limit int) []string {
	out := []string{}
	if limit == 0 {
		return out
	}
	require.NoError(t, s.Scan(r, func(key, value []byte) (bool, error) {
		entry := string(key)
		if !r.KeysOnly {
			entry += "=" + string(value)
		}
		out = append(out, entry)
		return len(out) < limit, nil
	}))
	return out
}

// Few letters, and the ends of the byte range, make neighbours and prefixes.
var (
	keyGen = rapid.Custom(func(t *rapid.T) []byte {
		return rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b', 0xfe, 0xff}), 1, 4).Draw(t, "key")
	})
	valueGen = rapid.Custom(func(t *rapid.T) []byte {
		n := rapid.SampledFrom([]int{0, 1, 10, valueThreshold - 5, valueThreshold, 3 * valueThreshold}).Draw(t, "size")
		return bytes.Repeat([]byte{rapid.Byte().Draw(t, "fill")}, n)
	})
	boundGen = rapid.OneOf(rapid.Just([]byte(nil)), keyGen)
	rangeGen = rapid.Custom(func(t *rapid.T) Range {
		return Range{
			Lower:    boundGen.Draw(t, "lower"),
			Upper:    boundGen.Draw(t, "upper"),
			Reverse:  rapid.Bool().Draw(t, "reverse"),
			KeysOnly: rapid.Bool().Draw(t, "keysOnly"),
		}
	})
)

// TestModel runs random operations against a sorted map. On disk it also
// closes and reopens the store, with everything in tables from then on.
func TestModel(t *testing.T) {
	for _, memory := range []bool{true, false} {
		t.Run(fmt.Sprintf("memory=%t", memory), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				o := Options{InMemory: memory, Shards: 1}
				if !memory {
					dir, err := os.MkdirTemp("", "model")
					require.NoError(t, err)
					defer os.RemoveAll(dir)
					o.Dir = dir
				}
				s, err := Open(o)
				require.NoError(t, err)
				defer func() { require.NoError(t, s.Close()) }()
				checkModel(t, &s, o)
			})
		})
	}
}

func checkModel(t *rapid.T, s **Store, o Options) {
	committed, pending := model{}, model{}
	var batch *Batch
	shard := func() *Shard { return (*s).Shards()[0] }
	defer func() {
		if batch != nil {
			batch.Discard()
		}
	}()
	write := func() {
		if batch == nil {
			batch, pending = shard().NewBatch(), committed.clone()
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"set": func(t *rapid.T) {
			write()
			k, v := keyGen.Draw(t, "k"), valueGen.Draw(t, "v")
			require.NoError(t, batch.Set(k, v))
			pending[string(k)] = string(v)
		},
		"delete": func(t *rapid.T) {
			write()
			k := keyGen.Draw(t, "k")
			require.NoError(t, batch.Delete(k))
			delete(pending, string(k))
		},
		"commit": func(t *rapid.T) {
			if batch == nil {
				t.Skip()
			}
			require.NoError(t, batch.Commit())
			batch, committed = nil, pending
		},
		"discard": func(t *rapid.T) {
			if batch == nil {
				t.Skip()
			}
			batch.Discard()
			batch = nil
		},
		"batch get": func(t *rapid.T) {
			write()
			k := keyGen.Draw(t, "k")
			v, ok, err := batch.Get(k)
			require.NoError(t, err)
			want, wantOK := pending[string(k)]
			require.Equal(t, wantOK, ok)
			require.Equal(t, want, string(v))
		},
		"batch scan": func(t *rapid.T) {
			write()
			r, n := rangeGen.Draw(t, "range"), rapid.IntRange(0, 20).Draw(t, "limit")
			require.Equal(t, pending.scan(r, n), scanStrings(t, batch, r, n))
		},
		"get": func(t *rapid.T) {
			k := keyGen.Draw(t, "k")
			require.NoError(t, shard().View(func(sn *Snapshot) error {
				var got string
				ok, err := sn.Get(k, func(v []byte) error {
					got = string(v)
					return nil
				})
				require.NoError(t, err)
				want, wantOK := committed[string(k)]
				require.Equal(t, wantOK, ok)
				require.Equal(t, want, got)
				ok, err = sn.Has(k)
				require.Equal(t, wantOK, ok)
				return err
			}))
		},
		"scan": func(t *rapid.T) {
			r, n := rangeGen.Draw(t, "range"), rapid.IntRange(0, 20).Draw(t, "limit")
			require.NoError(t, shard().View(func(sn *Snapshot) error {
				require.Equal(t, committed.scan(r, n), scanStrings(t, sn, r, n))
				return nil
			}))
		},
		"reopen": func(t *rapid.T) {
			if batch != nil || o.InMemory || rapid.IntRange(0, 3).Draw(t, "rarely") > 0 {
				t.Skip()
			}
			require.NoError(t, (*s).Close())
			o.Compact = rapid.Bool().Draw(t, "compact")
			var err error
			*s, err = Open(o)
			require.NoError(t, err)
			require.NoError(t, shard().VerifyChecksums())
		},
	})
}

func TestRangePrefix(t *testing.T) {
	for _, test := range []struct {
		lower, upper string
		reverse      bool
		want         string
	}{
		{"", "", false, ""},
		{"abc", "", false, ""},
		{"abc", "abd", false, "abc"},
		{"abc", "abd", true, "ab"},
		{"abcx", "abd", false, "abc"},
		{"abc", "abe", false, "ab"},
		{"abc", "abdx", false, "ab"},
		{"abc", "abc\x00", false, "abc"},
		{"a\xff", "b", false, "a"},
		{"\xff", "\xff\xff", false, "\xff"},
		{"ab", "abc", true, "ab"},
	} {
		r := Range{Lower: []byte(test.lower), Upper: []byte(test.upper), Reverse: test.reverse}
		require.Equal(t, test.want, string(r.prefix()), "%+v", test)
	}
}

// A caller's error, and a caller's panic, come back as they are.
func TestCallbackFailures(t *testing.T) {
	sh := open(t, Options{Dir: t.TempDir(), Shards: 1}).Shards()[0]
	set(t, sh, "a", "1", "b", strings.Repeat("x", 2*valueThreshold))
	boom := fmt.Errorf("boom")
	for _, key := range []string{"a", "b"} {
		err := sh.View(func(sn *Snapshot) error {
			ok, err := sn.Get([]byte(key), func([]byte) error { return boom })
			require.True(t, ok)
			return err
		})
		require.Equal(t, boom, err)
	}
	for _, keysOnly := range []bool{false, true} {
		n := 0
		err := sh.View(func(sn *Snapshot) error {
			return sn.Scan(Range{KeysOnly: keysOnly}, func(_, v []byte) (bool, error) {
				require.Equal(t, keysOnly, v == nil)
				n++
				return true, boom
			})
		})
		require.Equal(t, boom, err)
		require.Equal(t, 1, n)
		require.PanicsWithValue(t, "mine", func() {
			sh.View(func(sn *Snapshot) error {
				return sn.Scan(Range{KeysOnly: keysOnly}, func(_, _ []byte) (bool, error) { panic("mine") })
			})
		})
	}
	require.PanicsWithValue(t, "mine", func() {
		sh.View(func(sn *Snapshot) error {
			_, err := sn.Get([]byte("b"), func([]byte) error { panic("mine") })
			return err
		})
	})
	set(t, sh, "c", "the store is still usable")
}
