package processes

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/lab"
)

// watchPause is the time between two looks at the cluster.
const watchPause = 100 * time.Millisecond

// watch is what was seen of the cluster.
type watch struct {
	mu      sync.Mutex
	last    *status
	leaders []lab.Leader
}

// status is the part of GET /_stator/cluster that matters here.
type status struct {
	Shards []struct {
		ID       int
		Leader   string
		Term     uint64
		Replicas []struct {
			Node string
			Lag  int
		}
	}
}

// led reports whether there are so many shards, and all have a leader.
func (s *status) led(shards int) bool {
	leaders := 0
	for _, sh := range s.Shards {
		if sh.ID >= 0 && sh.Leader != "" {
			leaders++
		}
	}
	return leaders >= shards
}

func (c *Cluster) ready(ctx context.Context, node int) error { return c.get(ctx, node, "/ready", nil) }

func (c *Cluster) status(ctx context.Context, node int) (*status, error) {
	s := new(status)
	return s, c.get(ctx, node, "/_stator/cluster", s)
}

func (c *Cluster) get(ctx context.Context, node int, path string, out any) error {
	return c.admin(ctx, node, http.MethodGet, path, nil, out)
}

// look watches the cluster until the end.
func (c *Cluster) look() {
	for turn := 0; c.ctx.Err() == nil; turn++ {
		c.wait(c.ctx, watchPause)
		node := turn % len(c.nodes)
		if !c.nodes[node].up() {
			continue
		}
		ctx, cancel := context.WithTimeout(c.ctx, time.Second)
		s, err := c.status(ctx, node)
		cancel()
		if err == nil {
			c.saw(s)
		}
	}
}

// saw notes leaders. One that was not seen for a while is none any more.
func (c *Cluster) saw(s *status) {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	now := c.Now()
	c.watch.last = s
	for _, sh := range s.Shards {
		node := c.named(sh.Leader)
		if node < 0 || sh.ID < 0 {
			continue
		}
		at := slices.IndexFunc(c.watch.leaders, func(l lab.Leader) bool {
			return l.Shard == sh.ID && l.Node == node && l.Term == sh.Term
		})
		if at < 0 {
			c.watch.leaders = append(c.watch.leaders, lab.Leader{Shard: sh.ID, Node: node, Term: sh.Term, From: now, Until: now})
		} else {
			c.watch.leaders[at].Until = now
		}
	}
}

// named is the position of the node of that name, -1 if there is none.
func (c *Cluster) named(name string) int {
	return slices.IndexFunc(c.nodes, func(n *node) bool { return n.name == name })
}

// Leader implements lab.System.
func (c *Cluster) Leader(shard int) int {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	if c.watch.last != nil {
		for _, sh := range c.watch.last.Shards {
			if sh.ID == shard {
				return c.named(sh.Leader)
			}
		}
	}
	return -1
}

// Replicas implements lab.System.
func (c *Cluster) Replicas(shard int) []int {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	nodes := []int{}
	if c.watch.last != nil {
		for _, sh := range c.watch.last.Shards {
			for _, r := range sh.Replicas {
				if n := c.named(r.Node); sh.ID == shard && n >= 0 {
					nodes = append(nodes, n)
				}
			}
		}
	}
	slices.Sort(nodes)
	return nodes
}

// Leaders implements lab.System: what nodes said of whom leads, one after the other.
func (c *Cluster) Leaders() []lab.Leader {
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	return slices.Clone(c.watch.leaders)
}

// Lag implements lab.System.
func (c *Cluster) Lag(shard, node int) (lab.LagPoint, bool) {
	down := !c.nodes[node].up()
	c.watch.mu.Lock()
	defer c.watch.mu.Unlock()
	if c.watch.last != nil {
		for _, sh := range c.watch.last.Shards {
			for _, r := range sh.Replicas {
				if sh.ID == shard && c.named(r.Node) == node {
					return lab.LagPoint{Entries: r.Lag, Down: down}, true
				}
			}
		}
	}
	return lab.LagPoint{Down: down}, true
}

// admin asks a node something outside of the API.
func (c *Cluster) admin(ctx context.Context, node int, method, path string, in, out any) error {
	request, err := c.adminRequest(ctx, node, method, path, in)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(out)
}
