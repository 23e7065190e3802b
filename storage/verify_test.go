package storage

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Tables that are compacted away while they are verified are no damage, however
// much of them is gone already.
func TestVerifyBesideCompaction(t *testing.T) {
	s, err := openShard(t.TempDir(), false, shardOptions{
		memTable: 1 << 20, valueLog: valueLogFileSize, log: slog.New(slog.DiscardHandler), freeSpace: freeSpace,
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close()) }()
	fill := func() error {
		for round := range 300 {
			b := s.NewBatch()
			defer b.Discard()
			for i := range 100 {
				if err := b.Set(fmt.Appendf(nil, "key-%05d", i), make([]byte, 900+round)); err != nil {
					return err
				}
			}
			if err := b.Commit(); err != nil {
				return err
			}
		}
		return s.db.Flatten(1)
	}
	var done atomic.Bool
	filled := make(chan error, 1)
	go func() {
		defer done.Store(true)
		filled <- fill()
	}()
	for !done.Load() {
		require.NoError(t, s.VerifyChecksums())
	}
	require.NoError(t, <-filled)
	require.NoError(t, s.VerifyChecksums())
}
