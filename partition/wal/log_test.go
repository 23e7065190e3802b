package wal_test

import (
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
