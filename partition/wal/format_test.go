package wal_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestFormat pins the bytes of every kind of record. A change here needs a new
// format version.
func TestFormat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	options := wal.Options{SegmentSize: 1000}
	options.FixSalt(0x1122334455667788)
	l := mustOpen(t, dir, options)
	conf := &raftpb.ConfState{Voters: []uint64{1, 2, 300}, Learners: []uint64{4}, VotersOutgoing: []uint64{1, 2}, LearnersNext: []uint64{5}, AutoLeave: new(true)}
	change := entries(2, 2, "change")
	change[0].Type = raftpb.EntryConfChangeV2.Enum()
	long := strings.Repeat("0123456789abcdef", 8)
	for _, ws := range [][]wal.Write{
		{{Group: 7, Snapshot: &raftpb.SnapshotMetadata{Index: new(uint64(1)), Term: new(uint64(1)), ConfState: conf}, HardState: hard(2, 300, 1)}},
		{{Group: 7, Entries: change, HardState: hard(2, 300, 2)}, {Group: 8, Entries: entries(1, 1, "", "b")}, {Group: 9}},
		{{Group: 7, HardState: hard(2, 300, 3)}}, // in memory until the next
		{{Group: 8, ConfState: &raftpb.ConfState{Voters: []uint64{1}}, ConfIndex: 2}},
	} {
		require.NoError(t, l.Append(ws))
	}
	require.NoError(t, l.Remove(9))
	for i := range uint64(48) {
		// Group 11 pins every segment.
		require.NoError(t, l.Append([]wal.Write{{Group: 10, Entries: entries(1, i+1, long)}, {Group: 11, Entries: entries(i/8, i+1, "")}}))
	}
	require.NoError(t, l.Compact(8, 1))
	var got strings.Builder
	dump(t, &got, filepath.Join(dir, "0000000000000001.wal"))
	require.NoError(t, l.Compact(10, 48)) // moves entries of group 11
	require.NoError(t, l.Close())
	names, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	require.NoError(t, err)
	dump(t, &got, names[len(names)-1])

	golden := filepath.Join("testdata", "format.golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())

	l = mustOpen(t, dir, options)
	require.Equal(t, []string{"2/2 change"}, contents(t, l.Group(7)))
	require.Equal(t, []string{"1/2 b"}, contents(t, l.Group(8)))
	h, c, err := l.Group(7).InitialState()
	require.NoError(t, err)
	require.Equal(t, hard(2, 300, 3).String(), h.String())
	require.Equal(t, conf.String(), c.String())
}

func dump(t *testing.T, w *strings.Builder, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	fmt.Fprintf(w, "%s\n%s", filepath.Base(path), hex.Dump(b))
}
