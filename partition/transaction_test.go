package partition

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

func plainTable(name string) Table {
	return Table{Name: name, Billing: PayPerRequest,
		Key:        KeySchema{Hash: []KeyAttribute{key("pk", item.S)}},
		Attributes: []KeyAttribute{key("pk", item.S)}}
}

func condition(t require.TestingT, text string, values map[string]item.Value) *expression.Condition {
	c, err := expression.NewBinder(nil, values).Condition(expression.KindCondition, text)
	require.NoError(t, err)
	return c
}

func update(t require.TestingT, text string, values map[string]item.Value) *expression.Update {
	u, err := expression.NewBinder(nil, values).Update(text)
	require.NoError(t, err)
	return u
}

func get(t require.TestingT, db *DB, table *Table, pk string) (found item.Item) {
	patiently(t, func() error {
		_, err := db.Get(context.Background(), table, object("pk", pk), Strong, func(it item.Item) error {
			found = it.Clone()
			return nil
		})
		return err
	})
	return found
}

// acrossShards returns keys that lie on at least n different shards.
func acrossShards(db *DB, table *Table, n int) []string {
	seen := map[int]bool{}
	var keys []string
	for i := 0; len(seen) < n; i++ {
		k := "key" + strconv.Itoa(i)
		if shard := db.shardOfItem(table, object("pk", k)); !seen[shard] {
			seen[shard] = true
			keys = append(keys, k)
		}
	}
	return keys
}

func TestTransactionIsAllOrNothing(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(strconv.Itoa(shards), func(t *testing.T) {
			db := openTest(t, Options{Shards: shards})
			table := createTest(t, db, plainTable("T"))
			keys := acrossShards(db, table, min(shards, 3))
			if shards == 1 {
				keys = []string{"a", "b", "c"}
			}
			var ws []*Write
			for _, k := range keys {
				ws = append(ws, &Write{Table: table, Kind: Put, Item: object("pk", k, "v", 1)})
			}
			res, err := db.TransactWrite(context.Background(), ws, nil)
			require.NoError(t, err)
			require.Len(t, res.Results, 3)
			for i, k := range keys {
				require.Equal(t, ws[i].Item, get(t, db, table, k))
				require.Equal(t, ws[i].Item.Size(), res.Results[i].NewSize)
				require.Equal(t, -1, res.Results[i].OldSize)
			}

			ws = []*Write{
				{Table: table, Kind: Update, Item: object("pk", keys[0]), Update: update(t, "SET v = v + :one", map[string]item.Value{":one": num(1)})},
				{Table: table, Kind: Delete, Item: object("pk", keys[1])},
				{Table: table, Kind: Check, Item: object("pk", keys[2]), Condition: condition(t, "v = :two", map[string]item.Value{":two": num(2)}), WantFailed: true},
			}
			_, err = db.TransactWrite(context.Background(), ws, nil)
			var canceled *TransactionCanceled
			require.ErrorAs(t, err, &canceled)
			require.Nil(t, canceled.Reasons[0])
			require.Nil(t, canceled.Reasons[1])
			var failed *ConditionFailed
			require.ErrorAs(t, canceled.Reasons[2], &failed)
			require.Equal(t, object("pk", keys[2], "v", 1), failed.Item)
			for _, k := range keys {
				require.Equal(t, object("pk", k, "v", 1), get(t, db, table, k))
			}
			// No lock stays behind.
			for _, k := range keys {
				put(t, db, table, object("pk", k, "v", 3))
			}
		})
	}
}

func TestLockedItemConflicts(t *testing.T) {
	db := openTest(t, Options{Shards: 2})
	table := createTest(t, db, plainTable("T"))
	keys := acrossShards(db, table, 2)
	put(t, db, table, object("pk", keys[0], "v", 1))
	// The first phase of a transaction whose coordinator is slow.
	w := &Write{Table: table, Kind: Put, Item: object("pk", keys[0], "v", 2)}
	id := txID{1}
	shard := db.shardOfItem(table, w.Item)
	require.NoError(t, db.logs[shard].propose(context.Background(), &prepareCommand{id: id, coordinator: 1 - shard, writes: []*Write{w}}, true))

	_, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: object("pk", keys[0], "v", 3)})
	require.ErrorIs(t, err, ErrTransactionConflict)
	_, err = db.TransactWrite(context.Background(), []*Write{
		{Table: table, Kind: Delete, Item: object("pk", keys[1])},
		{Table: table, Kind: Delete, Item: object("pk", keys[0])},
	}, nil)
	var canceled *TransactionCanceled
	require.ErrorAs(t, err, &canceled)
	require.NoError(t, canceled.Reasons[0])
	require.ErrorIs(t, canceled.Reasons[1], ErrTransactionConflict)
	require.Equal(t, object("pk", keys[0], "v", 1), get(t, db, table, keys[0]), "reads see the last committed item")
	err = db.TransactGet(context.Background(), []KeyRead{{table, object("pk", keys[0])}}, nil)
	require.ErrorAs(t, err, &canceled)
	require.ErrorIs(t, canceled.Reasons[0], ErrTransactionConflict)

	require.NoError(t, db.logs[shard].propose(context.Background(), &commitCommand{id: id, count: 1}, true))
	require.Equal(t, object("pk", keys[0], "v", 2), get(t, db, table, keys[0]))
	require.NoError(t, db.logs[shard].propose(context.Background(), &commitCommand{id: id, count: 1}, true), "committing again changes nothing")
	put(t, db, table, object("pk", keys[0], "v", 4))
}

func TestInterruptedTransactionsAreFinishedAtStart(t *testing.T) {
	for _, decided := range []bool{false, true} {
		t.Run(fmt.Sprint(decided), func(t *testing.T) {
			dir := t.TempDir()
			db, err := Open(Options{Dir: dir, Shards: 2})
			require.NoError(t, err)
			table := createTest(t, db, plainTable("T"))
			keys := acrossShards(db, table, 2)
			id := txID{7}
			coordinator := db.shardOfItem(table, object("pk", keys[0]))
			for _, k := range keys {
				w := &Write{Table: table, Kind: Put, Item: object("pk", k, "v", 1)}
				require.NoError(t, db.logs[db.shardOfItem(table, w.Item)].propose(context.Background(), &prepareCommand{id: id, coordinator: coordinator, writes: []*Write{w}}, true))
			}
			if decided {
				require.NoError(t, db.logs[coordinator].propose(context.Background(), &commitCommand{id: id, count: 1, decides: true, parts: 2}, true))
			}
			require.NoError(t, db.Close())

			db, err = Open(Options{Dir: dir})
			require.NoError(t, err)
			for _, k := range keys {
				require.Equal(t, decided, get(t, db, table, k) != nil)
				put(t, db, table, object("pk", k, "v", 5)) // no lock is left
			}
			require.NoError(t, db.Close())
			verifyClean(t, dir)
		})
	}
}

func TestIdempotencyToken(t *testing.T) {
	for _, shards := range []int{1, 3} {
		dir := t.TempDir()
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		open := func() *DB {
			db, err := Open(Options{Dir: dir, Shards: shards, Clock: func() time.Time { return now }})
			require.NoError(t, err)
			return db
		}
		db := open()
		table := createTest(t, db, plainTable("T"))
		keys := acrossShards(db, table, shards)
		token := &IdempotencyToken{Key: [32]byte{1}, Fingerprint: [32]byte{2}}
		increment := func() []*Write {
			var ws []*Write
			for _, k := range keys {
				ws = append(ws, &Write{Table: table, Kind: Update, Item: object("pk", k),
					Update: update(t, "ADD v :one", map[string]item.Value{":one": num(1)})})
			}
			return ws
		}
		value := func() int64 {
			n, _ := get(t, db, table, keys[0]).Get("v").Number().Int64()
			return n
		}
		res, err := db.TransactWrite(context.Background(), increment(), token)
		require.NoError(t, err)
		require.False(t, res.Replayed)
		require.NoError(t, db.Close())

		db = open() // tokens are honoured after a restart
		res, err = db.TransactWrite(context.Background(), increment(), token)
		require.NoError(t, err)
		require.True(t, res.Replayed)
		require.Equal(t, object("pk", keys[0], "v", 1).Size(), res.Results[0].NewSize)
		require.Equal(t, int64(1), value())
		_, err = db.TransactWrite(context.Background(), increment(), &IdempotencyToken{Key: [32]byte{1}, Fingerprint: [32]byte{3}})
		require.ErrorIs(t, err, ErrIdempotentMismatch)

		require.NoError(t, db.AdvanceClock(TokenRetention))
		res, err = db.TransactWrite(context.Background(), increment(), token)
		require.NoError(t, err)
		require.False(t, res.Replayed)
		require.Equal(t, int64(2), value())
		require.ErrorIs(t, db.AdvanceClock(-time.Second), ErrClockBackwards)
		require.NoError(t, db.Close())
	}
}

// TestTransfersKeepTheSum moves money between accounts on several shards from
// many goroutines while readers check that the sum never changes.
func TestTransfersKeepTheSum(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		db, err := Open(Options{InMemory: true, Shards: 3})
		require.NoError(rt, err)
		defer func() { require.NoError(rt, db.Close()) }()
		table, err := db.CreateTable(context.Background(), plainTable("Accounts"))
		require.NoError(rt, err)
		const accounts, each = 8, 100
		reads := make([]KeyRead, accounts)
		for i := range accounts {
			it := object("pk", strconv.Itoa(i), "v", each)
			_, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: it})
			require.NoError(rt, err)
			reads[i] = KeyRead{table, object("pk", strconv.Itoa(i))}
		}
		type transfer struct{ from, to, amount int }
		plans := make([][]transfer, 4)
		for g := range plans {
			plans[g] = rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) transfer {
				from := rapid.IntRange(0, accounts-1).Draw(rt, "from")
				to := (from + rapid.IntRange(1, accounts-1).Draw(rt, "to")) % accounts
				return transfer{from, to, rapid.IntRange(1, 150).Draw(rt, "amount")}
			}), 10, 30).Draw(rt, "plan")
		}
		var writers sync.WaitGroup
		for _, plan := range plans {
			writers.Go(func() {
				for _, tr := range plan {
					values := map[string]item.Value{":n": num(tr.amount)}
					_, err := db.TransactWrite(context.Background(), []*Write{
						{Table: table, Kind: Update, Item: object("pk", strconv.Itoa(tr.from)), Update: update(t, "SET v = v - :n", values), Condition: condition(t, "v >= :n", values)},
						{Table: table, Kind: Update, Item: object("pk", strconv.Itoa(tr.to)), Update: update(t, "SET v = v + :n", values)},
					}, nil)
					var canceled *TransactionCanceled
					if err != nil && !errors.As(err, &canceled) {
						t.Error(err)
					}
				}
			})
		}
		sums := 0
		done := make(chan struct{})
		go func() { writers.Wait(); close(done) }()
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			var sum int64
			err := db.TransactGet(context.Background(), reads, func(_ int, it item.Item) error {
				n, _ := it.Get("v").Number().Int64()
				sum += n
				return nil
			})
			var canceled *TransactionCanceled
			if errors.As(err, &canceled) && running {
				continue
			}
			require.NoError(rt, err)
			require.Equal(rt, int64(accounts*each), sum)
			sums++
		}
		require.Positive(rt, sums)
	})
}

// TestReappearingItemIsNoticed: an absent item of a transactional read that was
// there between its two looks must not count as unchanged, not even while the
// commit that deleted it is still being finished.
func TestReappearingItemIsNoticed(t *testing.T) {
	db := openTest(t, Options{Shards: 1})
	table := createTest(t, db, plainTable("T"))
	k, _ := appendItemKey(nil, table, object("pk", "a"))
	look := func(again bool) uint64 {
		seen, err := db.look(context.Background(), map[int][]int{0: {0}}, [][]byte{k}, nil, again)
		require.NoError(t, err)
		return seen[0].version
	}
	first := look(false)
	put(t, db, table, object("pk", "a"))
	inside, leave := make(chan struct{}), make(chan struct{})
	db.replicas[0].hooks.committed = func() { close(inside); <-leave }
	done := make(chan error)
	go func() {
		_, err := db.Write(context.Background(), &Write{Table: table, Kind: Delete, Item: object("pk", "a")})
		done <- err
	}()
	<-inside
	require.NotEqual(t, first, look(true))
	close(leave)
	require.NoError(t, <-done)
	db.replicas[0].hooks.committed = nil
}
