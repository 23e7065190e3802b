package partition

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage"
)

// The directory of a stopped node is checked replica by replica.
func TestVerifyNode(t *testing.T) {
	c := newTestCluster(t, 3, 4)
	db := c.leader()
	table := createTest(t, db, musicTable())
	for i := range 100 {
		put(t, db, table, object("artist", fmt.Sprint(i), "song", "x", "genre", "pop", "year", num(i)))
	}
	it := object("artist", "7", "song", "x")
	key, _ := appendItemKey(nil, table, it)
	group := groupOf(db.shardOfItem(table, it))
	for name, at := range c.nodes {
		require.Eventually(t, func() bool {
			found := false
			if len(at.node.pool.Groups()) == 5 {
				err := at.node.group(group).replica.Load().shard.View(func(s *storage.Snapshot) (err error) {
					found, err = s.Has(key)
					return err
				})
				require.NoError(t, err)
			}
			return found
		}, time.Minute, time.Millisecond, "%s has all replicas, and the item", name)
	}
	for name := range c.nodes {
		c.close(name)
	}
	verify := func(name string) (found []Problem) {
		summary, err := Verify(t.Context(), Options{Dir: filepath.Join(c.dir, name)}, func(p Problem) { found = append(found, p) })
		require.NoError(t, err)
		require.Equal(t, name, summary.Node)
		require.Equal(t, 5, summary.Replicas)
		require.EqualValues(t, len(found), summary.Problems)
		return found
	}
	for _, name := range []string{"n1", "n2", "n3"} {
		require.Empty(t, verify(name))
	}

	pool, err := storage.OpenPool(storage.PoolOptions{Dir: filepath.Join(c.dir, "n2"), Existing: true})
	require.NoError(t, err)
	s, err := pool.Open(uint64(group))
	require.NoError(t, err)
	b := s.NewBatch()
	require.NoError(t, b.Delete(key))
	require.NoError(t, b.Commit())
	require.NoError(t, pool.Close())
	var what []string
	for _, p := range verify("n2") {
		require.Equal(t, int(group)-1, p.Shard)
		require.Equal(t, table.Name, p.Table)
		what = append(what, p.What)
	}
	require.NotEmpty(t, what)
	require.Contains(t, what[len(what)-1], "counts say")

	require.NoError(t, os.RemoveAll(filepath.Join(c.dir, "n3", raftDir)))
	found := verify("n3")
	require.Len(t, found, 5)
	require.Equal(t, Problem{Shard: -1, What: "the log knows nothing of the replica"}, found[0])

	_, err = Repair(t.Context(), Options{Dir: filepath.Join(c.dir, "n1")}, nil)
	require.ErrorIs(t, err, storage.ErrKind)
}
