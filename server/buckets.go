package server

import (
	"sync"
	"time"
)

// burstTime is how much unused throughput a table or index may save up for later
// (Developer Guide, "Burst and adaptive capacity": 300 seconds).
const burstTime = 300 * time.Second

// bucketKey names a token bucket: the reads or the writes of a table or index, all
// of them or those of one partition key.
type bucketKey struct {
	table     uint32
	index     uint16 // 0 is the table itself
	write     bool
	keyed     bool   // of one partition key
	partition uint64 // the hash of that key
}

// A limit is what a bucket allows.
type limit struct {
	bucket   bucketKey
	resource resource // that the bucket belongs to
	rate     int64    // capacity units per second
	burst    time.Duration
}

// buckets are token buckets in the form of the generic cell rate algorithm: each is
// the time at which it will be full again. A bucket is empty when that is its burst
// or more ahead, and what was charged beyond that is a debt that time pays off.
//
// A full bucket is the same as none, so that only those are kept that were used of
// late; that bounds them by the traffic of a few moments.
type buckets struct {
	mu    sync.Mutex
	full  map[bucketKey]time.Time
	sweep int // how many there may be before full ones are dropped
}

// minSweep is the number of buckets below which none is dropped.
const minSweep = 1024

func newBuckets() *buckets {
	return &buckets{full: make(map[bucketKey]time.Time), sweep: minSweep}
}

// admit makes all charges if none of their buckets is empty. Otherwise it makes
// none and returns the limits that are exhausted.
func (b *buckets) admit(now time.Time, charges []charge) (exhausted []limit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range charges {
		if l := charges[i].limit; b.full[l.bucket].Sub(now) >= l.burst {
			exhausted = append(exhausted, l)
		}
	}
	if exhausted == nil {
		b.chargeLocked(now, charges)
	}
	return exhausted
}

// A charge is what an access costs under one limit; a negative one gives back what
// was charged in advance.
type charge struct {
	limit limit
	units units
}

// charge takes from the buckets whatever is left in them.
func (b *buckets) charge(now time.Time, charges []charge) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.chargeLocked(now, charges)
}

func (b *buckets) chargeLocked(now time.Time, charges []charge) {
	for _, c := range charges {
		if c.units == 0 {
			continue
		}
		full := b.full[c.limit.bucket]
		if full.Before(now) {
			full = now
		}
		b.full[c.limit.bucket] = full.Add(c.limit.worth(c.units))
	}
	if len(b.full) <= b.sweep {
		return
	}
	for key, full := range b.full {
		if !full.After(now) {
			delete(b.full, key)
		}
	}
	b.sweep = max(minSweep, 2*len(b.full))
}

// worth is the time in which the limit's rate yields u, rounded up.
func (l limit) worth(u units) time.Duration {
	const nanoseconds = int64(time.Second)
	perSecond := 2 * l.rate // units are halves
	whole, rest := int64(u)/perSecond, int64(u)%perSecond*nanoseconds
	d := whole*nanoseconds + rest/perSecond
	if rest%perSecond > 0 {
		d++
	}
	return time.Duration(d)
}
