package storage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPoolCrashes copies the directory at each step of each change, as a crash
// there would leave it, and requires that the pool opens on the copy with the
// state from before or the one from after, and nothing besides.
func TestPoolCrashes(t *testing.T) {
	big := strings.Repeat("x", frameSize)
	for _, test := range []struct {
		name          string
		change        func(p *Pool) error
		before, after map[uint64]string
	}{
		{"create", func(p *Pool) error { _, err := p.Create(2); return err },
			map[uint64]string{1: "old"}, map[uint64]string{1: "old", 2: "none"}},
		{"remove", func(p *Pool) error { return p.Remove(1) },
			map[uint64]string{1: "old"}, map[uint64]string{}},
		{"receive anew", func(p *Pool) error {
			_, err := p.Receive(2, bytes.NewReader(streamOf("a", big, "b", big, "k", "new")))
			return err
		}, map[uint64]string{1: "old"}, map[uint64]string{1: "old", 2: "new"}},
		{"receive over", func(p *Pool) error {
			_, err := p.Receive(1, bytes.NewReader(streamOf("a", big, "b", big, "k", "new")))
			return err
		}, map[uint64]string{1: "old"}, map[uint64]string{1: "new"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			p := openPool(t, PoolOptions{Dir: dir})
			s, err := p.Create(1)
			require.NoError(t, err)
			set(t, s, "k", "old")
			var steps []string
			copies := map[string]string{}
			p.step = func(step string) {
				steps = append(steps, step)
				copies[step] = copyDir(t, dir)
			}
			require.NoError(t, test.change(p))
			p.step("done")
			committed := slices.Index(steps, "recorded")
			require.GreaterOrEqual(t, committed, 0)
			for i, step := range steps {
				want := test.before
				if i >= committed {
					want = test.after
				}
				requirePool(t, copies[step], want, step)
			}
			requirePool(t, copies["done"], test.after, "after an orderly close")
		})
	}
}

// requirePool opens the pool in dir and requires that its groups have those
// values at k, and that nothing else is left there.
func requirePool(t *testing.T, dir string, want map[uint64]string, step string) {
	p, err := OpenPool(PoolOptions{Dir: dir, Existing: true})
	require.NoError(t, err, step)
	got := map[uint64]string{}
	for _, group := range p.Groups() {
		s, err := p.Open(group)
		require.NoError(t, err, step)
		require.NoError(t, s.VerifyChecksums())
		got[group] = get(t, s, "k")
	}
	require.Equal(t, want, got, step)
	require.NoError(t, p.Close())
	require.Len(t, groupDirs(t, dir), len(want), step)
}

func groupDirs(t *testing.T, dir string) []string {
	names, err := filepath.Glob(filepath.Join(dir, groupPrefix+"*"))
	require.NoError(t, err)
	return names
}

// What goes wrong during Receive leaves the old shard in use and nothing behind.
func TestFailedReceive(t *testing.T) {
	stream := streamOf("a", strings.Repeat("x", frameSize), "b", strings.Repeat("y", 4*spaceInterval), "k", "new")
	boom := errors.New("boom")
	pools(t, func(t *testing.T, o PoolOptions) {
		for _, test := range []struct {
			name    string
			err     error
			prepare func(p *Pool) io.Reader
		}{
			{"cut short", ErrBadStream, func(*Pool) io.Reader { return bytes.NewReader(stream[:len(stream)-1]) }},
			{"no stream", ErrBadStream, func(*Pool) io.Reader { return bytes.NewReader(nil) }},
			{"source fails", boom, func(*Pool) io.Reader {
				return io.MultiReader(bytes.NewReader(stream[:frameSize+100]), failing{boom})
			}},
			{"disk full", ErrDiskFull, func(p *Pool) io.Reader {
				p.freeSpace = func(string) (int64, error) { return reserve + 2*spaceInterval, nil }
				return bytes.NewReader(stream)
			}},
		} {
			if errors.Is(test.err, ErrDiskFull) && o.InMemory {
				continue
			}
			t.Run(test.name, func(t *testing.T) {
				if !o.InMemory {
					o.Dir = t.TempDir()
				}
				p := openPool(t, o)
				s, err := p.Create(1)
				require.NoError(t, err)
				set(t, s, "k", "old")
				r := test.prepare(p)
				for _, group := range []uint64{1, 2} {
					_, err = p.Receive(group, r)
					require.ErrorIs(t, err, test.err)
					r = test.prepare(p)
				}
				require.Equal(t, []uint64{1}, p.Groups())
				again, err := p.Open(1)
				require.NoError(t, err)
				require.Same(t, s, again)
				set(t, s, "more", "v")
				require.Equal(t, "old", get(t, s, "k"))
				if o.InMemory {
					return
				}
				require.Len(t, groupDirs(t, o.Dir), 1)
				require.NoError(t, p.Close())
				requirePool(t, o.Dir, map[uint64]string{1: "old"}, test.name)
			})
		}
	})
}

// A shard is not even begun where its files might find no block.
func TestCreateOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	p := openPool(t, PoolOptions{Dir: dir})
	p.freeSpace = func(string) (int64, error) { return reserve - 1, nil }
	_, err := p.Create(1)
	require.ErrorIs(t, err, ErrDiskFull)
	p.freeSpace = func(string) (int64, error) { return 0, errors.New("no such thing") }
	_, err = p.Create(1)
	require.ErrorContains(t, err, "free space of "+dir+": no such thing")
	require.Empty(t, groupDirs(t, dir))
	p.freeSpace = freeSpace
	_, err = p.Create(1)
	require.NoError(t, err)
}

// While a shard that was replaced is in use, changes to other groups must not
// delete its files.
func TestShardInUseIsNotDeleted(t *testing.T) {
	dir := t.TempDir()
	p := openPool(t, PoolOptions{Dir: dir})
	for name, change := range map[string]func() error{
		"receive": func() error { _, err := p.Receive(1, bytes.NewReader(streamOf("k", "new"))); return err },
		"remove":  func() error { return p.Remove(1) },
	} {
		s, err := p.Receive(1, bytes.NewReader(streamOf("k", "old")))
		require.NoError(t, err)
		changed := make(chan error)
		require.NoError(t, s.View(func(*Snapshot) error {
			go func() { changed <- change() }()
			for !errors.Is(s.View(func(*Snapshot) error { return nil }), ErrClosed) {
				// until the shard is closing
			}
			_, err := p.Receive(2, bytes.NewReader(streamOf("k", "other")))
			require.NoError(t, err)
			require.NoError(t, p.Remove(2))
			require.DirExists(t, s.dir, name)
			return nil
		}))
		require.NoError(t, <-changed)
		require.NoDirExists(t, s.dir)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A group whose shard is damaged can be received anew: that is how a node
// recovers from its peers.
func TestReceiveReplacesDamagedShard(t *testing.T) {
	dir := t.TempDir()
	p := openPool(t, PoolOptions{Dir: dir})
	s, err := p.Create(1)
	require.NoError(t, err)
	set(t, s, "k", "old")
	require.NoError(t, p.Close())
	flip(t, filepath.Join(groupDirs(t, dir)[0], "MANIFEST"), 0)

	p = openPool(t, PoolOptions{Dir: dir})
	_, err = p.Open(1)
	require.ErrorIs(t, err, ErrCorrupt)
	_, err = p.Receive(1, bytes.NewReader(streamOf("k", "new")))
	require.NoError(t, err)
	require.NoError(t, p.Close())
	requirePool(t, dir, map[uint64]string{1: "new"}, "")
}

// The manifest cannot be written: nothing has changed, and it works later.
func TestManifestCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	p := openPool(t, PoolOptions{Dir: dir})
	s, err := p.Create(1)
	require.NoError(t, err)
	set(t, s, "k", "old")
	obstacle := filepath.Join(dir, manifestName+".tmp")
	for _, step := range []string{"", "complete"} {
		p.step = func(name string) {
			if name == step {
				require.NoError(t, os.Mkdir(obstacle, 0o700))
			}
		}
		p.step("")
		for name, change := range map[string]func() error{
			"create":   func() error { _, err := p.Create(2); return err },
			"receive":  func() error { _, err := p.Receive(1, bytes.NewReader(streamOf("k", "new"))); return err },
			"remove":   func() error { return p.Remove(1) },
			"identity": func() error { return p.SetIdentity(Identity{NodeID: p.Identity().NodeID, Name: "x"}) },
		} {
			if step != "" && (name == "remove" || name == "identity") {
				continue
			}
			err := change()
			require.ErrorContains(t, err, obstacle, name)
			require.Equal(t, []uint64{1}, p.Groups(), name)
			require.Equal(t, "old", get(t, s, "k"))
			require.Empty(t, p.Identity().Name)
			if step != "" {
				require.NoError(t, os.Remove(obstacle))
			}
		}
		if step == "" {
			require.NoError(t, os.Remove(obstacle))
		}
	}
	p.step = func(string) {}
	_, err = p.Create(2)
	require.NoError(t, err)
	require.NoError(t, p.Close())
	requirePool(t, dir, map[uint64]string{1: "old", 2: "none"}, "")
}

// It is not known which of two manifests a crash would leave, so both must stay
// true.
func TestManifestMayNotBeDurable(t *testing.T) {
	dir := t.TempDir()
	p := openPool(t, PoolOptions{Dir: dir})
	s, err := p.Create(1)
	require.NoError(t, err)
	set(t, s, "k", "old")
	p.step = func(name string) {
		if name == "complete" {
			p.manifest.failed = errors.New("unknown")
		}
	}
	_, err = p.Receive(1, bytes.NewReader(streamOf("k", "new")))
	require.ErrorContains(t, err, "unknown")
	require.Equal(t, "old", get(t, s, "k"))
	require.ErrorContains(t, p.Remove(1), "unknown")
	require.Len(t, groupDirs(t, dir), 2)
	require.NoError(t, p.Close())
	requirePool(t, dir, map[uint64]string{1: "old"}, "")
}

func TestReceiveWaitsForViewsOfTheOldShard(t *testing.T) {
	pools(t, func(t *testing.T, o PoolOptions) {
		p := openPool(t, o)
		s, err := p.Create(1)
		require.NoError(t, err)
		set(t, s, "k", "old")
		received := make(chan error)
		require.NoError(t, s.View(func(sn *Snapshot) error {
			go func() {
				_, err := p.Receive(1, bytes.NewReader(streamOf("k", "new")))
				received <- err
			}()
			for !errors.Is(s.View(func(*Snapshot) error { return nil }), ErrClosed) {
				// until the new shard has taken its place
			}
			select {
			case err := <-received:
				require.Fail(t, "returned under a view", "%v", err)
			default:
			}
			ok, err := sn.Has([]byte("k"))
			require.True(t, ok)
			current, openErr := p.Open(1)
			require.NoError(t, openErr)
			require.Equal(t, "new", get(t, current, "k"))
			return err
		}))
		require.NoError(t, <-received)
	})
}

func TestCloseEndsReceive(t *testing.T) {
	p := openPool(t, PoolOptions{Dir: t.TempDir()})
	stream := streamOf("a", strings.Repeat("x", frameSize), "b", strings.Repeat("y", frameSize))
	r, w := io.Pipe()
	received := make(chan error)
	go func() {
		_, err := p.Receive(1, r)
		r.Close() // or what it has not read would block the writer
		received <- err
	}()
	_, err := w.Write(stream[:frameSize/2])
	require.NoError(t, err)
	closed := make(chan error)
	go func() { closed <- p.Close() }()
	for !p.isClosed() {
		// until Close has begun
	}
	_, err = w.Write(stream[frameSize/2 : frameSize+50])
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.ErrorIs(t, <-received, ErrClosed)
	require.NoError(t, <-closed)
}

// Changes to different groups run at the same time, those to one in turn.
func TestPoolConcurrency(t *testing.T) {
	pools(t, func(t *testing.T, o PoolOptions) {
		p := openPool(t, o)
		const groups, rounds = 4, 5
		var wg sync.WaitGroup
		for worker := range 2 * groups {
			group := uint64(worker % groups)
			wg.Go(func() {
				for round := range rounds {
					switch round % 3 {
					case 0:
						if _, err := p.Create(group); err != nil && !errors.Is(err, ErrShardExists) {
							t.Error(err)
						}
					case 1:
						if _, err := p.Receive(group, bytes.NewReader(streamOf("k", fmt.Sprint(group)))); err != nil {
							t.Error(err)
						}
					case 2:
						if err := p.Remove(group); err != nil && !errors.Is(err, ErrNoShard) {
							t.Error(err)
						}
					}
					s, err := p.Open(group)
					if err == nil {
						err = errors.Join(s.View(func(*Snapshot) error { return nil }), s.Sync())
					}
					if err != nil && !errors.Is(err, ErrNoShard) && !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					p.Groups()
				}
			})
		}
		wg.Wait()
		for group := range uint64(groups) {
			s, err := p.Receive(group, bytes.NewReader(streamOf("k", "last")))
			require.NoError(t, err)
			require.Equal(t, "last", get(t, s, "k"))
		}
		require.Equal(t, []uint64{0, 1, 2, 3}, p.Groups())
		if !o.InMemory {
			require.Len(t, groupDirs(t, o.Dir), groups)
		}
	})
}
