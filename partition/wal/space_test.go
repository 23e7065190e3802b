package wal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
	"github.com/stator-db/stator/partition/wal/waltest"
)

// TestDiskFull fills a disk byte by byte less: a batch is in the log or refused,
// and the log goes on as soon as there is space.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, segmentSize := range []int64{1 << 20, 1} { // with and without a new segment
		for missing := int64(1); missing < 140; missing += 3 {
			disk := waltest.NewDisk()
			options := wal.Options{FS: disk, SegmentSize: segmentSize}
			l := mustOpen(t, "wal", options)
			write := []wal.Write{{Group: 5, Entries: numbered(1, 1, 2), HardState: hard(1, 0, 0)}}
			require.NoError(t, l.Append(write))
			before := disk.Used()
			disk.Limit(before + max(140-missing, 0))
			write = []wal.Write{{Group: 5, Entries: numbered(2, 3, 4), HardState: hard(2, 0, 0)}}
			err := l.Append(write)
			if err == nil {
				continue
			}
			require.ErrorIs(t, err, wal.ErrDiskFull)
			require.NotErrorIs(t, err, wal.ErrFailed)
			require.Equal(t, frames(1), contents(t, l.Group(5)))
			require.ErrorIs(t, l.Append(write), wal.ErrDiskFull)
			disk.Limit(-1)
			require.NoError(t, l.Append(write))
			disk.Crash(nil)
			l.Close()
			l = mustOpen(t, "wal", options)
			require.Equal(t, frames(2), contents(t, l.Group(5)))
		}
	}
}

// TestDiskFullAndNotCut ends writing if what was written cannot be cut back.
func TestDiskFullAndNotCut(t *testing.T) {
	t.Parallel()
	disk := waltest.NewDisk()
	l := mustOpen(t, "wal", wal.Options{FS: disk})
	require.NoError(t, l.Append([]wal.Write{{Group: 5, Entries: numbered(1, 1, 2)}}))
	disk.Limit(disk.Used() + 20)
	disk.Fail(func(op waltest.Op, _ string) error {
		if op == waltest.OpTruncate {
			return errors.New("medium error")
		}
		return nil
	})
	require.ErrorIs(t, l.Append([]wal.Write{{Group: 5, Entries: numbered(2, 3, 4)}}), wal.ErrFailed)
	disk.Fail(nil)
	require.NoError(t, l.Close())
	l = mustOpen(t, "wal", wal.Options{FS: disk})
	require.Equal(t, frames(1), contents(t, l.Group(5)))
}

// TestSpace writes to many groups and compacts them. Quiet groups keep their
// entries, but not the segments that these were written to.
func TestSpace(t *testing.T) {
	t.Parallel()
	disk := waltest.NewDisk()
	const segmentSize = 10_000
	options := wal.Options{FS: disk, SegmentSize: segmentSize}
	l := mustOpen(t, "wal", options)
	filler := strings.Repeat("x", 500)
	for i := range uint64(2000) {
		require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: entries(1, i+1, filler)}}))
		if i%20 == 0 {
			// Each of these lies in another segment and stays.
			require.NoError(t, l.Append([]wal.Write{{Group: 100 + i, Entries: entries(1, 1, fmt.Sprint("quiet ", i), "too")}}))
			require.NoError(t, l.Append([]wal.Write{{Group: 2, Entries: entries(i+1, i/20+1, fmt.Sprint("slow ", i))}}))
		}
		if i%50 == 49 {
			require.NoError(t, l.Compact(1, i-10))
		}
	}
	require.Less(t, disk.Used(), int64(12*segmentSize))
	for range 2 {
		for i := uint64(0); i < 2000; i += 20 {
			require.Equal(t, []string{fmt.Sprintf("1/1 quiet %d", i), "1/2 too"}, contents(t, l.Group(100+i)))
		}
		slow := contents(t, l.Group(2))
		require.Len(t, slow, 100)
		require.Equal(t, "1981/100 slow 1980", slow[99])
		disk.Crash(nil)
		l.Close()
		l = mustOpen(t, "wal", options)
	}

	for _, id := range l.Groups() {
		require.NoError(t, l.Remove(id))
	}
	require.Empty(t, l.Groups())
	require.Less(t, disk.Used(), int64(2*segmentSize))
	l = reopen(t, l, options)
	require.Empty(t, l.Groups())
}

func reopen(t *testing.T, l *wal.Log, options wal.Options) *wal.Log {
	t.Helper()
	require.NoError(t, l.Close())
	return mustOpen(t, "wal", options)
}

// TestSegmentsComeBack shows that deletions which a crash undoes do no harm.
func TestSegmentsComeBack(t *testing.T) {
	t.Parallel()
	disk := waltest.NewDisk()
	options := wal.Options{FS: disk, SegmentSize: 300}
	l := mustOpen(t, "wal", options)
	for i := range uint64(40) {
		require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: numbered(1, i+1, i+1)}, {Group: 2, Entries: numbered(i+1, 1, 3)}}))
	}
	require.NoError(t, l.Remove(2))
	before := disk.Used()
	require.NoError(t, l.Compact(1, 39))
	require.Less(t, disk.Used(), before/4)
	disk.Crash(nil)
	require.Greater(t, disk.Used(), before/2)
	l.Close()
	l = mustOpen(t, "wal", options)
	require.Equal(t, []uint64{1}, l.Groups())
	require.Equal(t, []string{"1/40 entry 40 of term 1"}, contents(t, l.Group(1)))
	// The next new segment lists what counts.
	require.NoError(t, l.Compact(1, 40))
	require.NoError(t, l.Append([]wal.Write{{Group: 3, Snapshot: &raftpb.SnapshotMetadata{Index: new(uint64(7)), Term: new(uint64(2))}}}))
	l = reopen(t, l, options)
	require.Less(t, disk.Used(), before/4)
	first, err := l.Group(3).FirstIndex()
	require.NoError(t, err)
	require.Equal(t, uint64(8), first)
}
