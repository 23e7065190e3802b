package processes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/lab"
)

// faults are the rules about links that are in force beside the usual delays.
type faults struct {
	mu    sync.Mutex
	rules []*rule
}

// rule is one of /_stator/lab/links.
type rule struct {
	From     string  `json:"from"`
	To       string  `json:"to"`
	Drop     float64 `json:"drop,omitempty"`
	DelayMS  float64 `json:"delayMs,omitempty"`
	JitterMS float64 `json:"jitterMs,omitempty"`
	Block    bool    `json:"block,omitempty"`
}

// adminTimeout bounds how long a node may take to be told to misbehave.
const adminTimeout = 5 * time.Second

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// usual are the delays that the experiment's topology has.
func (c *Cluster) usual() []*rule {
	var rules []*rule
	shape := &c.setup.Experiment.Cluster
	for i, a := range c.setup.Nodes {
		for k, b := range c.setup.Nodes {
			d := shape.Latency.Between.Median
			if a.Zone == b.Zone {
				d = shape.Latency.Within.Median
			}
			for _, l := range shape.Latency.Links {
				if l.From == a.Name && l.To == b.Name || l.From == b.Name && l.To == a.Name {
					d = l.Median
				}
			}
			if i != k && d > 0 {
				rules = append(rules, &rule{From: a.Name, To: b.Name, DelayMS: milliseconds(d), JitterMS: milliseconds(d)})
			}
		}
	}
	return rules
}

// setLinks tells a node the rules in force.
func (c *Cluster) setLinks(ctx context.Context, node int) error {
	c.faults.mu.Lock()
	rules := slices.Concat(c.usual(), c.faults.rules)
	c.faults.mu.Unlock()
	return c.admin(ctx, node, http.MethodPost, "/_stator/lab/links", object{"seed": c.setup.Seed, "rules": rules}, nil)
}

// spread tells all nodes that are up; a suspended one hears it later.
func (c *Cluster) spread() {
	for i, n := range c.nodes {
		if n.up() {
			c.work.Go(func() {
				ctx, cancel := context.WithTimeout(c.ctx, adminTimeout)
				defer cancel()
				_ = c.retry(ctx, func() error { return c.setLinks(ctx, i) })
			})
		}
	}
}

// Inject implements lab.System.
func (c *Cluster) Inject(f lab.Injection) (undo func(), err error) {
	switch f.Kind {
	case "cut", "one-way", "delay", "loss":
		return c.spoil(f), nil
	}
	var undos []func()
	for _, i := range f.Nodes {
		n := c.nodes[i]
		switch f.Kind {
		case "crash":
			n.kill()
			undos = append(undos, func() { c.revive(i) })
		case "pause":
			if err := n.signal(true); err != nil {
				return nil, err
			}
			undos = append(undos, func() { _ = n.signal(false) })
		case "clock":
			if err := c.setClock(i, f.By); err != nil {
				return nil, err
			}
			undos = append(undos, func() { _ = c.setClock(i, 0) })
		default:
			return nil, fmt.Errorf("there is no fault %q", f.Kind)
		}
	}
	return func() {
		for _, undo := range undos {
			undo()
		}
	}, nil
}

// spoil puts rules into force.
func (c *Cluster) spoil(f lab.Injection) (undo func()) {
	var rules []*rule
	for _, i := range f.Nodes {
		for _, k := range f.Peers {
			r := rule{From: c.nodes[i].name, To: c.nodes[k].name, DelayMS: milliseconds(f.By), Drop: f.Probability, Block: f.Kind == "cut" || f.Kind == "one-way"}
			back := r
			back.From, back.To = r.To, r.From
			rules = append(rules, &r)
			if f.Kind != "one-way" {
				rules = append(rules, &back)
			}
		}
	}
	c.faults.mu.Lock()
	c.faults.rules = append(c.faults.rules, rules...)
	c.faults.mu.Unlock()
	c.spread()
	return func() {
		c.faults.mu.Lock()
		c.faults.rules = slices.DeleteFunc(c.faults.rules, func(r *rule) bool { return slices.Contains(rules, r) })
		c.faults.mu.Unlock()
		c.spread()
	}
}

// revive starts a node again, and tells it what its links are like.
func (c *Cluster) revive(i int) {
	if c.nodes[i].run() != nil {
		return // then it stays down, and what follows shows it
	}
	c.work.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, startTimeout)
		defer cancel()
		_ = c.retry(ctx, func() error { return c.setLinks(ctx, i) })
	})
}

func (c *Cluster) setClock(node int, by time.Duration) error {
	ctx, cancel := context.WithTimeout(c.ctx, adminTimeout)
	defer cancel()
	return c.admin(ctx, node, http.MethodPost, "/_stator/lab/clock", object{"offsetMs": by.Milliseconds()}, nil)
}

func (c *Cluster) adminRequest(ctx context.Context, node int, method, path string, in any) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.nodes[node].url()+path, body)
	if err == nil && in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, err
}
