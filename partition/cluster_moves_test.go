package partition

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/partition/transport"
)

// newMovingCluster is a faultyCluster of so many nodes; configure may be nil.
func newMovingCluster(t *testing.T, seed uint64, size, shards int, configure func(o *ClusterOptions)) *faultyCluster {
	c := &faultyCluster{seed: seed, configure: configure, testCluster: &testCluster{
		t: t, dir: t.TempDir(), net: transport.NewNetwork(nil), size: size, nodes: make(map[string]*DB),
	}}
	t.Cleanup(c.stop)
	c.open(shards, "n1", "n2", "n3")
	for i := 3; i < size; i++ {
		c.open(0, fmt.Sprintf("n%d", i+1))
	}
	return c
}

// voters are the names of the voters of each shard as its leader has it; nil while a
// shard has no leader, or one that knows of a learner.
func (c *faultyCluster) voters() [][]string {
	var all [][]string
	names := make(map[replication.Node]string)
	for name, db := range c.nodes {
		names[db.node.id] = name
	}
	for shard := range c.nodes["n1"].Shards() {
		var members []string
		for _, db := range c.nodes {
			if s := db.node.runtime.Status(groupOf(shard)); db.acts(shard) && s.Role == replication.Leader && len(s.Learners) == 0 {
				for _, v := range s.Voters {
					members = append(members, names[v])
				}
			}
		}
		if members == nil {
			return nil
		}
		slices.Sort(members)
		all = append(all, members)
	}
	return all
}

// settle waits until every shard has three voters, each node as many replicas as
// given, and no node anything on its disk of what is not there any more.
func (c *faultyCluster) settle(replicas map[string]int) {
	c.t.Helper()
	var last [][]string
	defer func() {
		if c.t.Failed() {
			c.t.Log("voters", last)
		}
	}()
	c.eventually("replicas settle", func() bool {
		last = c.voters()
		have := make(map[string]int)
		for _, members := range last {
			if len(members) != 3 {
				return false
			}
			for _, name := range members {
				have[name]++
			}
		}
		for name, db := range c.nodes {
			if !db.node.removed.Load() && len(db.node.pool.Groups()) != 1+replicas[name] {
				return false
			}
		}
		return maps.Equal(have, replicas)
	})
}

// member is a node's record, nil if the cluster has none of that name.
func (c *faultyCluster) member(name string) *nodeRecord {
	for _, m := range c.leader().node.topology.members() {
		if m.Name == name {
			return &m
		}
	}
	return nil
}

func newLoad(c *faultyCluster, seed uint64) *cellLoad {
	table := createTest(c.t, c.leader(), plainTable("Cells"))
	l := &cellLoad{c: c, table: table, seed: seed, history: &cellHistory{start: time.Now()}, pace: 2 * time.Millisecond}
	l.keys = append(acrossShards(c.nodes["n1"], table, c.nodes["n1"].Shards()), "another")
	return l
}

func (l *cellLoad) check() {
	l.c.t.Helper()
	l.final()
	require.Equal(l.c.t, porcupine.Ok, l.history.verdict(), "%d operations, seed %d", len(l.history.operations), l.seed)
	l.c.requireSameReplicas()
}

// TestGrowAndShrink adds a fourth node while clients read and write, takes the
// catalog's leader away in the middle of the moves, and then removes a node.
func TestGrowAndShrink(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	c := newMovingCluster(t, seed, 3, 8, nil)
	l := newLoad(c, seed)
	require.ErrorIs(t, c.nodes["n1"].SetNodeState(t.Context(), "n3", NodeDecommissioning, false), ErrOrder)
	l.run([]string{"n1", "n2", "n3"}, func(progress func()) {
		progress()
		c.open(0, "n4")
		c.eventually("a replica moves", func() bool { return len(c.nodes["n4"].node.pool.Groups()) > 1 })
		leader := c.leader().opts.Cluster.Name
		c.isolate(leader)
		c.eventually("another leads the catalog", func() bool {
			return slices.ContainsFunc([]string{"n1", "n2", "n3", "n4"}, func(name string) bool { return name != leader && c.nodes[name].LeadsCatalog() })
		})
		c.heal()
		c.settle(map[string]int{"n1": 6, "n2": 6, "n3": 6, "n4": 6})
		progress()
	})
	l.check()

	l.run([]string{"n1", "n3", "n4"}, func(progress func()) {
		progress()
		require.NoError(t, c.nodes["n4"].SetNodeState(t.Context(), "n2", NodeDecommissioning, false))
		c.eventually("the node is removed", func() bool { return c.member("n2") == nil && c.nodes["n2"].node.removed.Load() })
		c.settle(map[string]int{"n1": 8, "n3": 8, "n4": 8})
		progress()
	})
	gone := c.nodes["n2"]
	require.ErrorIs(t, readCell(gone, l.table, l.keys[0]), ErrRemoved)
	_, err := gone.Write(t.Context(), &Write{Table: l.table, Kind: Put, Item: object("pk", "k", "v", 1)})
	require.ErrorIs(t, err, ErrRemoved)
	c.close("n2")
	_, err = c.openNode(0, "n2")
	require.ErrorIs(t, err, ErrRemoved, "it does not come back with its disk")
	l.check()

	require.NoError(t, os.RemoveAll(filepath.Join(c.dir, "n2")))
	c.open(0, "n2")
	c.settle(map[string]int{"n1": 6, "n2": 6, "n3": 6, "n4": 6})
	l.check()
}

// TestDeadNodeIsReplaced cuts a node off for longer than ReplaceAfter: its replicas
// are made anew on the others. When it is back, it drops what moved away and takes
// new ones.
func TestDeadNodeIsReplaced(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	c := newMovingCluster(t, seed, 4, 4, func(o *ClusterOptions) { o.ReplaceAfter = 2 * time.Second })
	l := newLoad(c, seed)
	c.settle(map[string]int{"n1": 3, "n2": 3, "n3": 3, "n4": 3})
	lost := c.nodes["n3"]
	l.run([]string{"n1", "n2", "n4"}, func(progress func()) {
		progress()
		c.isolate("n3")
		delete(c.nodes, "n3")
		c.settle(map[string]int{"n1": 4, "n2": 4, "n4": 4})
		c.eventually("the catalog has other voters", func() bool {
			s := c.leader().node.runtime.Status(catalogGroup)
			return len(s.Voters) == 3 && !slices.Contains(s.Voters, lost.node.id)
		})
		require.Equal(t, NodeDead, stateOf(c.nodes["n1"], "n3"))
		progress()
		c.nodes["n3"] = lost
		c.heal()
		c.settle(map[string]int{"n1": 3, "n2": 3, "n3": 3, "n4": 3})
		progress()
	})
	l.check()
}

// stateOf is a node's state as another one shows it.
func stateOf(db *DB, name string) NodeState {
	for _, m := range db.Cluster(context.Background()).Nodes {
		if m.Name == name {
			return m.State
		}
	}
	return ""
}

// TestWipedDisk opens a node with an empty directory under its old name: it is
// another node to the cluster, which replaces the old one by it.
func TestWipedDisk(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	c := newMovingCluster(t, seed, 3, 3, nil)
	l := newLoad(c, seed)
	old := c.nodes["n1"].node.id // one that others may take for the first of a cluster
	l.run([]string{"n2", "n3"}, func(progress func()) {
		progress()
		c.close("n1")
		require.NoError(t, os.RemoveAll(filepath.Join(c.dir, "n1")))
		c.open(0, "n1")
		require.NotEqual(t, old, c.nodes["n1"].node.id)
		c.settle(map[string]int{"n1": 3, "n2": 3, "n3": 3})
		c.eventually("the old node is forgotten", func() bool {
			s := c.leader().node.runtime.Status(catalogGroup)
			return len(s.Voters) == 3 && !isMember(s, old)
		})
		progress()
	})
	l.check()
}

// TestDrainAndMove: a node that drains leads nothing, a shard moves where an operator
// wants it and stays there, and a new zone gets a replica of everything.
func TestDrainAndMove(t *testing.T) {
	zones := map[string]string{"n1": "a", "n2": "a", "n3": "b", "n4": "c"}
	c := newMovingCluster(t, 1, 3, 4, func(o *ClusterOptions) { o.Zone = zones[o.Name] })
	leads := func(name string) (count int) {
		for shard := range 4 {
			if c.nodes[name].acts(shard) {
				count++
			}
		}
		return count
	}
	// A member keeps its replica even if it believes that it hosts it no more.
	dropped, err := c.nodes["n1"].node.dropGroup(groupOf(0), 0)
	require.NoError(t, err)
	require.False(t, dropped)
	c.settle(map[string]int{"n1": 4, "n2": 4, "n3": 4})

	drained := c.leader().opts.Cluster.Name
	require.NoError(t, c.nodes["n1"].SetNodeState(t.Context(), drained, NodeDraining, false))
	c.eventually("it leads nothing", func() bool {
		return leads(drained) == 0 && !c.nodes[drained].LeadsCatalog() && leads("n1")+leads("n2")+leads("n3") == 4
	})
	require.Equal(t, NodeDraining, stateOf(c.nodes["n2"], drained))
	require.NoError(t, c.nodes["n2"].SetNodeState(t.Context(), drained, NodeUp, false))
	c.eventually("it leads again", func() bool { return leads(drained) > 0 })

	c.open(0, "n4")
	c.settle(map[string]int{"n1": 2, "n2": 2, "n3": 4, "n4": 4})
	from, to := "n1", "n2"
	if !slices.Contains(c.voters()[2], from) {
		from, to = to, from
	}
	require.NoError(t, c.nodes["n4"].MoveShard(t.Context(), 2, from, to))
	c.eventually("the shard moves and another takes its place", func() bool {
		v := c.voters()
		return v != nil && slices.Contains(v[2], to) && !slices.Contains(v[2], from)
	})
	c.settle(map[string]int{"n1": 2, "n2": 2, "n3": 4, "n4": 4})
	require.Contains(t, c.voters()[2], to)
	require.Equal(t, []order{{From: uint64(c.nodes[from].node.id), To: uint64(c.nodes[to].node.id)}}, c.leader().node.topology.ordersOf(2))
	require.NoError(t, c.nodes["n3"].ReleaseShard(t.Context(), 2))
	c.eventually("the order ends", func() bool { return len(c.leader().node.topology.ordersOf(2)) == 0 })

	for _, refused := range []error{
		c.nodes["n1"].MoveShard(t.Context(), 2, from, to), // it is not there
		c.nodes["n1"].MoveShard(t.Context(), 2, to, to),
		c.nodes["n1"].MoveShard(t.Context(), 2, to, "n9"),
		c.nodes["n1"].MoveShard(t.Context(), 9, "n1", "n2"),
		c.nodes["n1"].SetNodeState(t.Context(), "n9", NodeDraining, false),
		c.nodes["n1"].SetNodeState(t.Context(), "n1", NodeRemoved, false),
	} {
		require.ErrorIs(t, refused, ErrOrder)
	}
}

// TestJoiningNodeMakesNoCluster: a node that is only to join waits for those it is to
// join.
func TestJoiningNodeMakesNoCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	c := &faultyCluster{testCluster: &testCluster{t: t, dir: t.TempDir(), net: transport.NewNetwork(nil), nodes: make(map[string]*DB)}}
	c.configure = func(o *ClusterOptions) { o.BootstrapExpect, o.Context = 1, ctx }
	_, err := c.openNode(1, "n4")
	require.ErrorContains(t, err, "no cluster found")
}
