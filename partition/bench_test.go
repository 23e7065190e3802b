package partition

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

// benchItem is an item of about 250 bytes under one of n partition keys.
func benchItem(i int) item.Item {
	return object("pk", fmt.Sprintf("user#%08d", i), "name", "Ada Lovelace", "email", "ada@example.com", "age", i%100,
		"about", "mathematician, chiefly known for her work on the proposed mechanical general-purpose computer, "+
			"the first to recognise that it had applications beyond pure calculation")
}

func benchDB(b *testing.B, o Options) (*DB, *Table) {
	b.Helper()
	if o.Dir == "" {
		o.InMemory = true
	}
	db, err := Open(o)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	table, err := db.CreateTable(context.Background(), plainTable("T"))
	require.NoError(b, err)
	return db, table
}

const benchItems = 10_000

func BenchmarkWrite(b *testing.B) {
	for _, sync := range []bool{false, true} {
		for _, clients := range []int{1, 32} {
			b.Run(fmt.Sprintf("sync=%v/clients=%d", sync, clients), func(b *testing.B) {
				db, table := benchDB(b, Options{Dir: b.TempDir(), Sync: sync})
				items := make([]item.Item, benchItems)
				for i := range items {
					items[i] = benchItem(i)
				}
				b.ReportAllocs()
				b.SetParallelism(max(clients/2, 1))
				if clients == 1 {
					for i := 0; b.Loop(); i++ {
						_, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: items[i%benchItems]})
						require.NoError(b, err)
					}
					return
				}
				b.RunParallel(func(pb *testing.PB) {
					for i := 0; pb.Next(); i++ {
						if _, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: items[(i*7919)%benchItems]}); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}

func BenchmarkGet(b *testing.B) {
	db, table := benchDB(b, Options{Dir: b.TempDir()})
	keys := make([]item.Item, benchItems)
	for i := range keys {
		it := benchItem(i)
		keys[i] = it.Project([]string{"pk"})
		_, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: it})
		require.NoError(b, err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		found, err := db.Get(context.Background(), table, keys[(i*7919)%benchItems], Strong, func(item.Item) error { return nil })
		if err != nil || !found {
			b.Fatal(found, err)
		}
	}
}

func BenchmarkQuery(b *testing.B) {
	spec := musicTable()
	spec.Local, spec.Global = nil, nil
	db, _ := benchDB(b, Options{Dir: b.TempDir()})
	table, err := db.CreateTable(context.Background(), spec)
	require.NoError(b, err)
	for i := range 100 {
		for j := range 100 {
			_, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: object("artist", fmt.Sprint(i), "song", fmt.Sprintf("%04d", j), "genre", "pop", "year", j)})
			require.NoError(b, err)
		}
	}
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				seen := 0
				err := db.Read(context.Background(), &Read{Table: table, Hash: []item.Value{str(fmt.Sprint(i % 100))}}, func(*Entry) (bool, error) {
					seen++
					return seen < n, nil
				})
				if err != nil || seen != n {
					b.Fatal(seen, err)
				}
			}
		})
	}
}
