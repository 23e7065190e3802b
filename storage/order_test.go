package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// shardOfPool returns the shard of a fresh pool without maintenance, which is
// the test's to do.
func shardOfPool(t testing.TB) (p *Pool, s *Shard) {
	p = openPool(t, PoolOptions{Dir: t.TempDir()})
	p.stop()
	p.background.Wait()
	s, err := p.Create(1)
	require.NoError(t, err)
	return p, s
}

// Badger never puts a memtable aside with anything in it that is not flushed,
// and there are not many flushes for that.
func TestMemtableIsFlushedBeforeItIsPutAside(t *testing.T) {
	for _, test := range []struct {
		name                 string
		entries, key, values int
		rare                 int // one commit in so many is flushed, at most
	}{
		{"single", 1, 60, 900, 20},
		{"tiny", 50, 8, 1, 20},
		{"small", 100, 100, 400, 20},
		{"in the value log", 50, 30, 2 * valueThreshold, 10},
		{"long keys", 10, 5000, 100, 20},
		{"any", 0, 0, 0, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, s := shardOfPool(t)
			r := rand.New(rand.NewPCG(1, 2))
			const wanted = 2
			commits, flushes, tables := 0, 0, 0
			for n := uint64(0); tables < wanted; commits++ {
				entries, key, values := test.entries, test.key, test.values
				if entries == 0 {
					entries, key, values = 1+r.IntN(200), 8+r.IntN(300), r.IntN(3*valueThreshold/2)
				}
				b := s.NewBatch()
				for range entries {
					n++
					k := make([]byte, max(key, 8))
					binary.BigEndian.PutUint64(k, n*0x9e3779b97f4a7c15)
					require.NoError(t, b.Set(k, make([]byte, values)))
				}
				before := s.memLog
				full := s.use.mayBeFull(poolMemTableSize)
				require.NoError(t, b.Commit())
				if full {
					flushes++
				}
				if full || commits%64 == 0 {
					now := mustList(t, s.dir).newestMemLog()
					if now != before {
						require.True(t, full, "commit %d began %s by surprise", commits, now)
						tables++
					}
					require.Equal(t, now, s.memLog)
				}
			}
			t.Logf("%d of %d commits flushed", flushes, commits)
			require.LessOrEqual(t, flushes-wanted, 1+commits/test.rare)
		})
	}
}

// TestLostValues takes values out of a value log, as a power cut can, and
// requires all batches before the first that lost one, and none after.
func TestLostValues(t *testing.T) {
	p, s := shardOfPool(t)
	const batches, perBatch = 20, 5
	key := func(i, j int) string { return fmt.Sprintf("%02d-%d", i, j) }
	for i := range batches {
		b := s.NewBatch()
		for j := range perBatch {
			size := 10
			if j == 3 {
				size = 2 * valueThreshold
			}
			require.NoError(t, b.Set([]byte(key(i, j)), bytes.Repeat([]byte{byte(1 + i)}, size)))
		}
		require.NoError(t, b.Commit())
	}
	all, err := findGapOf(t, s.dir)
	require.NoError(t, err)
	require.EqualValues(t, -1, all)

	for _, lost := range []int{0, 7, batches - 1} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			dir := copyDir(t, p.dir)
			shard := filepath.Join(dir, filepath.Base(s.dir))
			path := filepath.Join(shard, mustList(t, shard).newest(valueLogSuffix))
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			at := bytes.Index(b, bytes.Repeat([]byte{byte(1 + lost)}, 1000))
			require.Positive(t, at)
			clear(b[at : at+100])
			require.NoError(t, os.WriteFile(path, b, 0o600))

			q := openPool(t, PoolOptions{Dir: dir})
			got, err := q.Open(1)
			require.NoError(t, err)
			want := []string{}
			for i := range lost {
				for j := range perBatch {
					want = append(want, key(i, j))
				}
			}
			require.Equal(t, want, keys(t, got, Range{}))
			require.NoError(t, got.VerifyChecksums())
			set(t, got, "more", "v")
			require.NoError(t, q.Close())
			require.Len(t, keys(t, mustOpen(t, dir), Range{}), len(want)+1)
		})
	}

	t.Run("in an older memtable", func(t *testing.T) {
		dir := copyDir(t, p.dir)
		shard := filepath.Join(dir, filepath.Base(s.dir))
		newest := mustList(t, shard).newestMemLog()
		require.NoError(t, os.WriteFile(filepath.Join(shard, "99999"+memLogSuffix), nil, 0o600))
		path := filepath.Join(shard, mustList(t, shard).newest(valueLogSuffix))
		require.NoError(t, os.Truncate(path, logHeaderSize))
		require.ErrorIs(t, cutGaps(shard), ErrCorrupt)
		require.ErrorContains(t, cutGaps(shard), newest)
	})
}

func findGapOf(t *testing.T, dir string) (int64, error) {
	offset, _, err := findGap(filepath.Join(dir, mustList(t, dir).newestMemLog()))
	return offset, err
}

func mustOpen(t *testing.T, dir string) *Shard {
	s, err := openPool(t, PoolOptions{Dir: dir}).Open(1)
	require.NoError(t, err)
	return s
}

// Collecting and putting a memtable aside keep the account of the memtable.
func TestOrderedUpkeep(t *testing.T) {
	p, s := shardOfPool(t)
	want := fillLogs(t, s)
	memLog := s.memLog
	require.NoError(t, s.upkeep())
	set(t, s, "z", "1")
	require.NotEqual(t, memLog, s.memLog)
	require.Equal(t, mustList(t, s.dir).newestMemLog(), s.memLog)
	require.Less(t, s.use.memory, int64(poolMemTableSize/2), "a fresh memtable")

	_, before := s.Size()
	require.NoError(t, p.Close())
	// Badger knows the garbage when it has compacted.
	s, err := openShard(s.dir, true, shardOptions{
		ordered: true, compact: true, memTable: poolMemTableSize, valueLog: poolValueLogFileSize,
		log: p.log, freeSpace: freeSpace,
	})
	require.NoError(t, err)
	_, after := s.Size()
	require.Less(t, after, before*2/3)
	requireValues(t, s, want)
	require.Equal(t, mustList(t, s.dir).newestMemLog(), s.memLog)
	require.Positive(t, s.use.memory, "collecting has written to it")
	set(t, s, "zz", "1")
	require.Equal(t, mustList(t, s.dir).newestMemLog(), s.memLog)
	require.NoError(t, s.close())
	s = mustOpen(t, p.dir)
	requireValues(t, s, want)
	require.Len(t, keys(t, s, Range{}), len(want)+2)
	require.NoError(t, s.VerifyChecksums())
}

func TestNewestMemLog(t *testing.T) {
	require.Equal(t, "", inventory{}.newestMemLog())
	require.Equal(t, "100000.mem", inventory{"99999.mem": 1, "100000.mem": 1, "00001.mem": 1, "x.vlog": 1}.newestMemLog())
}

// Sync after a commit flushes, and another has nothing to do.
func TestSync(t *testing.T) {
	_, s := shardOfPool(t)
	set(t, s, "a", "1")
	require.True(t, s.dirty.Load())
	require.NoError(t, s.Sync())
	require.False(t, s.dirty.Load())
	require.NoError(t, s.Sync())

	// After a failed fsync nobody knows what is durable.
	failed := s.fail(io.ErrNoProgress)
	require.Equal(t, failed, s.Sync())
}

func FuzzFindGap(f *testing.F) {
	_, s := shardOfPool(f)
	set(f, s, "a", "1", "b", string(make([]byte, valueThreshold)))
	b, err := os.ReadFile(filepath.Join(s.dir, s.memLog))
	require.NoError(f, err)
	f.Add(bytes.TrimRight(b, "\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		pointers := 0
		gap, _, err := findGapIn(bytes.NewReader(b), func(valuePointer, []byte) (bool, error) {
			pointers++
			return true, nil
		})
		require.NoError(t, err)
		if gap >= 0 { // a pointer of the wrong length
			require.Less(t, gap, int64(len(b)))
			return
		}
		gap, _, err = findGapIn(bytes.NewReader(b), func(valuePointer, []byte) (bool, error) { return false, nil })
		require.NoError(t, err)
		require.Equal(t, pointers > 0, gap >= logHeaderSize)
	})
}
