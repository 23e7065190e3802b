package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

const (
	starts = 5
	// Memory is looked at when a server has been idle for a moment, and after a load
	// when it has settled: Stator gives what a burst took back within 90 s of its
	// end, and the end is when compactions are done.
	idleTime   = 3 * time.Second
	settleTime = 120 * time.Second
)

// footprint is how quickly Stator starts and what it takes while nobody asks.
type footprint struct {
	emptyStart, fullStart time.Duration // to the first answer, medians
	idle                  bench.Memory  // on an empty directory
	million               bench.Memory  // with a million items of 300 bytes
}

// The loads of the footprint: a million items of 300 bytes for memory, and of 1,000
// bytes, which are a gigabyte, for the start.
const (
	footprintItems = 1_000_000
	memoryItemSize = 300
	startItemSize  = 1000
)

func measureFootprint(ctx context.Context, o options) (f footprint, err error) {
	var empty, full []time.Duration
	for range starts {
		err := withServer(ctx, o, "", func(s *bench.Server) error {
			empty = append(empty, s.Started)
			if err := wait(ctx, idleTime); err != nil {
				return err
			}
			f.idle = s.Memory()
			return nil
		})
		if err != nil {
			return f, err
		}
	}
	err = withServer(ctx, o, "", func(s *bench.Server) error {
		if err := loadItems(ctx, s.URL, memoryItemSize); err != nil {
			return err
		}
		if err := wait(ctx, settleTime); err != nil {
			return err
		}
		f.million = s.Memory()
		return nil
	})
	if err != nil {
		return f, err
	}
	dir, err := os.MkdirTemp("", "stator-bench-")
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := withServer(ctx, o, dir, func(s *bench.Server) error { return loadItems(ctx, s.URL, startItemSize) }); err != nil {
		return f, err
	}
	for range starts {
		err := withServer(ctx, o, dir, func(s *bench.Server) error {
			full = append(full, s.Started)
			return nil
		})
		if err != nil {
			return f, err
		}
	}
	f.emptyStart, f.fullStart = medianOf(empty), medianOf(full)
	return f, nil
}

// withServer runs Stator on a directory, a temporary one if dir is empty, while fn
// looks at it.
func withServer(ctx context.Context, o options, dir string, fn func(*bench.Server) error) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "stator-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	port, err := bench.FreePort()
	if err != nil {
		return err
	}
	server, err := bench.StartServer(ctx, fmt.Sprintf("http://127.0.0.1:%d", port),
		o.stator, "serve", "--port", strconv.Itoa(port), "--data-dir", dir, "--log-level", "warn")
	if err != nil {
		return err
	}
	return errors.Join(fn(server), server.Stop())
}

// loadItems fills a table and leaves it.
func loadItems(ctx context.Context, url string, size int) error {
	session, err := bench.Open(ctx, localTarget(url, "Stator"), bench.Plan{
		Workloads: []string{"put"}, Connections: []int{1}, Items: footprintItems, ItemSize: size,
		Duration: time.Second, Repeat: 1, Seed: 1, Timeout: time.Minute, Table: "StatorBench", KeepTable: true,
	}, bench.NewReporter(os.Stderr, false))
	if err != nil {
		return err
	}
	return session.Close(ctx)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func medianOf(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[(len(sorted)-1)/2]
}
