package partition

import (
	"context"
	"errors"
	"time"
)

// sweepInterval is the time between two sweeps, unless Options say otherwise.
const sweepInterval = time.Second

// sweeper removes, once in a while, what time has made obsolete.
func (db *DB) sweeper() {
	interval := db.opts.SweepInterval
	if interval <= 0 {
		interval = sweepInterval
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := db.sweep(db.jobs.ctx); err != nil {
				db.ended("removing what has expired", err)
			}
		case <-db.jobs.ctx.Done():
			return
		}
	}
}

// sweep deletes expired items, trims streams and forgets idempotency tokens
// and finished transactions. Its cost grows with what is due, not with what is
// stored.
func (db *DB) sweep(ctx context.Context) error {
	db.sweeping.Lock()
	defer db.sweeping.Unlock()
	return errors.Join(
		db.expireItems(ctx),
		db.trimStreams(ctx),
		db.forgetTokens(ctx),
		db.forgetTransactions(),
		db.resolveStale(ctx),
	)
}
