package wal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
)

func TestAppendAndReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := mustOpen(t, dir, wal.Options{})
	require.False(t, l.Known(3))
	require.NoError(t, l.Append([]wal.Write{
		{Group: 3, Snapshot: &raftpb.SnapshotMetadata{Index: new(uint64(1)), Term: new(uint64(1)), ConfState: &raftpb.ConfState{Voters: []uint64{7, 8, 9}}}, HardState: hard(1, 0, 1)},
		{Group: 1, Entries: entries(1, 1, "a", "b", "c"), HardState: hard(1, 7, 2)},
	}))
	require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: entries(2, 3, "C", "D"), HardState: hard(2, 8, 2)}}))
	require.NoError(t, l.Append([]wal.Write{{Group: 1, HardState: hard(2, 8, 4)}}))

	check := func(l *wal.Log) {
		require.Equal(t, []uint64{1, 3}, l.Groups())
		g := l.Group(1)
		require.Equal(t, []string{"1/1 a", "1/2 b", "2/3 C", "2/4 D"}, contents(t, g))
		h, c, err := g.InitialState()
		require.NoError(t, err)
		require.Equal(t, hard(2, 8, 4).String(), h.String())
		require.Empty(t, c.GetVoters())
		term, err := g.Term(2)
		require.NoError(t, err)
		require.Equal(t, uint64(1), term)
		_, err = g.Term(5)
		require.ErrorIs(t, err, raft.ErrUnavailable)

		h, c, err = l.Group(3).InitialState()
		require.NoError(t, err)
		require.Equal(t, hard(1, 0, 1).String(), h.String())
		require.Equal(t, []uint64{7, 8, 9}, c.GetVoters())
		require.Equal(t, uint64(1), l.Group(3).ConfIndex())
		first, _ := l.Group(3).FirstIndex()
		last, _ := l.Group(3).LastIndex()
		require.Equal(t, []uint64{2, 1}, []uint64{first, last})
		term, err = l.Group(3).Term(1)
		require.NoError(t, err)
		require.Equal(t, uint64(1), term)
		_, err = l.Group(3).Term(0)
		require.ErrorIs(t, err, raft.ErrCompacted)
	}
	check(l)
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Append([]wal.Write{{Group: 1, HardState: hard(3, 0, 4)}}), wal.ErrClosed)
	check(mustOpen(t, dir, wal.Options{}))
}

// TestRefused hands in what does not continue a log. Nothing of the batch happens.
func TestRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := mustOpen(t, dir, wal.Options{})
	require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: entries(1, 1, "a", "b", "c")}}))
	require.NoError(t, l.Compact(1, 2))
	backward := entries(1, 4, "d", "e")
	backward[1].Index = new(uint64(4))
	large := entries(1, 4, strings.Repeat("x", 1<<20))
	for i := range uint64(600) {
		large = append(large, &raftpb.Entry{Term: new(uint64(1)), Index: new(i + 5), Data: large[0].Data})
	}
	for _, refused := range []struct {
		name    string
		entries []*raftpb.Entry
		err     error
	}{
		{"beyond the end", entries(1, 5, "e"), wal.ErrGap},
		{"compacted", entries(1, 2, "B"), wal.ErrGap},
		{"not consecutive", backward, wal.ErrGap},
		{"too large", large, wal.ErrTooLarge},
	} {
		t.Run(refused.name, func(t *testing.T) {
			err := l.Append([]wal.Write{{Group: 2, Entries: entries(1, 1, "x")}, {Group: 1, Entries: refused.entries}})
			require.ErrorIs(t, err, refused.err)
			require.Equal(t, []uint64{1}, l.Groups())
		})
	}
	require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: entries(1, 4, "d")}}))
	require.NoError(t, l.Close())
	l = mustOpen(t, dir, wal.Options{})
	require.Equal(t, map[uint64][]string{1: {"1/3 c", "1/4 d"}}, all(t, l))
	_, err := l.Group(1).Snapshot()
	require.ErrorIs(t, err, raft.ErrSnapshotTemporarilyUnavailable)
	require.NoError(t, l.Close())
	_, err = l.Group(1).Entries(3, 5, 100)
	require.ErrorIs(t, err, wal.ErrClosed)
}

func TestLocked(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "on", "the", "way")
	l := mustOpen(t, dir, wal.Options{})
	_, err := wal.Open(dir, wal.Options{})
	require.ErrorIs(t, err, wal.ErrLocked)
	require.ErrorContains(t, err, dir)
	require.NoError(t, l.Close())
	mustOpen(t, dir, wal.Options{})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	_, err := wal.Open(t.TempDir(), wal.Options{SegmentSize: 1<<30 + 1})
	require.ErrorContains(t, err, "segment size 1073741825 is not between 0 and 1073741824")
}

// TestNewerVersion refuses what a later program wrote.
func TestNewerVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, mustOpen(t, dir, wal.Options{}).Close())
	path := filepath.Join(dir, "0000000000000001.wal")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	wal.SetVersion(b, 2)
	require.NoError(t, os.WriteFile(path, b, 0o600))
	_, err = wal.Open(dir, wal.Options{})
	require.ErrorIs(t, err, wal.ErrVersion)
	require.ErrorContains(t, err, path)
}
