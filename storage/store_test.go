package storage

import (
	"bufio"
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpenValidatesOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"no directory":        {},
		"directory in memory": {InMemory: true, Dir: "x"},
		"negative shards":     {InMemory: true, Shards: -1},
		"too many shards":     {InMemory: true, Shards: MaxShards + 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(o)
			require.ErrorContains(t, err, "storage options: ")
		})
	}
}

func TestDefaultShards(t *testing.T) {
	n := DefaultShards()
	require.GreaterOrEqual(t, n, 1)
	require.LessOrEqual(t, n, 4)
	require.Len(t, open(t, Options{InMemory: true}).Shards(), n)
	require.Len(t, open(t, Options{Dir: t.TempDir()}).Shards(), n)
}

func TestReopenKeepsDataAndShards(t *testing.T) {
	for _, sync := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "new", "store")
		s := open(t, Options{Dir: dir, Shards: 3, Sync: sync})
		big := string(bytes.Repeat([]byte("v"), 10*valueThreshold))
		for i, sh := range s.Shards() {
			set(t, sh, "key", string(rune('a'+i)), "big", big, "empty", "")
		}
		require.NoError(t, s.Close())

		s = open(t, Options{Dir: dir})
		require.Len(t, s.Shards(), 3)
		for i, sh := range s.Shards() {
			require.Equal(t, string(rune('a'+i)), get(t, sh, "key"))
			require.Equal(t, big, get(t, sh, "big"))
			require.Equal(t, "", get(t, sh, "empty"))
			require.NoError(t, sh.VerifyChecksums())
		}
		lsm, vlog := s.Shards()[0].Size()
		require.Positive(t, lsm)
		require.Positive(t, vlog)
		require.NoError(t, s.Close())
	}
}

func TestShardCountIsFixed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, open(t, Options{Dir: dir, Shards: 2}).Close())
	_, err := Open(Options{Dir: dir, Shards: 3})
	require.ErrorIs(t, err, ErrShardCount)
	require.ErrorContains(t, err, dir+" has 2 shards, 3 were asked for")
	require.Len(t, open(t, Options{Dir: dir, Shards: 2}).Shards(), 2)
}

func TestLockWithinProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	_, err := Open(Options{Dir: dir})
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, dir)
	require.NoError(t, s.Close())
	open(t, Options{Dir: dir})
}

func TestLockAgainstOtherProcess(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), childEnv+"=hold")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "open\n", line)

	_, err = Open(Options{Dir: dir})
	require.ErrorIs(t, err, ErrLocked)

	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
	open(t, Options{Dir: dir})
}

func TestUseAfterClose(t *testing.T) {
	for _, o := range []Options{{InMemory: true}, {Dir: t.TempDir()}} {
		s := open(t, o)
		sh := s.Shards()[0]
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())

		require.ErrorIs(t, sh.View(func(*Snapshot) error { return nil }), ErrClosed)
		require.ErrorIs(t, sh.VerifyChecksums(), ErrClosed)
		b := sh.NewBatch()
		_, _, err := b.Get([]byte("k"))
		require.ErrorIs(t, err, ErrClosed)
		require.ErrorIs(t, b.Set([]byte("k"), nil), ErrClosed)
		require.ErrorIs(t, b.Delete([]byte("k")), ErrClosed)
		require.ErrorIs(t, b.Scan(Range{}, nil), ErrClosed)
		require.ErrorIs(t, b.Commit(), ErrClosed)
		b.Discard()
		require.ErrorIs(t, sh.NewBatch().Commit(), ErrClosed, "not: another batch is live")
		lsm, vlog := sh.Size()
		require.Zero(t, lsm+vlog)
	}
}

func TestCloseWaitsForViewsAndBatches(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), Shards: 1})
	sh := s.Shards()[0]
	set(t, sh, "k", "v")
	b := sh.NewBatch()
	closed := make(chan error)
	require.NoError(t, sh.View(func(sn *Snapshot) error {
		go func() { closed <- s.Close() }()
		for !errors.Is(sh.View(func(*Snapshot) error { return nil }), ErrClosed) {
			// Until Close has begun, which must not make this view inside a
			// view wait.
		}
		ok, err := sn.Has([]byte("k"))
		require.True(t, ok)
		return err
	}))
	require.NoError(t, b.Set([]byte("late"), []byte("write")))
	select {
	case <-closed:
		require.Fail(t, "closed under a live batch")
	default:
	}
	require.NoError(t, b.Commit())
	require.NoError(t, <-closed)
}

func TestLogLevels(t *testing.T) {
	var out bytes.Buffer
	l := engineLog{slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))}
	l.Errorf("broken %d\n", 1)
	l.Warningf("odd %d", 2)
	l.Infof("busy %d", 3)
	l.Debugf("chatty %d", 4)
	require.Equal(t, "level=ERROR msg=\"badger: broken 1\"\nlevel=WARN msg=\"badger: odd 2\"\n", out.String())
}

func TestOrdinaryLifeLogsNothing(t *testing.T) {
	var out bytes.Buffer
	o := Options{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&out, nil)), Compact: true}
	for range 2 {
		s := open(t, o)
		set(t, s.Shards()[0], "k", "v")
		require.NoError(t, s.Close())
	}
	require.Empty(t, out.String())
}
