package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/stator-db/stator/partition"
)

// drainCommand takes all leaderships from a node, which keeps its replicas.
type drainCommand struct {
	anyNode
	Node string `arg:"" help:"Name of the node."`
	Undo bool   `help:"Let the node lead again."`
}

// Run waits until the node leads nothing.
func (c *drainCommand) Run(p *process) error {
	if c.Undo {
		return c.setState(p, c.Node, partition.NodeUp, false)
	}
	if err := c.setState(p, c.Node, partition.NodeDraining, false); err != nil {
		return err
	}
	return c.watch(p, func(s *partition.ClusterStatus) (string, bool) {
		leads := 0
		for _, shard := range s.Shards {
			if shard.Leader == c.Node {
				leads++
			}
		}
		if leads == 0 {
			return fmt.Sprintf("%s leads nothing and can be restarted; let it lead again with: stator drain %[1]s --undo", c.Node), true
		}
		return fmt.Sprintf("%s leads %d", c.Node, leads), false
	})
}

// decommissionCommand takes a node out of its cluster for good.
type decommissionCommand struct {
	anyNode
	Node  string `arg:"" help:"Name of the node. It need not be running."`
	Undo  bool   `help:"Keep the node, as long as it is not removed yet."`
	Force bool   `help:"Do so even if too few nodes are left for all replicas of a shard."`
}

// Run waits until the node is removed.
func (c *decommissionCommand) Run(p *process) error {
	if c.Undo {
		return c.setState(p, c.Node, partition.NodeUp, false)
	}
	if err := c.setState(p, c.Node, partition.NodeDecommissioning, c.Force); err != nil {
		return err
	}
	return c.watch(p, func(s *partition.ClusterStatus) (string, bool) {
		i := slices.IndexFunc(s.Nodes, func(n partition.NodeStatus) bool { return n.Name == c.Node })
		if i < 0 {
			return fmt.Sprintf("%s was removed: it can be stopped, and its data directory deleted", c.Node), true
		}
		replicas := 0
		for _, shard := range s.Shards {
			if slices.Contains(shard.Hosts, c.Node) {
				replicas++
			}
		}
		return fmt.Sprintf("%s has %d replicas", c.Node, replicas), false
	})
}

// moveShardCommand moves one replica, which stays where it was moved to.
type moveShardCommand struct {
	anyNode
	Shard   int    `arg:"" help:"Number of the shard."`
	From    string `placeholder:"NODE" help:"Node that has a replica."`
	To      string `placeholder:"NODE" help:"Node that is to have it."`
	Release bool   `help:"Let the shard's replicas move for the sake of balance again."`
}

// Run waits until the replica has moved.
func (c *moveShardCommand) Run(p *process) error {
	path := fmt.Sprintf("shards/%d/", c.Shard)
	switch {
	case c.Release && (c.From != "" || c.To != ""):
		return usageError("--release takes neither --from nor --to")
	case c.Release:
		return c.post(p, path+"release", struct{}{})
	case c.From == "" || c.To == "":
		return usageError("give --from and --to, or --release")
	}
	if err := c.post(p, path+"move", map[string]string{"from": c.From, "to": c.To}); err != nil {
		return err
	}
	return c.watch(p, func(s *partition.ClusterStatus) (string, bool) {
		i := slices.IndexFunc(s.Shards, func(shard partition.ShardStatus) bool { return shard.ID == c.Shard })
		if i < 0 {
			return fmt.Sprintf("shard %d is unknown at the moment", c.Shard), false
		}
		shard := s.Shards[i]
		there := slices.ContainsFunc(shard.Replicas, func(r partition.ReplicaStatus) bool { return r.Node == c.To && r.Role != "learner" })
		if there && !slices.Contains(shard.Hosts, c.From) {
			return fmt.Sprintf("shard %d is on %s; it stays there until: stator move-shard %[1]d --release", c.Shard, c.To), true
		}
		return fmt.Sprintf("shard %d: %s", c.Shard, replicaTexts(shard)), false
	})
}

func (a *anyNode) setState(p *process, node string, state partition.NodeState, force bool) error {
	return a.post(p, "nodes/"+url.PathEscape(node), map[string]any{"state": state, "force": force})
}

// post sends an order. The node passes it on to where it is decided on.
func (a *anyNode) post(p *process, path string, order any) error {
	body, err := json.Marshal(order)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(p.ctx, 15*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(a.Endpoint, "/")+"/_stator/cluster/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(text, &answer) != nil || answer.Error == "" {
		return fmt.Errorf("%s answered %s", a.Endpoint, response.Status)
	}
	return errors.New(answer.Error)
}

const (
	watchPause = 250 * time.Millisecond
	// watchPatience is how long a node may not answer while it is watched.
	watchPatience = 30 * time.Second
)

// watch prints how things stand whenever that changes, until they are done. A
// signal ends the watching, not what was ordered.
func (a *anyNode) watch(p *process, look func(*partition.ClusterStatus) (text string, done bool)) error {
	ctx, stop := signal.NotifyContext(p.ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	last, answered := "", time.Now()
	for {
		status, _, err := clusterStatus(ctx, a.Endpoint)
		switch {
		case err == nil:
			answered = time.Now()
			text, done := look(status)
			if text != last {
				fmt.Fprintln(p.stdout, text)
			}
			if last = text; done {
				return nil
			}
		case ctx.Err() == nil && time.Since(answered) > watchPatience:
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			fmt.Fprintln(p.stdout, "it goes on without being watched")
			return nil
		}
	}
}
