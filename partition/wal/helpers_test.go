package wal_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
)

// entries makes consecutive entries of one term.
func entries(term, first uint64, data ...string) []*raftpb.Entry {
	es := make([]*raftpb.Entry, len(data))
	for i, d := range data {
		es[i] = &raftpb.Entry{Term: new(term), Index: new(first + uint64(i)), Data: []byte(d)}
	}
	return es
}

func numbered(term, first, last uint64) []*raftpb.Entry {
	var data []string
	for i := first; i <= last; i++ {
		data = append(data, fmt.Sprintf("entry %d of term %d", i, term))
	}
	return entries(term, first, data...)
}

func hard(term, vote, commit uint64) *raftpb.HardState {
	return &raftpb.HardState{Term: &term, Vote: &vote, Commit: &commit}
}

func mustOpen(t testing.TB, dir string, o wal.Options) *wal.Log {
	t.Helper()
	l, err := wal.Open(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// contents reads a whole group as text, one entry per element.
func contents(t testing.TB, g *wal.Group) []string {
	t.Helper()
	first, err := g.FirstIndex()
	require.NoError(t, err)
	last, err := g.LastIndex()
	require.NoError(t, err)
	var all []string
	for first <= last {
		es, err := g.Entries(first, last+1, 1<<40)
		require.NoError(t, err)
		require.NotEmpty(t, es)
		for _, e := range es {
			require.Equal(t, first, e.GetIndex())
			all = append(all, fmt.Sprintf("%d/%d %s", e.GetTerm(), e.GetIndex(), e.GetData()))
			first++
		}
	}
	return all
}

// corruptFile replaces bytes in a file that a log has open.
func corruptFile(t *testing.T, path, from, to string) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	at := bytes.Index(b, []byte(from))
	require.Positive(t, at)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte(to), int64(at))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
