package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

const members = 3

// etcd is a cluster of three members as they come.
type etcd struct {
	options   options
	data      string
	ports     []int
	processes []*bench.Server
	clients   []*clientv3.Client // of the leader
	value     string
}

func (e *etcd) name() string             { return fmt.Sprintf("etcd, %d members", members) }
func (e *etcd) workloads() []string      { return []string{put, getStrong, get} }
func (e *etcd) servers() []*bench.Server { return e.processes }

func (e *etcd) start(ctx context.Context, o options) (err error) {
	e.options = o
	if e.data, err = os.MkdirTemp("", "stator-bench-"); err != nil {
		return err
	}
	if e.ports, err = freePorts(2 * members); err != nil {
		return err
	}
	url := func(i int) string { return "http://" + loopback(e.ports[i]) }
	var all []string
	for i := range members {
		all = append(all, fmt.Sprintf("m%d=%s", i, url(members+i)))
	}
	var commands [][]string
	for i := range members {
		name := fmt.Sprintf("m%d", i)
		commands = append(commands, []string{
			o.etcd, "--name", name, "--data-dir", filepath.Join(e.data, name), "--log-level", "error",
			"--listen-client-urls", url(i), "--advertise-client-urls", url(i),
			"--listen-peer-urls", url(members + i), "--initial-advertise-peer-urls", url(members + i),
			"--initial-cluster", strings.Join(all, ","), "--initial-cluster-state", "new",
		})
	}
	if e.processes, err = startAll(ctx, e.ports, commands); err != nil {
		return err
	}
	leader, err := e.leader(ctx)
	if err != nil {
		return err
	}
	for range o.etcdConnections {
		c, err := clientv3.New(clientv3.Config{Endpoints: []string{leader}, Context: ctx})
		if err != nil {
			return err
		}
		e.clients = append(e.clients, c)
	}
	return nil
}

// leader is the client address of the member that leads.
func (e *etcd) leader(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		for i := range members {
			addr := loopback(e.ports[i])
			c, err := clientv3.New(clientv3.Config{Endpoints: []string{addr}, Context: ctx})
			if err != nil {
				return "", err
			}
			status, err := c.Status(ctx, addr)
			_ = c.Close() // after an answer
			if err == nil && status.Leader == status.Header.MemberId {
				return addr, nil
			}
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return "", fmt.Errorf("no member leads: %w", err)
		}
	}
}

func keyOf(i int) string { return fmt.Sprintf("item%010d", i) }

func (e *etcd) load(ctx context.Context) error {
	e.value = strings.Repeat("x", e.options.size)
	var (
		loading sync.WaitGroup
		errs    = make([]error, e.options.connections)
	)
	for c := range e.options.connections {
		loading.Go(func() {
			for i := c; i < e.options.items && errs[c] == nil; i += e.options.connections {
				_, errs[c] = e.client(c).Put(ctx, keyOf(i), e.value)
			}
		})
	}
	loading.Wait()
	return errors.Join(errs...)
}

// client is the connection that a client uses.
func (e *etcd) client(c int) *clientv3.Client { return e.clients[c%len(e.clients)] }

// run is a closed loop of all clients with random keys.
func (e *etcd) run(ctx context.Context, workload string, repeat int) (bench.Run, error) {
	fmt.Fprintf(os.Stderr, "%s: %s, run %d of %d\n", e.name(), workload, repeat, e.options.repeat)
	begin := time.Now().Add(e.options.warmup)
	end := begin.Add(e.options.duration)
	var (
		working sync.WaitGroup
		mu      sync.Mutex
		all     = newHistogram()
		failed  = map[string]int64{}
	)
	for c := range e.options.connections {
		working.Go(func() {
			random := rand.New(rand.NewPCG(uint64(c), uint64(repeat)))
			own, errs := newHistogram(), int64(0)
			for ctx.Err() == nil {
				sent := time.Now()
				err := e.do(ctx, c, workload, keyOf(random.IntN(e.options.items)))
				done := time.Now()
				switch {
				case done.After(end):
					mu.Lock()
					defer mu.Unlock()
					all.Merge(own)
					if errs > 0 {
						failed["error"] += errs
					}
					return
				case done.Before(begin):
				case err != nil:
					errs++
				default:
					_ = own.RecordValue(min(max(int64(done.Sub(sent)), shortest), longest)) // within the range
				}
			}
		})
	}
	if err := pause(ctx, time.Until(begin)); err != nil {
		return bench.Run{}, err
	}
	busy := processors(e.processes)
	working.Wait()
	busy = processors(e.processes) - busy
	return e.report(workload, repeat, all, failed, busy)
}

func (e *etcd) do(ctx context.Context, c int, workload, key string) (err error) {
	switch workload {
	case put:
		_, err = e.client(c).Put(ctx, key, e.value)
	case getStrong:
		_, err = e.client(c).Get(ctx, key)
	default:
		_, err = e.client(c).Get(ctx, key, clientv3.WithSerializable())
	}
	return err
}

func (e *etcd) report(workload string, repeat int, all *hdrhistogram.Histogram, failed map[string]int64, busy time.Duration) (bench.Run, error) {
	encoded, err := all.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return bench.Run{}, err
	}
	ms := func(percentile float64) float64 {
		return float64(all.ValueAtPercentile(percentile)) / float64(time.Millisecond)
	}
	seconds := e.options.duration.Seconds()
	run := bench.Run{
		Workload: workload, Connections: e.options.connections, Repeat: repeat, Seconds: seconds,
		Operations: []bench.Operation{{
			Name: workload, Succeeded: all.TotalCount(), PerSecond: float64(all.TotalCount()) / seconds, Errors: failed,
			Latency: bench.Latency{P50: ms(50), P90: ms(90), P99: ms(99), P999: ms(99.9), Max: ms(100)}, Histogram: string(encoded),
		}},
	}
	if n := all.TotalCount(); n > 0 {
		run.ServerMicroseconds = float64(busy.Microseconds()) / float64(n)
	}
	return run, nil
}

// Latencies are recorded as stator bench does.
const (
	shortest = int64(time.Microsecond)
	longest  = int64(10 * time.Minute)
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(shortest, longest, 3) }

func (e *etcd) stop(context.Context) error {
	var errs []error
	for _, c := range e.clients {
		errs = append(errs, c.Close())
	}
	return errors.Join(append(errs, stopAll(e.processes, e.data))...)
}
