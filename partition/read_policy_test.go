package partition

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/partition/transport"
)

func TestParseReadPolicy(t *testing.T) {
	for name, want := range map[string]ReadPolicy{
		"nearest": {}, "random": {choice: random}, "round-robin": {choice: roundRobin}, "pinned:n 1": {choice: pinned, node: "n 1"},
	} {
		got, err := ParseReadPolicy(name)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, name := range []string{"", "Nearest", "pinned", "pinned:", "leader"} {
		_, err := ParseReadPolicy(name)
		require.EqualError(t, err, fmt.Sprintf("a read policy is nearest, random, round-robin or pinned:NODE, not %q", name))
	}
}

// trips is a transport that knows round trips only.
type trips struct {
	transport.Interface
	to map[uint64]time.Duration
}

func (f trips) RoundTrip(to uint64) time.Duration { return f.to[to] }

func TestByDistance(t *testing.T) {
	n := &node{id: 1, opts: ClusterOptions{Zone: "a"}, transport: trips{to: map[uint64]time.Duration{2: 9, 3: 1, 4: 5, 6: 2}}}
	n.topology.shards = map[int]*shardRecord{0: {Hosts: []uint64{1, 5, 2, 3, 4, 6}}}
	n.topology.nodes = map[uint64]*nodeRecord{
		1: {Zone: "a"}, 2: {Zone: "a"}, 3: {Zone: "b"}, 4: {Zone: "a"}, 5: {Zone: "a"}, 6: {Zone: "c"},
	}
	// Not 1, where there is no replica yet; 5 has no connection.
	require.Equal(t, []replication.Node{4, 2, 3, 6, 5}, n.byDistance(0))
	require.Empty(t, n.byDistance(1))
	for attempt, want := range []replication.Node{4, 2, 3, 6, 5, 4} {
		require.Equal(t, want, n.nearest(0, attempt))
	}
	for range 100 {
		require.NotEqual(t, replication.Node(5), n.choose(ReadPolicy{choice: random}, &route{node: n}))
	}
}

// TestReadPolicies: each policy has the replicas answer that it names, on this node
// and on others, and goes on to others when one is cut off.
func TestReadPolicies(t *testing.T) {
	t.Parallel()
	c := newFaultyCluster(t, 1, 1)
	table := createTest(t, c.leader(), plainTable("Cells"))
	put(t, c.nodes["n1"], table, object("pk", "k", "v", 1))
	c.requireSameReplicas()
	db := c.nodes["n1"]
	c.eventually("all are within reach", func() bool {
		for _, other := range c.nodes {
			if !db.node.reaches(other.node.id) {
				return false
			}
		}
		return true
	})
	applied := db.node.group(1).Applied()
	// read reads and scans, and counts which nodes answered.
	read := func(policy string, times int) map[string]int {
		p, err := ParseReadPolicy(policy)
		require.NoError(t, err)
		counts := make(map[string]int)
		for range times {
			probe := &Probe{Policy: &p, Watch: true}
			ctx := WithProbe(context.Background(), probe)
			found, err := db.Get(ctx, table, object("pk", "k"), Eventual, ignoreItem)
			require.NoError(t, err)
			require.True(t, found)
			items := 0
			require.NoError(t, db.Read(ctx, &Read{Table: table}, func(*Entry) (bool, error) { items++; return true, nil }))
			require.Equal(t, 1, items)
			for _, a := range probe.Answers() {
				require.Equal(t, Answer{Node: a.Node, Role: a.Role, Applied: a.Applied, Staleness: a.Staleness}, a)
				require.GreaterOrEqual(t, a.Staleness, time.Duration(0))
				require.GreaterOrEqual(t, a.Applied, applied)
				require.LessOrEqual(t, a.Applied, c.nodes[a.Node].node.group(1).Applied())
				require.Contains(t, []string{"leader", "follower"}, a.Role)
				counts[a.Node]++
			}
		}
		return counts
	}
	// A connection may be lost on a busy machine.
	eventually := func(policy string, times int, want map[string]int) {
		c.eventually(policy, func() bool { return maps.Equal(want, read(policy, times)) })
	}
	require.Equal(t, map[string]int{"n1": 10}, read("nearest", 10))
	eventually("pinned:n3", 10, map[string]int{"n3": 10})
	require.Equal(t, map[string]int{"n1": 10}, read("pinned:n1", 10))
	require.Equal(t, map[string]int{"n1": 10}, read("pinned:n9", 10), "no such node")
	eventually("round-robin", 30, map[string]int{"n1": 20, "n2": 20, "n3": 20})
	c.eventually("random reads all", func() bool { return len(read("random", 20)) == 3 })

	probe := &Probe{Watch: true}
	_, err := db.Get(WithProbe(context.Background(), probe), table, object("pk", "k"), Strong, ignoreItem)
	require.NoError(t, err)
	answers := probe.Answers()
	require.Len(t, answers, 1)
	require.Equal(t, Answer{Node: answers[0].Node, Role: "leader", Consistency: Strong, Applied: answers[0].Applied}, answers[0])

	c.isolate("n3")
	require.NotContains(t, read("pinned:n3", 2), "n3", "whether the loss was noticed or not")
	c.eventually("the loss is noticed", func() bool { return !db.node.reaches(c.nodes["n3"].node.id) })
	require.NotContains(t, read("round-robin", 10), "n3")
	require.NotContains(t, read("random", 10), "n3")
	c.heal()
}
