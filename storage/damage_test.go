package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/stretchr/testify/require"
)

func textLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// damageKeys entries are in a closed store for the tests of damage, some in the
// value log. They make a few tables' blocks and, over three sessions, several
// tables and value logs.
const damageKeys = 3000

func damageEntry(i int) (key, value []byte) {
	key, value = crashEntry(uint64(i), 0)
	if i%50 != 0 {
		value = value[:min(len(value), 200)]
	}
	return key, value
}

// closedStore makes such a store and returns its directory and its shard's.
func closedStore(t testing.TB) (dir, shard string) {
	dir = t.TempDir()
	for session := range 3 {
		s := open(t, Options{Dir: dir, Shards: 1})
		b := s.Shards()[0].NewBatch()
		for i := session; i < damageKeys; i += 3 {
			key, value := damageEntry(i)
			require.NoError(t, b.Set(key, value))
		}
		require.NoError(t, b.Commit())
		require.NoError(t, s.Close())
	}
	return dir, shardDir(dir, 0)
}

func copyDir(t testing.TB, dir string) string {
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

func flip(t testing.TB, path string, offset int) {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	if offset < 0 {
		offset += len(b)
	}
	b[offset] ^= 0x10
	require.NoError(t, os.WriteFile(path, b, 0o600))
}

func truncate(t testing.TB, path string, cut int64) {
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, max(info.Size()-cut, 0)))
}

func fileNames(t testing.TB, dir string) []string {
	files, err := listFiles(dir)
	require.NoError(t, err)
	return files.with("")
}

// TestDamageIsRefusedAtOpen damages a copy of a store in every way that can be
// told at open, after an orderly close and after a crash, and requires that the
// error names the file and that no file is gone.
func TestDamageIsRefusedAtOpen(t *testing.T) {
	dir, shard := closedStore(t)
	files, err := listFiles(shard)
	require.NoError(t, err)
	tables, logs := files.with(tableSuffix), files.with(valueLogSuffix)
	require.GreaterOrEqual(t, len(tables), 3)
	require.GreaterOrEqual(t, len(logs), 3)
	table, log := tables[0], logs[len(logs)-1]

	for _, test := range []struct {
		name   string
		file   string
		damage func(t testing.TB, path string)
		crash  bool // refused after a crash, too
	}{
		{"manifest missing", "MANIFEST", remove, true},
		{"manifest magic", "MANIFEST", flipAt(0), true},
		{"manifest checksum", "MANIFEST", flipAt(20), true},
		{"manifest short", "MANIFEST", cut(5), false},
		{"manifest empty", "MANIFEST", cut(1 << 20), true},
		{"table missing", table, remove, true},
		{"table empty", table, cut(1 << 30), true},
		{"table short", table, cut(1), true},
		{"table very short", table, cut(files[table] - 3), true},
		{"table half", table, cut(files[table] / 2), true},
		{"table footer", table, flipAt(-1), true},
		{"table index", table, flipAt(-60), true},
		{"table last block", table, flipAt(int(files[table]) * 9 / 10), true},
		{"table first block", table, flipAt(10), true},
		{"value log missing", log, remove, false},
		{"value log short", log, cut(3), false},
		{"registry missing", "KEYREGISTRY", remove, false},
		{"registry", "KEYREGISTRY", flipAt(20), true},
		{"discard missing", "DISCARD", remove, false},
		{"extra table", "000777.sst", extra, false},
		{"inventory", cleanName, flipAt(0), false},
	} {
		for _, crash := range []bool{false, true} {
			if crash && !test.crash {
				continue
			}
			t.Run(fmt.Sprintf("%s crash=%t", test.name, crash), func(t *testing.T) {
				dir := copyDir(t, dir)
				shard := shardDir(dir, 0)
				if crash {
					require.NoError(t, dropInventory(shard))
				}
				test.damage(t, filepath.Join(shard, test.file))
				before := fileNames(t, shard)
				_, err := Open(Options{Dir: dir})
				require.ErrorIs(t, err, ErrCorrupt)
				require.ErrorContains(t, err, shard)
				require.ErrorContains(t, err, test.file)
				require.Subset(t, fileNames(t, shard), before)
				_, err = Open(Options{Dir: dir})
				require.ErrorIs(t, err, ErrCorrupt, "the lock is free and nothing was made up")
			})
		}
	}
	s := open(t, Options{Dir: dir})
	requireDamageStore(t, s.Shards()[0])
}

func remove(t testing.TB, path string) { require.NoError(t, os.Remove(path)) }

func extra(t testing.TB, path string) { require.NoError(t, os.WriteFile(path, []byte("x"), 0o600)) }

func flipAt(offset int) func(testing.TB, string) {
	return func(t testing.TB, path string) { flip(t, path, offset) }
}

func cut(n int64) func(testing.TB, string) {
	return func(t testing.TB, path string) { truncate(t, path, n) }
}

func requireDamageStore(t testing.TB, sh *Shard) {
	require.NoError(t, sh.VerifyChecksums())
	i := 0
	require.NoError(t, sh.View(func(sn *Snapshot) error {
		return sn.Scan(Range{}, func(key, value []byte) (bool, error) {
			k, v := damageEntry(i)
			require.Equal(t, k, key)
			require.Equal(t, v, value)
			i++
			return true, nil
		})
	}))
	require.Equal(t, damageKeys, i)
}

// No flipped byte in any table goes unnoticed at open, and none ends the
// process.
func TestEveryByteOfATableCounts(t *testing.T) {
	_, shard := closedStore(t)
	files, err := listFiles(shard)
	require.NoError(t, err)
	name := files.with(tableSuffix)[0]
	original, err := os.ReadFile(filepath.Join(shard, name))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name)
	write := func(b []byte) { require.NoError(t, os.WriteFile(path, b, 0o600)) }
	write(original)
	require.NoError(t, checkTable(path, true))

	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		offset := r.IntN(len(original))
		if i < 600 { // all of the end, where the lengths are
			offset = len(original) - 1 - i
		}
		bad := original[offset] ^ byte(1+r.IntN(255))
		_, err := f.WriteAt([]byte{bad}, int64(offset))
		require.NoError(t, err)
		require.Error(t, checkTable(path, true), "byte %d of %d made %#x", offset, len(original), bad)
		_, err = f.WriteAt(original[offset:offset+1], int64(offset))
		require.NoError(t, err)
	}
	for range 200 {
		write(original[:r.IntN(len(original))])
		require.Error(t, checkTable(path, true))
	}
}

// Damage to the blocks of a shard too large to be verified at open, and to
// older value logs, shows when the values are read and in VerifyChecksums.
func TestDamageIsFoundOnRead(t *testing.T) {
	dir, shard := closedStore(t)
	files, err := listFiles(shard)
	require.NoError(t, err)
	sh := open(t, Options{Dir: dir}).Shards()[0]

	for _, test := range []struct {
		name, suffix string
		damage       func(t testing.TB, path string)
	}{
		{"value in a block", tableSuffix, func(t testing.TB, path string) { flipFirstValue(t, path) }},
		{"all of a block", tableSuffix, func(t testing.TB, path string) { overwrite(t, path, 0, 4000) }},
		{"value in a log", valueLogSuffix, func(t testing.TB, path string) { overwrite(t, path, 100, 1) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := largest(files, test.suffix)
			path := filepath.Join(shard, name)
			original, err := os.ReadFile(path)
			require.NoError(t, err)
			test.damage(t, path)
			defer overwriteWith(t, path, 0, original)

			err = sh.VerifyChecksums()
			require.ErrorIs(t, err, ErrCorrupt)
			require.ErrorContains(t, err, path)
			failed := 0
			for i := range damageKeys {
				key, want := damageEntry(i)
				var got []byte
				ok, err := getBytes(sh, key, &got)
				switch {
				case err != nil:
					require.ErrorIs(t, err, ErrCorrupt)
					require.ErrorContains(t, err, shard)
					failed++
				case ok:
					require.Equal(t, want, got, "never a wrong value")
				}
			}
			require.Positive(t, failed)
			require.ErrorIs(t, sh.View(func(sn *Snapshot) error {
				return sn.Scan(Range{}, func(_, _ []byte) (bool, error) { return true, nil })
			}), ErrCorrupt)
		})
	}
	requireDamageStore(t, sh)
}

func getBytes(sh *Shard, key []byte, to *[]byte) (found bool, err error) {
	err = sh.View(func(sn *Snapshot) error {
		var err error
		found, err = sn.Get(key, func(v []byte) error {
			*to = append([]byte{}, v...)
			return nil
		})
		return err
	})
	return found, err
}

func largest(files inventory, suffix string) (name string) {
	for _, n := range files.with(suffix) {
		if name == "" || files[n] > files[name] {
			name = n
		}
	}
	return name
}

// flipFirstValue changes a byte of the first value of a table, leaving the
// structure of the block as it is.
func flipFirstValue(t testing.TB, path string) {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	_, end, err := readSized(f, info.Size())
	require.NoError(t, err)
	index, _, err := readSized(f, end)
	require.NoError(t, err)
	var place fb.BlockOffset
	require.True(t, fb.GetRootAsTableIndex(index, 0).Offsets(&place, 0))
	// An entry is a header of 4 bytes, the key, and the value after 3 of Badger's.
	overwrite(t, path, 4+place.KeyLength()+3+10, 1)
}

func overwrite(t testing.TB, path string, offset, n int) {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range n {
		b[offset+i] ^= 0x55
	}
	overwriteWith(t, path, int64(offset), b[offset:offset+n])
}

// overwriteWith changes the file in place, which a mapping of it sees.
func overwriteWith(t testing.TB, path string, offset int64, b []byte) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(b, offset)
	require.NoError(t, errors.Join(err, f.Close()))
}

// A value log that disappears from a crashed store is noticed by verify.
func TestMissingValueLogIsFound(t *testing.T) {
	dir, shard := closedStore(t)
	require.NoError(t, dropInventory(shard))
	files, err := listFiles(shard)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(shard, largest(files, valueLogSuffix))))
	sh := open(t, Options{Dir: dir}).Shards()[0]
	require.ErrorIs(t, sh.VerifyChecksums(), ErrCorrupt)
	var failed bool
	for i := 0; i < damageKeys; i += 50 {
		key, _ := damageEntry(i)
		var v []byte
		if _, err := getBytes(sh, key, &v); err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			failed = true
		}
	}
	require.True(t, failed)
}

// A table that shrinks under its mapping makes reads fault.
func TestFaultIsAnError(t *testing.T) {
	dir, shard := closedStore(t)
	sh := open(t, Options{Dir: dir}).Shards()[0]
	files, err := listFiles(shard)
	require.NoError(t, err)
	path := filepath.Join(shard, largest(files, tableSuffix))
	original, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 0))
	defer overwriteWith(t, path, 0, original)
	require.ErrorIs(t, sh.View(func(sn *Snapshot) error {
		return sn.Scan(Range{}, func(_, _ []byte) (bool, error) { return true, nil })
	}), ErrCorrupt)
	require.ErrorIs(t, sh.VerifyChecksums(), ErrCorrupt)
}

func TestEnvironmentalErrors(t *testing.T) {
	require.True(t, isEnvironmental(errors.New("while opening: "+os.ErrPermission.Error())))
	require.False(t, isEnvironmental(badger.ErrTruncateNeeded))
}

func FuzzCheckTable(f *testing.F) {
	addFiles(f, tableSuffix)
	f.Fuzz(func(t *testing.T, b []byte) {
		if checkTableBytes(bytes.NewReader(b), int64(len(b)), true) == nil {
			require.NoError(t, checkTableBytes(bytes.NewReader(b), int64(len(b)), false))
		}
	})
}

func FuzzCheckValueLog(f *testing.F) {
	addFiles(f, valueLogSuffix)
	f.Fuzz(func(t *testing.T, b []byte) {
		if checkLogBytes(bytes.NewReader(b)) == nil && len(b) > 20 {
			require.Error(t, checkLogBytes(bytes.NewReader(b[:len(b)-1])))
		}
	})
}

// addFiles adds the files of a small shard to the corpus.
func addFiles(f *testing.F, suffix string) {
	dir := f.TempDir()
	s := open(f, Options{Dir: dir, Shards: 1})
	set(f, s.Shards()[0], "a", "1", "b", strings.Repeat("2", valueThreshold))
	require.NoError(f, s.Close())
	files, err := listFiles(shardDir(dir, 0))
	require.NoError(f, err)
	for _, name := range files.with(suffix) {
		b, err := os.ReadFile(filepath.Join(shardDir(dir, 0), name))
		require.NoError(f, err)
		if suffix == tableSuffix {
			require.NoError(f, checkTableBytes(bytes.NewReader(b), int64(len(b)), true))
		} else {
			require.NoError(f, checkLogBytes(bytes.NewReader(b)))
		}
		f.Add(b)
	}
}
