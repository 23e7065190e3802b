package placement

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// cluster carries plans out as the catalog's leader would, and checks at every
// step what must always hold.
type cluster struct {
	t      require.TestingT
	state  State
	limits Limits
	// copies counts the learners added: each is a shard sent over the network.
	copies    int
	transfers int
}

func newCluster(t require.TestingT, factor, nodes, zones, shards int) *cluster {
	c := &cluster{t: t, state: State{Factor: factor}}
	for range nodes {
		c.join(zones)
	}
	for i := range shards {
		c.state.Shards = append(c.state.Shards, Shard{ID: uint64(i + 1)})
	}
	c.state.Shards = Assign(c.state)
	return c
}

// join adds a node; its zone follows from its id.
func (c *cluster) join(zones int) *Node {
	id := uint64(len(c.state.Nodes) + 1)
	c.state.Nodes = append(c.state.Nodes, Node{ID: id, Zone: fmt.Sprintf("z%d", id%uint64(max(zones, 1)))})
	return c.node(id)
}

// node returns the node with the id; join numbers them from 1.
func (c *cluster) node(id uint64) *Node { return &c.state.Nodes[id-1] }

func (c *cluster) shard(id uint64) *Shard {
	i, ok := slices.BinarySearchFunc(c.state.Shards, id, func(s Shard, id uint64) int { return cmp.Compare(s.ID, id) })
	require.True(c.t, ok)
	return &c.state.Shards[i]
}

func (c *cluster) live(id uint64) bool {
	return id != 0 && c.node(id).State != Dead && !c.node(id).Down
}

func (c *cluster) liveVoters(s *Shard) int {
	live := 0
	for _, v := range s.Voters {
		if c.live(v) {
			live++
		}
	}
	return live
}

// round plans once and carries all of it out. It reports whether there was
// anything to do.
func (c *cluster) round() bool {
	steps := Plan(c.state, c.limits)
	seen := make(map[uint64]bool)
	for _, step := range steps {
		require.False(c.t, seen[step.Shard], "two steps for one shard: %v", steps)
		seen[step.Shard] = true
		c.apply(step)
	}
	return len(steps) > 0
}

func (c *cluster) apply(step Step) {
	s := c.shard(step.Shard)
	target := c.node(step.Node)
	before := c.liveVoters(s)
	require.GreaterOrEqual(c.t, before, len(s.Voters)/2+1, "%v cannot be carried out", step)
	switch step.Action {
	case AddLearner:
		require.NotContains(c.t, s.Voters, step.Node, step)
		require.Empty(c.t, s.Learners, "%v while another is on its way", step)
		require.True(c.t, target.State == Up && !target.Down, "%v: the node takes none", step)
		s.Learners = append(s.Learners, step.Node)
		c.copies++
	case Promote:
		require.Contains(c.t, s.Learners, step.Node, step)
		require.True(c.t, c.live(step.Node), step)
		s.Learners = slices.DeleteFunc(s.Learners, func(n uint64) bool { return n == step.Node })
		s.Voters = append(s.Voters, step.Node)
	case Remove:
		require.True(c.t, slices.Contains(s.Voters, step.Node) || slices.Contains(s.Learners, step.Node), step)
		require.NotEqual(c.t, s.Leader, step.Node, "%v: it leads", step)
		// A slice of its own: the caller may have kept the state.
		s.Voters = slices.DeleteFunc(slices.Clone(s.Voters), func(n uint64) bool { return n == step.Node })
		s.Learners = slices.DeleteFunc(slices.Clone(s.Learners), func(n uint64) bool { return n == step.Node })
	case TransferLeader:
		require.Contains(c.t, s.Voters, step.Node, step)
		require.NotEqual(c.t, s.Leader, step.Node, step)
		require.True(c.t, target.State == Up && !target.Down, "%v: the node must not lead", step)
		s.Leader = step.Node
		c.transfers++
	}
	require.GreaterOrEqual(c.t, c.liveVoters(s), len(s.Voters)/2+1, "%v leaves no quorum", step)
	require.LessOrEqual(c.t, len(s.Voters), c.state.Factor+1, step)
}

// settle plans until there is nothing to do, and returns after how many rounds.
func (c *cluster) settle(most int) int {
	for rounds := range most {
		if !c.round() {
			return rounds
		}
		c.elect()
	}
	require.Fail(c.t, "the plans do not come to an end", "%v", Plan(c.state, c.limits))
	return 0
}

// elect does what Raft does where the leader is lost.
func (c *cluster) elect() {
	for i := range c.state.Shards {
		s := &c.state.Shards[i]
		if c.liveVoters(s) < len(s.Voters)/2+1 {
			s.Leader = 0
			continue
		}
		if c.live(s.Leader) && slices.Contains(s.Voters, s.Leader) {
			continue
		}
		for _, v := range s.Voters {
			if c.live(v) {
				s.Leader = v
				break
			}
		}
	}
}

func (c *cluster) loads() (replicas, leaders map[uint64]int) {
	replicas, leaders = make(map[uint64]int), make(map[uint64]int)
	for _, n := range c.state.Nodes {
		if n.State == Up && !n.Down {
			replicas[n.ID], leaders[n.ID] = 0, 0
		}
	}
	for _, s := range c.state.Shards {
		for _, v := range s.Voters {
			replicas[v]++
		}
		if s.Leader != 0 {
			leaders[s.Leader]++
		}
	}
	return replicas, leaders
}

// requireEven checks that no two nodes differ by more than by.
func requireEven(t require.TestingT, loads map[uint64]int, by int) {
	least, most := bounds(loads)
	require.LessOrEqual(t, most-least, by, "loads by node: %v", loads)
}

func bounds(loads map[uint64]int) (least, most int) {
	values := slices.Collect(maps.Values(loads))
	if len(values) == 0 {
		return 0, 0
	}
	return slices.Min(values), slices.Max(values)
}

// requireSettled checks what must hold when there is nothing left to do and all
// nodes answer: enough voters on nodes that stay, the best possible spread, and
// even loads within every zone.
func (c *cluster) requireSettled() {
	replicas, _ := c.loads()
	zones := make(map[string]map[uint64]int)
	sizes := make(map[string]int)
	keepers := 0
	for _, n := range c.state.Nodes {
		if n.State != Up {
			continue
		}
		keepers++
		sizes[n.Zone]++
		if zones[n.Zone] == nil {
			zones[n.Zone] = make(map[uint64]int)
		}
		zones[n.Zone][n.ID] = replicas[n.ID]
	}
	want := min(c.state.Factor, keepers)
	for _, s := range c.state.Shards {
		require.Empty(c.t, s.Learners)
		require.Contains(c.t, s.Voters, s.Leader)
		perZone := make(map[string]int)
		kept := 0
		for _, v := range s.Voters {
			if c.node(v).State == Dead && keepers < c.state.Factor && len(s.Voters)%2 == 1 {
				continue // there is nowhere else to go, and it does no harm
			}
			require.Equal(c.t, Up, c.node(v).State, "shard %d on node %d", s.ID, v)
			perZone[c.node(v).Zone]++
			kept++
		}
		require.Equal(c.t, want, kept, "shard %d: %v", s.ID, s.Voters)
		require.Equal(c.t, bestSpread(sizes, want), squares(perZone), "shard %d: %v of %v", s.ID, perZone, sizes)
	}
	for zone, loads := range zones {
		least, most := bounds(loads)
		require.LessOrEqual(c.t, most-least, 1, "zone %s: %v", zone, loads)
	}
}

func squares(perZone map[string]int) int {
	sum := 0
	for _, n := range perZone {
		sum += n * n
	}
	return sum
}

// bestSpread is the least sum of squares for want voters over zones of these
// sizes: one voter after the other in the zone that has the fewest.
func bestSpread(sizes map[string]int, want int) int {
	perZone := make(map[string]int)
	for range want {
		best := ""
		for zone, size := range sizes {
			if perZone[zone] < size && (best == "" || perZone[zone] < perZone[best]) {
				best = zone
			}
		}
		perZone[best]++
	}
	return squares(perZone)
}

func testState(t *testing.T, factor int, zones []string, shards ...Shard) State {
	t.Helper()
	s := State{Factor: factor, Shards: shards}
	for i, zone := range zones {
		s.Nodes = append(s.Nodes, Node{ID: uint64(i + 1), Zone: zone})
	}
	return s
}
