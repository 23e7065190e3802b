package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/partition/lab/internal/cluster"
	"github.com/stator-db/stator/partition/lab/internal/virtual"
	"github.com/stator-db/stator/storage/item"
)

// simulated is a System on virtual time.
type simulated struct {
	setup   Setup
	world   *virtual.World
	cluster *cluster.Cluster
	clients []*cluster.Client
	chance  []*rand.Rand // of clients whose requests are balanced
	outside *virtual.Host
	start   time.Duration
}

// requestTimeout is how long a client waits for an answer.
const requestTimeout = 10 * time.Second

// Simulate makes a System whose history depends on nothing but its setup.
func Simulate(_ context.Context, setup Setup) (System, error) {
	c := &setup.Experiment.Cluster
	o := cluster.Options{
		Shards: c.Shards, Replicas: c.Replicas,
		Within: cluster.Distribution(c.Latency.Within), Between: cluster.Distribution(c.Latency.Between),
		Client: cluster.Distribution(c.Latency.Client),
		Sync:   cluster.Distribution(c.Sync), Apply: cluster.Distribution(c.Apply),
		Table: table(),
	}
	if c.Indexes == "eventual" {
		o.GSI = partition.GSIEventual
	}
	for _, n := range setup.Nodes {
		o.Nodes = append(o.Nodes, cluster.Node(n))
	}
	for _, l := range c.Latency.Links {
		o.Links = append(o.Links, cluster.Link{
			From: setup.Experiment.node(l.From), To: setup.Experiment.node(l.To), Latency: cluster.Distribution(l.Spread),
		})
	}
	s := &simulated{setup: setup, world: virtual.New(setup.Seed)}
	s.outside = s.world.NewHost()
	var err error
	if s.cluster, err = cluster.New(s.world, o); err != nil {
		return nil, err
	}
	for i := range setup.Clients {
		s.clients = append(s.clients, s.cluster.NewClient(strconv.Itoa(i)))
		s.chance = append(s.chance, s.world.Rand(fmt.Sprintf("choices of client %d", i)))
	}
	s.start = s.world.Now()
	return s, nil
}

// table is the one that experiments use: items have an id, a value, and a tag of
// their own, which a global index has as its key.
func table() partition.Table {
	id, tag := partition.KeyAttribute{Name: "id", Type: item.S}, partition.KeyAttribute{Name: "tag", Type: item.S}
	return partition.Table{
		Name: "lab", Billing: partition.PayPerRequest,
		Key:        partition.KeySchema{Hash: []partition.KeyAttribute{id}},
		Attributes: []partition.KeyAttribute{id, tag},
		Global: []*partition.Index{{
			Name: "byTag", Projection: partition.ProjectAll, Key: partition.KeySchema{Hash: []partition.KeyAttribute{tag}},
		}},
	}
}

// Tag is the value of an item's tag.
func Tag(key string) string { return "tag of " + key }

func keyItem(key string) item.Item {
	b := item.NewBuilder()
	b.Set("id", item.String(key))
	return b.Item()
}

func wholeItem(t Target) item.Item {
	b := item.NewBuilder()
	b.Set("id", item.String(t.Key))
	b.Set("tag", item.String(Tag(t.Key)))
	b.Set("value", item.NumberValue(item.NumberFromInt(t.Value)))
	return b.Item()
}

func valueOf(it item.Item) (int64, error) {
	return strconv.ParseInt(string(it.Get("value").Bytes()), 10, 64)
}

// condition is what a write asks for, nil for nothing.
func condition(t Target) (*expression.Condition, error) {
	if t.If == nil {
		return nil, nil
	}
	if *t.If == 0 {
		return expression.NewBinder(nil, nil).Condition(expression.KindCondition, "attribute_not_exists(id)")
	}
	names := map[string]string{"#v": "value"}
	values := map[string]item.Value{":v": item.NumberValue(item.NumberFromInt(*t.If))}
	return expression.NewBinder(names, values).Condition(expression.KindCondition, "#v = :v")
}

func (s *simulated) Now() time.Duration { return s.world.Now() - s.start }

func (s *simulated) Go(client int, do func()) { s.world.Go(s.clients[client].Host, do) }

func (s *simulated) Sleep(_ int, d time.Duration) { s.world.Sleep(d) }

func (s *simulated) At(at time.Duration, do func()) { s.world.After(s.outside, at-s.Now(), do) }

// runStep is how much virtual time passes between two looks at ctx.
const runStep = 100 * time.Millisecond

func (s *simulated) Run(ctx context.Context, until time.Duration) error {
	for s.Now() < until {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.world.Run(min(s.world.Now()+runStep, s.start+until))
		if err := s.cluster.Failure(); err != nil {
			return err
		}
	}
	return nil
}

func (s *simulated) Leader(shard int) int     { return s.cluster.Leader(shard) }
func (s *simulated) Replicas(shard int) []int { return s.cluster.Replicas(shard) }
func (s *simulated) ShardOf(key string) int   { return ShardOf(key, s.setup.Experiment.Cluster.Shards) }
func (s *simulated) Close() error             { return s.cluster.Close() }

func (s *simulated) Do(client int, r Request) Response {
	c := &s.setup.Clients[client]
	group := s.setup.Experiment.group(c.Group)
	nodes := len(s.setup.Nodes)
	node := c.Node
	if group != nil && group.Balanced {
		node = s.chance[client].IntN(nodes)
	}
	for range nodes {
		trace := cluster.Trace{
			Policy: cluster.Policy(r.Policy), Turn: c.Node + r.Turn, Pin: c.Node, Unconfirmed: r.Policy == "follower",
		}
		var values []int64
		var err error
		switch s.clients[client].Request(node, requestTimeout, func(db *partition.SimulatedNode) {
			values, err = s.serve(db, &trace, &r)
		}) {
		case cluster.Answered:
			return answer(&r, node, values, err, &trace)
		case cluster.Broken:
			return Response{Outcome: r.Undecided(), Error: "the connection broke", Node: node, Served: -1}
		case cluster.Refused:
		}
		if group != nil && group.Fixed {
			break
		}
		node = (node + 1) % nodes
	}
	return Response{Outcome: Unavailable, Error: "connection refused", Node: node, Served: -1}
}

func answer(r *Request, node int, values []int64, err error, trace *cluster.Trace) Response {
	response := Response{Node: node, Served: -1, Values: values}
	var canceled *partition.TransactionCanceled
	var failed *partition.ConditionFailed
	switch {
	case err == nil:
		response.Outcome = OK
		response.Served, response.Leader, response.Applied = trace.Served, trace.Leader, trace.Applied
		return response
	case errors.As(err, &canceled), errors.Is(err, partition.ErrTransactionConflict):
		response.Outcome = Canceled
	case errors.As(err, &failed):
		response.Outcome = ConditionFailed
	case errors.Is(err, partition.ErrUnavailable):
		response.Outcome = Unavailable
	default:
		response.Outcome = r.Undecided()
	}
	response.Error = err.Error()
	return response
}

// serve is what the server does with a request.
func (s *simulated) serve(db *partition.SimulatedNode, trace *cluster.Trace, r *Request) (values []int64, err error) {
	ctx, t := trace.Context(), s.cluster.Table
	consistency := partition.Eventual
	if r.Policy == "strong" || r.Policy == "follower" {
		consistency = partition.Strong
	}
	note := func(i int) func(it item.Item) error {
		return func(it item.Item) (err error) {
			if it != nil {
				values[i], err = valueOf(it)
			}
			return err
		}
	}
	values = make([]int64, len(r.Items))
	switch r.Kind {
	case getItem:
		_, err = db.Get(ctx, t, keyItem(r.Items[0].Key), consistency, note(0))
	case query:
		read := &partition.Read{
			Table: t, Index: t.Index("byTag"), Hash: []item.Value{item.String(Tag(r.Items[0].Key))}, Consistency: partition.Eventual,
		}
		err = db.Read(ctx, read, func(e *partition.Entry) (bool, error) { return true, note(0)(e.Item) })
	case transactGet:
		var reads []partition.KeyRead
		for _, it := range r.Items {
			reads = append(reads, partition.KeyRead{Table: t, Key: keyItem(it.Key)})
		}
		err = db.TransactGet(ctx, reads, func(i int, it item.Item) error { return note(i)(it) })
	case putItem, transactWrite:
		var writes []*partition.Write
		for _, it := range r.Items {
			w := &partition.Write{Table: t, Kind: partition.Put, Item: wholeItem(it)}
			if it.Check {
				w.Kind, w.Item = partition.Check, keyItem(it.Key)
			}
			if w.Condition, err = condition(it); err != nil {
				return nil, err
			}
			writes = append(writes, w)
		}
		if r.Kind == transactWrite {
			_, err = db.TransactWrite(ctx, writes, nil)
		} else {
			_, err = db.Write(ctx, writes[0])
		}
		// A leader has written.
		trace.Served = -1
	}
	return values, err
}

func (s *simulated) Inject(f Injection) (undo func(), err error) {
	var undos []func()
	c := s.cluster
	each := func(do func(from, to int) func()) {
		for _, from := range f.Nodes {
			for _, to := range f.Peers {
				if from != to {
					undos = append(undos, do(from, to))
				}
			}
		}
	}
	ways := func(do func(from, to int) func()) {
		each(do)
		each(func(from, to int) func() { return do(to, from) })
	}
	switch f.Kind {
	case "cut":
		ways(c.Cut)
	case "one-way":
		each(c.Cut)
	case "delay":
		ways(func(from, to int) func() { return c.Delay(from, to, f.By) })
	case "loss":
		ways(func(from, to int) func() { return c.Lose(from, to, f.Probability) })
	default:
		for _, n := range f.Nodes {
			switch f.Kind {
			case "crash":
				undos = append(undos, c.Crash(n))
			case "pause":
				undos = append(undos, c.Pause(n))
			case "clock":
				undos = append(undos, c.SetClock(n, f.By))
			default:
				return nil, fmt.Errorf("there is no fault %q", f.Kind)
			}
		}
	}
	return func() {
		for _, undo := range slices.Backward(undos) {
			undo()
		}
	}, nil
}

func (s *simulated) Leaders() []Leader {
	var all []Leader
	for _, l := range s.cluster.Leaderships() {
		if l.Until < 0 {
			l.Until = s.world.Now()
		}
		if l.Until > s.start {
			all = append(all, Leader{l.Shard, l.Node, l.Term, max(l.From-s.start, 0), l.Until - s.start})
		}
	}
	return all
}

func (s *simulated) Lag(shard, node int) (LagPoint, bool) {
	l := s.cluster.Lag(shard, node)
	return LagPoint{At: s.Now(), Entries: l.Entries, Age: l.Age, Down: l.Down}, true
}

func (s *simulated) Agree() (agree, known bool) {
	for shard := range s.setup.Experiment.Cluster.Shards {
		sums, err := s.cluster.Digests(shard)
		if err != nil || len(slices.Compact(sums)) != 1 {
			return false, true
		}
	}
	return true, true
}
