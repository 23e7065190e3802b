package wal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3"

	"github.com/stator-db/stator/partition/wal"
)

// TestConcurrentUse appends, reads and compacts at once, on small segments, so
// that files are deleted under the readers.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	const groups, rounds = 4, 300
	dir := t.TempDir()
	options := wal.Options{SegmentSize: 4000, CacheBytes: 4000}
	l := mustOpen(t, dir, options)
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var written [groups]atomic.Uint64
	data := strings.Repeat("d", 100)
	for g := range uint64(groups) {
		wg.Go(func() { // reads what is there, and checks it
			for ctx.Err() == nil {
				s := l.Group(g)
				first, err := s.FirstIndex()
				if err != nil || written[g].Load() < first {
					continue
				}
				es, err := s.Entries(first, written[g].Load()+1, 1<<20)
				if errors.Is(err, raft.ErrCompacted) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				for i, e := range es {
					if want := fmt.Sprint(g, " ", first+uint64(i), data); string(e.GetData()) != want {
						t.Errorf("%s is not %s", e.GetData(), want)
						return
					}
				}
			}
		})
	}
	var compacting sync.WaitGroup
	for i := range uint64(rounds) {
		var ws []wal.Write
		for g := range uint64(groups) {
			ws = append(ws, wal.Write{Group: g, Entries: entries(1+i/50, i+1, fmt.Sprint(g, " ", i+1, data))})
		}
		require.NoError(t, l.Append(ws))
		for g := range written {
			written[g].Store(i + 1)
		}
		if i > 20 && i%10 == 0 {
			compacting.Go(func() {
				if err := l.Compact(i/10%groups, i-20); err != nil {
					t.Error(err)
				}
			})
		}
	}
	compacting.Wait()
	cancel()
	wg.Wait()
	want := all(t, l)
	require.NoError(t, l.Close())
	l = mustOpen(t, dir, options)
	require.Equal(t, want, all(t, l))
}

// TestEntriesStay shows that what Entries has returned does not change when the
// log does.
func TestEntriesStay(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, t.TempDir(), wal.Options{CacheBytes: 10_000})
	require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: numbered(1, 1, 6)}}))
	got, err := l.Group(1).Entries(1, 7, 1<<20)
	require.NoError(t, err)
	same, err := l.Group(1).Entries(3, 5, 1<<20)
	require.NoError(t, err)
	require.Same(t, got[2], same[0], "it is cached, not copied")
	before := slices.Clone(got)
	require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: numbered(2, 3, 4)}})) // fits in the array
	require.NoError(t, l.Compact(1, 4))
	_ = append(got, nil)
	require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: numbered(3, 5, 200)}}))
	require.Equal(t, before, got)
	require.Len(t, contents(t, l.Group(1)), 196)
}

// TestCacheBound shows that the caches of all groups stay within their bound, and
// lose nothing but time.
func TestCacheBound(t *testing.T) {
	t.Parallel()
	const bound = 20_000
	l := mustOpen(t, t.TempDir(), wal.Options{CacheBytes: bound})
	for i := range uint64(100) {
		for g := range uint64(5) {
			require.NoError(t, l.Append([]wal.Write{{Group: g, Entries: entries(1, i+1, strings.Repeat("x", int(100*g)))}}))
			require.LessOrEqual(t, l.Cached(), int64(bound))
		}
	}
	require.Greater(t, l.Cached(), int64(bound/4))
	// One that exceeds the bound by itself.
	require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: entries(1, 101, strings.Repeat("y", 2*bound))}}))
	require.LessOrEqual(t, l.Cached(), int64(bound))
	for g := range uint64(5) {
		require.GreaterOrEqual(t, len(contents(t, l.Group(g))), 100)
		require.NoError(t, l.Remove(g))
	}
	require.Zero(t, l.Cached())
}
