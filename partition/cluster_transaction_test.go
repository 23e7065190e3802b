package partition

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

var branches = []string{"north", "south", "east", "west", "city"}

// accountsTable has a global index on the branch an account is kept at.
func accountsTable() Table {
	spec := plainTable("Accounts")
	spec.Attributes = append(spec.Attributes, key("branch", item.S))
	spec.Global = []*Index{{Name: "byBranch", Projection: ProjectAll, Key: KeySchema{Hash: []KeyAttribute{key("branch", item.S)}}}}
	return spec
}

// TestTransactionsOverLeaderChanges moves money between accounts on different
// shards, and accounts between branches, while the leaders of all shards change
// over and over and in the end a node leaves in the middle of it. Not a coin may
// be lost, the index must show the accounts as they are, and nothing of any
// transaction may be left once those of the lost coordinator are finished.
func TestTransactionsOverLeaderChanges(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	c := newFaultyCluster(t, seed, 3)
	table := createTest(t, c.leader(), accountsTable())
	const accounts, each = 9, 100
	for i := range accounts {
		put(t, c.nodes["n1"], table, object("pk", strconv.Itoa(i), "v", each, "branch", "main"))
	}

	all := []string{"n1", "n2", "n3"}
	var clients sync.WaitGroup
	var stop atomic.Bool
	var done [6]atomic.Int64
	leaving := atomic.Pointer[DB]{}
	for n := range done {
		db := c.nodes[all[n/2]]
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		clients.Go(func() {
			for !stop.Load() && leaving.Load() != db {
				err := transferOrMove(t, db, table, r, accounts)
				if err == nil {
					done[n].Add(1)
				} else if leaving.Load() != db {
					t.Error(err)
					return
				}
			}
		})
	}
	progress := func(among []int) {
		for _, n := range among {
			from := done[n].Load()
			c.eventually("transactions go on", func() bool { return done[n].Load() >= from+3 || t.Failed() })
		}
	}
	r := rand.New(rand.NewPCG(seed, 100))
	moved := 0
	for range 10 {
		progress([]int{0, 1, 2, 3, 4, 5})
		shard := r.IntN(3)
		from := c.leaderOf(shard)
		to := all[(slices.Index(all, from)+1+r.IntN(2))%3]
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if c.nodes[from].node.runtime.Transfer(ctx, groupOf(shard), c.nodes[to].node.id) == nil {
			moved++
		}
		cancel()
	}
	require.Positive(t, moved)
	leaving.Store(c.nodes["n3"])
	c.close("n3")
	progress([]int{0, 1, 2, 3})
	stop.Store(true)
	clients.Wait()
	c.open(0, "n3")

	finished := leaveTransaction(t, c.nodes["n1"], table, "decided", true)
	undone := leaveTransaction(t, c.nodes["n2"], table, "undecided", false)

	for _, name := range all {
		c.eventually("the clock advances", func() bool { return c.nodes[name].AdvanceClock(2*staleIntent) == nil })
	}
	c.eventually("transactions and index changes are finished", func() bool {
		for _, db := range c.nodes {
			if db.AdvanceClock(0) != nil {
				return false
			}
		}
		return c.records(kindLock, kindIntent, kindOutbox) == 0
	})
	for _, name := range all {
		db := c.nodes[name]
		items := readAll(t, db, &Read{Table: table, Consistency: Strong})
		entries := readAll(t, db, &Read{Table: table, Index: table.Index("byBranch"), Consistency: Strong})
		require.Len(t, items, accounts+len(finished))
		require.ElementsMatch(t, items, entries, "the index as %s sees it", name)
		entries = nil
		for _, branch := range slices.Concat(branches, []string{"main"}) {
			entries = append(entries, readAll(t, db, &Read{Table: table, Index: table.Index("byBranch"), Hash: []item.Value{str(branch)}, Consistency: Strong})...)
		}
		require.ElementsMatch(t, items, entries, "the entries that lie where they are looked for")
		sum := 0
		for i := range accounts {
			sum += cellValue(get(t, db, table, strconv.Itoa(i)))
		}
		require.Equal(t, accounts*each, sum)
		for _, k := range finished {
			require.Equal(t, 7, cellValue(get(t, db, table, k)))
		}
		for _, k := range undone {
			require.Nil(t, get(t, db, table, k))
		}
	}
	c.requireSameReplicas()
}

// leaveTransaction does what a coordinator does that dies before or after it has
// decided a transaction of two items on different shards, which are returned.
func leaveTransaction(t *testing.T, db *DB, table *Table, name string, decided bool) []string {
	ctx := context.Background()
	keys := []string{name}
	for i := 0; len(keys) < 2; i++ {
		k := name + strconv.Itoa(i)
		if db.shardOfItem(table, object("pk", k)) != db.shardOfItem(table, object("pk", name)) {
			keys = append(keys, k)
		}
	}
	id := txID(uuid.New())
	coordinator := db.shardOfItem(table, object("pk", keys[0]))
	for _, k := range keys {
		w := &Write{Table: table, Kind: Put, Item: object("pk", k, "v", 7, "branch", "main"), at: db.Now()}
		require.NoError(t, db.insist(ctx, db.logs[db.shardOfItem(table, w.Item)], &prepareCommand{id: id, coordinator: coordinator, writes: []*Write{w}}, true))
		patiently(t, func() error {
			_, err := db.Write(ctx, &Write{Table: table, Kind: Put, Item: w.Item})
			if errors.Is(err, ErrTransactionConflict) {
				return nil
			}
			require.Error(t, err)
			return err
		})
	}
	if decided {
		require.NoError(t, db.insist(ctx, db.logs[coordinator], &commitCommand{id: id, count: 1, decides: true, parts: 2, at: db.Now()}, true))
	}
	return keys
}

// transferOrMove does one random thing. Conflicts and doubt are fine.
func transferOrMove(t *testing.T, db *DB, table *Table, r *rand.Rand, accounts int) error {
	ctx := context.Background()
	from := r.IntN(accounts)
	to := (from + 1 + r.IntN(accounts-1)) % accounts
	values := map[string]item.Value{":n": num(1 + r.IntN(20))}
	branch := update(t, "SET branch = :b", map[string]item.Value{":b": str(branches[r.IntN(len(branches))])})
	var err error
	if r.IntN(3) == 0 {
		_, err = db.Write(ctx, &Write{Table: table, Kind: Update, Item: object("pk", strconv.Itoa(from)), Update: branch})
	} else {
		_, err = db.TransactWrite(ctx, []*Write{
			{Table: table, Kind: Update, Item: object("pk", strconv.Itoa(from)), Update: update(t, "SET v = v - :n", values), Condition: condition(t, "v >= :n", values)},
			{Table: table, Kind: Update, Item: object("pk", strconv.Itoa(to)), Update: update(t, "SET v = v + :n", values)},
		}, nil)
	}
	var canceled *TransactionCanceled
	switch {
	case errors.As(err, &canceled), errors.Is(err, ErrTransactionConflict), errors.Is(err, ErrOutcomeUnknown), errors.Is(err, ErrUnavailable):
		return nil
	}
	return err
}
