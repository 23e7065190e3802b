package partition

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// crash closes a database as if its process had died: nothing is handed over.
func crash(t *testing.T, db *DB) {
	t.Helper()
	for _, g := range db.propagators {
		g.abandon()
	}
	require.NoError(t, db.Close())
}

// TestManyJobsAreTakenUpAtStart finds jobs that begin while the start still
// looks at what they change.
func TestManyJobsAreTakenUpAtStart(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 2})
	require.NoError(t, err)
	const tables = 40
	for i := range tables {
		spec := musicTable()
		spec.Name = fmt.Sprint("T", i)
		table := createTest(t, db, spec)
		put(t, db, table, object("artist", "a", "song", "b", "genre", "c"))
		// As if a crash had come right after the first step.
		c := table.clone()
		c.Version++
		if i%2 == 0 {
			c.Status = TableDeleting
		} else {
			c.Status, c.Global[0].Status = TableUpdating, IndexCreating
		}
		require.NoError(t, db.recordTable(c, 0))
	}
	require.NoError(t, db.Close())

	db, err = Open(Options{Dir: dir})
	require.NoError(t, err)
	require.Len(t, db.TableNames(Namespace{}), tables/2)
	for i := 1; i < tables; i += 2 {
		table := waitForIndex(t, db, fmt.Sprint("T", i), "byGenre")
		require.Len(t, readAll(t, db, &Read{Table: table, Index: table.Index("byGenre")}), 1)
	}
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}

// TestOutboxIsEmptiedBeforeNewWrites: with synchronous indexes, entries of the
// item's own shard are written directly and must not be overtaken by what is in
// the outbox from a run with eventual ones.
func TestOutboxIsEmptiedBeforeNewWrites(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 2, GSI: GSIEventual, GSILag: time.Hour})
	require.NoError(t, err)
	table := createTest(t, db, musicTable())
	const items = 2000
	song := func(i, year int) *Write {
		return &Write{Table: table, Kind: Put, Item: object("artist", fmt.Sprint(i), "song", "x", "genre", "pop", "year", year)}
	}
	ws := make([]*Write, items)
	for i := range ws {
		ws[i] = song(i, 1)
	}
	_, errs := db.WriteAll(context.Background(), ws)
	require.NoError(t, errors.Join(errs...))
	crash(t, db)

	db, err = Open(Options{Dir: dir})
	require.NoError(t, err)
	require.Zero(t, countRecords(t, db, kindOutbox))
	for i := items - 50; i < items; i++ {
		_, err := db.Write(context.Background(), song(i, 2))
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}

// TestForgottenTableDoesNotComeBack: a power cut may take the catalog's record
// of a table, in one shard, and leave its items in others.
func TestForgottenTableDoesNotComeBack(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 2})
	require.NoError(t, err)
	table := createTest(t, db, musicTable())
	for i := range 10 {
		put(t, db, table, object("artist", fmt.Sprint(i), "song", "x", "genre", "pop"))
	}
	require.NoError(t, db.logs[0].propose(context.Background(), &recordsCommand{[]mutation{{key: catalogTableKey(table.ID)}, {key: catalogNextKey}}}, true))
	require.NoError(t, db.Close())

	db, err = Open(Options{Dir: dir})
	require.NoError(t, err)
	again := createTest(t, db, musicTable())
	require.NotEqual(t, table.ID, again.ID)
	require.Empty(t, readAll(t, db, &Read{Table: again}))
	require.Empty(t, readAll(t, db, &Read{Table: again, Index: again.Index("byGenre")}))
	require.Eventually(t, func() bool { return countRecords(t, db, kindItem)+countRecords(t, db, kindGlobal) == 0 },
		10*time.Second, time.Millisecond)
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}

// diskFull makes commits of a shard fail from its next on, as long as it is set.
func diskFull(db *DB, shard int) *atomic.Bool {
	full := new(atomic.Bool)
	db.replicas[shard].hooks.commit = func() error {
		if full.Load() {
			return storage.ErrDiskFull
		}
		return nil
	}
	return full
}

// TestDiskFullIsOutlived: work that must be finished waits for space, and the
// database goes on as soon as there is some.
func TestDiskFullIsOutlived(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 2, SweepInterval: time.Hour})
	require.NoError(t, err)
	spec := musicTable()
	spec.Local = nil
	table := createTest(t, db, spec)
	plain := createTest(t, db, plainTable("P"))
	keys := acrossShards(db, plain, 2)
	slices.SortFunc(keys, func(a, b string) int {
		return db.shardOfItem(plain, object("pk", a)) - db.shardOfItem(plain, object("pk", b))
	})
	// An item of shard 0 with an index entry in shard 1.
	var song item.Item
	for i := 0; ; i++ {
		song = object("artist", fmt.Sprint(i), "song", "x", "genre", "pop")
		_, token := appendEntryKey(nil, table, table.Index("byGenre"), song)
		if db.shardOfItem(table, song) == 0 && shardOf(token, 2) == 1 {
			break
		}
	}
	full := diskFull(db, 1)
	full.Store(true)
	_, err = db.Write(context.Background(), &Write{Table: plain, Kind: Put, Item: object("pk", keys[1])})
	require.ErrorIs(t, err, storage.ErrDiskFull)

	outcomes := make(chan error)
	go func() {
		_, err := db.CreateTable(context.Background(), plainTable("Q"))
		outcomes <- err
	}()
	go func() {
		_, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: song})
		outcomes <- err
	}()
	require.Eventually(t, func() bool {
		return countRecords(t, db, kindOutbox) == 1 && countRecords(t, db, kindTable) == 5
	}, 10*time.Second, time.Millisecond, "both have begun")
	full.Store(false)
	require.NoError(t, <-outcomes)
	require.NoError(t, <-outcomes)

	// The disk becomes full when a transaction is decided, its coordinator's
	// second commit.
	commits, decided := 0, make(chan struct{})
	db.replicas[0].hooks.committed = func() {
		if commits++; commits == 2 {
			full.Store(true)
			close(decided)
		}
	}
	go func() {
		_, err := db.TransactWrite(context.Background(), []*Write{
			{Table: plain, Kind: Put, Item: object("pk", keys[0], "v", 1)},
			{Table: plain, Kind: Put, Item: object("pk", keys[1], "v", 1)},
		}, nil)
		outcomes <- err
	}()
	<-decided
	require.Nil(t, get(t, db, plain, keys[1]))
	full.Store(false)
	require.NoError(t, <-outcomes)

	// It becomes full before: nothing was written.
	full.Store(true)
	_, err = db.TransactWrite(context.Background(), []*Write{
		{Table: plain, Kind: Delete, Item: object("pk", keys[1])},
		{Table: plain, Kind: Delete, Item: object("pk", keys[0])},
	}, nil)
	require.ErrorIs(t, err, storage.ErrDiskFull)
	full.Store(false)
	require.NoError(t, db.usable())
	db.replicas[0].hooks.committed = nil
	full.Store(false)
	put(t, db, plain, object("pk", keys[0], "v", 2))
	put(t, db, plain, object("pk", keys[1], "v", 2))
	require.Len(t, readAll(t, db, &Read{Table: table, Index: table.Index("byGenre"), Hash: []item.Value{song.Get("genre")}}), 1)
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}
