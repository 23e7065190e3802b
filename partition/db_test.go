package partition

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// memberlist does not wait for its last probe when it is shut down.
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).probe"))
}

func openTest(t *testing.T, o Options) *DB {
	t.Helper()
	if o.Dir == "" {
		o.InMemory = true
	}
	db, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func str(s string) item.Value { return item.String(s) }
func num(n int) item.Value    { return item.NumberValue(item.NumberFromInt(int64(n))) }

// object builds an item from name, value pairs.
func object(pairs ...any) item.Item {
	b := item.NewBuilder()
	for i := 0; i < len(pairs); i += 2 {
		switch v := pairs[i+1].(type) {
		case item.Value:
			b.Set(pairs[i].(string), v)
		case string:
			b.Set(pairs[i].(string), str(v))
		case int:
			b.Set(pairs[i].(string), num(v))
		}
	}
	return b.Item()
}

func key(name string, t item.Type) KeyAttribute { return KeyAttribute{name, t} }

// musicTable has a local index on year and global ones on genre (with all
// attributes), on label and year (keys only) and on the pair country, genre.
func musicTable() Table {
	return Table{
		Name:    "Music",
		Key:     KeySchema{Hash: []KeyAttribute{key("artist", item.S)}, Range: []KeyAttribute{key("song", item.S)}},
		Billing: PayPerRequest,
		Attributes: []KeyAttribute{
			key("artist", item.S), key("song", item.S), key("year", item.N), key("genre", item.S),
			key("label", item.S), key("country", item.S),
		},
		Local: []*Index{{
			Name: "byYear", Local: true, Projection: ProjectInclude, NonKey: []string{"genre"},
			Key: KeySchema{Hash: []KeyAttribute{key("artist", item.S)}, Range: []KeyAttribute{key("year", item.N)}},
		}},
		Global: []*Index{
			{Name: "byGenre", Projection: ProjectAll, Key: KeySchema{Hash: []KeyAttribute{key("genre", item.S)}}},
			{Name: "byLabel", Projection: ProjectKeysOnly, Key: KeySchema{
				Hash: []KeyAttribute{key("label", item.S)}, Range: []KeyAttribute{key("year", item.N)}}},
			{Name: "byPlace", Projection: ProjectAll, Key: KeySchema{
				Hash:  []KeyAttribute{key("country", item.S), key("genre", item.S)},
				Range: []KeyAttribute{key("year", item.N), key("artist", item.S)}}},
		},
	}
}

func createTest(t *testing.T, db *DB, spec Table) *Table {
	t.Helper()
	table, err := db.CreateTable(context.Background(), spec)
	require.NoError(t, err)
	return table
}

// patiently does what may be done twice until it is not for want of a leader that
// it fails: on a busy machine an election can take longer than the clusters of the
// tests wait.
func patiently(t require.TestingT, do func() error) {
	giveUp := time.Now().Add(2 * time.Minute)
	err := do()
	for (errors.Is(err, ErrUnavailable) || errors.Is(err, ErrOutcomeUnknown)) && time.Now().Before(giveUp) {
		err = do()
	}
	require.NoError(t, err)
}

func put(t *testing.T, db *DB, table *Table, it item.Item) {
	t.Helper()
	patiently(t, func() error {
		_, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: it})
		return err
	})
}

// readAll returns what a read visits, as JSON.
func readAll(t *testing.T, db *DB, r *Read) (all []string) {
	t.Helper()
	patiently(t, func() error {
		all = nil
		return db.Read(context.Background(), r, func(e *Entry) (bool, error) {
			all = append(all, string(e.Item.AppendJSON(nil)))
			return true, nil
		})
	})
	return all
}

func TestWriteAndGet(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(strconv.Itoa(shards), func(t *testing.T) {
			db := openTest(t, Options{Shards: shards})
			table := createTest(t, db, musicTable())
			it := object("artist", "Abba", "song", "Waterloo", "year", 1974, "genre", "pop")
			res, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: it, WantOld: true, WantNew: true})
			require.NoError(t, err)
			require.Nil(t, res.Old)
			require.Equal(t, it, res.New)
			require.Equal(t, -1, res.OldSize)
			require.Equal(t, it.Size(), res.NewSize)
			require.Len(t, res.Indexes, 2)

			found, err := db.Get(context.Background(), table, it, Strong, func(got item.Item) error {
				require.Equal(t, it, got.Clone())
				return nil
			})
			require.NoError(t, err)
			require.True(t, found)

			require.Equal(t, []string{string(it.AppendJSON(nil))},
				readAll(t, db, &Read{Table: table, Index: table.Index("byGenre"), Hash: []item.Value{str("pop")}}))
			require.Equal(t, TableStats{Items: 1, Bytes: int64(it.Size()), Indexes: map[uint16]IndexStats{
				1: {1, int64(it.Size())}, 2: {1, int64(it.Size())}, 3: {}, 4: {},
			}}, db.Stats(table))

			res, err = db.Write(context.Background(), &Write{Table: table, Kind: Delete, Item: object("artist", "Abba", "song", "Waterloo"), WantOld: true})
			require.NoError(t, err)
			require.Equal(t, it, res.Old)
			require.Empty(t, readAll(t, db, &Read{Table: table, Index: table.Index("byGenre"), Hash: []item.Value{str("pop")}}))
			require.Zero(t, db.Stats(table).Items)
		})
	}
}

func TestConditionFails(t *testing.T) {
	db := openTest(t, Options{})
	table := createTest(t, db, musicTable())
	it := object("artist", "Abba", "song", "Waterloo", "year", 1974)
	put(t, db, table, it)
	cond, err := expression.NewBinder(nil, nil).Condition(expression.KindCondition, "attribute_not_exists(artist)")
	require.NoError(t, err)
	_, err = db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: object("artist", "Abba", "song", "Waterloo"), Condition: cond, WantFailed: true})
	var failed *ConditionFailed
	require.ErrorAs(t, err, &failed)
	require.Equal(t, it, failed.Item)
}

func TestIndexKeyOfWrongType(t *testing.T) {
	db := openTest(t, Options{})
	table := createTest(t, db, musicTable())
	_, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: object("artist", "Abba", "song", "Waterloo", "year", "1974")})
	var fault *IndexKeyError
	require.ErrorAs(t, err, &fault)
	require.Equal(t, "byLabel", fault.Index.Name, "the first index in name order")
	require.Equal(t, "year", fault.Attribute)
	require.Equal(t, KeyWrongType, fault.Fault)
	require.Zero(t, db.Stats(table).Items)
}

func TestQueryBoundsAndOrder(t *testing.T) {
	db := openTest(t, Options{Shards: 3})
	spec := musicTable()
	table := createTest(t, db, spec)
	for year := 1970; year < 1980; year++ {
		put(t, db, table, object("artist", "Abba", "song", fmt.Sprintf("s%d", 1980-year), "year", year, "label", "Polar"))
	}
	years := func(r Read) (got []int) {
		r.Table, r.Index, r.Hash = table, table.Index("byLabel"), []item.Value{str("Polar")}
		require.NoError(t, db.Read(context.Background(), &r, func(e *Entry) (bool, error) {
			y, _ := e.Item.Get("year").Number().Int64()
			got = append(got, int(y))
			return true, nil
		}))
		return got
	}
	require.Equal(t, []int{1970, 1971, 1972, 1973, 1974, 1975, 1976, 1977, 1978, 1979}, years(Read{}))
	require.Equal(t, []int{1979, 1978}, years(Read{Reverse: true, Sort: SortRange{Op: SortGt, Values: []item.Value{num(1977)}}}))
	require.Equal(t, []int{1970, 1971}, years(Read{Sort: SortRange{Op: SortLt, Values: []item.Value{num(1972)}}}))
	require.Equal(t, []int{1970, 1971, 1972}, years(Read{Sort: SortRange{Op: SortLe, Values: []item.Value{num(1972)}}}))
	require.Equal(t, []int{1978, 1979}, years(Read{Sort: SortRange{Op: SortGe, Values: []item.Value{num(1978)}}}))
	require.Equal(t, []int{1973, 1974}, years(Read{Sort: SortRange{Op: SortBetween, Values: []item.Value{num(1973), num(1974)}}}))
	require.Equal(t, []int{1976}, years(Read{Sort: SortRange{Equal: []item.Value{num(1976)}}}))
	after := object("artist", "Abba", "song", "s7", "year", 1973, "label", "Polar")
	require.Equal(t, []int{1974, 1975}, years(Read{After: after, Sort: SortRange{Op: SortLe, Values: []item.Value{num(1975)}}}))
	require.Equal(t, []int{1972, 1971, 1970}, years(Read{After: after, Reverse: true}))
}

func TestScanSegmentsCoverEverythingOnce(t *testing.T) {
	for _, shards := range []int{1, 3} {
		db := openTest(t, Options{Shards: shards})
		table := createTest(t, db, musicTable())
		for i := range 200 {
			put(t, db, table, object("artist", fmt.Sprint("artist", i), "song", "x"))
		}
		for _, segments := range []int{1, 2, 5, 64} {
			seen := map[string]int{}
			for segment := range segments {
				var after item.Item
				for {
					n := 0
					require.NoError(t, db.Read(context.Background(), &Read{Table: table, Segment: segment, Segments: segments, After: after}, func(e *Entry) (bool, error) {
						seen[string(e.Item.Get("artist").Bytes())]++
						require.Equal(t, segment, db.SegmentOf(table, nil, e.Item, segments))
						after = e.Item.Clone()
						n++
						return n < 7, nil
					}))
					if n < 7 {
						break
					}
				}
			}
			require.Len(t, seen, 200)
			for artist, n := range seen {
				require.Equal(t, 1, n, artist)
			}
		}
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	open := func() *DB {
		db, err := Open(Options{Dir: dir, Shards: 3})
		require.NoError(t, err)
		return db
	}
	db := open()
	table := createTest(t, db, musicTable())
	for i := range 50 {
		put(t, db, table, object("artist", fmt.Sprint(i), "song", "x", "genre", "g"+strconv.Itoa(i%5), "year", i))
	}
	stats := db.Stats(table)
	require.NoError(t, db.Close())

	db = open()
	again, err := db.Table(Namespace{}, "Music")
	require.NoError(t, err)
	require.Equal(t, table.UUID, again.UUID)
	require.Equal(t, stats, db.Stats(again))
	require.Len(t, readAll(t, db, &Read{Table: again}), 50)
	require.Len(t, readAll(t, db, &Read{Table: again, Index: again.Index("byGenre"), Hash: []item.Value{str("g3")}}), 10)
	require.NoError(t, db.Close())

	summary := verifyClean(t, dir)
	require.Equal(t, int64(50), summary.Items)
	require.Equal(t, int64(100), summary.IndexEntries)
}

// verifyClean runs Verify and wants no problem.
func verifyClean(t *testing.T, dir string) VerifySummary {
	t.Helper()
	summary, err := Verify(context.Background(), Options{Dir: dir}, func(p Problem) { t.Error(p) })
	require.NoError(t, err)
	return summary
}

func TestRecreatedTableIsEmpty(t *testing.T) {
	db := openTest(t, Options{Shards: 2})
	table := createTest(t, db, musicTable())
	put(t, db, table, object("artist", "a", "song", "b", "genre", "c"))
	_, err := db.DeleteTable(context.Background(), Namespace{}, "Music")
	require.NoError(t, err)
	_, err = db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: object("artist", "a", "song", "b")})
	require.ErrorIs(t, err, ErrTableNotFound)
	table = createTest(t, db, musicTable())
	require.Empty(t, readAll(t, db, &Read{Table: table}))
	require.Empty(t, readAll(t, db, &Read{Table: table, Index: table.Index("byGenre")}))
	_, err = db.CreateTable(context.Background(), musicTable())
	require.ErrorIs(t, err, ErrTableExists)
}

// waitForIndex polls until the index is active or gone.
func waitForIndex(t *testing.T, db *DB, table, index string) *Table {
	t.Helper()
	var current *Table
	require.Eventually(t, func() bool {
		var err error
		current, err = db.Table(Namespace{}, table)
		require.NoError(t, err)
		ix := current.Index(index)
		return (ix == nil || ix.Status == IndexActive) && current.Status == TableActive
	}, 20*time.Second, time.Millisecond)
	return current
}

func TestAddAndRemoveIndexUnderWrites(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 3})
	require.NoError(t, err)
	spec := musicTable()
	spec.Local, spec.Global = nil, nil
	table := createTest(t, db, spec)
	const n = 2000
	for i := range n {
		put(t, db, table, object("artist", fmt.Sprint(i), "song", "x", "genre", "g"+strconv.Itoa(i%7)))
	}
	stop := make(chan struct{})
	done := make(chan error)
	go func(table *Table) { // writers change, remove and add items all the while
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			w := &Write{Table: table, Kind: Put, Item: object("artist", fmt.Sprint(i%(n+50)), "song", "x", "genre", "g"+strconv.Itoa(i%11))}
			if i%5 == 0 {
				w = &Write{Table: table, Kind: Delete, Item: object("artist", fmt.Sprint(i%n), "song", "x")}
			}
			if _, err := db.Write(context.Background(), w); err != nil {
				done <- err
				return
			}
		}
	}(table)
	_, err = db.UpdateTable(context.Background(), Namespace{}, "Music", func(t *Table) error {
		t.Global = append(t.Global, &Index{Name: "byGenre", Projection: ProjectAll, Key: KeySchema{Hash: []KeyAttribute{key("genre", item.S)}}})
		return nil
	})
	require.NoError(t, err)
	table = waitForIndex(t, db, "Music", "byGenre")
	close(stop)
	require.NoError(t, <-done)
	require.Equal(t, len(readAll(t, db, &Read{Table: table})), len(readAll(t, db, &Read{Table: table, Index: table.Index("byGenre")})))
	require.NoError(t, db.Close())
	verifyClean(t, dir)

	db, err = Open(Options{Dir: dir})
	require.NoError(t, err)
	_, err = db.UpdateTable(context.Background(), Namespace{}, "Music", func(t *Table) error {
		t.Index("byGenre").Status = IndexDeleting
		return nil
	})
	require.NoError(t, err)
	table = waitForIndex(t, db, "Music", "byGenre")
	require.Nil(t, table.Index("byGenre"))
	require.Equal(t, []KeyAttribute{key("artist", item.S), key("song", item.S)}, table.Attributes)
	require.NoError(t, db.Close())
	require.Zero(t, verifyClean(t, dir).IndexEntries)
}

func TestEventualIndexesLagAndArrive(t *testing.T) {
	db := openTest(t, Options{Shards: 2, GSI: GSIEventual, GSILag: 20 * time.Millisecond})
	table := createTest(t, db, musicTable())
	read := &Read{Table: table, Index: table.Index("byGenre"), Hash: []item.Value{str("pop")}}
	put(t, db, table, object("artist", "Abba", "song", "Waterloo", "genre", "pop"))
	require.Eventually(t, func() bool { return len(readAll(t, db, read)) == 1 }, time.Minute, time.Millisecond)
}

func TestOutboxSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 4, GSI: GSIEventual, GSILag: time.Hour})
	require.NoError(t, err)
	table := createTest(t, db, musicTable())
	for i := range 40 {
		put(t, db, table, object("artist", fmt.Sprint(i), "song", "x", "genre", "pop", "country", fmt.Sprint(i%3)))
	}
	// A crash: nothing is handed over.
	for _, g := range db.propagators {
		g.abandon()
	}
	db.failure.Store(nil)
	require.NoError(t, db.Close())

	db, err = Open(Options{Dir: dir})
	require.NoError(t, err)
	table, err = db.Table(Namespace{}, "Music")
	require.NoError(t, err)
	read := &Read{Table: table, Index: table.Index("byGenre"), Hash: []item.Value{str("pop")}}
	require.Eventually(t, func() bool { return len(readAll(t, db, read)) == 40 }, time.Minute, time.Millisecond)
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}
