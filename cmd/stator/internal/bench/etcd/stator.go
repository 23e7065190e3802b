package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// cluster is Stator: three nodes, or a single one that is no cluster.
type cluster struct {
	nodes     int
	plan      bench.Plan
	data      string
	processes []*bench.Server
	session   *bench.Session
}

func (c *cluster) name() string {
	if c.nodes == 1 {
		return "Stator, one node"
	}
	return fmt.Sprintf("Stator, %d nodes", c.nodes)
}

func (c *cluster) workloads() []string {
	if c.nodes == 1 {
		return []string{get}
	}
	return []string{put, getStrong, get}
}

func (c *cluster) servers() []*bench.Server { return c.processes }

func (c *cluster) start(ctx context.Context, o options) (err error) {
	c.plan = o.plan()
	if c.data, err = os.MkdirTemp("", "stator-bench-"); err != nil {
		return err
	}
	ports, err := freePorts(2 * c.nodes)
	if err != nil {
		return err
	}
	var addrs []string
	for i := range c.nodes {
		addrs = append(addrs, loopback(ports[c.nodes+i]))
	}
	var commands [][]string
	for i := range c.nodes {
		name := fmt.Sprintf("n%d", i+1)
		command := []string{o.stator, "serve", "--port", strconv.Itoa(ports[i]), "--data-dir", filepath.Join(c.data, name), "--log-level", "warn"}
		if c.nodes > 1 {
			command = append(command, "--cluster", "--node-id", name, "--cluster-addr", addrs[i], "--join", strings.Join(addrs, ","),
				"--bootstrap-expect", strconv.Itoa(c.nodes), "--shards", strconv.Itoa(o.shards))
		}
		commands = append(commands, command)
	}
	c.processes, err = startAll(ctx, ports, commands)
	return err
}

// load creates the table and writes the items; any node will do.
func (c *cluster) load(ctx context.Context) (err error) {
	target := bench.Target{
		URL: c.processes[0].URL, Region: "us-east-1", Description: c.name(), Processor: func() time.Duration { return processors(c.processes) },
		Credentials: bench.Credentials{AccessKey: "statorbench", SecretKey: "statorbench"},
	}
	c.session, err = bench.Open(ctx, target, c.plan, bench.NewReporter(os.Stderr, false))
	return err
}

func (c *cluster) run(ctx context.Context, workload string, repeat int) (bench.Run, error) {
	return c.session.Run(ctx, workload, c.plan.Connections[0], repeat)
}

func (c *cluster) stop(ctx context.Context) error {
	var errs []error
	if c.session != nil {
		errs = append(errs, c.session.Close(ctx))
	}
	return errors.Join(append(errs, stopAll(c.processes, c.data))...)
}

// startAll starts one process for each command side by side, for those of a cluster
// wait for each other; process i answers HTTP on port i.
func startAll(ctx context.Context, ports []int, commands [][]string) ([]*bench.Server, error) {
	servers, errs := make([]*bench.Server, len(commands)), make([]error, len(commands))
	var starting sync.WaitGroup
	for i, command := range commands {
		starting.Go(func() { servers[i], errs[i] = bench.StartServer(ctx, "http://"+loopback(ports[i]), command...) })
	}
	starting.Wait()
	var started []*bench.Server
	for _, s := range servers {
		if s != nil {
			started = append(started, s)
		}
	}
	return started, errors.Join(errs...)
}

// stopAll stops processes and removes what they stored.
func stopAll(servers []*bench.Server, data string) error {
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Stop())
	}
	if data != "" {
		errs = append(errs, os.RemoveAll(data))
	}
	return errors.Join(errs...)
}

// processors is the processor time of all processes together.
func processors(servers []*bench.Server) (sum time.Duration) {
	for _, s := range servers {
		sum += s.Processor()
	}
	return sum
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

func freePorts(n int) (ports []int, err error) {
	for range n {
		port, err := bench.FreePort()
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
