package replication

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// TestAnswersOfLongAgoAreNoStorm: a follower that stood still answers the heartbeats
// of that time all at once. It is not sent all it has missed for each of them, and
// catches up.
func TestAnswersOfLongAgoAreNoStorm(t *testing.T) {
	inBubble(t, func(t *testing.T, _ context.Context) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		l := c.leader(7)
		follower := l.id%3 + 1
		for id := range c.nodes {
			c.net.cutOff(id, follower)
			c.net.cutOff(follower, id)
		}
		missed := 0
		for i := range 200 {
			text := fmt.Sprint(i, strings.Repeat("x", 1000))
			c.mustPut(7, text)
			missed += len(text)
		}
		pause(5 * time.Second)
		require.Equal(t, l.id, c.leader(7).id)
		sent := func() int {
			c.net.mu.Lock()
			defer c.net.mu.Unlock()
			return c.net.bytes[follower]
		}
		before := sent()
		term := l.rt.Status(7).Term
		for range 500 {
			answer := &raftpb.Message{
				Type: raftpb.MsgHeartbeatResp.Enum(), From: proto.Uint64(uint64(follower)), To: proto.Uint64(uint64(l.id)), Term: proto.Uint64(term),
			}
			require.NoError(t, l.rt.Receive(follower, appendMessage(nil, 7, answer)))
			synctest.Wait()
		}
		require.Less(t, sent()-before, 5*missed)
		c.net.heal()
		c.converge(7, 1, 2, 3)
	})
}

// TestNoTransferToALaggard: a leader does not stop taking proposals for the sake of a
// successor that would have to catch up first.
func TestNoTransferToALaggard(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		c.mustPut(7, "first")
		c.converge(7, 1, 2, 3)
		l := c.leader(7)
		follower := l.id%3 + 1
		c.net.cutOff(follower, l.id)
		for i := range maxTransferLag + 1 {
			c.mustPut(7, fmt.Sprint(i))
		}
		begun := time.Now() // of the bubble
		require.ErrorIs(t, l.rt.Transfer(ctx, 7, follower), ErrTransfer)
		require.Zero(t, time.Since(begun))
		c.net.heal()
		c.converge(7, 1, 2, 3)
		require.NoError(t, c.leader(7).rt.Transfer(ctx, 7, follower))
		require.Equal(t, follower, c.leader(7).id)
	})
}

// TestFailedTransferEndsSoon: a leader whose successor is not heard of any more takes
// proposals again after an election timeout.
func TestFailedTransferEndsSoon(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context) {
		c := newCluster(t, 1, Config{}, 3)
		defer c.close()
		c.startAll(7, 1, 2, 3)
		c.mustPut(7, "first")
		c.converge(7, 1, 2, 3)
		l := c.leader(7)
		follower := l.id%3 + 1
		c.net.cutOff(follower, l.id)
		c.net.cutOff(l.id, follower)
		begun := time.Now() // of the bubble
		require.ErrorIs(t, l.rt.Transfer(ctx, 7, follower), ErrTransfer)
		_, err := l.rt.Propose(7, []byte("second"))
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(begun), 12*l.rt.config.Tick)
		require.GreaterOrEqual(t, time.Since(begun), 8*l.rt.config.Tick)
	})
}
