package storage

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The stream of a=1, bb="", c=23 in version 1.
const goldenStream = "" +
	"53544154534e4150" + "01000000" + // magic, version
	"0d000000" + "afb5a49f" + // 13 bytes, sum
	"0101" + "61" + "31" +
	"0200" + "6262" +
	"0102" + "63" + "3233" +
	"00000000" + "0300000000000000" + "afb5a49f" + "8f9f045c" // 3 entries, sums

func TestStreamGolden(t *testing.T) {
	pools(t, func(t *testing.T, o PoolOptions) {
		p := openPool(t, o)
		s, err := p.Create(1)
		require.NoError(t, err)
		set(t, s, "a", "1", "bb", "", "c", "23")
		require.Equal(t, goldenStream, hex.EncodeToString(snapshot(t, s)))
	})
}

// entries reads a stream without a shard, as keys and values in turn.
func entries(r io.Reader) (got []string, err error) {
	sr := &streamReader{r: r}
	if err := sr.header(); err != nil {
		return nil, err
	}
	for {
		payload, err := sr.next()
		if err != nil || payload == nil {
			return got, err
		}
		for len(payload) > 0 {
			var key, value []byte
			if key, value, payload, err = sr.entry(payload); err != nil {
				return got, err
			}
			got = append(got, string(key), string(value))
		}
	}
}

// streamOf writes a stream without a shard, of pairs that need not be in order.
func streamOf(pairs ...string) []byte {
	var out bytes.Buffer
	sw := &streamWriter{w: &out, frame: make([]byte, frameHead)}
	out.WriteString(streamMagic + "\x01\x00\x00\x00")
	for i := 0; i < len(pairs); i += 2 {
		sw.entry([]byte(pairs[i]), []byte(pairs[i+1]))
	}
	sw.end()
	return out.Bytes()
}

func TestStreamIsReadToItsEndOnly(t *testing.T) {
	r := bytes.NewReader(append(streamOf("a", "1"), "more"...))
	got, err := entries(iotest.OneByteReader(r))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "1"}, got)
	require.Equal(t, 4, r.Len())
}

// No prefix of a stream, and no stream with a changed byte, is taken for one.
func TestEveryByteOfAStreamCounts(t *testing.T) {
	for _, b := range [][]byte{
		streamOf(),
		streamOf("a", "1", "bb", "", "c", strings.Repeat("x", 1000)),
		streamOf("a", strings.Repeat("x", frameSize), "b", "2", "c", strings.Repeat("y", frameSize)),
	} {
		_, err := entries(bytes.NewReader(b))
		require.NoError(t, err)
		step := 1 + len(b)/2000
		for i := 0; i < len(b); i += step {
			_, err := entries(bytes.NewReader(b[:i]))
			require.ErrorIs(t, err, ErrBadStream, "%d bytes", i)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			b[i] ^= 0x20
			_, err = entries(bytes.NewReader(b))
			require.ErrorIs(t, err, ErrBadStream, "byte %d", i)
			b[i] ^= 0x20
		}
	}
}

func TestBadStreams(t *testing.T) {
	big := strings.Repeat("x", frameSize)
	a, b := streamOf("a", big), streamOf("b", big)
	frameA, frameB := a[headerSize:len(a)-endSize], b[headerSize:len(b)-endSize]
	both := streamOf("a", big, "b", big)
	head, end := both[:headerSize], both[len(both)-endSize:]
	require.Equal(t, both, bytes.Join([][]byte{head, frameA, frameB, end}, nil))
	for _, test := range []struct {
		name   string
		stream []byte
		err    string
	}{
		{"no magic", []byte("GET / HTTP/1.1\r\n"), "not a snapshot"},
		{"version", []byte(streamMagic + "\x02\x00\x00\x00"), "version 2, this version reads version 1"},
		{"huge frame", []byte(streamMagic + "\x01\x00\x00\x00\xff\xff\xff\xff1234"), "frame of 4294967295 bytes"},
		{"order", streamOf("b", "", "a", ""), "keys are not in order after 1 entries"},
		{"twice", streamOf("b", "", "b", ""), "keys are not in order after 1 entries"},
		{"empty key", streamOf("", "1"), "key of 0"},
		{"long key", streamOf(strings.Repeat("k", maxKeySize+1), "1"), "key of 65001"},
		{"frame lost", bytes.Join([][]byte{head, frameA, end}, nil), "1 entries of 2"},
		{"frames swapped", bytes.Join([][]byte{head, frameB, frameA, end}, nil), "keys are not in order"},
		{"frame of another stream", bytes.Join([][]byte{head, frameA, streamOf("c", big)[headerSize : headerSize+len(frameB)], end}, nil), "frames are not those"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := entries(bytes.NewReader(test.stream))
			require.ErrorIs(t, err, ErrBadStream)
			require.ErrorContains(t, err, test.err)
		})
	}
}

func TestStreamErrorsOfOthers(t *testing.T) {
	boom := errors.New("boom")
	p := openPool(t, PoolOptions{Dir: t.TempDir()})
	_, err := p.Receive(1, io.MultiReader(bytes.NewReader(streamOf("a", "1")[:30]), iotest.ErrReader(boom)))
	require.ErrorIs(t, err, boom)
	require.NotErrorIs(t, err, ErrBadStream)
	s, err := p.Create(1)
	require.NoError(t, err)
	set(t, s, "a", "1", "b", strings.Repeat("x", frameSize))
	for _, room := range []int{0, headerSize, headerSize + 1, headerSize + frameHead + 5} {
		require.Equal(t, boom, s.View(func(sn *Snapshot) error {
			n, err := sn.WriteTo(&shortWriter{room, boom})
			require.EqualValues(t, room, n)
			return err
		}))
	}
}

// shortWriter takes so many bytes.
type shortWriter struct {
	room int
	err  error
}

func (w *shortWriter) Write(b []byte) (int, error) {
	n := min(w.room, len(b))
	w.room -= n
	if n < len(b) {
		return n, w.err
	}
	return n, nil
}

// TestStreamRoundTrip sends shards from disk to memory and back.
func TestStreamRoundTrip(t *testing.T) {
	disk := openPool(t, PoolOptions{Dir: t.TempDir()})
	memory := openPool(t, PoolOptions{InMemory: true})
	rapid.Check(t, func(t *rapid.T) {
		want := model{}
		n := rapid.IntRange(0, 50).Draw(t, "entries")
		pairs := []string{}
		for range n {
			k, v := string(keyGen.Draw(t, "k")), string(valueGen.Draw(t, "v"))
			want[k] = v
		}
		for k, v := range want {
			pairs = append(pairs, k, v)
		}
		first, err := memory.Receive(1, bytes.NewReader(streamOf()))
		require.NoError(t, err)
		batch := first.NewBatch()
		for i := 0; i < len(pairs); i += 2 {
			require.NoError(t, batch.Set([]byte(pairs[i]), []byte(pairs[i+1])))
		}
		require.NoError(t, batch.Commit())
		stream := func(s *Shard) []byte {
			var out bytes.Buffer
			require.NoError(t, s.View(func(sn *Snapshot) error { _, err := sn.WriteTo(&out); return err }))
			return out.Bytes()
		}
		b := stream(first)
		second, err := disk.Receive(1, bytes.NewReader(b))
		require.NoError(t, err)
		require.Equal(t, b, stream(second))
		require.NoError(t, second.View(func(sn *Snapshot) error {
			require.Equal(t, want.scan(Range{}, 100), scanStrings(t, sn, Range{}, 100))
			return nil
		}))
		third, err := memory.Receive(2, bytes.NewReader(b))
		require.NoError(t, err)
		require.Equal(t, b, stream(third))
	})
}

// A batch takes fewer entries than a frame of tiny ones has, and an entry may be
// larger than a frame.
func TestStreamOfTinyAndLargeEntries(t *testing.T) {
	pools(t, func(t *testing.T, o PoolOptions) {
		var pairs []string
		for i := range 150_000 {
			pairs = append(pairs, fmt.Sprintf("%06d", i), "")
		}
		pairs = append(pairs, "large", strings.Repeat("0123456789", 300_000), "long", strings.Repeat("x", valueThreshold))
		pairs = append(pairs, "longest "+strings.Repeat("k", maxKeySize-8), "v")
		p := openPool(t, o)
		b := streamOf(pairs...)
		s, err := p.Receive(1, bytes.NewReader(b))
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, snapshot(t, s)))
	})
}

func FuzzStream(f *testing.F) {
	f.Add(streamOf())
	f.Add(streamOf("a", "1", "bb", "", "c", "23"))
	f.Add(streamOf("b", "", "a", ""))
	f.Add(streamOf("a", "1")[:30])
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := entries(bytes.NewReader(b))
		if err != nil {
			require.ErrorIs(t, err, ErrBadStream)
			return
		}
		again, err := entries(bytes.NewReader(streamOf(got...)))
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

// FuzzStreamEntries reaches what checksums keep from FuzzStream.
func FuzzStreamEntries(f *testing.F) {
	f.Add([]byte("\x01\x01a1\x02\x00bb"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		sr := &streamReader{}
		var last []byte
		for len(payload) > 0 {
			key, value, rest, err := sr.entry(payload)
			if err != nil {
				require.ErrorIs(t, err, ErrBadStream)
				return
			}
			require.Positive(t, bytes.Compare(key, last))
			require.Less(t, len(key)+len(value)+len(rest), len(payload))
			last, payload = append(last[:0], key...), rest
		}
	})
}

func BenchmarkReceive(b *testing.B) {
	dir := b.TempDir()
	p := openPool(b, PoolOptions{Dir: dir})
	var pairs []string
	for i := range 100_000 {
		pairs = append(pairs, string(benchKey(i)), strings.Repeat("v", 300))
	}
	stream := streamOf(pairs...)
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		if _, err := p.Receive(1, bytes.NewReader(stream)); err != nil {
			b.Fatal(err)
		}
	}
}
