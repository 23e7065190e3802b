package partition

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/transport"
	"github.com/stator-db/stator/storage/item"
)

// testCluster is a cluster in this process over a network in memory, with logs
// and databases on disk.
type testCluster struct {
	t     *testing.T
	dir   string
	net   *transport.Network
	size  int
	nodes map[string]*DB
}

func newTestCluster(t *testing.T, size, shards int) *testCluster {
	c := &testCluster{t: t, dir: t.TempDir(), net: transport.NewNetwork(nil), size: size, nodes: make(map[string]*DB)}
	var names []string
	for i := range size {
		names = append(names, fmt.Sprintf("n%d", i+1))
	}
	c.start(shards, names...)
	t.Cleanup(c.stop)
	return c
}

func addrOf(name string) string { return fmt.Sprintf("10.0.0.%s:7000", name[1:]) }

// start opens nodes side by side, for each waits for the others.
func (c *testCluster) start(shards int, names ...string) {
	opened, errs := make([]*DB, len(names)), make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			opened[i], errs[i] = Open(Options{
				Dir: filepath.Join(c.dir, name), Logger: slog.New(slog.NewTextHandler(c.t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})).With("at", name),
				Cluster: &ClusterOptions{
					Name: name, Addr: addrOf(name), Join: []string{addrOf("n1"), addrOf("n2")}, BootstrapExpect: min(c.size, 3), Shards: shards,
					Transport: func(o transport.Options) (transport.Interface, error) { return c.net.Listen(o) },
				},
			})
		})
	}
	all.Wait()
	for i, name := range names {
		require.NoError(c.t, errs[i], name)
		c.nodes[name] = opened[i]
	}
}

func (c *testCluster) stop() {
	var all sync.WaitGroup
	for _, db := range c.nodes {
		all.Go(func() { _ = c.closed(db) })
	}
	all.Wait()
}

func (c *testCluster) close(name string) {
	require.NoError(c.t, c.closed(c.nodes[name]))
	delete(c.nodes, name)
}

// closed closes a node. One that takes more than two minutes never ends: what its
// goroutines wait for is shown then.
func (c *testCluster) closed(db *DB) error {
	done := make(chan error, 1)
	go func() { done <- db.Close() }()
	select {
	case err := <-done:
		return err
	case <-time.After(2 * time.Minute):
		var all strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
			return err
		}
		c.t.Errorf("node %s does not close:\n%s", db.opts.Cluster.Name, all.String())
		return errors.New("it does not close")
	}
}

// leader is the node that leads the catalog.
func (c *testCluster) leader() *DB {
	var found *DB
	require.Eventually(c.t, func() bool {
		for _, db := range c.nodes {
			if db.LeadsCatalog() {
				found = db
				return true
			}
		}
		return false
	}, 20*time.Second, time.Millisecond)
	return found
}

func TestClusterServesFromEveryNode(t *testing.T) {
	c := newTestCluster(t, 3, 4)
	table := createTest(t, c.leader(), musicTable())
	for name, db := range c.nodes {
		seen, err := db.Table(Namespace{}, table.Name)
		require.NoError(t, err, name)
		for i := range 20 {
			put(t, db, seen, object("artist", fmt.Sprint(name, i), "song", "x", "genre", "pop"))
		}
	}
	for name, db := range c.nodes {
		for other := range c.nodes {
			for i := range 20 {
				found, err := db.Get(context.Background(), table, object("artist", fmt.Sprint(other, i), "song", "x"), Strong, ignoreItem)
				require.NoError(t, err)
				require.True(t, found, "%s reads what %s wrote", name, other)
			}
		}
		require.Len(t, readAll(t, db, &Read{Table: table, Consistency: Strong}), 60, name)
		require.Len(t, readAll(t, db, &Read{Table: table, Index: table.Index("byGenre"), Consistency: Strong}), 60, name)
	}
}

func ignoreItem(item.Item) error { return nil }
