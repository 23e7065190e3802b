package partition

import (
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// TestCheckerCatchesStaleReads makes sure that the checker of the failover can
// say no: what a follower that is cut off holds, passed off as a strong read, is
// not a number that the key held at that moment. Before and after its lab makes it
// do so, the node refuses.
func TestCheckerCatchesStaleReads(t *testing.T) {
	t.Parallel()
	c := newFaultyCluster(t, 1, 1)
	table := createTest(t, c.leader(), plainTable("Cells"))
	leader := c.leaderOf(0)
	names := []string{"n1", "n2", "n3"}
	follower := names[(slices.Index(names, leader)+1)%3]
	l := &cellLoad{c: c, table: table, keys: []string{"k"}, history: &cellHistory{start: time.Now()}}
	swap := func(want, next int) {
		op := cellOp{kind: cellSwap, key: "k", want: want, next: next}
		called := l.history.now()
		res, err := runCellOp(t, c.nodes[leader], table, op)
		require.NoError(t, err)
		require.Equal(t, cellResult{}, res)
		l.history.add(1, op, called, res)
	}
	swap(0, 1)
	require.Equal(t, map[string]int{"k": 1}, l.final())
	c.requireSameReplicas()
	require.Equal(t, porcupine.Ok, l.history.verdict())

	c.isolate(follower)
	swap(1, 2)
	require.ErrorIs(t, readCell(c.nodes[follower], table, "k"), ErrUnavailable)
	require.Equal(t, porcupine.Ok, l.history.verdict())

	c.nodes[follower].Lab().SetLocalReads(true)
	read := cellOp{kind: cellRead, key: "k"}
	called := l.history.now()
	stale, err := runCellOp(t, c.nodes[follower], table, read)
	require.NoError(t, err)
	require.Equal(t, cellResult{value: 1}, stale)
	l.history.add(2, read, called, stale)
	require.Equal(t, porcupine.Illegal, l.history.verdict())

	c.nodes[follower].Lab().SetLocalReads(false)
	require.ErrorIs(t, readCell(c.nodes[follower], table, "k"), ErrUnavailable)
	c.heal()
}
