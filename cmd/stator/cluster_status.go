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

// clusterQuery asks a node for what it knows of its cluster.
type clusterQuery struct {
	Endpoint string `default:"http://127.0.0.1:8000" placeholder:"URL" help:"Client port of any node."`
	JSON     bool   `name:"json" help:"Print the node's answer as it is."`
}

type (
	nodesCommand  struct{ clusterQuery }
	shardsCommand struct{ clusterQuery }
)

// Run prints a line for each node.
func (c *nodesCommand) Run(p *process) error { return c.print(p, writeNodes) }

// Run prints a line for each shard.
func (c *shardsCommand) Run(p *process) error { return c.print(p, writeShards) }

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
		replicas := slices.Clone(shard.Replicas)
		slices.SortFunc(replicas, func(a, b partition.ReplicaStatus) int { return strings.Compare(a.Node, b.Node) })
		var texts []string
		for _, r := range replicas {
			texts = append(texts, fmt.Sprintf("%s (%d)", r.Node, r.Lag))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\n", name, first, leader, shard.Term, shard.Commit, strings.Join(texts, " "))
	}
	t.Flush() // an error means that the terminal is gone
}
