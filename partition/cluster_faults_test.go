package partition

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/partition/transport"
	"github.com/stator-db/stator/storage"
)

// faultyCluster is a testCluster with labs, whose requests give up after a second.
type faultyCluster struct {
	*testCluster
	seed uint64
	// configure, if it is set, changes what a node is opened with.
	configure func(o *ClusterOptions)
}

func newFaultyCluster(t *testing.T, seed uint64, shards int) *faultyCluster {
	c := &faultyCluster{seed: seed, testCluster: &testCluster{
		t: t, dir: t.TempDir(), net: transport.NewNetwork(nil), size: 3, nodes: make(map[string]*DB),
	}}
	t.Cleanup(c.stop)
	c.open(shards, "n1", "n2", "n3")
	return c
}

// open opens nodes side by side.
func (c *faultyCluster) open(shards int, names ...string) {
	opened, errs := make([]*DB, len(names)), make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { opened[i], errs[i] = c.openNode(shards, name) })
	}
	all.Wait()
	for i, name := range names {
		require.NoError(c.t, errs[i], name)
		c.nodes[name] = opened[i]
	}
}

func (c *faultyCluster) openNode(shards int, name string) (*DB, error) {
	o := &ClusterOptions{
		Name: name, Addr: addrOf(name), Join: []string{addrOf("n1"), addrOf("n2")}, BootstrapExpect: 3, Shards: shards, Timeout: time.Second, Lab: true,
		Transport: func(o transport.Options) (transport.Interface, error) { return c.net.Listen(o) },
	}
	if c.configure != nil {
		c.configure(o)
	}
	return Open(Options{
		Dir:     filepath.Join(c.dir, name),
		Logger:  slog.New(slog.NewTextHandler(c.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("at", name),
		Cluster: o,
	})
}

// reopen closes all nodes and opens them again.
func (c *faultyCluster) reopen() {
	names := slices.Sorted(maps.Keys(c.nodes))
	for _, name := range names {
		c.close(name)
	}
	c.open(0, names...)
}

// isolate cuts a node off from the others, in both directions.
func (c *faultyCluster) isolate(name string) {
	c.links([]transport.Rule{{From: name, Block: true}, {To: name, Block: true}, {To: addrOf(name), Block: true}})
}

func (c *faultyCluster) heal() { c.links(nil) }

// links spoils what all nodes send.
func (c *faultyCluster) links(rules []transport.Rule) {
	for _, db := range c.nodes {
		require.NoError(c.t, db.Lab().Links.SetSeeded(c.seed, rules))
	}
}

// leaderOf is the name of the node that leads a shard.
func (c *faultyCluster) leaderOf(shard int) (name string) {
	c.eventually("somebody leads", func() bool {
		for n, db := range c.nodes {
			if db.acts(shard) {
				name = n
				return true
			}
		}
		return false
	})
	return name
}

func (c *faultyCluster) eventually(what string, done func() bool) {
	c.t.Helper()
	require.Eventually(c.t, done, 2*time.Minute, 2*time.Millisecond, what)
}

// requireSameReplicas waits until all replicas of each group have applied the
// same log, and compares everything they hold but what is told apart by when it
// was written (the applied index).
func (c *faultyCluster) requireSameReplicas() {
	c.t.Helper()
	all := slices.Sorted(maps.Keys(c.nodes))
	for id := range replication.Group(c.nodes[all[0]].Shards() + 1) {
		names := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return c.nodes[name].node.group(id) == nil })
		var states []map[string]string
		c.eventually(fmt.Sprintf("group %d settles", id), func() bool {
			before := c.appliedIndexes(names, id)
			states = nil
			for _, name := range names {
				g := c.nodes[name].node.group(id)
				state := make(map[string]string)
				require.NoError(c.t, g.replica.Load().shard.View(func(s *storage.Snapshot) error {
					return s.Scan(storage.Range{}, func(key, value []byte) (bool, error) {
						if key[0] != kindMeta {
							state[fmt.Sprintf("%q", key)] = fmt.Sprintf("%x", value)
						}
						return true, nil
					})
				}))
				states = append(states, state)
			}
			after := c.appliedIndexes(names, id)
			return len(slices.Compact(append(before, after...))) == 1
		})
		require.NotEmpty(c.t, states[0])
		for i := 1; i < len(states); i++ {
			require.Equal(c.t, states[0], states[i], "group %d of %s and %s", id, names[0], names[i])
		}
	}
}

func (c *faultyCluster) appliedIndexes(names []string, id replication.Group) []uint64 {
	var indexes []uint64
	for _, name := range names {
		g := c.nodes[name].node.group(id)
		if g == nil {
			return []uint64{0, 1}
		}
		indexes = append(indexes, g.Applied())
	}
	return indexes
}

// records counts what all shards hold of some kinds, as their leaders see it.
func (c *faultyCluster) records(kinds ...byte) int {
	count := 0
	for shard := range c.nodes["n1"].Shards() {
		db := c.nodes[c.leaderOf(shard)]
		for _, kind := range kinds {
			require.NoError(c.t, db.node.group(groupOf(shard)).replica.Load().shard.View(func(s *storage.Snapshot) error {
				return scanKind(s, kind, func(_, _ []byte) error { count++; return nil })
			}))
		}
	}
	return count
}
