package placement

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// group is a shard whose first voter leads.
func group(id uint64, voters ...uint64) Shard {
	return Shard{ID: id, Voters: voters, Leader: voters[0]}
}

func (s Shard) learning(learners ...uint64) Shard {
	s.Learners = learners
	return s
}

func (s Shard) ledBy(leader uint64) Shard {
	s.Leader = leader
	return s
}

// with returns the state after a change to one node.
func (s State) with(id uint64, change func(*Node)) State {
	change(&s.Nodes[id-1])
	return s
}

func in(state NodeState) func(*Node) { return func(n *Node) { n.State = state } }
func down(n *Node)                   { n.Down = true }

func (s State) ordered(o ...Order) State {
	s.Orders = o
	return s
}

var (
	threeNodes = []string{"", "", ""}
	fourNodes  = []string{"", "", "", ""}
	fiveNodes  = []string{"", "", "", "", ""}
	threeZones = []string{"a", "b", "c"}
)

func TestPlanSteps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		state State
		want  []Step
	}{
		{"nothing to do", testState(t, 3, threeNodes, group(1, 1, 2, 3)), nil},
		{"no nodes", State{Factor: 3, Shards: []Shard{{ID: 1}}}, nil},
		{"no shards", testState(t, 3, threeNodes), nil},

		{"too few nodes: use what there is", testState(t, 3, threeNodes[:2], group(1, 1, 2)), nil},
		{"a node more: complete", testState(t, 3, threeNodes, group(1, 1, 2)),
			[]Step{{1, AddLearner, 3, Repair}}},
		{"a copy is on its way", testState(t, 3, threeNodes, group(1, 1, 2).learning(3)),
			[]Step{{1, Promote, 3, Continue}}},
		{"factor lowered", testState(t, 1, threeNodes, group(1, 1, 2, 3), group(2, 2), group(3, 3)),
			[]Step{{1, Remove, 2, Continue}}},

		{"dead: first a successor", testState(t, 3, fourNodes, group(1, 1, 2, 3)).with(3, in(Dead)),
			[]Step{{1, AddLearner, 4, Repair}}},
		{"dead: then into the group", testState(t, 3, fourNodes, group(1, 1, 2, 3).learning(4)).with(3, in(Dead)),
			[]Step{{1, Promote, 4, Continue}}},
		{"dead: then out with it", testState(t, 3, fourNodes, group(1, 1, 2, 3, 4)).with(3, in(Dead)),
			[]Step{{1, Remove, 3, Continue}}},
		{"dead: nowhere to go", testState(t, 3, threeNodes, group(1, 1, 2, 3)).with(3, in(Dead)), nil},
		{"dead: better off without", testState(t, 5, fourNodes, group(1, 1, 2, 3, 4)).with(4, in(Dead)),
			[]Step{{1, Remove, 4, Repair}}},
		{"dead: out of the way of one that leaves",
			testState(t, 3, threeNodes, group(1, 1, 2, 3)).with(3, in(Dead)).with(2, in(Decommissioning)),
			[]Step{{1, Remove, 3, Repair}}},
		{"dead: not before the quorum is back", testState(t, 3, fourNodes, group(1, 1, 2, 3)).with(2, in(Dead)).with(3, in(Dead)), nil},
		{"a node that nobody knows is dead", testState(t, 3, threeNodes, group(1, 1, 2, 9)),
			[]Step{{1, AddLearner, 3, Repair}}},
		{"a target that died", testState(t, 3, fiveNodes, group(1, 1, 2, 3).learning(4)).with(4, in(Dead)).with(3, in(Dead)),
			[]Step{{1, Remove, 4, Continue}}},
		{"a target that does not answer, and there is another",
			testState(t, 3, fiveNodes, group(1, 1, 2, 3).learning(4)).with(4, down).with(3, in(Dead)),
			[]Step{{1, Remove, 4, Continue}}},
		{"a target that does not answer, and there is no other",
			testState(t, 3, fourNodes, group(1, 1, 2, 3).learning(4)).with(4, down).with(3, in(Dead)), nil},

		{"down is not dead", testState(t, 3, fourNodes, group(1, 1, 2, 3)).with(3, down), nil},
		{"down: no target", testState(t, 3, fourNodes, group(1, 1, 2, 3)).with(3, in(Dead)).with(4, down), nil},
		{"down: a voter too many goes there first", testState(t, 3, fourNodes, group(1, 1, 2, 3, 4)).with(2, down),
			[]Step{{1, Remove, 2, Continue}}},

		{"draining: the leader moves", testState(t, 3, threeNodes, group(1, 1, 2, 3), group(2, 2, 1, 3)).with(1, in(Draining)),
			[]Step{{1, TransferLeader, 3, Drain}}},
		{"draining: takes none", testState(t, 3, threeNodes, group(1, 1, 2)).with(3, in(Draining)), nil},
		{"draining: all", testState(t, 3, threeNodes, group(1, 1, 2, 3)).with(1, in(Draining)).with(2, in(Draining)).with(3, in(Draining)), nil},

		{"decommissioning: first a successor", testState(t, 3, fourNodes, group(1, 1, 2, 3)).with(3, in(Decommissioning)),
			[]Step{{1, AddLearner, 4, Decommission}}},
		{"decommissioning: first the leadership", testState(t, 3, fourNodes, group(1, 3, 1, 2, 4)).with(3, in(Decommissioning)),
			[]Step{{1, TransferLeader, 1, Continue}}},
		{"decommissioning: then out", testState(t, 3, fourNodes, group(1, 1, 2, 3, 4)).with(3, in(Decommissioning)),
			[]Step{{1, Remove, 3, Continue}}},
		{"decommissioning: no other place, and none to come", testState(t, 3, threeNodes, group(1, 1, 2, 3)).with(3, in(Decommissioning)),
			[]Step{{1, Remove, 3, Decommission}}},
		{"decommissioning: wait for a place", testState(t, 3, fourNodes, group(1, 1, 2, 3)).with(3, in(Decommissioning)).with(4, down), nil},
		{"decommissioning: not below a quorum", testState(t, 3, threeNodes[:2], group(1, 1, 2)).with(1, down).with(2, in(Decommissioning)), nil},
		{"decommissioning: its vote is needed", testState(t, 3, threeNodes, group(1, 1, 2, 3)).with(2, down).with(3, in(Decommissioning)), nil},
		{"decommissioning and gone", testState(t, 3, fourNodes, group(1, 1, 2, 3)).with(3, in(Decommissioning)).with(3, down),
			[]Step{{1, AddLearner, 4, Decommission}}},

		{"order: to and from", testState(t, 3, fiveNodes, group(1, 1, 2, 3)).ordered(Order{1, 2, 5}),
			[]Step{{1, AddLearner, 5, Ordered}}},
		{"order: in the middle", testState(t, 3, fiveNodes, group(1, 1, 2, 3, 5)).ordered(Order{1, 2, 5}),
			[]Step{{1, Remove, 2, Continue}}},
		{"order: carried out and kept to", testState(t, 3, fiveNodes, group(1, 1, 3, 5), group(2, 3, 4, 5), group(3, 5, 1, 3), group(4, 4, 3, 5)).ordered(Order{1, 2, 5}),
			[]Step{{3, AddLearner, 2, Balance}, {2, AddLearner, 2, Balance}}},
		{"order: only from", testState(t, 3, fourNodes, group(1, 1, 2, 3)).ordered(Order{1, 2, 0}),
			[]Step{{1, AddLearner, 4, Ordered}}},
		{"order: only to", testState(t, 3, fourNodes, group(1, 1, 2, 3)).ordered(Order{1, 0, 4}),
			[]Step{{1, AddLearner, 4, Ordered}}},
		{"order: to a node that leaves", testState(t, 3, fourNodes, group(1, 1, 2, 3)).with(4, in(Decommissioning)).ordered(Order{1, 2, 4}), nil},
		{"order: to nowhere", testState(t, 3, fourNodes, group(1, 1, 2, 3)).ordered(Order{1, 2, 9}, Order{7, 1, 4}), nil},
		{"order: nowhere to go", testState(t, 3, threeNodes, group(1, 1, 2, 3)).ordered(Order{1, 2, 0}), nil},
		{"order: more than there is room for",
			testState(t, 1, threeNodes, group(1, 1)).ordered(Order{1, 0, 2}, Order{1, 0, 3}),
			[]Step{{1, AddLearner, 2, Ordered}}},

		{"zones: one each", testState(t, 3, []string{"a", "a", "b", "c"}, group(1, 1, 2, 3)),
			[]Step{{1, AddLearner, 4, Spread}}},
		{"zones: the crowded one gives", testState(t, 3, []string{"a", "a", "b", "c"}, group(1, 1, 2, 3, 4)),
			[]Step{{1, Remove, 2, Continue}}},
		{"zones: two are all there are", testState(t, 3, []string{"a", "a", "b", "b"}, group(1, 1, 2, 3)), nil},
		{"zones: not while a voter is down", testState(t, 3, []string{"a", "a", "b", "c"}, group(1, 1, 2, 3)).with(3, down), nil},
		{"zones before balance", testState(t, 3, []string{"a", "b", "c", "c"}, group(1, 1, 2, 3), group(2, 2, 1, 4)), nil},

		{"balance: an empty node", testState(t, 1, threeNodes, group(1, 1), group(2, 1), group(3, 2)),
			[]Step{{1, AddLearner, 3, Balance}}},
		{"balance: the smaller one",
			testState(t, 1, threeNodes[:2], Shard{ID: 1, Voters: []uint64{1}, Bytes: 9}, Shard{ID: 2, Voters: []uint64{1}, Bytes: 8}),
			[]Step{{2, AddLearner, 2, Balance}}},
		{"balance: one apart is even", testState(t, 1, threeNodes[:2], group(1, 1)), nil},

		{"leaders: even out", testState(t, 3, threeZones, group(1, 1, 2, 3), group(2, 1, 2, 3), group(3, 3, 1, 2)),
			[]Step{{1, TransferLeader, 2, Balance}}},
		{"leaders: by way of a third", testState(t, 2, threeNodes,
			group(1, 1, 2), group(2, 1, 2), group(3, 2, 3), group(4, 1, 2).ledBy(1)).ordered(
			// They only keep the replicas where they are.
			Order{1, 0, 1}, Order{1, 0, 2}, Order{2, 0, 1}, Order{2, 0, 2}, Order{4, 0, 1}, Order{4, 0, 2}, Order{3, 0, 2}, Order{3, 0, 3}),
			[]Step{{3, TransferLeader, 3, Balance}, {1, TransferLeader, 2, Balance}}},
		{"leaders: unknown", testState(t, 3, threeZones, group(1, 1, 2, 3).ledBy(0)), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, Plan(test.state, Limits{}))
		})
	}
}

func TestPlanKeepsToItsLimits(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, 6, 1, 60)
	c.node(6).State = Decommissioning
	c.join(1)
	require.Len(t, Plan(c.state, Limits{Moves: 5, MovesPerNode: 100, Transfers: 1}), 6, "five moves and a leader")
	targets := make(map[uint64]int)
	for _, step := range Plan(c.state, Limits{MovesPerNode: 3}) {
		if step.Action == AddLearner {
			targets[step.Node]++
		}
	}
	require.Equal(t, map[uint64]int{7: 3}, targets)

	// What is under way counts, and is carried on with.
	c.limits = Limits{Moves: 2, MovesPerNode: 2}
	c.round()
	for _, step := range Plan(c.state, c.limits) {
		require.NotEqual(t, AddLearner, step.Action)
	}
	// But not where it stands still.
	for _, s := range c.state.Shards {
		if len(s.Learners) > 0 {
			c.shard(s.ID).Voters = []uint64{6, 98, 99}
		}
	}
	steps := Plan(c.state, c.limits)
	require.Equal(t, AddLearner, steps[0].Action)
}

func TestWeights(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3, 8, 1, 100)
	c.node(8).Weight, c.node(7).Weight = 2, 2
	c.settle(1000)
	replicas, leaders := c.loads()
	require.Equal(t, map[uint64]int{1: 30, 2: 30, 3: 30, 4: 30, 5: 30, 6: 30, 7: 60, 8: 60}, replicas)
	require.Equal(t, map[uint64]int{1: 10, 2: 10, 3: 10, 4: 10, 5: 10, 6: 10, 7: 20, 8: 20}, leaders)
}

func TestOrderDone(t *testing.T) {
	t.Parallel()
	o := Order{Shard: 1, From: 1, To: 4}
	require.False(t, o.Done(group(1, 1, 2, 3)))
	require.False(t, o.Done(group(1, 1, 2, 3).learning(4)))
	require.False(t, o.Done(group(1, 1, 2, 3, 4)))
	require.True(t, o.Done(group(1, 2, 3, 4)))
	require.True(t, Order{Shard: 1, To: 4}.Done(group(1, 1, 3, 4)))
	require.True(t, Order{Shard: 1, From: 1}.Done(group(1, 2, 3, 4)))
}

func TestAssign(t *testing.T) {
	t.Parallel()
	s := testState(t, 3, []string{"a", "b", "c", "a", "b", "c"}, Shard{ID: 9}, Shard{ID: 2}, Shard{ID: 5})
	shards := Assign(s)
	require.Equal(t, []uint64{9, 2, 5}, []uint64{shards[0].ID, shards[1].ID, shards[2].ID}, "in the order given")
	leaders := make(map[uint64]bool)
	for _, shard := range shards {
		require.Len(t, shard.Voters, 3)
		require.Contains(t, shard.Voters, shard.Leader)
		leaders[shard.Leader] = true
	}
	require.Len(t, leaders, 3)

	for id := range s.Nodes {
		s.Nodes[id].State = Draining
	}
	require.Equal(t, []Shard{{ID: 9}, {ID: 2}, {ID: 5}}, Assign(s))
}

func TestStrings(t *testing.T) {
	t.Parallel()
	require.Equal(t, "shard 7: transfer leader 2 (drain)", Step{7, TransferLeader, 2, Drain}.String())
	for state, want := range map[NodeState]string{Up: "up", Draining: "draining", Decommissioning: "decommissioning", Dead: "dead", 9: "state 9"} {
		require.Equal(t, want, state.String())
	}
	for action, want := range map[Action]string{AddLearner: "add learner", Promote: "promote", Remove: "remove", 9: "action 9"} {
		require.Equal(t, want, action.String())
	}
	for reason, want := range map[Reason]string{Continue: "continue", Repair: "repair", Ordered: "order", Decommission: "decommission", Spread: "spread", Balance: "balance", 99: "reason 99"} {
		require.Equal(t, want, reason.String())
	}
}
