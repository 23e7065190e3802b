package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stator-db/stator/partition"
)

// anyNode is the node that a command talks to.
type anyNode struct {
	Endpoint string `default:"http://127.0.0.1:8000" placeholder:"URL" help:"Client port of any node."`
}

// clusterQuery asks a node for what it knows of its cluster.
type clusterQuery struct {
	anyNode
	JSON bool `name:"json" help:"Print the node's answer as it is."`
}

type (
	nodesCommand  struct{ clusterQuery }
	shardsCommand struct{ clusterQuery }
)

// Run prints a line for each node.
func (c *nodesCommand) Run(p *process) error { return c.print(p, writeNodes) }

// Run prints a line for each shard.
func (c *shardsCommand) Run(p *process) error {
	return c.print(p, func(w io.Writer, s *partition.ClusterStatus) {
		writeShards(w, s)
		writeSteps(w, s)
	})
}

func (c *clusterQuery) print(p *process, table func(io.Writer, *partition.ClusterStatus)) error {
	status, body, err := clusterStatus(p.ctx, c.Endpoint)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err := fmt.Fprintln(p.stdout, string(body))
		return err
	}
	table(p.stdout, status)
	return nil
}

// clusterStatus asks one node. body is its answer as it came.
func clusterStatus(ctx context.Context, endpoint string) (status *partition.ClusterStatus, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpointURL(endpoint)+"/_stator/cluster", nil)
	if err != nil {
		return nil, nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(io.LimitReader(response.Body, 64<<20)); err != nil {
		return nil, nil, err
	}
	if response.StatusCode == http.StatusNotFound {
		return nil, nil, fmt.Errorf("%s is not a node of a cluster", endpoint)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s answered %s", endpoint, response.Status)
	}
	status = new(partition.ClusterStatus)
	if err := json.Unmarshal(body, status); err != nil {
		return nil, nil, fmt.Errorf("%s answered with something else: %w", endpoint, err)
	}
	return status, body, nil
}

func newTable(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func writeNodes(w io.Writer, s *partition.ClusterStatus) {
	t := newTable(w)
	fmt.Fprintln(t, "NODE\tSTATE\tCLIENTS\tCLUSTER\tZONE\tREPLICAS\tLEADS\tPID\tID")
	for _, n := range s.Nodes {
		zone := n.Zone
		if zone == "" {
			zone = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", n.Name, n.State, n.HTTP, n.Addr, zone, n.Replicas, n.Leaders, n.PID, n.ID)
	}
	t.Flush() // an error means that the terminal is gone
}

func writeShards(w io.Writer, s *partition.ClusterStatus) {
	t := newTable(w)
	fmt.Fprintln(t, "SHARD\tTOKENS FROM\tLEADER\tTERM\tCOMMIT\tREPLICAS (LAG)")
	for _, shard := range s.Shards {
		name, first, leader := fmt.Sprint(shard.ID), shard.First, shard.Leader
		if shard.ID < 0 {
			name, first = "catalog", "-"
		}
		if leader == "" {
			leader = "none"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\n", name, first, leader, shard.Term, shard.Commit, replicaTexts(shard))
	}
	t.Flush() // an error means that the terminal is gone
}

// replicaTexts lists the replicas of a shard by name, with their lag, and the nodes
// that have one but do not answer.
func replicaTexts(shard partition.ShardStatus) string {
	replicas := slices.Clone(shard.Replicas)
	for _, host := range shard.Hosts {
		if !slices.ContainsFunc(replicas, func(r partition.ReplicaStatus) bool { return r.Node == host }) {
			replicas = append(replicas, partition.ReplicaStatus{Node: host, Role: "silent"})
		}
	}
	slices.SortFunc(replicas, func(a, b partition.ReplicaStatus) int { return strings.Compare(a.Node, b.Node) })
	var texts []string
	for _, r := range replicas {
		switch r.Role {
		case "silent":
			texts = append(texts, r.Node+" (silent)")
		case "learner":
			texts = append(texts, fmt.Sprintf("%s (learner, %d)", r.Node, r.Lag))
		default:
			texts = append(texts, fmt.Sprintf("%s (%d)", r.Node, r.Lag))
		}
	}
	return strings.Join(texts, " ")
}

// writeSteps lists what the cluster is about to do with replicas and leaders.
func writeSteps(w io.Writer, s *partition.ClusterStatus) {
	for _, step := range s.Steps {
		fmt.Fprintf(w, "shard %d: %s %s (%s)\n", step.Shard, step.Action, step.Node, step.Reason)
	}
}
