package partition

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/placement"
	"github.com/stator-db/stator/storage"
)

// TestLeaderWithAFullDiskHandsOver: a leader whose database has no space left, while
// its log has some, leaves the lead to a replica that has.
func TestLeaderWithAFullDiskHandsOver(t *testing.T) {
	t.Parallel()
	c := newFaultyCluster(t, 1, 1)
	table := createTest(t, c.leader(), plainTable("P"))
	victim := c.leaderOf(0)
	var full atomic.Bool
	full.Store(true)
	c.nodes[victim].node.group(groupOf(0)).replica.Load().hooks.commit = func() error {
		if full.Load() {
			return storage.ErrDiskFull
		}
		return nil
	}
	_, err := c.nodes[victim].Write(context.Background(), &Write{Table: table, Kind: Put, Item: object("pk", "a")})
	if err != nil { // nobody here applied it in time
		require.ErrorIs(t, err, ErrOutcomeUnknown)
	}
	c.eventually("another node leads", func() bool { return c.leaderOf(0) != victim })
	require.True(t, c.nodes[victim].node.report().Full)
	o := newOverseer(c.leader().node)
	defer o.asking.Wait()
	c.eventually("who has no space is given no shard to lead", func() bool {
		o.ask(context.Background())
		for _, p := range o.nodes() {
			if (p.ID == uint64(c.nodes[victim].node.id)) != (p.State == placement.Draining) {
				return false
			}
		}
		return true
	})
	put(t, c.nodes[victim], table, object("pk", "b"))
	full.Store(false)
	c.requireSameReplicas()
	require.False(t, c.nodes[victim].node.report().Full)
	require.Len(t, readAll(t, c.nodes[victim], &Read{Table: table, Consistency: Strong}), 2)
}
