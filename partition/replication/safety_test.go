package replication

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3/raftpb"
)

// The state machine must not get beyond a change of members that the log does not
// remember: after a crash, nobody would apply it again.
func TestMembersAreDurableBeforeTheyAreApplied(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		var stalled atomic.Bool
		c := newCluster(t, 1, Config{}, 2)
		var m *member
		c.config.beforeAppend = func() {
			conf := false
			for _, task := range m.runtime().appender.batch {
				conf = conf || task.conf != nil
			}
			for conf && stalled.Load() {
				pause(10 * time.Millisecond)
			}
		}
		m = &member{}
		m = c.add(3)
		defer c.close()
		defer stalled.Store(false)
		c.startAll(7, 1, 2, 3)
		l := c.leader(7)
		for l == m {
			require.NoError(t, l.rt.Transfer(ctx, 7, 1))
			l = c.leader(7)
		}
		stalled.Store(true)
		require.NoError(t, l.rt.ChangeMembers(ctx, 7, Change{Kind: AddLearner, Node: 9}))
		after := c.mustPut(7, "after")
		pause(time.Second)
		require.Less(t, m.machine(7).Applied(), after-1)
		require.NoError(t, m.machine(7).Sync())
		m.disk.Crash(nil)
		stalled.Store(false)
		m.crash(nil)
		m.restart()
		c.converge(7, 1, 2, 3)
		require.Equal(t, []Node{9}, m.rt.Status(7).Learners)
	})
}

// A node that has just started cannot know whether a leader counts on it.
func TestLeaseHoldsBackVotesAfterStart(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{LeaseReads: true}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		c.converge(7, 1, 2, 3)
		l := c.leader(7)
		m := c.nodes[l.id%3+1]
		term := m.rt.Status(7).Term
		vote := appendMessage(nil, 7, &raftpb.Message{
			Type: raftpb.MsgVote.Enum(), Term: new(term + 10), LogTerm: new(term), Index: new(uint64(1e6)),
		})
		for _, id := range c.ids() {
			c.net.cutOff(id, c.ids()...)
		}
		m.crash(nil)
		m.restart()
		pause(500 * time.Millisecond)
		require.NoError(t, m.rt.Receive(l.id%3+1, vote))
		pause(10 * time.Millisecond)
		require.Equal(t, term, m.rt.Status(7).Term)
		pause(500 * time.Millisecond)
		require.NoError(t, m.rt.Receive(l.id%3+1, vote))
		pause(10 * time.Millisecond)
		require.Equal(t, term+10, m.rt.Status(7).Term)
	})
}

// A leader that has asked another node to take over has no lease any more: nobody
// has to wait for its end.
func TestTransferEndsLease(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{LeaseReads: true}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		c.converge(7, 1, 2, 3)
		pause(time.Second)
		l := c.leader(7)
		next := c.nodes[l.id%3+1]
		_, err := l.rt.ReadIndex(ctx, 7)
		require.NoError(t, err)
		for id := range c.nodes {
			c.net.cutOff(id, l.id)
		}
		_, err = l.rt.ReadIndex(ctx, 7)
		require.NoError(t, err, "the lease holds")
		go l.rt.Transfer(ctx, 7, next.id)
		for {
			if _, ok := next.rt.IsLeader(7); ok {
				break
			}
			pause(time.Millisecond)
		}
		_, leads := l.rt.IsLeader(7)
		require.True(t, leads, "it does not know")
		_, err = next.put(ctx, 7, "new")
		require.NoError(t, err)
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err = l.rt.ReadIndex(short, 7)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		c.net.heal()
		c.converge(7, 1, 2, 3)
	})
}
