package bench

import "time"

// measurement is the outcome of a run.
type measurement struct {
	elapsed  time.Duration
	tallies  []*tally // by operation
	timeline []Sample
	busy     time.Duration // processor time of the server, 0 if unknown
}

// sampler watches a run: it draws the timeline and sums up.
type sampler struct {
	run      *run
	interval time.Duration
	interim  []*tally
	total    []*tally
	timeline []Sample
	last     time.Time
	used     time.Duration // processor time of the server until the measurement began
}

func newSampler(r *run) *sampler {
	s := &sampler{run: r, interval: min(max(r.plan.Duration/50, 100*time.Millisecond), time.Second), last: r.measureFrom}
	if r.plan.Requests > 0 {
		s.interval = 250 * time.Millisecond // the duration is unknown
	}
	for range r.workload.operations {
		s.interim = append(s.interim, newTally())
		s.total = append(s.total, newTally())
	}
	return s
}

// sample sums up what was recorded since the last sample. It skips the warm-up and
// intervals too short to show a rate.
func (s *sampler) sample(now time.Time) {
	interval := now.Sub(s.last)
	if interval < s.interval/2 {
		return
	}
	s.last = now
	for _, r := range s.run.recorders {
		r.drain(s.interim)
	}
	all := newHistogram()
	succeeded, failed := int64(0), int64(0)
	for i, t := range s.interim {
		all.Merge(t.latencies)
		succeeded += t.succeeded
		failed += t.failed()
		s.total[i].merge(t)
		t.reset()
	}
	sample := Sample{
		Seconds:         now.Sub(s.run.measureFrom).Seconds(),
		PerSecond:       float64(succeeded) / interval.Seconds(),
		ErrorsPerSecond: float64(failed) / interval.Seconds(),
		P50:             milliseconds(all.ValueAtPercentile(50)),
		P99:             milliseconds(all.ValueAtPercentile(99)),
	}
	s.timeline = append(s.timeline, sample)
	s.run.report.Sample(sample)
}

// watch takes samples from the end of the warm-up until stop is closed.
func (s *sampler) watch(stop <-chan struct{}) {
	warm := time.NewTimer(time.Until(s.run.measureFrom))
	defer warm.Stop()
	select {
	case <-stop:
		return
	case <-warm.C:
		s.used = s.run.processor()
	}
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			s.sample(now)
		}
	}
}

// finish takes what came after the last sample.
func (s *sampler) finish(elapsed time.Duration) measurement {
	busy := s.run.processor() - s.used
	s.sample(time.Now())
	for _, r := range s.run.recorders {
		r.drain(s.total)
	}
	return measurement{elapsed: elapsed, tallies: s.total, timeline: s.timeline, busy: busy}
}

func milliseconds(nanoseconds int64) float64 { return float64(nanoseconds) / 1e6 }
