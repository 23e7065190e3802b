package partition

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage"
)

// The fuzz targets below feed the decoders of what is stored. A decoder must not
// panic, and what it accepts must encode and decode to the same again.
//
// They start from what a database has stored.

// storedSeeds makes writes, a transaction and one that stays prepared, and adds what is
// then stored under keys of the given kind.
func storedSeeds(f *testing.F, kind byte) {
	f.Helper()
	db, err := Open(Options{InMemory: true, Shards: 2})
	require.NoError(f, err)
	defer func() { require.NoError(f, db.Close()) }()
	spec := plainTable("T")
	spec.Stream = &StreamSpec{ViewType: "NEW_AND_OLD_IMAGES"}
	table, err := db.CreateTable(context.Background(), spec)
	require.NoError(f, err)

	keys := acrossShards(db, table, 2)
	var writes []*Write
	for i, pk := range keys {
		for v := range 2 {
			_, err := db.Write(context.Background(), &Write{Table: table, Kind: Put, Item: object("pk", pk, "v", v)})
			require.NoError(f, err)
		}
		writes = append(writes, &Write{Table: table, Kind: Put, Item: object("pk", pk, "v", i+2), at: db.Now()})
	}
	_, err = db.TransactWrite(context.Background(), writes, &IdempotencyToken{Key: [32]byte{1}, Fingerprint: [32]byte{2}})
	require.NoError(f, err)
	_, err = db.Write(context.Background(), &Write{Table: table, Kind: Delete, Item: object("pk", keys[0])})
	require.NoError(f, err)
	for _, w := range writes {
		c := prepareCommand{id: txID{3}, writes: []*Write{w}}
		require.NoError(f, db.logs[db.shardOfItem(table, w.Item)].propose(context.Background(), &c, true))
	}

	require.NotZero(f, addStored(f, db, kind))
}

// addStored adds all values of a kind and returns how many there are.
func addStored(f *testing.F, db *DB, kind byte) (seeds int) {
	f.Helper()
	for _, s := range db.store.Shards() {
		require.NoError(f, s.View(func(snap *storage.Snapshot) error {
			return scanKind(snap, kind, func(_, value []byte) error {
				f.Add(bytes.Clone(value))
				seeds++
				return nil
			})
		}))
	}
	return seeds
}

func FuzzParseRecord(f *testing.F) {
	storedSeeds(f, kindItem)
	f.Add([]byte{recordFormat, 0x80, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		version, it, err := parseRecord(b)
		if err != nil {
			require.ErrorIs(t, err, ErrCorruptRecord)
			return
		}
		again, same, err := parseRecord(appendRecord(nil, version, it))
		require.NoError(t, err)
		require.Equal(t, version, again)
		require.True(t, bytes.Equal(it, same))
	})
}

func FuzzDecodeStreamRecord(f *testing.F) {
	storedSeeds(f, kindStream)
	f.Add(encodeStreamRecord(&StreamRecord{Kind: StreamRemove, Expired: true, Keys: object("pk", "a"), Old: object("pk", "a", "v", 1)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeStreamRecord(b)
		if err != nil {
			require.ErrorIs(t, err, ErrCorruptRecord)
			return
		}
		again, err := decodeStreamRecord(encodeStreamRecord(&r))
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}

func FuzzDecodeIntent(f *testing.F) {
	storedSeeds(f, kindIntent)
	f.Add(encodeIntent(1, decision{t: &Table{ID: 7}, w: &Write{Kind: Delete}, key: []byte("k")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := decodeIntent(b)
		if err != nil {
			require.ErrorIs(t, err, ErrCorruptRecord)
			return
		}
		w := in.write(&Table{ID: in.table})
		again, err := decodeIntent(encodeIntent(in.coordinator, decision{t: w.Table, w: w, key: in.key, next: in.next}))
		require.NoError(t, err)
		require.Equal(t, in, again)
	})
}

func FuzzDecodeToken(f *testing.F) {
	storedSeeds(f, kindToken)
	f.Fuzz(func(t *testing.T, b []byte) {
		key := [32]byte{1}
		r, err := decodeToken(key, b)
		if err != nil {
			require.ErrorIs(t, err, ErrCorruptRecord)
			return
		}
		var a application
		a.remember(r)
		again, err := decodeToken(key, a.mutations[0].value)
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}

// A placedChange is a change and the index it is of.
type placedChange struct {
	table uint32
	index uint16
	change
}

func decodeChanges(b []byte) (all []placedChange, err error) {
	err = eachChange(b, func(table uint32, index uint16, c change) error {
		all = append(all, placedChange{table, index, c})
		return nil
	})
	return all, err
}

func FuzzEachChange(f *testing.F) {
	record := appendRecord(nil, 9, object("pk", "a", "v", 1))
	one := appendChange([]byte{changesFormat}, 1, 2, change{key: []byte("key"), record: record, oldSize: -1})
	f.Add(one)
	f.Add(appendChange(one, 3, 4, change{key: []byte("other"), oldSize: 12}))
	f.Add(appendChange(one, 3, 4, change{key: []byte("other"), look: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		changes, err := decodeChanges(b)
		if err != nil {
			require.ErrorIs(t, err, ErrCorruptRecord)
			return
		}
		encoded := []byte{changesFormat}
		for _, c := range changes {
			encoded = appendChange(encoded, c.table, c.index, c.change)
		}
		again, err := decodeChanges(encoded)
		require.NoError(t, err)
		require.Equal(t, changes, again)
	})
}
