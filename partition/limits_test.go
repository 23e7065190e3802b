package partition

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// onDiskAndInMemory runs a test with both kinds of storage, on one shard.
func onDiskAndInMemory(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Run("disk", func(t *testing.T) {
		dir := t.TempDir()
		db, err := Open(Options{Dir: dir, Shards: 1})
		require.NoError(t, err)
		test(t, db)
		require.NoError(t, db.Close())
		verifyClean(t, dir)
	})
	t.Run("memory", func(t *testing.T) {
		test(t, openTest(t, Options{InMemory: true, Shards: 1}))
	})
}

// indexedTable has as many indexes as a table may have, all with all attributes,
// and a stream of both images.
func indexedTable() Table {
	spec := plainTable("T")
	spec.Key.Range = []KeyAttribute{key("sk", item.S)}
	spec.Stream = &StreamSpec{ViewType: "NEW_AND_OLD_IMAGES"}
	for i := range 5 {
		spec.Local = append(spec.Local, &Index{Name: fmt.Sprintf("l%d", i), Local: true, Projection: ProjectAll,
			Key: KeySchema{Hash: spec.Key.Hash, Range: []KeyAttribute{key(fmt.Sprintf("a%d", i), item.S)}}})
	}
	for i := range 20 {
		spec.Global = append(spec.Global, &Index{Name: fmt.Sprintf("g%d", i), Projection: ProjectAll,
			Key: KeySchema{Hash: []KeyAttribute{key(fmt.Sprintf("a%d", i%10), item.S)}}})
	}
	return spec
}

// indexedItem is held by every index of indexedTable.
func indexedItem(pk, marker string, size int) item.Item {
	pairs := []any{"pk", pk, "sk", "s"}
	for i := range 10 {
		pairs = append(pairs, fmt.Sprintf("a%d", i), marker)
	}
	return object(append(pairs, "v", strings.Repeat("x", size))...)
}

func TestLargestItemInAllIndexes(t *testing.T) {
	onDiskAndInMemory(t, func(t *testing.T, db *DB) {
		table := createTest(t, db, indexedTable())
		for _, marker := range []string{"one", "two"} {
			put(t, db, table, indexedItem("a", marker, 399<<10))
		}
		require.Equal(t, int64(1), db.Stats(table).Indexes[25].Items)
	})
}

func TestLargestTransaction(t *testing.T) {
	for name, spec := range map[string]Table{"plain": streamTable("NEW_AND_OLD_IMAGES"), "indexed": indexedTable()} {
		for _, count := range []int{10, 100} {
			t.Run(fmt.Sprintf("%s-%d", name, count), func(t *testing.T) {
				onDiskAndInMemory(t, func(t *testing.T, db *DB) {
					table := createTest(t, db, spec)
					for _, marker := range []string{"one", "two"} {
						var ws []*Write
						for i := range count {
							ws = append(ws, &Write{Table: table, Kind: Put, Item: indexedItem(fmt.Sprint(i), marker, 3900<<10/count)})
						}
						_, err := db.TransactWrite(context.Background(), ws, nil)
						require.NoError(t, err)
					}
					require.Equal(t, int64(count), db.Stats(table).Items)
				})
			})
		}
	}
}

// Many small values weigh more in a commit than few large ones, which it only
// points to.
func TestTransactionOfManySmallEntries(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 1})
	require.NoError(t, err)
	table := createTest(t, db, indexedTable())
	token := &IdempotencyToken{Key: [32]byte{1}}
	var ws []*Write
	for i := range 100 {
		ws = append(ws, &Write{Table: table, Kind: Put, Item: indexedItem(fmt.Sprint(i), "one", 800), WantNew: true})
	}
	res, err := db.TransactWrite(context.Background(), ws, token)
	require.NoError(t, err)
	for i, r := range res.Results {
		require.Equal(t, ws[i].Item, r.New)
	}
	res, err = db.TransactWrite(context.Background(), ws, token)
	require.NoError(t, err)
	require.True(t, res.Replayed)
	require.Equal(t, int64(100), db.Stats(table).Indexes[25].Items)
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}

func TestItemsWithLongKeysAreRemoved(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 1})
	require.NoError(t, err)
	spec := plainTable("T")
	spec.Key.Range = []KeyAttribute{key("sk", item.S)}
	table := createTest(t, db, spec)
	now := int(db.Now().Unix())
	var ws []*Write
	for i := range 1200 {
		ws = append(ws, &Write{Table: table, Kind: Put, Item: object(
			"pk", strings.Repeat("\x00", 2040)+fmt.Sprint(i), "sk", strings.Repeat("\x00", 1024), "ttl", now+i%2*1000)})
	}
	_, errs := db.WriteAll(context.Background(), ws)
	for _, err := range errs {
		require.NoError(t, err)
	}
	_, err = db.UpdateTable(context.Background(), Namespace{}, "T", func(t *Table) error {
		t.TTL = &TTLSpec{Attribute: "ttl", Enabled: true}
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, db.AdvanceClock(1e9))
	require.NoError(t, db.AdvanceClock(1e9))
	require.Equal(t, int64(600), db.Stats(table).Items)
	_, err = db.DeleteTable(context.Background(), Namespace{}, "T")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return countRecords(t, db, kindItem)+countRecords(t, db, kindExpiry)+countRecords(t, db, kindCatalog) == 1
	}, 20*time.Second, time.Millisecond, "all that is left is the next table id")
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}

// countRecords counts the records of a kind in all shards.
func countRecords(t *testing.T, db *DB, kind byte) (n int) {
	t.Helper()
	for _, s := range db.store.Shards() {
		require.NoError(t, s.View(func(snap *storage.Snapshot) error {
			return scanKind(snap, kind, func(_, _ []byte) error { n++; return nil })
		}))
	}
	return n
}

// TestTransactionIsNeverSeenInPart reads while transactions are written that are
// larger than what storage in memory commits at once.
func TestTransactionIsNeverSeenInPart(t *testing.T) {
	onDiskAndInMemory(t, func(t *testing.T, db *DB) {
		table := createTest(t, db, indexedTable())
		write := func(marker string) {
			var ws []*Write
			for i := range 10 {
				ws = append(ws, &Write{Table: table, Kind: Put, Item: indexedItem(fmt.Sprint(i), marker, 300<<10)})
			}
			_, err := db.TransactWrite(context.Background(), ws, nil)
			require.NoError(t, err)
		}
		write("0")
		var reader sync.WaitGroup
		done := make(chan struct{})
		reader.Go(func() {
			reads := []KeyRead{{table, object("pk", "0", "sk", "s")}, {table, object("pk", "9", "sk", "s")}}
			for {
				select {
				case <-done:
					return
				default:
				}
				var seen []string
				if err := db.TransactGet(context.Background(), reads, func(_ int, it item.Item) error {
					seen = append(seen, string(it.Get("a0").Bytes()))
					return nil
				}); err != nil || seen[0] != seen[1] {
					t.Error(err, seen)
					return
				}
			}
		})
		for i := range 10 {
			write(fmt.Sprint(i))
		}
		close(done)
		reader.Wait()
	})
}

// An item's stored form may be larger than what DynamoDB counts, and a stream
// record holds two.
func TestItemOfManySmallValuesInStream(t *testing.T) {
	onDiskAndInMemory(t, func(t *testing.T, db *DB) {
		table := createTest(t, db, indexedTable())
		for _, number := range []string{"1", "2"} {
			entries := strings.TrimSuffix(strings.Repeat(`{"N":"1E-130"},`, 100_000), ",")
			body := `{"pk":{"S":"a"},"sk":{"S":"s"},"a0":{"S":"x"},"n":{"N":"` + number + `"},"v":{"L":[` + entries + `]}}`
			it, invalid, err := item.DecodeItem(jsontext.NewDecoder(strings.NewReader(body)))
			require.NoError(t, err)
			require.Nil(t, invalid)
			require.LessOrEqual(t, it.Size(), MaxItemSize)
			put(t, db, table, it)
		}
	})
}
