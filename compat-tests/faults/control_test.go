//go:build linux

package faults

import (
	"fmt"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// TestStaleStrongReadsAreCaught breaks the promise on purpose, to see that the check of the matrix notices: a
// follower that hears everything late answers strong reads from what it has.
func TestStaleStrongReadsAreCaught(t *testing.T) {
	needNamespaces(t)
	c := newCluster(t, 0, "--lab")
	cl := newClient()
	createTables(t, cl)
	const liar = 3
	c.lab(liar, "reads", object{"strong": "local"})
	for node := 1; node < liar; node++ {
		c.lab(node, "links", object{"rules": []object{{"to": namespaceOf(liar), "delayMs": 200}}})
	}
	l := startLoad(cl, "control", 1) // by nobody but this test
	for i := range 20 {
		// Items and index entries of many shards: of those that the liar leads, it knows.
		cell := fmt.Sprintf("control-%d-0", i)
		l.count(1, 1, cell)
		require.NoError(t, l.read(2, liar, cell))
	}
	cells, _ := l.history.split()
	require.NotEmpty(t, cells)
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(cellModel, cells, checkTimeout))
}
