package main

import (
	"fmt"

	"github.com/stator-db/stator/partition"
)

// dataDirFlags are the names that errors of the offline commands recommend.
var dataDirFlags = flagNames{dataDir: "--data-dir"}

// verifyCommand checks a data directory that no server has open.
type verifyCommand struct {
	DataDir string `default:"./data" placeholder:"DIR" help:"Directory of the data."`
}

// Run prints a line for every problem and a summary. It fails if there is a
// problem and changes nothing.
func (c verifyCommand) Run(p *process) error {
	summary, err := partition.Verify(p.ctx, partition.Options{Dir: c.DataDir}, func(problem partition.Problem) {
		fmt.Fprintln(p.stdout, problem)
	})
	if err != nil {
		return explainData(err, c.DataDir, dataDirFlags)
	}
	fmt.Fprintf(p.stdout, "%d tables, %d items, %d index entries, %d problems\n",
		summary.Tables, summary.Items, summary.IndexEntries, summary.Problems)
	if summary.Problems > 0 {
		return fmt.Errorf("data directory %s: %d problems found; stator repair rebuilds index entries from their items",
			c.DataDir, summary.Problems)
	}
	return nil
}
