// Command etcd measures a Stator cluster of three nodes beside an etcd cluster of three
// members, and beside a single Stator, on one machine and in turns, and prints one
// table:
//
//	etcd -stator bin/stator -etcd /usr/bin/etcd
//
// All write to disk; both clusters acknowledge a write when a majority has fsynced it.
// The clients of etcd are of its own client library and ask its leader, which spares
// them a hop. Those of Stator are the generator of `stator bench`; they ask one node,
// which passes on what others lead.
//
// It is a module of its own, so that etcd's client and what that needs are no
// dependencies of Stator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

type options struct {
	stator, etcd                                string
	connections, etcdConnections, repeat, items int
	size, shards                                int
	duration, warmup, idle                      time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.stator, "stator", "bin/stator", "binary of Stator")
	flag.StringVar(&o.etcd, "etcd", "etcd", "binary of etcd")
	flag.IntVar(&o.connections, "connections", 64, "number of clients")
	flag.IntVar(&o.etcdConnections, "etcd-connections", 64, "number of connections that the clients of etcd share")
	flag.IntVar(&o.repeat, "repeat", 5, "number of runs")
	flag.IntVar(&o.items, "items", 10_000, "number of items and keys")
	flag.IntVar(&o.size, "size", 250, "size of an item, and of a value of etcd, in bytes")
	flag.IntVar(&o.shards, "shards", 16, "number of Stator's shards")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "duration of a run")
	flag.DurationVar(&o.warmup, "warmup", time.Second, "warm-up of a run")
	flag.DurationVar(&o.idle, "idle", 20*time.Second, "how long to watch the clusters do nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		os.Exit(1)
	}
}

// contender is a server or cluster that takes part.
type contender interface {
	name() string
	// start starts the processes, and returns when they serve requests.
	start(ctx context.Context, o options) error
	// load writes all items.
	load(ctx context.Context) error
	// workloads are those that it takes.
	workloads() []string
	run(ctx context.Context, workload string, repeat int) (bench.Run, error)
	servers() []*bench.Server
	stop(ctx context.Context) error
}

// Workloads, by the names of stator bench.
const (
	put       = "put"
	getStrong = "get-strong"
	get       = "get"
)

// measure starts everything, looks at what it costs to do nothing, then measures in
// turns.
func measure(ctx context.Context, o options) (err error) {
	all := []contender{&cluster{nodes: 3}, &etcd{}, &cluster{nodes: 1}}
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.stop(ctx))
		}
	}()
	var idle []idleFigures
	for _, c := range all {
		fmt.Fprintf(os.Stderr, "starting %s\n", c.name())
		if err := c.start(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		figures, err := watchIdle(ctx, c.servers(), o.idle)
		if err != nil {
			return err
		}
		idle = append(idle, figures)
	}
	reports := make([]bench.Report, len(all))
	for i, c := range all {
		if err := c.load(ctx); err != nil {
			return fmt.Errorf("loading %s: %w", c.name(), err)
		}
		reports[i].Plan = o.plan()
	}
	for repeat := range o.repeat {
		for i, c := range all {
			for _, workload := range c.workloads() {
				run, err := c.run(ctx, workload, repeat+1)
				if err != nil {
					return fmt.Errorf("%s: %w", c.name(), err)
				}
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				reports[i].Runs = append(reports[i].Runs, run)
			}
		}
	}
	return writeTable(os.Stdout, o, all, reports, idle)
}

func (o options) plan() bench.Plan {
	return bench.Plan{
		Workloads: []string{put, getStrong, get}, Connections: []int{o.connections}, Items: int64(o.items), ItemSize: o.size,
		Warmup: o.warmup, Duration: o.duration, Repeat: o.repeat, Seed: 1, Timeout: time.Minute, Table: "StatorBench",
	}
}

// idleFigures are what a process costs that does nothing: the most of any of a cluster.
type idleFigures struct {
	processor float64 // of a core
	resident  int64   // bytes
}

// watchIdle lets processes settle and then watches them.
func watchIdle(ctx context.Context, servers []*bench.Server, d time.Duration) (f idleFigures, err error) {
	if err := pause(ctx, d/4); err != nil {
		return f, err
	}
	before := make([]time.Duration, len(servers))
	for i, s := range servers {
		before[i] = s.Processor()
	}
	begun := time.Now()
	if err := pause(ctx, d); err != nil {
		return f, err
	}
	for i, s := range servers {
		f.processor = max(f.processor, (s.Processor()-before[i]).Seconds()/time.Since(begun).Seconds())
		f.resident = max(f.resident, s.Memory().Resident)
	}
	return f, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
