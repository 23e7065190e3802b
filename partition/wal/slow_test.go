package wal_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/wal"
)

// TestSlowDisk: a log on a slow disk takes its time, and no longer than the disk
// is slow.
func TestSlowDisk(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		disk := new(wal.SlowDisk)
		l := mustOpen(t, dir, wal.Options{FS: disk})
		appended := func(index uint64) time.Duration {
			began := time.Now()
			require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: entries(1, index, "a")}}))
			return time.Since(began)
		}
		require.Zero(t, appended(1))
		disk.SetSyncDelay(time.Hour)
		require.Equal(t, time.Hour, appended(2))
		began := time.Now()
		require.NoError(t, disk.SyncDir(dir))
		require.Equal(t, time.Hour, time.Since(began))

		took := make(chan time.Duration)
		go func() { took <- appended(3) }()
		synctest.Wait()
		time.AfterFunc(time.Minute, func() { disk.SetSyncDelay(0) })
		require.Equal(t, time.Minute, <-took, "the sync that waits goes on")
		require.NoError(t, l.Close())
	})
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	require.Equal(t, []string{"1/1 a", "1/2 a", "1/3 a"}, contents(t, mustOpen(t, dir, wal.Options{}).Group(1)))
}
