package partition

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

func TestSnapshotsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var to bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		w := limitedWriter{ctx, &to, rate.NewLimiter(1000, 100)}
		what := make([]byte, 100+2000+10)
		what[len(what)-1] = 1
		began := time.Now()
		n, err := w.Write(what)
		require.NoError(t, err)
		require.Equal(t, len(what), n)
		require.True(t, bytes.Equal(what, to.Bytes()))
		require.Greater(t, time.Since(began), 2*time.Second)
		require.Less(t, time.Since(began), 3*time.Second)
		cancel()
		_, err = w.Write(what)
		require.ErrorIs(t, err, context.Canceled)
	})
}
