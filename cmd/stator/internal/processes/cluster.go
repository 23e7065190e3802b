package processes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/lab"
)

// Cluster is a lab.System.
type Cluster struct {
	setup lab.Setup
	dir   string
	nodes []*node
	http  *http.Client
	start time.Time // what Now counts from, once the cluster is ready

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	watch  watch
	faults faults
	turns  turns
}

// startTimeout is how long a cluster may take to be ready.
const startTimeout = 2 * time.Minute

// Open returns a function that starts a cluster of a binary's processes, for
// lab.Options.Open.
func Open(binary string) func(ctx context.Context, s lab.Setup) (lab.System, error) {
	return func(ctx context.Context, s lab.Setup) (lab.System, error) {
		c, err := open(ctx, binary, s)
		if err != nil {
			return nil, fmt.Errorf("starting a cluster of processes: %w", err)
		}
		return c, nil
	}
}

func open(ctx context.Context, binary string, s lab.Setup) (_ *Cluster, err error) {
	for _, client := range s.Clients {
		if client.Policy == "follower" {
			return nil, errors.New("a node cannot lie to some clients only: the policy follower is for simulated clusters")
		}
	}
	c := &Cluster{setup: s, start: time.Now(), http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.dir, err = os.MkdirTemp("", "stator-lab-"); err != nil {
		return nil, err
	}
	addrs, err := freeAddresses(2 * len(s.Nodes))
	if err != nil {
		return nil, err
	}
	for i := range s.Nodes {
		c.nodes = append(c.nodes, newNode(binary, c.dir, s, addrs, i))
	}
	for _, n := range c.nodes {
		if err := n.run(); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("the cluster was not ready in time"))
	defer cancel()
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	c.start = time.Now()
	c.work.Go(c.look)
	return c, nil
}

// freeAddresses finds addresses of this machine that nobody listens at.
func freeAddresses(n int) (addrs []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // not before all are found, lest one is found twice
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

// prepare waits for the cluster and makes the table.
func (c *Cluster) prepare(ctx context.Context) error {
	for i := range c.nodes {
		if err := c.retry(ctx, func() error { return c.ready(ctx, i) }); err != nil {
			return fmt.Errorf("node %s: %w\n%s", c.nodes[i].name, err, c.nodes[i].tail())
		}
	}
	if err := c.retry(ctx, func() error { return c.createTable(ctx) }); err != nil {
		return err
	}
	for i := range c.nodes {
		if err := c.setLinks(ctx, i); err != nil {
			return err
		}
	}
	return c.retry(ctx, func() error {
		s, err := c.status(ctx, 0)
		if err == nil && !s.led(c.setup.Experiment.Cluster.Shards) {
			err = errors.New("a shard has no leader")
		}
		return err
	})
}

// retry tries something until it works or ctx ends.
func (c *Cluster) retry(ctx context.Context, do func() error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := do()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// Now implements lab.System.
func (c *Cluster) Now() time.Duration { return time.Since(c.start) }

// Go implements lab.System.
func (c *Cluster) Go(_ int, do func()) { c.work.Go(do) }

// Sleep implements lab.System.
func (c *Cluster) Sleep(_ int, d time.Duration) { c.wait(c.ctx, d) }

func (c *Cluster) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// At implements lab.System.
func (c *Cluster) At(at time.Duration, do func()) {
	c.work.Go(func() {
		if c.wait(c.ctx, at-c.Now()); c.ctx.Err() == nil {
			do()
		}
	})
}

// Run implements lab.System.
func (c *Cluster) Run(ctx context.Context, until time.Duration) error {
	c.wait(ctx, until-c.Now())
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Agree implements lab.System: nobody can look into a database that is open.
func (c *Cluster) Agree() (agree, known bool) { return false, false }

// ShardOf implements lab.System.
func (c *Cluster) ShardOf(key string) int {
	return lab.ShardOf(key, c.setup.Experiment.Cluster.Shards)
}

// Close ends the processes and removes their data.
func (c *Cluster) Close() error {
	c.cancel()
	c.work.Wait()
	for _, n := range c.nodes {
		n.kill()
	}
	c.http.CloseIdleConnections()
	return os.RemoveAll(c.dir)
}
