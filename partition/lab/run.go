package lab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Options say how an experiment is run.
type Options struct {
	Seed uint64
	Mode Mode
	// Open makes the system; nil is Simulate.
	Open func(ctx context.Context, s Setup) (System, error)
	// Command repeats the run.
	Command string
	// Progress is told, now and then, how much of the experiment is over, from 0
	// to 1, and how many operations there were. Nil is not told.
	Progress func(part float64, operations int)
}

// auditor is the group of the client that reads everything at the end.
const auditor = "auditor"

// After the workload, operations under way have time to end, then everything is
// healed and settles.
const (
	lastAnswers = requestTimeout + time.Second
	maxSettling = time.Minute
	settlePause = 250 * time.Millisecond
)

// lagSamples is about how many samples are taken of each replica's lag.
const lagSamples = 240

// run is an experiment under way.
type run struct {
	experiment *Experiment
	sys        System
	history    history
	result     Result
	stop       time.Duration // when the workload ends, on the system's clock
	failure    error
}

// Run runs an experiment and judges it. An error says that it could not be run,
// not that it came out unexpectedly. When ctx ends it ends with its cause.
func Run(ctx context.Context, e *Experiment, o Options) (*Result, error) {
	if o.Open == nil {
		o.Open, o.Mode = Simulate, Simulated
	}
	r := &run{experiment: e}
	r.result = Result{
		Format: ResultFormat, Experiment: e.Name, Title: e.Title, Text: strings.TrimSpace(e.About), Definition: e.source,
		Seed: o.Seed, Mode: o.Mode, Command: o.Command, Duration: e.Duration,
		Nodes: e.nodes(), Clients: e.clients(), Faults: []Fault{},
	}
	sys, err := o.Open(ctx, Setup{Experiment: e, Seed: o.Seed, Nodes: r.result.Nodes, Clients: r.result.Clients})
	if err != nil {
		return nil, err
	}
	r.sys = sys
	err = r.work(ctx, o)
	if err == nil {
		err = r.failure
	}
	if err != nil {
		_ = sys.Close()
		return nil, fmt.Errorf("experiment %s, seed %d: %w", e.Name, o.Seed, err)
	}
	r.observe()
	r.judge()
	return &r.result, sys.Close()
}

// nodes are the cluster's, dealt out to zones in turn.
func (e *Experiment) nodes() []Node {
	var all []Node
	for i := range e.Cluster.Nodes {
		all = append(all, Node{nodeName(i), string(rune('a' + i%e.Cluster.Zones))})
	}
	return all
}

// clients are all, group by group, and the auditor.
func (e *Experiment) clients() []Client {
	var all []Client
	for _, g := range e.Clients {
		for i := range g.Count {
			all = append(all, Client{
				Name: fmt.Sprintf("%s-%d", g.Group, i+1), Group: g.Group, Policy: g.Policy, Node: e.node(g.Nodes[i%len(g.Nodes)]),
			})
		}
	}
	return append(all, Client{Name: auditor, Group: auditor, Policy: "strong"})
}

// work has the clients work, faults happen, and the auditor look at what is left.
func (r *run) work(ctx context.Context, o Options) error {
	e, sys := r.experiment, r.sys
	r.history.start = sys.Now()
	r.stop = r.history.start + e.Duration
	client := 0
	for i := range e.Clients {
		g := &e.Clients[i]
		for number := range g.Count {
			s := &session{
				run: r, sys: sys, client: client, number: number, group: g,
				chance: rand.New(rand.NewPCG(o.Seed, uint64(client)+1)), last: make(map[string]int64),
			}
			sys.Go(client, func() { s.work(tasks[g.Task](s)) })
			client++
		}
	}
	for i := range e.Faults {
		r.plan(&e.Faults[i])
	}
	r.sample(e.Duration / lagSamples)
	if o.Progress != nil {
		const steps = 100
		for i := range steps + 1 {
			part := float64(i) / steps
			sys.At(r.history.start+time.Duration(part*float64(e.Duration)), func() {
				r.history.mu.Lock()
				n := len(r.history.operations)
				r.history.mu.Unlock()
				o.Progress(part, n)
			})
		}
	}
	if err := sys.Run(ctx, r.stop+lastAnswers); err != nil {
		return err
	}
	return r.audit(ctx)
}

// plan puts a fault on the timeline.
func (r *run) plan(p *Plan) {
	r.sys.At(r.history.start+p.At, func() {
		f := Injection{Kind: p.Kind, Nodes: r.resolve(p.Nodes), Peers: r.resolve(p.Peers), By: p.By, Probability: p.Probability}
		onLinks := slices.Contains(linkFaults, p.Kind)
		if onLinks && len(f.Peers) == 0 {
			for n := range r.result.Nodes {
				if !slices.Contains(f.Nodes, n) {
					f.Peers = append(f.Peers, n)
				}
			}
		}
		undo, err := r.sys.Inject(f)
		r.history.mu.Lock()
		defer r.history.mu.Unlock()
		if err != nil {
			r.failure = err
			return
		}
		end := r.experiment.Duration
		if p.For > 0 {
			end = min(end, p.At+p.For)
		}
		r.result.Faults = append(r.result.Faults, Fault{
			Kind: p.Kind, Nodes: f.Nodes, Peers: f.Peers, Text: r.describe(p, f), From: r.sys.Now() - r.history.start, Until: end,
		})
		r.sys.At(r.history.start+end, undo)
	})
}

// resolve turns names and roles into nodes.
func (r *run) resolve(names []string) []int {
	var nodes []int
	for _, name := range names {
		role, number, _ := r.experiment.role(name)
		n := number
		if role != "node" {
			n = max(r.sys.Leader(number), 0)
		}
		if role == "follower" {
			leader := n
			for _, replica := range r.sys.Replicas(number) {
				if replica != leader {
					n = replica
					break
				}
			}
		}
		if !slices.Contains(nodes, n) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func (r *run) describe(p *Plan, f Injection) string {
	names := func(nodes []int) string {
		var all []string
		for _, n := range nodes {
			all = append(all, r.result.Nodes[n].Name)
		}
		return strings.Join(all, ", ")
	}
	nodes, peers := names(f.Nodes), names(f.Peers)
	switch p.Kind {
	case "cut":
		return fmt.Sprintf("%s cut off from %s", nodes, peers)
	case "one-way":
		return fmt.Sprintf("nothing gets from %s to %s", nodes, peers)
	case "crash":
		return nodes + " crashes"
	case "delay":
		return fmt.Sprintf("%v more between %s and %s", p.By, nodes, peers)
	case "loss":
		return fmt.Sprintf("%g %% lost between %s and %s", 100*p.Probability, nodes, peers)
	case "pause":
		return nodes + " is suspended"
	}
	return fmt.Sprintf("the clock of %s is off by %v", nodes, p.By)
}

// sample looks at the lag of all replicas now and then.
func (r *run) sample(every time.Duration) {
	for shard := range r.experiment.Cluster.Shards {
		replicas := slices.Clone(r.sys.Replicas(shard))
		slices.Sort(replicas)
		r.result.Shards = append(r.result.Shards, Shard{shard, r.sys.Replicas(shard)})
		for _, node := range replicas {
			r.result.Lag = append(r.result.Lag, Lag{Shard: shard, Node: node})
		}
	}
	for at := time.Duration(0); at <= r.experiment.Duration; at += every {
		r.sys.At(r.history.start+at, func() {
			for i := range r.result.Lag {
				l := &r.result.Lag[i]
				p, known := r.sys.Lag(l.Shard, l.Node)
				if !known {
					return
				}
				p.At = at
				r.history.mu.Lock()
				l.Points = append(l.Points, p)
				r.history.mu.Unlock()
			}
		})
	}
}

// audit waits until nothing lags any more and reads all keys that were written.
func (r *run) audit(ctx context.Context) error {
	limit := r.sys.Now() + maxSettling
	for !r.settled() && r.sys.Now() < limit {
		if err := r.sys.Run(ctx, r.sys.Now()+settlePause); err != nil {
			return err
		}
	}
	var keys []string
	for i := range r.history.operations {
		for _, a := range r.history.operations[i].Actions {
			if a.Write {
				keys = append(keys, a.Key)
			}
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	client := len(r.result.Clients) - 1
	s := &session{run: r, sys: r.sys, client: client}
	done := make(chan struct{})
	r.sys.Go(client, func() {
		defer close(done)
		for _, key := range keys {
			for try := 0; try < 5; try++ {
				if _, ok := s.get("strong", key); ok {
					break
				}
			}
		}
	})
	for {
		select {
		case <-done:
			return nil
		default:
		}
		if err := r.sys.Run(ctx, r.sys.Now()+settlePause); err != nil {
			return err
		}
	}
}

func (r *run) settled() bool {
	for shard := range r.experiment.Cluster.Shards {
		if r.sys.Leader(shard) < 0 {
			return false
		}
	}
	agree, known := r.sys.Agree()
	return agree || !known
}

// observe completes the record.
func (r *run) observe() {
	r.result.Operations = r.history.close(r.sys.Now())
	r.result.Leaders = r.sys.Leaders()
	end := r.experiment.Duration
	leaders := []Leader{}
	for _, l := range r.result.Leaders {
		if l.From < end {
			l.Until = min(l.Until, end)
			leaders = append(leaders, l)
		}
	}
	r.result.Leaders = leaders
	slices.SortStableFunc(r.result.Faults, func(a, b Fault) int { return int(a.From - b.From) })
	if slices.ContainsFunc(r.result.Lag, func(l Lag) bool { return len(l.Points) == 0 }) {
		r.result.Lag = nil
	}
	if r.result.Lag == nil {
		r.result.Lag = []Lag{}
	}
}
