package partition

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage"
)

// TestCloseAmongEverything closes while tables change, transactions run and the
// clock is advanced, which must leave neither work behind nor anything torn.
func TestCloseAmongEverything(t *testing.T) {
	for round := range 10 {
		dir := t.TempDir()
		db, err := Open(Options{Dir: dir, Shards: 3})
		require.NoError(t, err)
		table := createTest(t, db, plainTable("T"))
		keys := acrossShards(db, table, 3)
		var all sync.WaitGroup
		started := make(chan struct{}, 100)
		until := func(fn func(i int) error) {
			all.Go(func() {
				for i := 0; ; i++ {
					err := fn(i)
					var canceled *TransactionCanceled
					switch {
					case err == nil || errors.As(err, &canceled) || errors.Is(err, ErrTransactionConflict):
					case errors.Is(err, ErrClosed) || errors.Is(err, storage.ErrClosed) || errors.Is(err, context.Canceled):
						return
					default:
						t.Error(err)
						return
					}
					if i == round {
						started <- struct{}{}
					}
				}
			})
		}
		until(func(i int) error {
			var ws []*Write
			for _, k := range keys {
				ws = append(ws, &Write{Table: table, Kind: Put, Item: object("pk", k, "v", i, "ttl", 1_000_000+i)})
			}
			_, err := db.TransactWrite(context.Background(), ws, nil)
			return err
		})
		until(func(i int) error {
			_, err := db.UpdateTable(context.Background(), Namespace{}, "T", func(t *Table) error {
				t.TTL = &TTLSpec{Attribute: "ttl", Enabled: i%2 == 0}
				return nil
			})
			return err
		})
		until(func(i int) error {
			name := fmt.Sprint("N", i)
			if _, err := db.CreateTable(context.Background(), plainTable(name)); err != nil {
				return err
			}
			_, err := db.DeleteTable(context.Background(), Namespace{}, name)
			return err
		})
		until(func(int) error { return db.AdvanceClock(1) })
		for range 4 {
			<-started
		}
		require.NoError(t, db.Close())
		all.Wait()
		require.NoError(t, db.usable(), "closing is no failure")

		db, err = Open(Options{Dir: dir})
		require.NoError(t, err)
		values := make(map[string]bool)
		for _, k := range keys {
			values[string(get(t, db, table, k).Get("v").Bytes())] = true
		}
		require.Len(t, values, 1, "a transaction is torn")
		require.NoError(t, db.Close())
		verifyClean(t, dir)
	}
}

type panicCommand struct{}

func (panicCommand) apply(a *application) error {
	a.set([]byte{kindMeta, 'x'}, nil)
	panic("a bug")
}

// TestPanicOfACommandIsItsOwn: whoever leads the log applies the commands of
// others, and must hand on the lead whatever they do.
func TestPanicOfACommandIsItsOwn(t *testing.T) {
	db := openTest(t, Options{Shards: 1})
	table := createTest(t, db, plainTable("T"))
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if i%2 == 0 {
				if err := db.logs[0].propose(context.Background(), panicCommand{}, true); err == nil || errors.Is(err, ErrClosed) {
					t.Error("no error of a command that panicked")
				}
				return
			}
			put(t, db, table, object("pk", fmt.Sprint(i)))
		})
	}
	all.Wait()
	require.Equal(t, int64(10), db.Stats(table).Items)
}
