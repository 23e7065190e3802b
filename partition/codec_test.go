package partition

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

// A commandSample is a command and its binary form.
type commandSample struct {
	name    string
	command command
	want    string // hexadecimal, and text in quotes
}

// commandSamples has commands of every kind, as decodeCommand makes them. Their
// forms are in the logs of clusters and must not change.
func commandSamples(t require.TestingT) []commandSample {
	table := plainTable("T")
	table.ID = 7
	body, err := encodeTable(&table)
	require.NoError(t, err)
	installed, err := decodeTable(body)
	require.NoError(t, err)
	named := &Table{ID: 7}
	id := txID{0xaa, 15: 0xbb}
	at := time.Unix(1, 500).UTC()
	it := object("pk", "a")
	exists := condition(t, "attribute_exists(pk)", nil)
	set := update(t, "SET v = :v", map[string]item.Value{":v": str("x")})
	token := func(sizes ...int) *tokenRecord {
		return &tokenRecord{IdempotencyToken: IdempotencyToken{Key: [32]byte{1}, Fingerprint: [32]byte{2}}, at: at, sizes: sizes}
	}
	const (
		sec, tx  = "01e8afd6b907" /* 1 s 500 ns */, "aa0000000000000000000000000000bb"
		pk       = "01" + "03" + "01" + "02706b" + "010161" // an item: pk is a
		putIt    = "01" + "00" + "07" + sec + "09" + pk
		tokenOf  = "01" + "01" + zeros31 + "02" + zeros31 + sec
		keysOfAB = "02" + "0161" + "0162"
	)
	return []commandSample{
		{"put", &writeCommand{write: &Write{Table: named, Kind: Put, Item: it, at: at}}, "01" + "01" + putIt},
		{"put unstamped", &writeCommand{write: &Write{Table: named, Kind: Put, Item: it}}, "01" + "01" + "01" + "00" + "07" + "00" + "09" + pk},
		{"put, wanting everything", &writeCommand{write: &Write{
			Table: named, Kind: Put, Item: it, Condition: exists, WantOld: true, WantNew: true, WantFailed: true, at: at}},
			"01" + "01" + "01" + "27" + "07" + sec + "09" + pk + "00000006" + "01" + "08" + "01" + "04706b"},
		{"update", &writeCommand{write: &Write{Table: named, Kind: Update, Item: it, Update: set, at: at}},
			"01" + "01" + "02" + "40" + "07" + sec + "09" + pk + "0000000c" + "0100" + "01" + "00" + "010276" + "01" + "03010178"},
		{"check at fault", &writeCommand{write: &Write{Table: named, Kind: Check, Item: it, Condition: exists, Fault: errFault, at: at}},
			"01" + "01" + "04" + "30" + "07" + sec + "09" + pk + "00000006" + "01" + "08" + "01" + "04706b"},
		{"expiry", &writeCommand{write: &Write{Table: named, Kind: Delete, Item: it, expired: true, at: at}}, "01" + "01" + "03" + "08" + "07" + sec + "09" + pk},
		{"transaction", &transactCommand{writes: []*Write{{Table: named, Kind: Put, Item: it, at: at}}, results: make([]WriteResult, 1)},
			"02" + "01" + "01" + putIt + "00"},
		{"transaction with token", &transactCommand{
			writes: []*Write{{Table: named, Kind: Put, Item: it, at: at}}, results: make([]WriteResult, 1), token: token()},
			"02" + "01" + "01" + putIt + tokenOf + "00"},
		{"prepare", &prepareCommand{id: id, coordinator: 300, writes: []*Write{{Table: named, Kind: Put, Item: it, at: at}}},
			"03" + "01" + tx + "ac02" + "01" + putIt},
		{"commit", &commitCommand{
			id: id, count: 1, decides: true, parts: 2, at: at, token: token(300),
			writes: []*Write{{Table: named, Kind: Put, WantNew: true, at: at}}, results: make([]WriteResult, 1)},
			"04" + "01" + tx + "00" + "01" + "01" + "02" + sec + tokenOf + "01" + "ac02" + "01" + "01" + "02" + "07" + sec},
		{"commit of a recovery", &commitCommand{id: id, from: 1, count: 2}, "04" + "01" + tx + "01" + "02" + "00" + "00" + "00" + "00" + "00"},
		{"abort", &abortCommand{id}, "05" + "01" + tx},
		{"install", &installCommand{installed}, "06" + "01" + "ef01" + "01" + `"{"id":7,"version":0,"namespace":{},"name":"T","uuid":"","created":"0001-01-01T00:00:00Z","status":0,` +
			`"key":{"hash":[{"name":"pk","type":1}]},"attributes":[{"name":"pk","type":1}],"nextIndex":0,"billing":2,"throughput":{"read":0,"write":0}}"`},
		{"drop", &dropCommand{installed}, "07" + "01" + hex.EncodeToString(appendBytes(nil, body))},
		{"drop counts", &dropIndexCountsCommand{7, 2}, "08" + "01" + "07" + "02"},
		{"purge", &purgeCommand{prefix: []byte("ab"), limit: 300, expiry: 7}, "09" + "01" + "02" + "6162" + "ac02" + "07"},
		{"reindex", &reindexCommand{7, 2, [][]byte{[]byte("a"), []byte("b")}}, "0a" + "01" + "07" + "02" + keysOfAB},
		{"records", &recordsCommand{[]mutation{{[]byte("a"), []byte("v")}, {[]byte("b"), []byte{}}, {[]byte("c"), nil}}},
			"0b" + "01" + "03" + "0161" + "01" + "0176" + "0162" + "01" + "00" + "0163" + "00"},
		{"order by expiry", &expiryBackfillCommand{7, [][]byte{[]byte("a"), []byte("b")}}, "0c" + "01" + "07" + keysOfAB},
		{"expire", &expireCommand{table: 7, at: at, records: [][]byte{[]byte("a"), []byte("b")}}, "0d" + "01" + "07" + sec + keysOfAB},
		{"receive", &receiveCommand{source: 2, entries: []outboxEntry{{seq: 1 << 16, changes: []byte("a")}, {seq: 1 << 17, changes: []byte("b")}}},
			"0e" + "01" + "02" + "02" + "808004" + "0161" + "808008" + "0162"},
		{"trim", &trimCommand{[]outboxEntry{{dest: 1, seq: 1 << 16}, {dest: 2, seq: 1 << 17}}}, "0f" + "01" + "02" + "01" + "808004" + "02" + "808008"},
		{"trim stream", &trimStreamCommand{table: 7, stream: 1, keys: [][]byte{[]byte("a"), []byte("b")}, start: StreamPos{9, 3}},
			"10" + "01" + "07" + "01" + "09" + "03" + keysOfAB},
		{"forget tokens", &forgetTokensCommand{[][]byte{[]byte("a"), []byte("b")}}, "11" + "01" + keysOfAB},
		{"resolve", &resolveCommand{id: id, at: at}, "12" + "01" + tx + sec},
		{"mark", &markCommand{markID(id)}, "13" + "01" + tx},
	}
}

const zeros31 = "00000000000000000000000000000000000000000000000000000000000000"

// sampleBytes reads the form of a sample.
func sampleBytes(t require.TestingT, want string) []byte {
	digits, text, isText := strings.Cut(want, `"`)
	b, err := hex.DecodeString(digits)
	require.NoError(t, err)
	if isText {
		b = append(b, text[:len(text)-1]...)
	}
	return b
}

func TestCommandsKeepTheirForm(t *testing.T) {
	kinds := make(map[byte]bool)
	for _, s := range commandSamples(t) {
		t.Run(s.name, func(t *testing.T) {
			want := sampleBytes(t, s.want)
			kinds[want[0]] = true
			encoded, err := appendCommand([]byte("front"), s.command)
			require.NoError(t, err)
			require.Equal(t, "front", string(encoded[:5]))
			require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(encoded[5:]))

			decoded, err := decodeCommand(encoded[5:])
			require.NoError(t, err)
			require.Equal(t, s.command, decoded)
		})
	}
	require.Len(t, kinds, int(kindOfMark), "every kind has a sample")
}

func TestMalformedCommands(t *testing.T) {
	for _, s := range commandSamples(t) {
		b := sampleBytes(t, s.want)
		for n := range b {
			_, err := decodeCommand(b[:n])
			require.ErrorIs(t, err, ErrCorruptRecord, "%s cut off after %d bytes", s.name, n)
		}
		_, err := decodeCommand(append(b, 0))
		require.ErrorIs(t, err, ErrCorruptRecord, "%s and a byte", s.name)
	}
	const tx, put = "aa0000000000000000000000000000bb", "01" + "00" + "07" + "00" + "09" + "01030102706b010161"
	for _, c := range []struct{ name, form string }{
		{"unknown kind", "63" + "01"},
		{"later form", "01" + "02" + put},
		{"unknown kind of write", "01" + "01" + "05" + put[2:]},
		{"unknown flag of a write", "01" + "01" + "01" + "80" + put[4:]},
		{"table id beyond 32 bits", "01" + "01" + "01" + "00" + "8080808010" + "00" + "00"},
		{"damaged condition", "01" + "01" + "01" + "20" + put[4:] + "00000002" + "0163"},
		{"long condition", "01" + "01" + "01" + "20" + put[4:] + "ffffffff" + "0108010261"},
		{"damaged update", "01" + "01" + "02" + "40" + put[4:] + "00000002" + "0163"},
		{"more writes than bytes", "02" + "01" + "ffffffff0f" + put},
		{"commit beyond its writes", "04" + "01" + tx + "01" + "01" + "00" + "00" + "00" + "00" + "01" + "01" + "00" + "07" + "00"},
		{"commit with a condition", "04" + "01" + tx + "00" + "01" + "00" + "00" + "00" + "00" + "01" + "01" + "20" + "07" + "00"},
		{"no boolean", "04" + "01" + tx + "00" + "01" + "02" + "00" + "00" + "00" + "00"},
		{"record without key", "0b" + "01" + "01" + "00" + "00"},
		{"table", "06" + "01" + "02" + "017b"},
		{"shard beyond 16 bits", "0f" + "01" + "01" + "808004" + "01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decodeCommand(sampleBytes(t, c.form))
			require.ErrorIs(t, err, ErrCorruptRecord)
		})
	}
	_, err := appendCommand(nil, panicCommand{})
	require.ErrorContains(t, err, "has no binary form")
}

// TestWriteIsEncodedInPlace: writes are what logs are full of.
func TestWriteIsEncodedInPlace(t *testing.T) {
	c := &writeCommand{write: &Write{
		Table: &Table{ID: 7}, Kind: Update, Item: object("pk", "a"), at: time.Unix(1, 0),
		Condition: condition(t, "attribute_exists(pk)", nil), Update: update(t, "SET v = :v", map[string]item.Value{":v": num(1)}),
	}}
	buf := make([]byte, 0, 1024)
	var b []byte
	require.Zero(t, testing.AllocsPerRun(100, func() { b, _ = appendCommand(buf, c) }))

	c.write.Condition, c.write.Update = nil, nil
	b, err := appendCommand(buf, c)
	require.NoError(t, err)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = decodeCommand(b) }), 1.0)
}

func FuzzDecodeCommand(f *testing.F) {
	for _, s := range commandSamples(f) {
		f.Add(sampleBytes(f, s.want))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeCommand(b)
		if err != nil {
			require.ErrorIs(t, err, ErrCorruptRecord)
			return
		}
		encoded, err := appendCommand(nil, c)
		require.NoError(t, err)
		again, err := decodeCommand(encoded)
		require.NoError(t, err)
		same, err := appendCommand(nil, again)
		require.NoError(t, err)
		require.Equal(t, encoded, same)
		_, err = appendResult(nil, c, nil)
		require.NoError(t, err)
	})
}

func BenchmarkEncodeWrite(b *testing.B) {
	c := &writeCommand{write: &Write{Table: &Table{ID: 7}, Kind: Put, Item: object("pk", "a", "v", strings.Repeat("x", 300)), at: time.Unix(1, 0)}}
	buf, err := appendCommand(nil, c)
	require.NoError(b, err)
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = appendCommand(buf[:0], c)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeCommand(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}
