package main

import (
	"errors"
	"fmt"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage"
)

// nodeRemedy is what to do about damage to the data of a cluster node.
const nodeRemedy = "stop the node and start it again with an empty directory: it joins as a new node and gets its replicas from the others"

// repairCommand rebuilds the indexes of a data directory that no server has open.
type repairCommand struct {
	DataDir string `default:"./data" placeholder:"DIR" help:"Directory of the data."`
}

// Run makes index entries agree with their items, which are never changed, and
// prints what it did.
func (c repairCommand) Run(p *process) error {
	summary, err := partition.Repair(p.ctx, partition.Options{Dir: c.DataDir}, func(line string) {
		fmt.Fprintln(p.stdout, line)
	})
	if errors.Is(err, storage.ErrKind) {
		return fmt.Errorf("data directory %s is that of a cluster node, and is not repaired by itself: %s", c.DataDir, nodeRemedy)
	}
	if err != nil {
		return explainData(err, c.DataDir, dataDirFlags)
	}
	_, err = fmt.Fprintf(p.stdout, "%d tables, %d index entries added, %d removed\n",
		summary.Tables, summary.EntriesAdded, summary.EntriesRemoved)
	return err
}
