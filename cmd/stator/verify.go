package main

import (
	"fmt"

	"github.com/stator-db/stator/partition"
)

// dataDirFlags are the names that errors of the offline commands recommend.
var dataDirFlags = flagNames{dataDir: "--data-dir"}

const defaultDataDir = "./data"

// verifyCommand checks a data directory that no server has open, or a cluster that
// serves.
type verifyCommand struct {
	DataDir  string `default:"./data" placeholder:"DIR" help:"Directory of the data, of a stopped server."`
	Cluster  bool   `env:"-" help:"Compare the replicas of a running cluster instead."`
	Endpoint string `default:"http://127.0.0.1:8000" placeholder:"URL" help:"With --cluster: client port of any node."`
}

// Run prints a line for every problem and a summary. It fails if there is a
// problem and changes nothing.
func (c verifyCommand) Run(p *process) error {
	if c.Cluster {
		if c.DataDir != defaultDataDir {
			return usageError("--cluster asks running nodes: --data-dir has no meaning with it")
		}
		return verifyCluster(p, c.Endpoint)
	}
	summary, err := partition.Verify(p.ctx, partition.Options{Dir: c.DataDir}, func(problem partition.Problem) {
		fmt.Fprintln(p.stdout, problem)
	})
	if err != nil {
		return explainData(err, c.DataDir, dataDirFlags)
	}
	fmt.Fprintf(p.stdout, "%d tables, %d items, %d index entries, %d problems\n",
		summary.Tables, summary.Items, summary.IndexEntries, summary.Problems)
	if summary.Node != "" {
		fmt.Fprintf(p.stdout, "%d replicas of node %s, each by itself, and its log; not checked: that global indexes agree with items of "+
			"other shards, and that other nodes hold the same (stator verify --cluster)\n", summary.Replicas, summary.Node)
		if summary.Problems > 0 {
			return fmt.Errorf("data directory %s: %d problems found; %s", c.DataDir, summary.Problems, nodeRemedy)
		}
		return nil
	}
	if summary.Problems > 0 {
		return fmt.Errorf("data directory %s: %d problems found; stator repair rebuilds index entries from their items",
			c.DataDir, summary.Problems)
	}
	return nil
}
