//go:build linux

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	clusterSize   = 3
	clusterShards = 8
	smallDisk     = "768m" // of the last node, which can be filled
)

// cluster is the nodes of one run, numbered from 1.
type cluster struct {
	t     *testing.T
	net   *network
	dir   string
	flags []string // for every node
	nodes map[int]*exec.Cmd
}

// newCluster starts a cluster in which each shard has a leader and every replica is up to date.
func newCluster(t *testing.T, spare int, flags ...string) *cluster {
	c := &cluster{t: t, net: newNetwork(t, clusterSize+spare), dir: t.TempDir(), flags: flags, nodes: map[int]*exec.Cmd{}}
	c.net.do("mount --mkdir -t tmpfs -o size=%s tmpfs %s", smallDisk, c.dataDir(clusterSize))
	t.Cleanup(func() { c.net.do("umount %s", c.dataDir(clusterSize)) })
	for i := 1; i <= clusterSize; i++ {
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range c.nodes {
			c.kill(i)
		}
		if t.Failed() || os.Getenv("KEEPLOGS") != "" {
			c.showLogs()
		}
	})
	c.settle()
	return c
}

func (c *cluster) dataDir(i int) string { return filepath.Join(c.dir, namespaceOf(i)) }
func (c *cluster) logFile(i int) string { return c.dataDir(i) + ".log" }
func endpointOf(i int) string           { return fmt.Sprintf("http://%s:8000", addressOf(i)) }

// start starts a node, for the first time or again.
func (c *cluster) start(i int) {
	c.t.Helper()
	var join []string
	for other := 1; other <= clusterSize; other++ {
		if other != i {
			join = append(join, addressOf(other)+":7000")
		}
	}
	args := append([]string{
		"netns", "exec", namespaceOf(i), binary, "serve", "--cluster", "--node-id", namespaceOf(i), "--host", addressOf(i),
		"--cluster-addr", addressOf(i) + ":7000", "--join", strings.Join(join, ","), "--bootstrap-expect", fmt.Sprint(clusterSize),
		"--shards", fmt.Sprint(clusterShards), "--data-dir", c.dataDir(i),
	}, c.flags...)
	log, err := os.OpenFile(c.logFile(i), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(c.t, err)
	defer log.Close()
	cmd := exec.Command("ip", args...)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(c.t, cmd.Start())
	c.nodes[i] = cmd
}

// signal sends a node a signal. `ip netns exec` has become the node, so its process is the node's.
func (c *cluster) signal(i int, s syscall.Signal) {
	c.t.Helper()
	require.NoError(c.t, c.nodes[i].Process.Signal(s), namespaceOf(i))
}

// kill ends a node as kill -9 does.
func (c *cluster) kill(i int) {
	_ = c.nodes[i].Process.Kill()
	_ = c.nodes[i].Wait()
	delete(c.nodes, i)
}

// stop ends a node in good order.
func (c *cluster) stop(i int) {
	c.t.Helper()
	c.signal(i, syscall.SIGTERM)
	require.NoError(c.t, c.nodes[i].Wait(), namespaceOf(i))
	delete(c.nodes, i)
}

// ended reports whether a node's process is gone.
func (c *cluster) ended(i int) bool {
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.nodes[i].Process.Pid))
	return err != nil || strings.Contains(string(state), ") Z ")
}

// clusterStatus is the part of GET /_stator/cluster that the tests look at.
type clusterStatus struct {
	Nodes []struct {
		Name, State string
		Replicas    int
	}
	Shards []struct {
		ID       int
		Leader   string
		Commit   uint64
		Replicas []struct {
			Node    string
			Applied uint64
			Lag     uint64
		}
	}
	Steps []struct{ Action string } // under way
}

// status is the cluster as one node sees it.
func (c *cluster) status(i int) (*clusterStatus, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpointOf(i)+"/_stator/cluster", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	s := new(clusterStatus)
	return s, json.NewDecoder(response.Body).Decode(s)
}

// settleTimeout is how long a cluster may take to be whole again after a fault.
const settleTimeout = 90 * time.Second

// settle waits until every node sees every node, and each shard has a leader and replicas that have applied what
// it committed.
func (c *cluster) settle() {
	c.t.Helper()
	for i := range c.nodes {
		require.Eventually(c.t, func() bool {
			s, err := c.status(i)
			return err == nil && whole(s)
		}, settleTimeout, 50*time.Millisecond, "the cluster is whole in the eyes of %s", namespaceOf(i))
	}
}

func whole(s *clusterStatus) bool {
	up := 0
	for _, n := range s.Nodes {
		if n.State == "up" {
			up++
		}
	}
	if up < clusterSize || len(s.Shards) == 0 {
		return false
	}
	for _, shard := range s.Shards {
		if shard.Leader == "" || len(shard.Replicas) < clusterSize {
			return false
		}
		for _, r := range shard.Replicas {
			if r.Lag > 0 {
				return false
			}
		}
	}
	return true
}

// leaders is the leader of each shard by the shard's number; -1 is the catalog.
func (c *cluster) leaders() map[int]int {
	c.t.Helper()
	leaders := map[int]int{}
	require.Eventually(c.t, func() bool {
		s, err := c.status(1)
		if err != nil || !whole(s) {
			return false
		}
		for _, shard := range s.Shards {
			_, err := fmt.Sscanf(shard.Leader, "n%d", new(int))
			require.NoError(c.t, err)
			var node int
			_, _ = fmt.Sscanf(shard.Leader, "n%d", &node)
			leaders[shard.ID] = node
		}
		return true
	}, settleTimeout, 50*time.Millisecond)
	return leaders
}

func (c *cluster) showLogs() {
	for i := 1; i <= clusterSize+1; i++ {
		if log, err := os.ReadFile(c.logFile(i)); err == nil {
			c.t.Logf("the end of the log of %s:\n%s", namespaceOf(i), log[max(0, len(log)-60000):])
		}
	}
}
