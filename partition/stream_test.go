package partition

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

func streamTable(view string) Table {
	spec := plainTable("T")
	spec.Stream = &StreamSpec{ViewType: view}
	return spec
}

// history reads all parts of a stream as "kind old>new" lines, in order of position.
func history(t *testing.T, db *DB, s *Stream) []string {
	t.Helper()
	var all []string
	for _, part := range db.StreamShards(s) {
		last := StreamPos{}
		require.NoError(t, db.ReadStream(context.Background(), s, part.Index, part.First, func(r *StreamRecord) (bool, error) {
			require.True(t, last.Less(r.Pos))
			last = r.Pos
			kind := map[StreamKind]string{StreamInsert: "insert", StreamModify: "modify", StreamRemove: "remove"}[r.Kind]
			all = append(all, fmt.Sprintf("%s %s %s>%s", kind, r.Keys.AppendJSON(nil), orNone(r.Old), orNone(r.New)))
			return true, nil
		}))
	}
	return all
}

func orNone(it item.Item) string {
	if it == nil {
		return "-"
	}
	return string(it.AppendJSON(nil))
}

func TestStreamRecords(t *testing.T) {
	images := map[string][]string{
		"KEYS_ONLY": {
			`insert {"pk":{"S":"a"}} ->-`, `modify {"pk":{"S":"a"}} ->-`, `remove {"pk":{"S":"a"}} ->-`},
		"NEW_IMAGE": {
			`insert {"pk":{"S":"a"}} ->{"pk":{"S":"a"},"v":{"N":"1"}}`,
			`modify {"pk":{"S":"a"}} ->{"pk":{"S":"a"},"v":{"N":"2"}}`,
			`remove {"pk":{"S":"a"}} ->-`},
		"OLD_IMAGE": {
			`insert {"pk":{"S":"a"}} ->-`,
			`modify {"pk":{"S":"a"}} {"pk":{"S":"a"},"v":{"N":"1"}}>-`,
			`remove {"pk":{"S":"a"}} {"pk":{"S":"a"},"v":{"N":"2"}}>-`},
		"NEW_AND_OLD_IMAGES": {
			`insert {"pk":{"S":"a"}} ->{"pk":{"S":"a"},"v":{"N":"1"}}`,
			`modify {"pk":{"S":"a"}} {"pk":{"S":"a"},"v":{"N":"1"}}>{"pk":{"S":"a"},"v":{"N":"2"}}`,
			`remove {"pk":{"S":"a"}} {"pk":{"S":"a"},"v":{"N":"2"}}>-`},
	}
	for view, want := range images {
		t.Run(view, func(t *testing.T) {
			db := openTest(t, Options{Shards: 2})
			table := createTest(t, db, streamTable(view))
			require.NotEmpty(t, table.LatestStreamLabel)
			put(t, db, table, object("pk", "a", "v", 1))
			put(t, db, table, object("pk", "a", "v", 1)) // changes nothing: no record
			put(t, db, table, object("pk", "a", "v", 2))
			for range 2 { // the second finds no item: no record
				_, err := db.Write(context.Background(), &Write{Table: table, Kind: Delete, Item: object("pk", "a")})
				require.NoError(t, err)
			}
			s, err := db.Stream(Namespace{}, "T", table.LatestStreamLabel)
			require.NoError(t, err)
			require.Equal(t, want, history(t, db, s))
		})
	}
}

func TestStreamOutlivesItsTable(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 2})
	require.NoError(t, err)
	table := createTest(t, db, streamTable("KEYS_ONLY"))
	put(t, db, table, object("pk", "a"))
	_, err = db.UpdateTable(context.Background(), Namespace{}, "T", func(t *Table) error { t.Stream = nil; return nil })
	require.NoError(t, err)
	put(t, db, table, object("pk", "b")) // no stream, no record
	_, err = db.UpdateTable(context.Background(), Namespace{}, "T", func(t *Table) error {
		t.Stream = &StreamSpec{ViewType: "NEW_IMAGE"}
		return nil
	})
	require.NoError(t, err)
	put(t, db, table, object("pk", "c"))
	_, err = db.DeleteTable(context.Background(), Namespace{}, "T")
	require.NoError(t, err)
	require.NoError(t, db.Close())

	db, err = Open(Options{Dir: dir})
	require.NoError(t, err)
	streams := db.Streams(Namespace{})
	require.Len(t, streams, 2)
	require.NotEqual(t, streams[0].Label, streams[1].Label)
	require.Equal(t, []string{`insert {"pk":{"S":"a"}} ->-`}, history(t, db, streams[0]))
	require.Equal(t, []string{`insert {"pk":{"S":"c"}} ->{"pk":{"S":"c"}}`}, history(t, db, streams[1]))
	for _, part := range db.StreamShards(streams[1]) {
		require.True(t, part.Closed)
	}
	require.NoError(t, db.AdvanceClock(StreamRetention+time.Minute))
	require.Empty(t, db.Streams(Namespace{}))
	_, err = db.Stream(Namespace{}, "T", streams[0].Label)
	require.ErrorIs(t, err, ErrStreamNotFound)
	require.NoError(t, db.Close())
}

func TestStreamIsTrimmed(t *testing.T) {
	db := openTest(t, Options{})
	table := createTest(t, db, streamTable("KEYS_ONLY"))
	put(t, db, table, object("pk", "old"))
	require.NoError(t, db.AdvanceClock(StreamRetention+time.Minute))
	put(t, db, table, object("pk", "new"))
	s, err := db.Stream(Namespace{}, "T", table.LatestStreamLabel)
	require.NoError(t, err)
	require.Equal(t, []string{`insert {"pk":{"S":"new"}} ->-`}, history(t, db, s))
	start, err := db.StreamStart(context.Background(), s, 0)
	require.NoError(t, err)
	require.True(t, db.StreamShards(s)[0].First.Less(start))
	end, err := db.StreamEnd(context.Background(), s, 0)
	require.NoError(t, err)
	require.True(t, start.Less(end))
}

func TestExpiry(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(Options{Dir: dir, Shards: 2})
	require.NoError(t, err)
	table := createTest(t, db, streamTable("OLD_IMAGE"))
	now := int(db.Now().Unix())
	put(t, db, table, object("pk", "before", "ttl", now+50)) // written before TTL is enabled
	_, err = db.UpdateTable(context.Background(), Namespace{}, "T", func(t *Table) error {
		t.TTL = &TTLSpec{Attribute: "ttl", Enabled: true}
		return nil
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		current, err := db.Table(Namespace{}, "T")
		return err == nil && !current.TTL.Building
	}, 10*time.Second, time.Millisecond)
	put(t, db, table, object("pk", "soon", "ttl", now+60))
	put(t, db, table, object("pk", "later", "ttl", now+100_000))
	put(t, db, table, object("pk", "changed", "ttl", now+60))
	put(t, db, table, object("pk", "changed", "ttl", now+100_000))
	put(t, db, table, object("pk", "text", "ttl", "60"))
	put(t, db, table, object("pk", "ancient", "ttl", now-6*365*24*3600))
	put(t, db, table, object("pk", "none"))
	require.NoError(t, db.AdvanceClock(2*time.Minute))
	for pk, kept := range map[string]bool{
		"before": false, "soon": false, "later": true, "changed": true, "text": true, "ancient": true, "none": true,
	} {
		require.Equal(t, kept, get(t, db, table, pk) != nil, pk)
	}
	s, err := db.Stream(Namespace{}, "T", table.LatestStreamLabel)
	require.NoError(t, err)
	expired := 0
	for _, part := range db.StreamShards(s) {
		require.NoError(t, db.ReadStream(context.Background(), s, part.Index, StreamPos{}, func(r *StreamRecord) (bool, error) {
			if r.Expired {
				expired++
				require.Equal(t, StreamRemove, r.Kind)
			}
			return true, nil
		}))
	}
	require.Equal(t, 2, expired)
	require.NoError(t, db.Close())
	verifyClean(t, dir)
}
