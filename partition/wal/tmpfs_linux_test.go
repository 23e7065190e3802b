package wal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/stator-db/stator/partition/wal"
)

// TestRealDiskFull fills a real file system, and makes space on it.
func TestRealDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("mounting a small file system needs privileges: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
	ballast := filepath.Join(dir, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 100<<10), 0o600))

	l := mustOpen(t, filepath.Join(dir, "wal"), wal.Options{SegmentSize: 16 << 10})
	data := strings.Repeat("x", 1000)
	index := uint64(0)
	write := func() error {
		err := l.Append([]wal.Write{{Group: 1, Entries: entries(1, index+1, data, data, data)}})
		if err == nil {
			index += 3
		}
		return err
	}
	var err error
	for err == nil {
		require.Less(t, index, uint64(1000))
		err = write()
	}
	require.ErrorIs(t, err, wal.ErrDiskFull)
	require.ErrorIs(t, err, unix.ENOSPC)
	require.NotErrorIs(t, err, wal.ErrFailed)
	require.ErrorIs(t, write(), wal.ErrDiskFull)
	require.NoError(t, os.Remove(ballast))
	for range 10 {
		require.NoError(t, write())
	}
	require.NoError(t, l.Close())
	l = mustOpen(t, filepath.Join(dir, "wal"), wal.Options{})
	require.Len(t, contents(t, l.Group(1)), int(index))
	require.NoError(t, l.Close())
}
