// Command rivals measures Stator, the limits of the machine and, when asked to,
// other DynamoDB servers in one run, in turns, and prints one table of ratios.
//
//	rivals -stator bin/stator -dir .rivals               Stator and the limits
//	rivals -stator bin/stator -dir .rivals -install      and the rivals, installed into -dir,
//	                                                     and all else that has a target
//	rivals -stator bin/stator -dir .rivals -growth       Stator with few items and with many
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
	flag.BoolVar(&o.growth, "growth", false, "measure Stator with 10 thousand and with 10 million items")
	flag.BoolVar(&o.sync, "sync", false, "measure durable writes: Stator with --sync and Badger with SyncWrites")
	flag.StringVar(&o.output, "output", "", "also write the tables into their block of this Markdown file")
	flag.StringVar(&workloads, "workloads", "put,get,get-strong,update,query10,query100,scan,batch-write-25", "comma-separated workloads")
	flag.IntVar(&o.connections, "connections", 32, "number of connections")
	flag.IntVar(&o.repeat, "repeat", 5, "number of runs")
	flag.Int64Var(&o.items, "items", 10_000, "number of items")
	flag.IntVar(&o.itemSize, "item-size", 250, "size of an item in bytes")
	flag.DurationVar(&o.duration, "duration", 2*time.Second, "duration of a run")
	flag.DurationVar(&o.warmup, "warmup", 500*time.Millisecond, "warm-up of a run")
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
	install, sync, growth         bool
	workloads                     []string
	connections, repeat, itemSize int
	items                         int64
	duration, warmup              time.Duration
}

// measure measures what the options ask for, and prints it as Markdown.
func measure(ctx context.Context, o options) error {
	name, command, text := "limits", "make bench", ""
	var err error
	switch {
	case o.growth:
		name, command = "growth", "make bench-growth"
		text, err = measureGrowth(ctx, o)
	case o.install:
		name, command = "rivals", "make bench-rivals"
		text, err = measureAll(ctx, o)
	default:
		text, err = measureAll(ctx, o)
	}
	if err != nil {
		return err
	}
	fmt.Print(text)
	if o.output == "" {
		return nil
	}
	return updateDocument(o.output, name, written(command)+text)
}

// measureAll starts all servers and measures them in turns. With the rivals it also
// says which targets are met.
func measureAll(ctx context.Context, o options) (text string, err error) {
	all, err := contenders(ctx, o)
	if err != nil {
		return "", err
	}
	var f footprint
	if o.install { // while nothing else runs
		if f, err = measureFootprint(ctx, o); err != nil {
			return "", err
		}
	}
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.stop(ctx))
		}
	}()
	for _, c := range all {
		fmt.Fprintf(os.Stderr, "starting %s\n", c.name)
		if err := c.start(ctx, o); err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if err := takeTurns(ctx, all, o); err != nil {
		return "", err
	}
	measured, err := figuresOf(all)
	if err != nil {
		return "", err
	}
	text = table(all, measured, o)
	if o.install {
		text = targetTable(newResults(all, measured, o).rows(f)) + "\n" + text
	}
	return text, nil
}

// plan is the same for every contender. It names the number of connections at
// saturation; see schedule for the others.
func (o options) plan() bench.Plan {
	return bench.Plan{
		Workloads: o.workloads, Connections: []int{o.connections}, Items: o.items, ItemSize: o.itemSize,
		Warmup: o.warmup, Duration: o.duration, Repeat: o.repeat, Seed: 1, Timeout: time.Minute, Table: "StatorBench",
	}
}
