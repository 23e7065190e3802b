package partition

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// TestEverythingAtOnce changes tables, writes, transacts, expires and trims from
// several goroutines, closes or crashes amid it, and wants data that agrees with
// itself, again and again in one directory. Every case opens about ten databases, so
// there is one for four of -rapid.checks.
func TestEverythingAtOnce(t *testing.T) {
	checks := flag.Lookup("rapid.checks").Value
	wanted := checks.String()
	n, err := strconv.Atoi(wanted)
	require.NoError(t, err)
	require.NoError(t, checks.Set(strconv.Itoa((n+3)/4)))
	defer func() { require.NoError(t, checks.Set(wanted)) }()
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		shards := rapid.IntRange(1, 3).Draw(rt, "shards")
		for range rapid.IntRange(1, 3).Draw(rt, "runs") {
			o := Options{Dir: dir, Shards: shards, SweepInterval: time.Millisecond}
			if rapid.Bool().Draw(rt, "eventual") {
				o.GSI, o.GSILag = GSIEventual, time.Duration(rapid.IntRange(0, 5).Draw(rt, "lag"))*time.Millisecond
			}
			db, err := Open(o)
			require.NoError(rt, err)
			var all sync.WaitGroup
			for range 4 {
				source := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
				all.Go(func() {
					for range 60 {
						if err := disturb(db, source); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			if rapid.Bool().Draw(rt, "wait") {
				all.Wait()
			}
			if rapid.Bool().Draw(rt, "crash") {
				for _, g := range db.propagators {
					g.abandon()
				}
			}
			require.NoError(rt, db.Close())
			all.Wait()
			_, err = Verify(context.Background(), Options{Dir: dir}, func(p Problem) { rt.Error(p) })
			require.NoError(rt, err)
		}
		db, err := Open(Options{Dir: dir, SweepInterval: time.Millisecond})
		require.NoError(rt, err)
		db.awaitOrdering()
		require.NoError(rt, db.AdvanceClock(time.Second))
		require.NoError(rt, db.Close())
		_, err = Verify(context.Background(), Options{Dir: dir}, func(p Problem) { rt.Error(p) })
		require.NoError(rt, err)
	})
}

// disturb does one random thing. Errors are those that must not be.
func disturb(db *DB, r *rand.Rand) error {
	ctx := context.Background()
	name := fmt.Sprint("T", r.IntN(2))
	table, err := db.Table(Namespace{}, name)
	if err != nil {
		spec := plainTable(name)
		spec.Attributes = append(spec.Attributes, key("g", item.S), key("h", item.S))
		spec.Global = []*Index{{Name: "byG", Projection: ProjectAll, Key: KeySchema{Hash: []KeyAttribute{key("g", item.S)}}}}
		if r.IntN(2) == 0 {
			spec.Stream = &StreamSpec{ViewType: "NEW_AND_OLD_IMAGES"}
		}
		_, err = db.CreateTable(ctx, spec)
		return tolerated(err)
	}
	now := int(db.Now().Unix())
	write := func(pk int) *Write {
		it := object("pk", fmt.Sprint(pk), "g", fmt.Sprint(r.IntN(5)), "h", fmt.Sprint(r.IntN(5)),
			"ttl", now+r.IntN(100)-50, "ttl2", now+r.IntN(100)-50)
		if r.IntN(4) == 0 {
			return &Write{Table: table, Kind: Delete, Item: object("pk", fmt.Sprint(pk))}
		}
		return &Write{Table: table, Kind: Put, Item: it}
	}
	change := func(fn func(t *Table)) error {
		_, err := db.UpdateTable(ctx, Namespace{}, name, func(t *Table) error { fn(t); return nil })
		return err
	}
	switch r.IntN(40) {
	case 0:
		_, err = db.DeleteTable(ctx, Namespace{}, name)
	case 1, 2, 3:
		err = change(func(t *Table) {
			t.TTL = &TTLSpec{Attribute: []string{"ttl", "ttl2"}[r.IntN(2)], Enabled: r.IntN(3) > 0}
		})
	case 4, 5:
		err = change(func(t *Table) {
			if t.Stream != nil {
				t.Stream = nil
			} else {
				t.Stream = &StreamSpec{ViewType: "NEW_IMAGE"}
			}
		})
	case 6, 7, 8:
		err = change(func(t *Table) {
			ix := t.Index("byH")
			switch {
			case ix == nil:
				t.Global = append(t.Global, &Index{Name: "byH", Projection: ProjectKeysOnly, Key: KeySchema{Hash: []KeyAttribute{key("h", item.S)}}})
			case r.IntN(2) == 0:
				ix.Status = IndexDeleting
			}
		})
	case 9:
		err = db.AdvanceClock(time.Duration(r.IntN(20)) * time.Second)
	case 10, 11, 12, 13, 14, 15, 16, 17:
		var ws []*Write
		for _, pk := range r.Perm(20)[:r.IntN(8)+1] {
			ws = append(ws, write(pk))
		}
		var token *IdempotencyToken
		if r.IntN(2) == 0 {
			token = &IdempotencyToken{Key: [32]byte{byte(r.IntN(20))}, Fingerprint: [32]byte{byte(r.IntN(2))}}
		}
		_, err = db.TransactWrite(ctx, ws, token)
	default:
		_, err = db.Write(ctx, write(r.IntN(20)))
	}
	return tolerated(err)
}

// tolerated drops the errors that rivals and Close cause.
func tolerated(err error) error {
	var canceled *TransactionCanceled
	if errors.As(err, &canceled) {
		return nil
	}
	for _, ok := range []error{
		ErrClosed, storage.ErrClosed, context.Canceled, ErrTableNotFound, ErrTableExists,
		ErrTransactionConflict, ErrTransactionInProgress, ErrIdempotentMismatch,
	} {
		if errors.Is(err, ok) {
			return nil
		}
	}
	return err
}
