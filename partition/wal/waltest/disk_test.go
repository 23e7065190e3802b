package waltest_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/wal"
	"github.com/stator-db/stator/partition/wal/waltest"
)

func create(t *testing.T, d *waltest.Disk, path, data string) wal.File {
	t.Helper()
	f, err := d.Create(path)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte(data), 0)
	require.NoError(t, err)
	return f
}

func read(t *testing.T, d *waltest.Disk, path string) string {
	t.Helper()
	f, err := d.Open(path)
	require.NoError(t, err)
	n, err := f.Size()
	require.NoError(t, err)
	b := make([]byte, n)
	_, err = f.ReadAt(b, 0)
	require.NoError(t, err)
	return string(b)
}

// TestCrash shows what a crash without luck leaves: what was synced, under names
// that were synced.
func TestCrash(t *testing.T) {
	t.Parallel()
	d := waltest.NewDisk()
	lock, err := d.Lock("d")
	require.NoError(t, err)
	f := create(t, d, "d/a", "synced")
	require.NoError(t, f.Sync())
	create(t, d, "d/empty", "never synced")
	require.NoError(t, d.SyncDir("d"))
	_, err = f.WriteAt([]byte("SYNCED and more"), 0)
	require.NoError(t, err)
	require.NoError(t, create(t, d, "d/nameless", "data").Sync())
	require.NoError(t, d.Rename("d/a", "d/b"))
	require.Equal(t, "SYNCED and more", read(t, d, "d/b"))

	d.Crash(nil)
	names, err := d.List("d")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "empty"}, names)
	require.Equal(t, "synced", read(t, d, "d/a"))
	require.Empty(t, read(t, d, "d/empty"))
	_, err = f.WriteAt(nil, 0)
	require.ErrorIs(t, err, waltest.ErrCrashed)

	again, err := d.Lock("d")
	require.NoError(t, err)
	require.NoError(t, lock.Close()) // of before: no effect
	_, err = d.Lock("d")
	require.ErrorIs(t, err, wal.ErrLocked)
	require.NoError(t, again.Close())
}

// TestTornWrite shows that a crash can leave any sectors of a write.
func TestTornWrite(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for seed := range uint64(200) {
		d := waltest.NewDisk()
		f := create(t, d, "a", string(bytes.Repeat([]byte("o"), 1024)))
		require.NoError(t, f.Sync())
		require.NoError(t, d.SyncDir("."))
		_, err := f.WriteAt(bytes.Repeat([]byte("n"), 1536), 0)
		require.NoError(t, err)
		d.Crash(rand.New(rand.NewPCG(seed, 0)))
		got := read(t, d, "a")
		sectors := ""
		for ; got != ""; got = got[512:] {
			require.Equal(t, string(bytes.Repeat([]byte(got[:1]), 512)), got[:512])
			sectors += got[:1]
		}
		found[sectors] = true
	}
	// Two or three sectors; the third is zero if the length made it alone.
	require.Len(t, found, 4+8)
	require.Contains(t, found, "on\x00")
}

// TestSyncFails shows that what a sync failed to write is never written.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	d := waltest.NewDisk()
	f := create(t, d, "a", "old")
	require.NoError(t, f.Sync())
	require.NoError(t, d.SyncDir("."))
	_, err := f.WriteAt([]byte("new"), 0)
	require.NoError(t, err)
	broken := errors.New("broken")
	d.Fail(func(op waltest.Op, path string) error {
		require.Equal(t, waltest.OpSync, op)
		require.Equal(t, "a", path)
		return broken
	})
	require.ErrorIs(t, f.Sync(), broken)
	d.Fail(nil)
	require.NoError(t, f.Sync())
	require.Equal(t, "new", read(t, d, "a"))
	d.Crash(nil)
	require.Equal(t, "old", read(t, d, "a"))
}

func TestLimit(t *testing.T) {
	t.Parallel()
	d := waltest.NewDisk()
	f := create(t, d, "a", "12345")
	d.Limit(8)
	n, err := f.WriteAt([]byte("abcdef"), 4)
	require.ErrorIs(t, err, wal.ErrDiskFull)
	require.Equal(t, 4, n)
	require.Equal(t, "1234abcd", read(t, d, "a"))
	_, err = f.WriteAt([]byte("xx"), 0) // it does not grow
	require.NoError(t, err)
	require.NoError(t, f.Truncate(2))
	require.Equal(t, int64(2), d.Used())
	d.Limit(-1)
	_, err = f.WriteAt(make([]byte, 100), 0)
	require.NoError(t, err)
}
