package partition

import (
	"context"
	"io"

	"golang.org/x/time/rate"
)

// snapshotRate bounds what a node sends of snapshots to others, in bytes a second for
// all of them together: a replica that moves must not take the disks and the network
// from those that serve.
const (
	snapshotRate  = 64 << 20
	snapshotBurst = 1 << 20
)

func newSnapshotLimiter() *rate.Limiter { return rate.NewLimiter(snapshotRate, snapshotBurst) }

// limitedWriter writes no faster than a limiter lets it. ctx ends the waiting.
type limitedWriter struct {
	ctx     context.Context //nolint:containedctx // of the stream it writes to
	w       io.Writer
	limiter *rate.Limiter
}

func (l limitedWriter) Write(b []byte) (written int, err error) {
	for len(b) > 0 {
		n := min(len(b), l.limiter.Burst())
		if err := l.limiter.WaitN(l.ctx, n); err != nil {
			return written, err
		}
		m, err := l.w.Write(b[:n])
		written += m
		if err != nil {
			return written, err
		}
		b = b[n:]
	}
	return written, nil
}
