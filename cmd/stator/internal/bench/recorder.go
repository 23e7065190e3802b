package bench

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are recorded in nanoseconds, from 1 µs (shorter ones count as such) to
// 10 minutes (longer ones likewise), with three significant digits.
const (
	shortest = int64(time.Microsecond)
	longest  = int64(10 * time.Minute)
	digits   = 3
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(shortest, longest, digits) }

// tally is what is counted of one operation.
type tally struct {
	latencies *hdrhistogram.Histogram
	succeeded int64
	items     int64
	faults    map[string]int64
}

func newTally() *tally {
	return &tally{latencies: newHistogram(), faults: map[string]int64{}}
}

func (t *tally) add(out outcome, latency time.Duration) {
	if out.fault == "" || !out.answered {
		// The value is within the range, so there is no error.
		_ = t.latencies.RecordValue(min(max(int64(latency), shortest), longest))
	}
	if out.fault == "" {
		t.succeeded++
		t.items += out.items
		return
	}
	t.faults[out.fault]++
}

func (t *tally) merge(from *tally) {
	t.latencies.Merge(from.latencies)
	t.succeeded += from.succeeded
	t.items += from.items
	for fault, n := range from.faults {
		t.faults[fault] += n
	}
}

func (t *tally) failed() int64 {
	total := int64(0)
	for _, n := range t.faults {
		total += n
	}
	return total
}

func (t *tally) reset() {
	t.latencies.Reset()
	t.succeeded, t.items = 0, 0
	clear(t.faults)
}

// recorder collects the outcomes of a few connections: sharing one among all would
// make them wait for each other, one each would cost the sampler a merge for every
// connection.
type recorder struct {
	mu    sync.Mutex
	fresh []*tally // one for each operation, since the last sample
	spare []*tally // empty; swapped in by the sampler
}

func newRecorder(operations int) *recorder {
	r := &recorder{}
	for range operations {
		r.fresh = append(r.fresh, newTally())
		r.spare = append(r.spare, newTally())
	}
	return r
}

func (r *recorder) record(operation int, out outcome, latency time.Duration) {
	r.mu.Lock()
	r.fresh[operation].add(out, latency)
	r.mu.Unlock()
}

// drain moves everything recorded since the last call into the tallies.
func (r *recorder) drain(into []*tally) {
	r.mu.Lock()
	full := r.fresh
	r.fresh, r.spare = r.spare, full
	r.mu.Unlock()
	for i, t := range full {
		into[i].merge(t)
		t.reset()
	}
}
