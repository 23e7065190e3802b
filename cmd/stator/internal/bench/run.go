package bench

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// run is one workload on one number of connections.
type run struct {
	plan      Plan
	workload  Workload
	workers   []*worker
	recorders []*recorder
	report    Reporter
	processor func() time.Duration // of the server

	measureFrom time.Time // operations that start before are not recorded
	end         time.Time // of Plan.Duration; zero when counting requests
	issued      atomic.Int64
}

// newRun prepares connections, which dial on their first request.
func newRun(d *dataset, plan Plan, workload Workload, connections int, repeat int, report Reporter) (*run, error) {
	r := &run{plan: plan, workload: workload, report: report, processor: d.target.Processor}
	if r.processor == nil {
		r.processor = func() time.Duration { return 0 }
	}
	for range min(connections, 2*runtime.GOMAXPROCS(0)) {
		r.recorders = append(r.recorders, newRecorder(len(workload.operations)))
	}
	existing := d.inserts.existing()
	distribution := workload.keys(plan.Distribution)
	shared := newKeyChooser(distribution, existing)
	for i := range connections {
		conn, err := newConnection(d.target, plan.Timeout)
		if err != nil {
			return nil, err
		}
		keys := shared
		if latest, ok := shared.(*latestKeys); ok { // it has state
			own := *latest
			keys = &own
		}
		r.workers = append(r.workers, &worker{
			table:   plan.Table,
			items:   d.items,
			inserts: d.inserts,
			keys:    keys,
			random:  rand.New(rand.NewPCG(plan.Seed+uint64(repeat), uint64(i))),
			conn:    conn,
			own:     ownItems + int64(i)*itemsPerPartition,
		})
	}
	return r, nil
}

// ownItems is an index past all others, where each worker has a partition of its own.
const ownItems = int64(maxItems) * 9 / 10

// measure makes the run. It ends early when ctx is cancelled, with what was
// counted until then.
func (r *run) measure(ctx context.Context) measurement {
	start := time.Now()
	r.measureFrom = start.Add(r.plan.Warmup)
	if r.plan.Requests == 0 {
		r.end = r.measureFrom.Add(r.plan.Duration)
	}
	samples := newSampler(r)
	sampled := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(sampled)
		samples.watch(stop)
	}()

	var workers sync.WaitGroup
	var intended chan time.Time
	if r.plan.Rate > 0 {
		intended = make(chan time.Time, len(r.workers))
		workers.Go(func() {
			defer close(intended)
			r.pace(ctx, start, intended)
		})
	}
	for i, w := range r.workers {
		recorder := r.recorders[i%len(r.recorders)]
		workers.Go(func() {
			defer w.conn.close()
			if intended != nil {
				r.openLoop(ctx, w, recorder, intended)
			} else {
				r.closedLoop(ctx, w, recorder)
			}
		})
	}
	workers.Wait()
	elapsed := time.Since(r.measureFrom)
	close(stop)
	<-sampled
	return samples.finish(max(elapsed, time.Nanosecond))
}

// more tells whether an operation that starts now belongs to the run.
func (r *run) more(ctx context.Context, now time.Time) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case !r.end.IsZero():
		return now.Before(r.end)
	case now.Before(r.measureFrom):
		return true
	default:
		return r.issued.Add(1) <= r.plan.Requests
	}
}

func (r *run) closedLoop(ctx context.Context, w *worker, recorder *recorder) {
	for {
		now := time.Now()
		if !r.more(ctx, now) {
			return
		}
		r.perform(ctx, w, recorder, now)
	}
}

func (r *run) openLoop(ctx context.Context, w *worker, recorder *recorder, intended <-chan time.Time) {
	for start := range intended {
		r.perform(ctx, w, recorder, start)
	}
}

// perform makes one operation, whose latency counts from start.
func (r *run) perform(ctx context.Context, w *worker, recorder *recorder, start time.Time) {
	chosen := r.workload.choose(w)
	out := r.workload.operations[chosen].do(ctx, w)
	if !start.Before(r.measureFrom) {
		recorder.record(chosen, out, time.Since(start))
	}
	if out.fault != "" && !out.answered {
		pause(ctx)
	}
}

// pace hands out the intended start times, each when it has come. When all
// connections are busy it falls behind and catches up as they get free; the times
// stay as they were planned. What could not be handed out by the end of the run is
// recorded as unsent.
func (r *run) pace(ctx context.Context, start time.Time, intended chan<- time.Time) {
	p := newPacer()
	defer p.stop()
	var ended <-chan time.Time
	if !r.end.IsZero() {
		timer := time.NewTimer(time.Until(r.end))
		defer timer.Stop()
		ended = timer.C
	}
	interval := float64(time.Second) / r.plan.Rate
	for i := 0; ; i++ {
		next := start.Add(time.Duration(float64(i) * interval))
		if !r.more(ctx, next) {
			return
		}
		for time.Now().Before(next) && ctx.Err() == nil {
			p.waitUntil(next)
		}
		select {
		case intended <- next:
		case <-ctx.Done():
			return
		case <-ended:
			for ; next.Before(r.end); i++ {
				if !next.Before(r.measureFrom) {
					r.recorders[0].record(0, outcome{fault: FaultUnsent}, r.end.Sub(next))
				}
				next = start.Add(time.Duration(float64(i+1) * interval))
			}
			return
		}
	}
}
