package storage

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/require"
)

func TestBatchIsInvisibleUntilCommitted(t *testing.T) {
	sh := open(t, Options{InMemory: true, Shards: 1}).Shards()[0]
	set(t, sh, "a", "1", "b", "2")
	b := sh.NewBatch()
	require.NoError(t, b.Set([]byte("a"), []byte("10")))
	require.NoError(t, b.Delete([]byte("b")))
	require.NoError(t, b.Set([]byte("c"), []byte("3")))
	require.Equal(t, []string{"a", "b"}, keys(t, sh, Range{}))

	v, ok, err := b.Get([]byte("a"))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "10", string(v))
	_, ok, err = b.Get([]byte("b"))
	require.NoError(t, err)
	require.False(t, ok)

	var old *Snapshot
	require.NoError(t, sh.View(func(sn *Snapshot) error {
		old = sn
		require.NoError(t, b.Commit())
		ok, err := old.Has([]byte("c"))
		require.False(t, ok, "a snapshot does not move")
		return err
	}))
	require.Equal(t, []string{"a", "c"}, keys(t, sh, Range{}))
	require.ErrorIs(t, b.Commit(), errBatchDone)
	b.Discard()
}

func TestDiscardedBatchLeavesNothing(t *testing.T) {
	sh := open(t, Options{Dir: t.TempDir(), Shards: 1}).Shards()[0]
	b := sh.NewBatch()
	require.NoError(t, b.Set([]byte("a"), []byte("1")))
	b.Discard()
	b.Discard()
	require.ErrorIs(t, b.Set([]byte("a"), nil), errBatchDone)
	require.Equal(t, "none", get(t, sh, "a"))
}

func TestOneLiveBatch(t *testing.T) {
	sh := open(t, Options{InMemory: true, Shards: 1}).Shards()[0]
	first := sh.NewBatch()
	second := sh.NewBatch()
	require.ErrorIs(t, second.Set([]byte("a"), nil), errBatchLive)
	second.Discard()
	require.NoError(t, first.Set([]byte("a"), []byte("1")))
	require.NoError(t, first.Commit())
	second = sh.NewBatch()
	require.NoError(t, second.Commit())
	first.Discard() // must not touch a batch that came after
}

// Values handed out stay until the batch ends, whatever else it reads.
func TestBatchGetKeepsValues(t *testing.T) {
	for _, o := range []Options{{InMemory: true, Shards: 1}, {Dir: t.TempDir(), Shards: 1}} {
		sh := open(t, o).Shards()[0]
		const n = 2000
		key := func(i int) []byte { return fmt.Appendf(nil, "%04d", i) }
		value := func(i int) []byte { return fmt.Appendf(nil, "%0*d", 1+i, i) }
		for start := 0; start < n; start += 100 {
			b := sh.NewBatch()
			for i := start; i < start+100; i++ {
				require.NoError(t, b.Set(key(i), value(i)))
			}
			require.NoError(t, b.Commit())
		}
		b := sh.NewBatch()
		var got [n][]byte
		for i := range n {
			v, ok, err := b.Get(key(i))
			require.NoError(t, err)
			require.True(t, ok)
			got[i] = v
		}
		for i := range n {
			require.Equal(t, value(i), got[i])
		}
		b.Discard()
	}
}

func TestBatchTooLarge(t *testing.T) {
	sh := open(t, Options{Dir: t.TempDir(), Shards: 1}).Shards()[0]
	b := sh.NewBatch()
	value := make([]byte, valueThreshold-1)
	n := 0
	for b.Fits(1, b.Cost(8, len(value))) {
		require.NoError(t, b.Set(fmt.Appendf(nil, "%08d", n), value), "what Fits must be taken")
		n++
	}
	require.Greater(t, n, 2000)
	var err error
	for err == nil {
		if err = b.Set(fmt.Appendf(nil, "%08d", n), value); err == nil {
			n++
		}
	}
	require.ErrorIs(t, err, ErrBatchTooLarge)
	require.NoError(t, b.Commit(), "a refused write leaves the others")
	require.Len(t, keys(t, sh, Range{KeysOnly: true}), n)
}

func TestFitsIsNeverWrong(t *testing.T) {
	for _, size := range []struct{ key, value int }{
		{8, 0}, {8, 100}, {8, valueThreshold - 1}, {8, valueThreshold}, {8, 400 << 10}, {3000, 10}, {4096, 2048}, {20000, 1},
	} {
		t.Run(fmt.Sprintf("%d-%d", size.key, size.value), func(t *testing.T) {
			sh := open(t, Options{Dir: t.TempDir(), Shards: 1}).Shards()[0]
			b := sh.NewBatch()
			defer b.Discard()
			value := make([]byte, size.value)
			key := func(i int) []byte { return fmt.Appendf(nil, "%0*d", size.key, i) }
			const group = 10
			i := 0
			for ; i < 2000 && b.Fits(group, group*b.Cost(size.key, size.value)); i += group {
				for j := range group {
					require.NoError(t, b.Set(key(i+j), value))
				}
			}
			require.GreaterOrEqual(t, i, 100)
		})
	}
}

// The largest thing a single request writes: an item of 400 KB in a table with
// 20 indexes that project everything, and its stream record.
func TestLargestWriteFits(t *testing.T) {
	sh := open(t, Options{Dir: t.TempDir(), Shards: 1}).Shards()[0]
	const entries, size = 22, 400 << 10
	b := sh.NewBatch()
	require.True(t, b.Fits(entries, entries*b.Cost(100, size)))
	for i := range entries {
		require.NoError(t, b.Set(fmt.Appendf(nil, "%0100d", i), make([]byte, size)))
	}
	require.NoError(t, b.Commit())
	require.Len(t, keys(t, sh, Range{}), entries)
}

func TestMemoryBatchOfAnySize(t *testing.T) {
	sh := open(t, Options{InMemory: true, Shards: 1}).Shards()[0]
	b := sh.NewBatch()
	require.True(t, b.Fits(math.MaxInt32, math.MaxInt32))
	const n, size = 100, 400 << 10
	for i := range n {
		require.NoError(t, b.Set(fmt.Appendf(nil, "%03d", i), make([]byte, size)))
	}
	v, ok, err := b.Get([]byte("000"))
	require.NoError(t, err)
	require.True(t, ok)
	require.Len(t, v, size)
	require.NoError(t, b.Commit())
	require.Len(t, keys(t, sh, Range{}), n)
}

// A view that begins among the pieces of a batch would see a part of it.
func TestPiecesAreSeenTogether(t *testing.T) {
	sh := open(t, Options{InMemory: true, Shards: 1}).Shards()[0]
	b := sh.NewBatch()
	for i := 0; !b.pieces; i++ {
		require.NoError(t, b.Set(fmt.Appendf(nil, "%03d", i), make([]byte, 400<<10)))
	}
	require.False(t, sh.whole.TryRLock())
	require.NoError(t, b.Commit())
	require.True(t, sh.whole.TryRLock())
	sh.whole.RUnlock()

	b = sh.NewBatch()
	for i := 0; !b.pieces; i++ {
		require.NoError(t, b.Set(fmt.Appendf(nil, "%03d", i), make([]byte, 400<<10)))
	}
	require.False(t, b.Fits(1, b.Cost(3, 10<<20)))
	b.Discard()
	require.ErrorIs(t, sh.NewBatch().Commit(), errHalfDiscarded, "a torn batch must not go unnoticed")
}

func TestMemoryTakesLargeValues(t *testing.T) {
	sh := open(t, Options{InMemory: true, Shards: 1}).Shards()[0]
	for _, size := range []int{maxMemoryValue, maxMemoryValue + 1, maxMemoryValue + 2, 20 << 20} {
		value := bytes.Repeat([]byte("1234567"), size/7+1)[:size]
		b := sh.NewBatch()
		require.NoError(t, b.Set([]byte("k"), value))
		got, found, err := b.Get([]byte("k"))
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, value, got)
		require.NoError(t, b.Commit())
		require.Equal(t, string(value), get(t, sh, "k"))
	}
	noise := make([]byte, 2<<20)
	_, err := rand.NewChaCha8([32]byte{}).Read(noise)
	require.NoError(t, err)
	b := sh.NewBatch()
	require.ErrorIs(t, b.Set([]byte("k"), noise), ErrBatchTooLarge)
	b.Discard()
}

func TestRefusedKeys(t *testing.T) {
	sh := open(t, Options{InMemory: true, Shards: 1}).Shards()[0]
	b := sh.NewBatch()
	defer b.Discard()
	require.ErrorIs(t, b.Set(nil, []byte("v")), badger.ErrEmptyKey)
	require.ErrorIs(t, b.Delete(nil), badger.ErrEmptyKey)
}

func TestDiskFull(t *testing.T) {
	sh := open(t, Options{Dir: t.TempDir(), Shards: 1}).Shards()[0]
	free := int64(reserve - 1)
	sh.freeSpace = func(dir string) (int64, error) {
		require.Equal(t, sh.dir, dir)
		return free, nil
	}
	for range 3 {
		b := sh.NewBatch()
		require.NoError(t, b.Set([]byte("k"), []byte("v")))
		require.ErrorIs(t, b.Commit(), ErrDiskFull)
		require.Equal(t, "none", get(t, sh, "k"))
		require.NoError(t, sh.NewBatch().Commit(), "nothing to write")
	}
	free = reserve + 1000
	set(t, sh, "k", "v")
	require.Equal(t, "v", get(t, sh, "k"))
	free = 0
	set(t, sh, "k", "w") // not asked again for a while
	b := sh.NewBatch()
	require.NoError(t, b.Set([]byte("k"), make([]byte, spaceInterval)))
	require.ErrorIs(t, b.Commit(), ErrDiskFull)
	sh.freeSpace = func(string) (int64, error) { return 0, errors.New("no such thing") }
	b = sh.NewBatch()
	require.NoError(t, b.Set([]byte("k"), []byte("x")))
	require.ErrorContains(t, b.Commit(), "free space of "+sh.dir+": no such thing")
}

// After a failed commit the log may end in half a batch, behind which nothing
// survives the next open.
func TestNoWritesAfterFailedCommit(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, Shards: 1})
	sh := s.Shards()[0]
	set(t, sh, "a", "1")
	b := sh.NewBatch()
	require.NoError(t, b.Set([]byte("b"), []byte("2")))
	b.txn.Discard() // makes Badger refuse the commit
	err := b.Commit()
	require.ErrorContains(t, err, "accepts no more writes until it is reopened")
	b = sh.NewBatch()
	require.Equal(t, err, b.Set([]byte("c"), []byte("3")))
	require.Equal(t, err, b.Commit())
	require.Equal(t, "1", get(t, sh, "a"), "reads go on")
	require.NoError(t, s.Close())
	require.NoFileExists(t, shardDir(dir, 0)+"/"+cleanName)

	sh = open(t, Options{Dir: dir}).Shards()[0]
	set(t, sh, "c", "3")
	require.Equal(t, []string{"a", "c"}, keys(t, sh, Range{}))
}
