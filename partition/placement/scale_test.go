package placement

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	scaleNodes  = 1000
	scaleZones  = 10
	scaleShards = 10_000
)

// scaleLimits let one plan begin everything that may begin at all, so that the
// rounds stay few.
var scaleLimits = Limits{Moves: 1000, MovesPerNode: 2, Transfers: 1000}

func scaleCluster(t require.TestingT) *cluster {
	c := newCluster(t, 3, scaleNodes, scaleZones, scaleShards)
	c.limits = scaleLimits
	return c
}

// requireWithinTenPercent is the promise for large clusters.
func requireWithinTenPercent(t require.TestingT, loads map[uint64]int, total int) {
	even := float64(total) / float64(len(loads))
	least, most := bounds(loads)
	require.InDelta(t, even, least, even/10)
	require.InDelta(t, even, most, even/10)
}

// 10,000 shards on 1,000 nodes: the balance is within 10 % and the moves are
// within 10 % of the least possible, after any of the usual events.
func TestScale(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates some hundred plans for 1,000 nodes")
	}
	events := []struct {
		name string
		do   func(c *cluster) (least int) // what has to be copied at least
	}{
		{"one node joins", func(c *cluster) int {
			c.join(scaleZones)
			return 3 * scaleShards / (scaleNodes + 1)
		}},
		{"a hundred nodes join", func(c *cluster) int {
			for range 100 {
				c.join(scaleZones)
			}
			return 100 * (3 * scaleShards / (scaleNodes + 100))
		}},
		{"one node is lost", func(c *cluster) int {
			replicas, _ := c.loads()
			c.node(17).State = Dead
			return replicas[17]
		}},
		{"a zone is lost", func(c *cluster) int {
			replicas, _ := c.loads()
			least := 0
			for i := range c.state.Nodes {
				if n := &c.state.Nodes[i]; n.Zone == "z3" {
					n.State = Dead
					least += replicas[n.ID]
				}
			}
			return least
		}},
		{"twenty nodes are decommissioned", func(c *cluster) int {
			replicas, _ := c.loads()
			least := 0
			for id := uint64(1); id <= 20; id++ {
				c.node(id).State = Decommissioning
				least += replicas[id]
			}
			return least
		}},
	}
	for _, event := range events {
		t.Run(event.name, func(t *testing.T) {
			t.Parallel()
			c := scaleCluster(t)
			least := event.do(c)
			c.elect()
			rounds := c.settle(1000)
			replicas, leaders := c.loads()
			for id := range replicas {
				if c.node(id).State != Up {
					delete(replicas, id)
				}
			}
			requireWithinTenPercent(t, replicas, 3*scaleShards)
			requireEven(t, leaders, 1)
			require.GreaterOrEqual(t, c.copies, least)
			require.LessOrEqual(t, c.copies, least+least/10+1)
			low, high := bounds(replicas)
			t.Logf("%d rounds; %d replicas copied, %d at least; %d leaders transferred; %d to %d replicas a node",
				rounds, c.copies, least, c.transfers, low, high)
		})
	}
}

// A plan must not keep the catalog's leader busy.
func BenchmarkPlan(b *testing.B) {
	events := []struct {
		name string
		do   func(c *cluster)
	}{
		{"nothing to do", func(*cluster) {}},
		{"node joined", func(c *cluster) { c.join(scaleZones) }},
		{"node lost", func(c *cluster) { c.node(17).State = Dead; c.elect() }},
		{"leaders all on three nodes", func(c *cluster) {
			for i := range c.state.Shards {
				s := &c.state.Shards[i]
				s.Leader = min(s.Voters[0], s.Voters[1], s.Voters[2])
			}
		}},
	}
	for _, event := range events {
		b.Run(event.name, func(b *testing.B) {
			c := scaleCluster(b)
			event.do(c)
			b.ReportAllocs()
			for b.Loop() {
				Plan(c.state, Limits{})
			}
		})
	}
}

func BenchmarkAssign(b *testing.B) {
	for _, nodes := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("%d shards on %d nodes", scaleShards, nodes), func(b *testing.B) {
			var s State
			s.Factor = 3
			for i := range nodes {
				s.Nodes = append(s.Nodes, Node{ID: uint64(i + 1), Zone: fmt.Sprint(i % min(nodes, scaleZones))})
			}
			for i := range scaleShards {
				s.Shards = append(s.Shards, Shard{ID: uint64(i + 1)})
			}
			for b.Loop() {
				Assign(s)
			}
		})
	}
}
