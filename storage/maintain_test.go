package storage

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fillLogs overwrites the same keys with large values until there are several
// value logs, nearly all of them garbage, and returns the final values.
func fillLogs(t testing.TB, sh *Shard) map[string][]byte {
	t.Helper()
	want := map[string][]byte{}
	const size, perBatch, rounds = 256 << 10, 40, 20
	for round := range rounds {
		b := sh.NewBatch()
		for i := range perBatch {
			key := fmt.Sprintf("key-%03d", i)
			if round > 0 && i%10 == 0 {
				continue // a tenth lives in the first log for good
			}
			want[key] = bytes.Repeat([]byte{byte(round), byte(i)}, size/2)
			require.NoError(t, b.Set([]byte(key), want[key]))
		}
		require.NoError(t, b.Commit())
	}
	return want
}

func requireValues(t testing.TB, sh *Shard, want map[string][]byte) {
	t.Helper()
	for key, value := range want {
		var got []byte
		ok, err := getBytes(sh, []byte(key), &got)
		require.NoError(t, err)
		require.True(t, ok)
		require.True(t, bytes.Equal(value, got), key)
	}
}

func TestCompactCollectsGarbage(t *testing.T) {
	for _, sync := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync=%t", sync), func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, Options{Dir: dir, Shards: 1, Sync: sync})
			want := fillLogs(t, s.Shards()[0])
			_, before := s.Shards()[0].Size()
			require.NoError(t, s.Close())

			s = open(t, Options{Dir: dir, Compact: true})
			requireValues(t, s.Shards()[0], want)
			require.NoError(t, s.Shards()[0].VerifyChecksums())
			_, after := s.Shards()[0].Size()
			require.Less(t, after, before*2/3)
			require.NoError(t, s.Close())
			require.Empty(t, mustList(t, shardDir(dir, 0)).with(keepSuffix))

			s = open(t, Options{Dir: dir})
			requireValues(t, s.Shards()[0], want)
			require.NoError(t, s.Close())
		})
	}
}

func mustList(t testing.TB, dir string) inventory {
	t.Helper()
	files, err := listFiles(dir)
	require.NoError(t, err)
	return files
}

// Badger would drop what follows a bad entry of a log it collects.
func TestDamagedLogIsNotCollected(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, Shards: 1})
	fillLogs(t, s.Shards()[0])
	require.NoError(t, s.Close())
	shard := shardDir(dir, 0)
	log := filepath.Join(shard, mustList(t, shard).with(valueLogSuffix)[0])
	overwrite(t, log, 1000, 1)

	_, err := Open(Options{Dir: dir, Compact: true})
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, log)
	require.FileExists(t, log)
}

// The process dies between the two steps of a collection.
func TestInterruptedCollection(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		dir, shard := closedStore(t)
		require.NoError(t, dropInventory(shard))
		log := filepath.Join(shard, mustList(t, shard).with(valueLogSuffix)[0])
		require.NoError(t, os.Link(log, log+keepSuffix))
		if deleted {
			require.NoError(t, os.Remove(log))
		}
		s := open(t, Options{Dir: dir})
		requireDamageStore(t, s.Shards()[0])
		require.NoError(t, s.Close())
		require.FileExists(t, log)
		require.NoFileExists(t, log+keepSuffix)
	}
}

func TestFlush(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), Shards: 1})
	s.stop() // the test does the flushing
	s.background.Wait()
	sh := s.Shards()[0]
	require.NoError(t, sh.flush())
	require.Empty(t, sh.flushed, "nothing to flush")
	set(t, sh, "a", "1")
	require.True(t, sh.dirty.Load())
	require.NoError(t, sh.flush())
	require.False(t, sh.dirty.Load())
	require.Equal(t, "000001.vlog", sh.flushed)

	set(t, sh, "b", "2")
	dir := sh.dir
	sh.dir = filepath.Join(dir, "gone")
	sh.flushed = ""
	require.NoError(t, os.WriteFile(sh.dir, nil, 0o600))
	require.Error(t, sh.flush())
	require.True(t, sh.dirty.Load(), "to be tried again")
	sh.dir = dir

	sh.sync = true
	require.NoError(t, sh.flush())
	require.True(t, sh.dirty.Load(), "nothing to do where commits are durable")
	sh.sync = false
	require.NoError(t, sh.flush())
}

func TestCollectStopsWhenToldTo(t *testing.T) {
	sh := open(t, Options{Dir: t.TempDir(), Shards: 1}).Shards()[0]
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, sh.collect(ctx))
	cancel()
	require.NoError(t, sh.collect(ctx))
}

// Large values fill value logs long before they fill a memtable.
func TestRotate(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), Shards: 1})
	s.stop() // the test does the maintenance
	s.background.Wait()
	sh := s.Shards()[0]
	set(t, sh, "a", "1")
	require.NoError(t, sh.rotate())
	require.Equal(t, "000001.vlog", sh.rotated)
	want := fillLogs(t, sh)
	before := mustList(t, sh.dir)
	require.Greater(t, len(before.with(valueLogSuffix)), logsPerTable)
	require.Equal(t, "00001.mem", before.newest(memLogSuffix))

	require.NoError(t, sh.rotate())
	set(t, sh, "z", "1")
	require.NotEqual(t, "00001.mem", mustList(t, sh.dir).newest(memLogSuffix))
	rotated := sh.rotated
	require.NoError(t, sh.rotate())
	require.Equal(t, rotated, sh.rotated, "not again")
	requireValues(t, sh, want)
	require.Len(t, keys(t, sh, Range{}), len(want)+2)
	require.Len(t, keys(t, sh, Range{Reverse: true}), len(want)+2)
}

func TestWorstLog(t *testing.T) {
	pair := func(id, n byte) []byte {
		b := make([]byte, 16)
		b[7], b[15] = id, n
		return b
	}
	for _, test := range []struct {
		file    []byte
		name    string
		garbage uint64
	}{
		{nil, "", 0},
		{make([]byte, 64), "", 0},
		{bytes.Join([][]byte{pair(1, 5), pair(2, 9), pair(7, 9), pair(0, 0), pair(3, 99)}, nil), "000002.vlog", 9},
		{pair(1, 5)[:15], "", 0},
	} {
		name, garbage, err := worstLog(bytes.NewReader(test.file))
		require.NoError(t, err)
		require.Equal(t, test.name, name)
		require.Equal(t, test.garbage, garbage)
	}
}
