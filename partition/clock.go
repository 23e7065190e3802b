package partition

import (
	"errors"
	"sync/atomic"
	"time"
)

// clock is the time that expiry, stream trimming and idempotency windows go by:
// the wall clock, or what Options put in its place, plus an offset.
type clock struct {
	base   func() time.Time
	offset atomic.Int64
}

// Now is the database's time, in UTC.
func (db *DB) Now() time.Time {
	return db.clock.base().Add(time.Duration(db.clock.offset.Load())).UTC()
}

// ClockOffset is how far Now is ahead of the clock it is based on.
func (db *DB) ClockOffset() time.Duration { return time.Duration(db.clock.offset.Load()) }

// ErrClockBackwards refuses to turn the clock back: what has expired is gone.
var ErrClockBackwards = errors.New("the clock cannot be turned back")

// AdvanceClock moves Now forward and does at once what has become due: expired
// items are deleted and old stream records trimmed when it returns.
func (db *DB) AdvanceClock(d time.Duration) error {
	if d < 0 {
		return ErrClockBackwards
	}
	if err := db.jobs.enter(); err != nil {
		return err
	}
	defer db.jobs.leave()
	db.clock.offset.Add(int64(d))
	db.awaitOrdering() // or items would be missed whose expiry is not ordered yet
	return db.sweep(db.jobs.ctx)
}
