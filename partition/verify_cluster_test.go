package partition

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Replicas are compared while the cluster serves: none differs, until one was
// changed behind the log's back, and then that one is named with the key.
func TestVerifyCluster(t *testing.T) {
	c := newTestCluster(t, 3, 2)
	db := c.leader()
	table := createTest(t, db, musicTable())
	for i := range 200 {
		put(t, db, table, object("artist", fmt.Sprint(i), "song", "x", "genre", "pop"))
	}
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for name, from := range c.nodes {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					put(t, from, table, object("artist", name, "song", fmt.Sprint(i%50), "genre", fmt.Sprint(i)))
				}
			}
		})
	}
	for name, at := range c.nodes {
		summary, err := at.VerifyCluster(t.Context(), func(p Problem) { t.Errorf("%s finds %s", name, p) })
		require.NoError(t, err)
		require.Equal(t, 3, summary.Shards)
		require.Equal(t, 9, summary.Replicas)
		require.Greater(t, summary.Records, int64(400))
		require.Zero(t, summary.Problems)
		require.Zero(t, summary.Unchecked)
	}

	// One replica loses an item.
	it := object("artist", "7", "song", "x")
	key, _ := appendItemKey(nil, table, it)
	shard := db.shardOfItem(table, it)
	g := c.nodes["n2"].node.group(groupOf(shard))
	g.applying.Lock()
	b := g.replica.Load().shard.NewBatch()
	require.NoError(t, b.Delete(key))
	require.NoError(t, b.Commit())
	g.applying.Unlock()
	for _, at := range c.nodes {
		var found []Problem
		summary, err := at.VerifyCluster(t.Context(), func(p Problem) { found = append(found, p) })
		require.NoError(t, err)
		require.Equal(t, int64(1), summary.Problems)
		require.Equal(t, []Problem{{
			Table: table.Name, Shard: shard, Key: key,
			What: "the replica on n2 differs from that on n1, n3, first at this key",
		}}, found)
	}
	close(stop)
	writers.Wait()
	for _, at := range c.nodes {
		for _, g := range at.node.groups.m {
			require.Empty(t, g.marks.wanted)
		}
	}

	// A node that is gone cannot be checked.
	c.close("n2")
	unchecked := 0
	summary, err := c.leader().VerifyCluster(t.Context(), func(p Problem) {
		require.Contains(t, p.What, "the replica on n2 was not checked: the node does not answer")
		unchecked++
	})
	require.NoError(t, err)
	require.Equal(t, 3, unchecked)
	require.Equal(t, 3, summary.Unchecked)
	require.Equal(t, 6, summary.Replicas)
}

func TestVerifyClusterNeedsOne(t *testing.T) {
	_, err := openTest(t, Options{InMemory: true}).VerifyCluster(context.Background(), nil)
	require.ErrorIs(t, err, ErrNotClustered)
}
