package membership

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/transport"
)

// settle lets what memberlist's probes still wait for time out: it does not wait
// for them, and a bubble's clock stands still once its test has returned.
func settle() { <-time.After(time.Minute) }

// A partition that lasts so long that each side has forgotten the other still
// heals, because failed members are asked again and again. Whom gossip meets is
// chance, so the limits are wider than what the log says it took.
func TestPartitionHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		faults := transport.NewFaults(1)
		network := transport.NewNetwork(faults)
		var nodes []*testNode
		for id := uint64(1); id <= 5; id++ {
			name := fmt.Sprintf("node-%d", id)
			tr, err := network.Listen(transport.Options{NodeID: id, Name: name, Version: 1})
			require.NoError(t, err)
			tr.SetCluster(oneCluster)
			n := &testNode{transport: tr}
			n.Membership, err = Join(Options{
				Name: name, ID: id, Meta: Meta{ClusterID: oneCluster}, Transport: tr,
				Join: []string{"10.0.0.1:7000"},
			})
			require.NoError(t, err)
			nodes = append(nodes, n)
		}
		// states waits until all of some nodes see these states.
		states := func(nodes []*testNode, limit time.Duration, want ...State) time.Duration {
			t.Helper()
			began := time.Now()
			for {
				agree := 0
				for _, n := range nodes {
					got := []State{}
					for _, m := range n.Members() {
						got = append(got, m.State)
					}
					if slices.Equal(got, want) {
						agree++
					}
				}
				if agree == len(nodes) {
					return time.Since(began)
				}
				require.Less(t, time.Since(began), limit, "%d of %d see %v", agree, len(nodes), want)
				<-time.After(10 * time.Millisecond)
			}
		}
		states(nodes, 5*time.Minute, Alive, Alive, Alive, Alive, Alive)

		require.NoError(t, faults.Set([]transport.Rule{
			{From: "node-5", To: "node-[1-4]", Block: true},
			{From: "node-[1-4]", To: "node-5", Block: true},
		}))
		took := states(nodes[:4], 5*time.Minute, Alive, Alive, Alive, Alive, Failed)
		t.Logf("noticed by all after %s", took)
		states(nodes[4:], 5*time.Minute, Failed, Failed, Failed, Failed, Alive)

		<-time.After(time.Hour)
		states(nodes[:4], 5*time.Minute, Alive, Alive, Alive, Alive, Failed)
		require.NoError(t, faults.Set(nil))
		took = states(nodes, 5*time.Minute, Alive, Alive, Alive, Alive, Alive)
		t.Logf("healed after %s", took)
		for _, n := range nodes {
			n.stop(t)()
		}
		settle()
	})
}

// A node that closes is found to have failed, as a rule within three seconds, over
// many tries.
func TestDetectionTime(t *testing.T) {
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			network := transport.NewNetwork(nil)
			failed := make(chan time.Time, 2)
			var nodes []*testNode
			for id := uint64(1); id <= 3; id++ {
				name := fmt.Sprintf("node-%d", id)
				tr, err := network.Listen(transport.Options{NodeID: id, Name: name})
				require.NoError(t, err)
				n := &testNode{transport: tr}
				n.Membership, err = Join(Options{
					Name: name, ID: id, Transport: tr, Join: []string{"10.0.0.1:7000"},
					Events: func(e Event) {
						if e.Type == MemberFailed && e.Member.ID == 3 {
							failed <- time.Now()
						}
					},
				})
				require.NoError(t, err)
				nodes = append(nodes, n)
			}
			for slices.ContainsFunc(nodes, func(n *testNode) bool { return len(n.Members()) < 3 }) {
				<-time.After(10 * time.Millisecond)
			}
			began := time.Now()
			nodes[2].stop(t)()
			last := time.Duration(0)
			for range 2 {
				last = max(last, (<-failed).Sub(began))
			}
			t.Logf("noticed after %s", last)
			require.LessOrEqual(t, last, 20*time.Second)
			nodes[0].stop(t)()
			nodes[1].stop(t)()
			settle()
		})
	}
}
