package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

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
	if err := requireData(c.DataDir); err != nil {
		return err
	}
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

// manifestName is the file that every data directory has; see package storage.
const manifestName = "MANIFEST.stator"

// requireData reports a directory without data, which opening would create.
func requireData(dir string) error {
	_, err := os.Stat(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("data directory %s has no %s: it is no data directory of stator, or it is damaged; name the right one with %s",
			dir, manifestName, dataDirFlags.dataDir)
	}
	if err != nil {
		return explainData(err, dir, dataDirFlags)
	}
	return nil
}
