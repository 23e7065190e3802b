package storage

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// openPool opens a pool that is closed, without error, at the end of the test.
func openPool(t testing.TB, o PoolOptions) *Pool {
	t.Helper()
	p, err := OpenPool(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// pools runs a test in memory and on disk.
func pools(t *testing.T, f func(t *testing.T, o PoolOptions)) {
	t.Run("memory", func(t *testing.T) { f(t, PoolOptions{InMemory: true}) })
	t.Run("disk", func(t *testing.T) { f(t, PoolOptions{Dir: t.TempDir()}) })
}

// snapshot returns the stream of all that is in s.
func snapshot(t testing.TB, s *Shard) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, s.View(func(sn *Snapshot) error {
		n, err := sn.WriteTo(&out)
		require.Equal(t, int64(out.Len()), n)
		return err
	}))
	return out.Bytes()
}

func TestPoolShardsComeAndGo(t *testing.T) {
	pools(t, func(t *testing.T, o PoolOptions) {
		p := openPool(t, o)
		require.Empty(t, p.Groups())
		_, err := p.Open(7)
		require.ErrorIs(t, err, ErrNoShard)
		require.ErrorIs(t, p.Remove(7), ErrNoShard)

		seven, err := p.Create(7)
		require.NoError(t, err)
		_, err = p.Create(7)
		require.ErrorIs(t, err, ErrShardExists)
		three, err := p.Create(3)
		require.NoError(t, err)
		require.Equal(t, []uint64{3, 7}, p.Groups())
		set(t, seven, "k", "seven")
		set(t, three, "k", "three")
		again, err := p.Open(7)
		require.NoError(t, err)
		require.Same(t, seven, again)

		eight, err := p.Receive(8, bytes.NewReader(snapshot(t, seven)))
		require.NoError(t, err)
		require.Equal(t, "seven", get(t, eight, "k"))
		received, err := p.Receive(3, bytes.NewReader(snapshot(t, seven)))
		require.NoError(t, err)
		require.Equal(t, "seven", get(t, received, "k"))
		require.ErrorIs(t, three.View(func(*Snapshot) error { return nil }), ErrClosed)
		require.ErrorIs(t, three.Sync(), ErrClosed)
		again, err = p.Open(3)
		require.NoError(t, err)
		require.Same(t, received, again)

		require.NoError(t, p.Remove(7))
		require.ErrorIs(t, seven.View(func(*Snapshot) error { return nil }), ErrClosed)
		require.Equal(t, []uint64{3, 8}, p.Groups())
		require.NoError(t, received.Sync())
		require.NoError(t, p.Close())
		require.ErrorIs(t, received.View(func(*Snapshot) error { return nil }), ErrClosed)
		_, err = p.Open(3)
		require.ErrorIs(t, err, ErrClosed)
		_, err = p.Create(9)
		require.ErrorIs(t, err, ErrClosed)

		if o.InMemory {
			return
		}
		p = openPool(t, o)
		require.Equal(t, []uint64{3, 8}, p.Groups())
		for _, group := range p.Groups() {
			s, err := p.Open(group)
			require.NoError(t, err)
			require.Equal(t, "seven", get(t, s, "k"))
			require.NoError(t, s.VerifyChecksums())
		}
	})
}
