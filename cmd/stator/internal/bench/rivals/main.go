// Command rivals measures Stator, the limits of the machine and, when asked to,
// other DynamoDB servers in one run, in turns, and prints one table of ratios.
//
//	rivals -stator bin/stator -dir .rivals               Stator and the limits
//	rivals -stator bin/stator -dir .rivals -install      and the rivals, installed into -dir
//
// Every server is a process of its own and is measured by the same generator on the
// same machine. Ratios are of medians; in brackets are the bounds from the lowest
// and highest run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

func main() {
	var (
		o         options
		workloads string
	)
	flag.StringVar(&o.stator, "stator", "bin/stator", "binary of Stator")
	flag.StringVar(&o.dir, "dir", ".rivals", "directory for what is installed and for data")
	flag.BoolVar(&o.install, "install", false, "install the rivals and measure them too")
	flag.BoolVar(&o.sync, "sync", false, "measure durable writes: Stator with --sync and Badger with SyncWrites")
	flag.StringVar(&o.output, "output", "", "also write the tables to this file, as a Markdown document")
	flag.StringVar(&workloads, "workloads", "put,get,get-strong,update,query10,query100,scan,batch-write-25", "comma-separated workloads")
	flag.IntVar(&o.connections, "connections", 32, "number of connections")
	flag.IntVar(&o.repeat, "repeat", 5, "number of runs")
	flag.Int64Var(&o.items, "items", 10_000, "number of items")
	flag.IntVar(&o.itemSize, "item-size", 250, "size of an item in bytes")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "duration of a run")
	flag.DurationVar(&o.warmup, "warmup", time.Second, "warm-up of a run")
	flag.Parse()
	o.workloads = strings.Split(workloads, ",")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "rivals:", err)
		os.Exit(1)
	}
}

type options struct {
	stator, dir, output           string
	install, sync                 bool
	workloads                     []string
	connections, repeat, itemSize int
	items                         int64
	duration, warmup              time.Duration
}

// measure starts all servers, measures them in turns and prints the table.
func measure(ctx context.Context, o options) (err error) {
	all, err := contenders(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.stop(ctx))
		}
	}()
	for _, c := range all {
		fmt.Fprintf(os.Stderr, "starting %s\n", c.name)
		if err := c.start(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for repeat := range o.repeat {
		for _, workload := range o.workloads {
			for _, c := range all {
				if !c.takes(workload) {
					continue
				}
				run, err := c.session.Run(ctx, workload, o.connections, repeat+1)
				if err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				c.report.Runs = append(c.report.Runs, run)
			}
		}
	}
	text, err := table(all, o)
	if err != nil {
		return err
	}
	fmt.Print(text)
	if o.output != "" {
		return os.WriteFile(o.output, []byte(document(o, text)), 0o644)
	}
	return nil
}

// plan is the same for every contender.
func (o options) plan() bench.Plan {
	return bench.Plan{
		Workloads: o.workloads, Connections: []int{o.connections}, Items: o.items, ItemSize: o.itemSize,
		Warmup: o.warmup, Duration: o.duration, Repeat: o.repeat, Seed: 1, Timeout: time.Minute, Table: "StatorBench",
	}
}

// takes tells whether a contender can do a workload.
func (c *contender) takes(workload string) bool {
	return c.only == nil || slices.Contains(c.only, workload)
}
