package wal_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/wal"
	"github.com/stator-db/stator/partition/wal/waltest"
)

// FuzzSegment opens a log whose segment goes on with any bytes, or with a frame
// that has intact checksums and any payload. It is refused, or it is a log: what
// it holds can be read, and is the same when opened again.
func FuzzSegment(f *testing.F) {
	disk := waltest.NewDisk()
	options := wal.Options{FS: disk}
	options.FixSalt(1)
	l := mustOpen(f, "wal", options)
	begin := disk.Used()
	for _, step := range script(6) {
		require.NoError(f, step(l))
	}
	require.NoError(f, l.Close())
	disk.Corrupt(firstSegment, func(b []byte) []byte {
		f.Add(b[begin:], false)
		for _, payload := range wal.Payloads(b) {
			f.Add(payload, true)
		}
		return b
	})

	f.Fuzz(func(t *testing.T, b []byte, framed bool) {
		disk := waltest.NewDisk()
		options := options
		options.FS = disk
		l := mustOpen(t, "wal", options)
		require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: numbered(1, 1, 5)}, {Group: 2, Entries: numbered(3, 1, 2)}}))
		require.NoError(t, l.Close())
		disk.Corrupt(firstSegment, func(segment []byte) []byte {
			if framed {
				return wal.AppendFrame(segment, b)
			}
			return append(segment, b...)
		})
		l, err := wal.Open("wal", options)
		if err != nil {
			require.ErrorIs(t, err, wal.ErrCorrupt)
			return
		}
		want := all(t, l)
		require.NoError(t, l.Append([]wal.Write{{Group: 1 << 40, HardState: hard(1, 1, 0)}}))
		want[1<<40] = all(t, l)[1<<40]
		disk.Crash(nil)
		l.Close()
		l = mustOpen(t, "wal", options)
		require.Equal(t, want, all(t, l))
		require.NoError(t, l.Close())
	})
}

// all returns the entries of all groups.
func all(t testing.TB, l *wal.Log) map[uint64][]string {
	t.Helper()
	all := map[uint64][]string{}
	for _, id := range l.Groups() {
		all[id] = contents(t, l.Group(id))
	}
	return all
}

// FuzzSealedSegment opens a log whose first segment, not the last, has any bytes
// in some place.
func FuzzSealedSegment(f *testing.F) {
	f.Add(uint16(0), []byte("STATRWAL"))
	f.Add(uint16(40), []byte{0})
	f.Add(uint16(100), []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, at uint16, b []byte) {
		disk := waltest.NewDisk()
		options := wal.Options{FS: disk, SegmentSize: 200}
		options.FixSalt(1)
		l := mustOpen(t, "wal", options)
		for _, step := range script(2) {
			require.NoError(t, step(l))
		}
		want := all(t, l)
		require.NoError(t, l.Close())
		disk.Corrupt(firstSegment, func(segment []byte) []byte {
			copy(segment[min(int(at), len(segment)):], b)
			return segment
		})
		l, err := wal.Open("wal", options)
		if err != nil {
			require.ErrorContains(t, err, filepath.Base(firstSegment))
			return
		}
		require.Equal(t, want, all(t, l))
	})
}
