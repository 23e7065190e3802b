package wal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/wal"
	"github.com/stator-db/stator/partition/wal/waltest"
)

var firstSegment = filepath.Join("wal", "0000000000000001.wal")

func sizeOf(t *testing.T, disk *waltest.Disk, path string) int {
	t.Helper()
	f, err := disk.Open(path)
	require.NoError(t, err)
	defer f.Close()
	n, err := f.Size()
	require.NoError(t, err)
	return int(n)
}

// threeFrames writes a log of three frames in one segment and returns the offsets
// where the frames begin and the last one ends.
func threeFrames(t *testing.T) (*waltest.Disk, []int) {
	t.Helper()
	disk := waltest.NewDisk()
	l := mustOpen(t, "wal", wal.Options{FS: disk})
	ends := []int{sizeOf(t, disk, firstSegment)}
	for i := range uint64(3) {
		require.NoError(t, l.Append([]wal.Write{{Group: 5, Entries: numbered(i+1, 2*i+1, 2*i+2), HardState: hard(i+1, 0, 2*i)}}))
		ends = append(ends, sizeOf(t, disk, firstSegment))
	}
	require.NoError(t, l.Close())
	return disk, ends
}

// frames is what group 5 of threeFrames holds after n frames.
func frames(n int) []string {
	var all []string
	for i := 1; i <= 2*n; i++ {
		all = append(all, fmt.Sprintf("%d/%d entry %d of term %d", (i+1)/2, i, i, (i+1)/2))
	}
	return all
}

// requireUsable appends to a log, and finds it again.
func requireUsable(t *testing.T, disk *waltest.Disk, l *wal.Log) {
	t.Helper()
	before := contents(t, l.Group(5))
	last, err := l.Group(5).LastIndex()
	require.NoError(t, err)
	require.NoError(t, l.Append([]wal.Write{{Group: 5, Entries: entries(9, last+1, "more")}}))
	disk.Crash(nil)
	l.Close()
	l = mustOpen(t, "wal", wal.Options{FS: disk})
	require.Equal(t, append(before, fmt.Sprintf("9/%d more", last+1)), contents(t, l.Group(5)))
	require.NoError(t, l.Close())
}

// TestCutAnywhere cuts the only segment at every byte: what is whole before is
// there.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	_, ends := threeFrames(t)
	for cut := range ends[3] + 1 {
		disk, _ := threeFrames(t)
		disk.Corrupt(firstSegment, func(b []byte) []byte { return b[:cut] })
		l, err := wal.Open("wal", wal.Options{FS: disk})
		if cut < ends[0] {
			require.ErrorIs(t, err, wal.ErrCorrupt, "cut at %d", cut)
			require.ErrorContains(t, err, firstSegment)
			continue
		}
		require.NoError(t, err, "cut at %d", cut)
		whole := 0
		for whole < 3 && ends[whole+1] <= cut {
			whole++
		}
		require.Equal(t, frames(whole), contents(t, l.Group(5)), "cut at %d", cut)
		requireUsable(t, disk, l)
	}
}

// TestZeroedTail replaces the end of the segment by zeros, as a file system does
// that had made the file longer but not written the data.
func TestZeroedTail(t *testing.T) {
	t.Parallel()
	_, ends := threeFrames(t)
	for from := ends[2]; from < ends[3]; from++ {
		disk, _ := threeFrames(t)
		disk.Corrupt(firstSegment, func(b []byte) []byte {
			clear(b[from:])
			return append(b, make([]byte, 10000)...)
		})
		l, err := wal.Open("wal", wal.Options{FS: disk})
		require.NoError(t, err)
		got := contents(t, l.Group(5))
		if len(got) == 4 {
			require.Equal(t, frames(2), got)
			require.Equal(t, ends[2], sizeOf(t, disk, firstSegment), "the rest is cut")
		} else {
			require.Equal(t, frames(3), got, "zeros from %d on are padding", from)
			require.Less(t, ends[3]-from, 8)
		}
		requireUsable(t, disk, l)
	}
}

// TestDamageAnywhere changes every byte of the only segment in turn. In the last
// frame that looks like a torn write; anywhere else it is refused.
func TestDamageAnywhere(t *testing.T) {
	t.Parallel()
	_, ends := threeFrames(t)
	for at := range ends[3] {
		disk, _ := threeFrames(t)
		disk.Corrupt(firstSegment, func(b []byte) []byte {
			b[at] ^= 0x10
			return b
		})
		l, err := wal.Open("wal", wal.Options{FS: disk})
		if err != nil {
			require.Less(t, at, ends[2])
			require.ErrorIs(t, err, wal.ErrCorrupt)
			require.ErrorContains(t, err, firstSegment+" at offset ")
			require.Equal(t, ends[3], sizeOf(t, disk, firstSegment), "nothing is cut")
			continue
		}
		got := contents(t, l.Group(5))
		if len(got) == 6 {
			// A byte of padding: there are up to seven behind each frame.
			end, _ := slices.BinarySearch(ends, at+1)
			require.Less(t, ends[end]-at, 8, "offset %d", at)
			require.Equal(t, frames(3), got)
			require.NoError(t, l.Close())
			continue
		}
		require.GreaterOrEqual(t, at, ends[2], "offset %d", at)
		require.Equal(t, frames(2), got)
		requireUsable(t, disk, l)
	}
}

// TestDamagedSealedSegment changes every byte of a segment that is not the last,
// cuts it, and removes it.
func TestDamagedSealedSegment(t *testing.T) {
	t.Parallel()
	make := func() *waltest.Disk {
		disk := waltest.NewDisk()
		l := mustOpen(t, "wal", wal.Options{FS: disk, SegmentSize: 150})
		for i := range uint64(3) {
			require.NoError(t, l.Append([]wal.Write{{Group: 5, Entries: numbered(i+1, 2*i+1, 2*i+2)}}))
		}
		require.NoError(t, l.Close())
		return disk
	}
	size := sizeOf(t, make(), firstSegment)
	intact := 0
	for at := range size {
		disk := make()
		disk.Corrupt(firstSegment, func(b []byte) []byte {
			b[at] ^= 0x10
			return b
		})
		if l, err := wal.Open("wal", wal.Options{FS: disk}); err == nil {
			require.Equal(t, frames(3), contents(t, l.Group(5)))
			intact++
		} else {
			require.ErrorIs(t, err, wal.ErrCorrupt)
			require.ErrorContains(t, err, firstSegment+" at offset ")
		}

		disk = make()
		disk.Corrupt(firstSegment, func(b []byte) []byte { return b[:at] })
		_, err := wal.Open("wal", wal.Options{FS: disk})
		require.ErrorIs(t, err, wal.ErrCorrupt)
		require.ErrorContains(t, err, firstSegment)
	}
	require.Less(t, intact, 3*8, "only padding does not matter")

	disk := make()
	require.NoError(t, disk.Remove(firstSegment))
	_, err := wal.Open("wal", wal.Options{FS: disk})
	require.ErrorIs(t, err, wal.ErrCorrupt)
	require.ErrorContains(t, err, "entry 1 of group 5 is missing")
}

// TestDamageUnderRead changes an entry while the log is open: it is not handed out.
func TestDamageUnderRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := mustOpen(t, dir, wal.Options{CacheBytes: -1})
	require.NoError(t, l.Append([]wal.Write{{Group: 1, Entries: entries(1, 1, "aaaa", "bbbb")}}))
	corruptFile(t, filepath.Join(dir, "0000000000000001.wal"), "bbbb", "bbbc")
	got, err := l.Group(1).Entries(1, 2, 100)
	require.NoError(t, err)
	require.Len(t, got, 1)
	_, err = l.Group(1).Entries(1, 3, 100)
	require.ErrorIs(t, err, wal.ErrCorrupt)
	require.ErrorContains(t, err, "entry 2")
}

// script is a workload that uses every kind of record and several segments. Each
// step is acknowledged or not.
func script(n int) []func(*wal.Log) error {
	var steps []func(*wal.Log) error
	for i := range uint64(n) {
		steps = append(steps, func(l *wal.Log) error {
			return l.Append([]wal.Write{
				{Group: 1, Entries: numbered(1, 3*i+1, 3*i+3), HardState: hard(1, 0, 3*i)},
				{Group: 2, Entries: numbered(i+1, i/2+1, i/2+2), HardState: hard(i+1, 0, 0)},
			})
		})
		if i%3 == 2 {
			steps = append(steps, func(l *wal.Log) error { return l.Compact(1, 3*i) })
		}
		if i == 1 {
			steps = append(steps, func(l *wal.Log) error {
				return l.Append([]wal.Write{{Group: 3, Entries: numbered(1, 1, 1)}, {Group: 4, Entries: numbered(1, 1, 2)}})
			})
		}
		if i == 5 {
			steps = append(steps, func(l *wal.Log) error { return l.Remove(4) })
		}
	}
	return steps
}

// state is everything that survives a crash for certain.
func state(t testing.TB, l *wal.Log) string {
	var b strings.Builder
	for _, id := range l.Groups() {
		g := l.Group(id)
		h, _, err := g.InitialState()
		require.NoError(t, err)
		all := contents(t, g)
		if id == 1 && len(all) > 3 {
			all = all[len(all)-3:] // a compaction may be lost
		}
		fmt.Fprintln(&b, id, h.GetTerm(), h.GetVote(), all)
	}
	return b.String()
}

// TestCrashAtEveryOperation ends the power at each operation on the disk in turn.
// What was acknowledged is there afterwards, and the step under way wholly or not
// at all.
func TestCrashAtEveryOperation(t *testing.T) {
	t.Parallel()
	errPower := errors.New("no power")
	steps := script(9)
	// states[n] is that after n steps.
	disk := waltest.NewDisk()
	options := wal.Options{FS: disk, SegmentSize: 400}
	l := mustOpen(t, "wal", options)
	states := []string{state(t, l)}
	for _, step := range steps {
		require.NoError(t, step(l))
		states = append(states, state(t, l))
	}

	finished := false
	for at := 0; !finished; at++ {
		for seed := range uint64(6) {
			disk := waltest.NewDisk()
			options.FS = disk
			ops := 0
			disk.Fail(func(waltest.Op, string) error {
				if ops++; ops > at {
					return errPower
				}
				return nil
			})
			done := 0
			l, err := wal.Open("wal", options)
			if err == nil {
				for done < len(steps) && steps[done](l) == nil {
					done++
				}
			}
			finished = done == len(steps)
			disk.Fail(nil)
			var random *rand.Rand
			if seed > 0 {
				random = rand.New(rand.NewPCG(seed, uint64(at)))
			}
			disk.Crash(random)
			if l != nil {
				l.Close()
			}
			l, err = wal.Open("wal", options)
			require.NoError(t, err, "power ends at operation %d, seed %d", at, seed)
			got := state(t, l)
			if got != states[min(done+1, len(steps))] {
				require.Equal(t, states[done], got, "power ends at operation %d, seed %d", at, seed)
			}
			require.NoError(t, l.Append([]wal.Write{{Group: 9, Entries: numbered(1, 1, 1)}}))
			require.NoError(t, l.Close())
		}
	}
}

// TestFailedSync shows that a failed sync ends all writing, and that what was not
// written for it is not found again: a later sync would not write it either.
func TestFailedSync(t *testing.T) {
	t.Parallel()
	disk := waltest.NewDisk()
	l := mustOpen(t, "wal", wal.Options{FS: disk})
	require.NoError(t, l.Append([]wal.Write{{Group: 5, Entries: numbered(1, 1, 2)}}))
	syncs := 0
	disk.Fail(func(op waltest.Op, _ string) error {
		if op == waltest.OpSync {
			syncs++
			return errors.New("medium error")
		}
		return nil
	})
	err := l.Append([]wal.Write{{Group: 5, Entries: numbered(2, 3, 4)}})
	require.ErrorIs(t, err, wal.ErrFailed)
	require.ErrorContains(t, err, "medium error")
	require.Equal(t, frames(1), contents(t, l.Group(5)))
	disk.Fail(nil)
	for _, refused := range []error{
		l.Append([]wal.Write{{Group: 5, Entries: numbered(2, 3, 4)}}),
		l.Append([]wal.Write{{Group: 5, HardState: hard(0, 0, 2)}}),
		l.Compact(5, 1),
		l.Remove(5),
	} {
		require.ErrorIs(t, refused, wal.ErrFailed)
	}
	require.Equal(t, 1, syncs)
	require.NoError(t, l.Close())

	l = mustOpen(t, "wal", wal.Options{FS: disk})
	require.Equal(t, frames(1), contents(t, l.Group(5)))
	require.NoError(t, l.Append([]wal.Write{{Group: 5, Entries: numbered(2, 3, 4)}}))
	disk.Crash(nil)
	l.Close()
	l = mustOpen(t, "wal", wal.Options{FS: disk})
	require.Equal(t, frames(2), contents(t, l.Group(5)))
}

// TestDeathBeforeSync ends the process between write and sync. The next one reads
// what was written, so it may not be lost in a power cut afterwards.
func TestDeathBeforeSync(t *testing.T) {
	t.Parallel()
	disk, ends := threeFrames(t)
	f, err := disk.Open(firstSegment)
	require.NoError(t, err)
	last := make([]byte, ends[3]-ends[2])
	_, err = f.ReadAt(last, int64(ends[2]))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(int64(ends[2])))
	require.NoError(t, f.Sync())
	_, err = f.WriteAt(last, int64(ends[2]))
	require.NoError(t, err)

	l := mustOpen(t, "wal", wal.Options{FS: disk})
	require.Equal(t, frames(3), contents(t, l.Group(5)))
	disk.Crash(nil)
	l.Close()
	l = mustOpen(t, "wal", wal.Options{FS: disk})
	require.Equal(t, frames(3), contents(t, l.Group(5)))
}
