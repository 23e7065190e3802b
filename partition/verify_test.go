package partition

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage"
)

// tamper changes records of a closed database behind its back.
func tamper(t *testing.T, dir string, shard int, records ...mutation) {
	t.Helper()
	store, err := storage.Open(storage.Options{Dir: dir, Existing: true})
	require.NoError(t, err)
	b := store.Shards()[shard].NewBatch()
	for _, m := range records {
		if m.value == nil {
			require.NoError(t, b.Delete(m.key))
		} else {
			require.NoError(t, b.Set(m.key, m.value))
		}
	}
	require.NoError(t, b.Commit())
	require.NoError(t, store.Close())
}

func problems(t *testing.T, dir string) (found []string) {
	t.Helper()
	_, err := Verify(context.Background(), Options{Dir: dir}, func(p Problem) { found = append(found, p.What) })
	require.NoError(t, err)
	return found
}

func TestVerifyFindsAndRepairMends(t *testing.T) {
	itemKey := func(table *Table, i int) []byte {
		k, _ := appendItemKey(nil, table, object("artist", fmt.Sprint(i), "song", "x"))
		return k
	}
	const soon = 2_000_000_000
	for name, test := range map[string]struct {
		damage func(table *Table) []mutation
		what   []string
	}{
		"expiry lost": {
			func(table *Table) []mutation {
				return []mutation{{key: appendExpiryKey(nil, table.ID, soon, itemKey(table, 1))}}
			}, []string{"the item's expiry record is missing"}},
		"expiry of nothing": {
			func(table *Table) []mutation {
				return []mutation{{appendExpiryKey(nil, table.ID, soon+1, itemKey(table, 1)), expiryRecord},
					{appendExpiryKey(nil, table.ID, soon, itemKey(table, 77)), expiryRecord}}
			}, []string{"the expiry record is of no item", "the expiry record is of no item"}},
		"lock of nobody": {
			func(table *Table) []mutation {
				return []mutation{{lockKey(itemKey(table, 1)), make([]byte, 16)}}
			}, []string{"the item is locked by a transaction that did not prepare it"}},
		"intent without lock": {
			func(table *Table) []mutation {
				w := &Write{Kind: Delete}
				return []mutation{{intentKey(txID{1}, 0), encodeIntent(0, decision{t: table, w: w, key: itemKey(table, 1)})}}
			}, []string{"a transaction prepared the item and does not lock it"}},
		"old schema": {
			func(table *Table) []mutation { return []mutation{{key: schemaKey(table.ID)}} },
			[]string{"the shard does not have the current schema (the next start installs it)"}},
		"index entry and counts lost": {
			func(table *Table) []mutation {
				entry, _ := appendEntryKey(nil, table, table.Index("byGenre"), object("artist", "1", "song", "x", "genre", "pop"))
				return []mutation{{key: entry}, {key: statsKey(table.ID, 0)}}
			}, []string{"the index lacks the entry of an item",
				"counts say 0 records of 0 bytes, there are 5 of 125",
				"counts say 5 records of 125 bytes, there are 4 of 100"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := Open(Options{Dir: dir, Shards: 1})
			require.NoError(t, err)
			spec := musicTable()
			spec.Name = "T"
			table := createTest(t, db, spec)
			setTTL(t, db, "ttl")
			for i := range 5 {
				put(t, db, table, object("artist", fmt.Sprint(i), "song", "x", "genre", "pop", "ttl", soon))
			}
			db.awaitOrdering()
			require.NoError(t, db.Close())
			verifyClean(t, dir)

			tamper(t, dir, 0, test.damage(table)...)
			require.Equal(t, test.what, problems(t, dir))
			_, err = Repair(context.Background(), Options{Dir: dir}, func(string) {})
			require.NoError(t, err)
			verifyClean(t, dir)
			db, err = Open(Options{Dir: dir})
			require.NoError(t, err)
			require.Empty(t, db.replicas[0].locks)
			require.NoError(t, db.Close())
			verifyClean(t, dir)
		})
	}
}

// Repair removes the outbox, and with it changes of an index being made that
// nothing else tells of.
func TestRepairOfAnIndexBeingMade(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 2, GSI: GSIEventual, GSILag: 1e15})
	require.NoError(t, err)
	table := createTest(t, db, musicTable())
	for i := range 10 {
		put(t, db, table, object("artist", fmt.Sprint(i), "song", "x", "genre", fmt.Sprint(i)))
	}
	crash(t, db)
	db, err = Open(Options{Dir: dir})
	require.NoError(t, err)
	c := table.clone()
	c.Version, c.Status, c.Index("byGenre").Status = c.Version+1, TableUpdating, IndexCreating
	require.NoError(t, db.recordTable(c, 0))
	require.NoError(t, db.Close())
	db, err = Open(Options{Dir: dir, GSI: GSIEventual, GSILag: 1e15, IndexDelay: 1e15})
	require.NoError(t, err)
	for i := range 10 {
		_, err := db.Write(context.Background(), &Write{Table: table, Kind: Delete, Item: object("artist", fmt.Sprint(i), "song", "x")})
		require.NoError(t, err)
	}
	crash(t, db)

	_, err = Repair(context.Background(), Options{Dir: dir}, func(string) {})
	require.NoError(t, err)
	db, err = Open(Options{Dir: dir})
	require.NoError(t, err)
	table = waitForIndex(t, db, "Music", "byGenre")
	require.Empty(t, readAll(t, db, &Read{Table: table, Index: table.Index("byGenre")}))
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}
