package transport

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The formats, byte by byte: a change here is a change of the protocol.
func TestFormats(t *testing.T) {
	cluster := [16]byte{0xc0, 15: 0xc1}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"message":  {appendFrame(nil, frameMessage, []byte("m")), "02000000" + "14302d3c" + "01" + "6d"},
		"request":  {appendRequest(nil, 0x0102, 7, 1000, []byte("r")), "0f000000" + "a1ec3bf7" + "02" + "0201000000000000" + "07" + "e8030000" + "72"},
		"response": {appendAnswer(nil, frameResponse, 3, []byte("r")), "0a000000" + "a622c732" + "03" + "0300000000000000" + "72"},
		"preamble": {
			preamble{kind: kindCalls, sub: 1, version: 3, minVersion: 2, cluster: cluster, from: 5, to: 6, name: "n"}.encode(),
			"53545452" + "01020100" + "03000000" + "02000000" + "c00000000000000000000000000000c1" +
				"0500000000000000" + "0600000000000000" + "01" + "6e" + "6ec1e48e",
		},
		"answer": {
			answer{version: 3, minVersion: 2, cluster: cluster, from: 5, name: "n", reason: "no"}.encode(),
			"53545452" + "01010000" + "03000000" + "02000000" + "c00000000000000000000000000000c1" +
				"0500000000000000" + "01" + "6e" + "0200" + "6e6f" + "62792dd5",
		},
	} {
		require.Equal(t, c.want, hex.EncodeToString(c.b), name)
	}
}

func TestPreambleRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cluster := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "cluster"))
		name := rapid.StringOfN(rapid.Rune(), 0, maxName/4, maxName)
		p := preamble{
			kind: kind(rapid.Byte().Draw(t, "kind")), sub: rapid.Byte().Draw(t, "sub"),
			version: rapid.Uint32().Draw(t, "version"), minVersion: rapid.Uint32().Draw(t, "minimum"),
			cluster: cluster, from: rapid.Uint64().Draw(t, "from"), to: rapid.Uint64().Draw(t, "to"),
			name: name.Draw(t, "name"),
		}
		r := bytes.NewReader(append(p.encode(), "rest"...))
		got, err := readPreamble(iotest.OneByteReader(r))
		require.NoError(t, err)
		require.Equal(t, p, got)
		require.Equal(t, 4, r.Len(), "no byte beyond is read")

		a := answer{
			version: p.version, minVersion: p.minVersion, cluster: cluster, from: p.from, name: p.name,
			reason: rapid.StringN(0, 200, maxReason).Draw(t, "reason"),
		}
		r = bytes.NewReader(append(a.encode(), "rest"...))
		gotAnswer, err := readAnswer(iotest.OneByteReader(r))
		require.NoError(t, err)
		require.Equal(t, a, gotAnswer)
		require.Equal(t, 4, r.Len())
	})
}

func TestFrameReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(0, 3<<20)), 0, 5).Draw(t, "sizes")
		var wire []byte
		var bodies [][]byte
		for i, n := range sizes {
			body := bytes.Repeat([]byte{byte(i), byte(rand.Uint32())}, n/2)
			bodies = append(bodies, body)
			wire = appendFrame(wire, byte(i+1), body)
		}
		f := newFrameReader(iotest.HalfReader(bytes.NewReader(wire)), 64, maxBody)
		for i, want := range bodies {
			typ, body, err := f.next()
			require.NoError(t, err)
			require.Equal(t, byte(i+1), typ)
			require.True(t, bytes.Equal(want, body))
		}
		_, _, err := f.next()
		require.Equal(t, io.EOF, err) //nolint:testifylint // exactly this one
		if len(wire) == 0 {
			return
		}
		// Cut anywhere within the last frame it is not a clean end.
		cut := len(wire) - rapid.IntRange(1, frameHead+len(bodies[len(bodies)-1])-1).Draw(t, "cut")
		f = newFrameReader(bytes.NewReader(wire[:cut]), 64, maxBody)
		for err = nil; err == nil; {
			_, _, err = f.next()
		}
		require.Equal(t, io.ErrUnexpectedEOF, err)
		// A flipped bit is found.
		at := rapid.IntRange(0, len(wire)-1).Draw(t, "at")
		wire[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		f = newFrameReader(bytes.NewReader(wire), 64, maxBody)
		for err = nil; err == nil; {
			_, _, err = f.next()
		}
		require.False(t, errors.Is(err, io.EOF), err)
	})
}

func TestFrameReaderLimits(t *testing.T) {
	huge := append([]byte{0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0}, make([]byte, 100)...)
	_, _, err := newFrameReader(bytes.NewReader(huge), 64, maxBody).next()
	require.ErrorIs(t, err, errCorrupt)
	_, _, err = newFrameReader(bytes.NewReader(make([]byte, 100)), 64, maxBody).next()
	require.ErrorIs(t, err, errCorrupt)

	// A length alone makes nobody allocate what never comes.
	claim := append([]byte{0, 0, 0, 1, 0, 0, 0, 0}, make([]byte, 100)...) // 16 MB
	f := newFrameReader(bytes.NewReader(claim), 64, maxBody)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err = f.next()
	runtime.ReadMemStats(&after)
	require.Equal(t, io.ErrUnexpectedEOF, err)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*growStep))
}

func TestVoidFrame(t *testing.T) {
	wire := appendRequest(nil, 1, 1, 0, []byte("keep"))
	start := len(wire)
	wire = appendRequest(wire, 2, 1, 0, []byte("withdraw"))
	end := len(wire)
	wire = appendRequest(wire, 3, 1, 0, []byte("keep"))
	voidFrame(wire, start, end)
	f := newFrameReader(bytes.NewReader(wire), 64, maxBody)
	for _, want := range []byte{frameRequest, frameVoid, frameRequest} {
		typ, _, err := f.next()
		require.NoError(t, err)
		require.Equal(t, want, typ)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(appendRequest(appendAnswer(nil, framePing, 7, nil), 1, 2, 3, []byte("body")))
	f.Add(appendFrame(nil, frameAbort, []byte("\x05text")))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newFrameReader(bytes.NewReader(b), 64, maxBody)
		var again []byte
		for {
			typ, body, err := r.next()
			if err != nil {
				if errors.Is(err, io.EOF) && !bytes.Equal(again, b) {
					t.Fatalf("%x was read as %x", b, again)
				}
				return
			}
			_, _ = parseRequest(body)
			_, _, _ = parseAnswer(body)
			_, _ = parseRemoteError(body)
			again = appendFrame(again, typ, body)
		}
	})
}

func FuzzPreamble(f *testing.F) {
	f.Add(preamble{kind: kindCalls, from: 1, name: "node"}.encode())
	f.Add(answer{from: 1, name: "node", reason: "no"}.encode())
	f.Add([]byte("\x16\x03\x01hello"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := readPreamble(bytes.NewReader(b)); err == nil {
			again, err := readPreamble(bytes.NewReader(p.encode()))
			require.NoError(t, err)
			require.Equal(t, p, again)
		}
		if a, err := readAnswer(bytes.NewReader(b)); err == nil {
			again, err := readAnswer(bytes.NewReader(a.encode()))
			require.NoError(t, err)
			require.Equal(t, a, again)
		}
	})
}
