package replication

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestElectReplicateRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		for g := range Group(3) {
			c.startAll(g, 1, 2, 3)
		}
		ctx := context.Background()
		for g := range Group(3) {
			l := c.leader(g)
			var last uint64
			for i := range 50 {
				index, err := l.put(ctx, g, fmt.Sprintf("%d/%d", g, i))
				require.NoError(t, err)
				require.Greater(t, index, last)
				last = index
			}
			index, err := l.rt.ReadIndex(ctx, g)
			require.NoError(t, err)
			require.GreaterOrEqual(t, index, last)
			for _, id := range c.ids() {
				m := c.nodes[id]
				require.NoError(t, m.rt.WaitApplied(ctx, g, last))
				require.Equal(t, l.id, m.rt.Leader(g))
				if m != l {
					var not *NotLeader
					_, err := m.rt.Propose(g, []byte("x"))
					require.ErrorAs(t, err, &not)
					require.Equal(t, NotLeader{Group: g, Leader: l.id}, *not)
					_, err = m.rt.ReadIndex(ctx, g)
					require.ErrorAs(t, err, &not)
				}
			}
		}
	})
}

func TestTransferAndMembership(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, Config{LogEntries: 100}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		l := c.leader(7)
		to := l.id%3 + 1
		require.NoError(t, l.rt.Transfer(ctx, 7, to))
		require.Equal(t, to, c.leader(7).id)
		l = c.leader(7)
		for i := range 300 {
			c.mustPut(7, fmt.Sprint(i))
		}
		c.eventually("compaction", func() bool { return l.rt.Status(7).First > 2 })

		m := c.add(4)
		require.NoError(t, m.start(7))
		require.ErrorIs(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: Promote, Node: 4}), ErrNotMember)
		require.NoError(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: 4}))
		c.converge(7, 1, 2, 3, 4)
		require.NoError(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: Promote, Node: 4}))
		old := l.id%3 + 1
		require.NoError(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: RemoveMember, Node: old}))
		s := l.rt.Status(7)
		require.Len(t, s.Voters, 3)
		require.NotContains(t, s.Voters, old)
		require.Empty(t, s.Learners)
		c.nodes[old].rt.Stop(7)
		c.eventually("the new voter knows that it is one", func() bool { return slices.Equal(s.Voters, m.rt.Status(7).Voters) })
		require.NoError(t, l.rt.Transfer(ctx, 7, 4))
		c.converge(7, s.Voters...)
	})
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, Config{LogEntries: 50}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		for i := range 200 {
			c.mustPut(7, fmt.Sprint(i))
			if i%20 == 10 {
				m := c.nodes[Node(i/20%3+1)]
				m.crash(nil)
				c.mustPut(7, fmt.Sprint("while down", i))
				m.restart()
			}
		}
		c.converge(7, 1, 2, 3)
	})
}

// The largest proposal passes, and a lone voter leads at once.
func TestLargestProposal(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 2)
		defer c.close()
		began := time.Now()
		require.NoError(t, c.nodes[1].start(7, 1))
		l := c.leader(7)
		require.Less(t, time.Since(began), 100*time.Millisecond)
		require.NoError(t, c.nodes[2].start(7))
		require.NoError(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: 2}))
		c.mustPut(7, "small")
		_, err := l.put(ctx, 7, string(make([]byte, MaxProposal)))
		require.NoError(t, err)
		c.converge(7, 1, 2)
		c.net.mu.Lock()
		defer c.net.mu.Unlock()
		require.LessOrEqual(t, c.net.largest, MaxProposal+1024)
	})
}
