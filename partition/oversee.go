package partition

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/placement"
	"github.com/stator-db/stator/partition/replication"
)

// The catalog's leader asks every node again and again what its replicas are, has
// package placement say what to do next, and carries that out (steps.go). It plans
// from what groups and nodes are at the moment and not from what it wanted before,
// so another leader goes on where this one stopped, wherever that was.

const (
	// managePause is the time between two looks at the cluster.
	managePause = 250 * time.Millisecond
	// answerTime is how long a node may take to answer. For one that did not the last
	// time a look waits for silentWait only, and has its answer at the next look.
	answerTime = time.Second
	silentWait = 200 * time.Millisecond
	// downAfter is how long a node is silent before nothing is asked of it.
	downAfter = time.Second
	// transferPause is how long a shard is not given to a node to lead after an attempt
	// that failed. Each one costs the shard up to an election timeout without writes.
	transferPause = 5 * time.Second
)

// overseer is the catalog's leader as it looks after the cluster. What it keeps is
// only how things were at its last looks.
type overseer struct {
	node *node
	// silent is for how long a node has not answered. Only time in which this node
	// asked counts: after a pause of this process, others have not been silent.
	silent map[uint64]time.Duration
	looked time.Time
	full   map[uint64]bool // nodes whose disk is full
	shards map[int]shardFacts
	// asked are the questions that are under way, by node.
	asked  map[uint64]chan *nodeReport
	asking sync.WaitGroup
	failed transferFailures
}

// transferFailures are the last failed attempts to have a node lead a shard.
type transferFailures struct {
	sync.Mutex
	at map[placement.Step]time.Time
}

// note takes in the outcome of a step.
func (f *transferFailures) note(s placement.Step, err error) {
	if s.Action != placement.TransferLeader {
		return
	}
	f.Lock()
	defer f.Unlock()
	s.Reason = 0 // of no matter
	if err != nil {
		f.at[s] = time.Now()
	} else {
		delete(f.at, s)
	}
}

// recent reports whether a step failed a short time ago.
func (f *transferFailures) recent(s placement.Step) bool {
	f.Lock()
	defer f.Unlock()
	s.Reason = 0
	at, ok := f.at[s]
	if ok && time.Since(at) >= transferPause {
		delete(f.at, s)
		return false
	}
	return ok
}

func newOverseer(n *node) *overseer {
	return &overseer{
		node: n, silent: make(map[uint64]time.Duration), full: make(map[uint64]bool),
		shards: make(map[int]shardFacts), asked: make(map[uint64]chan *nodeReport),
		failed: transferFailures{at: make(map[placement.Step]time.Time)},
	}
}

// shardFacts is a shard's group as its leader described it.
type shardFacts struct {
	leader           uint64 // 0 if it was not heard at the last look
	term, index      uint64 // of the leader, and of the configuration
	voters, learners []uint64
	changing         bool
}

// management is what the catalog's leader tells about its work.
type management struct {
	Dead  []uint64         `json:"dead,omitempty"`
	Steps []placement.Step `json:"steps,omitempty"`
}

// once looks at the cluster and takes the next steps.
func (o *overseer) once(ctx context.Context) error {
	n := o.node
	o.ask(ctx)
	// The answers are of no use to somebody who does not lead any more.
	if _, err := n.runtime.ReadIndex(ctx, catalogGroup); err != nil {
		return err
	}
	nodes := o.nodes()
	if err := o.tendCatalog(ctx, nodes); err != nil {
		return err
	}
	if err := n.placeShards(ctx, nodes); err != nil {
		return err
	}
	steps := o.feasible(placement.Plan(o.state(nodes), placement.Limits{}))
	m := &management{Steps: steps}
	for _, p := range nodes {
		if p.State == placement.Dead {
			m.Dead = append(m.Dead, p.ID)
		}
	}
	n.oversees.Store(m)
	if err := o.recordHosts(ctx, steps); err != nil {
		return err
	}
	o.carryOut(ctx, steps)
	return o.release(ctx)
}

// feasible leaves out the steps that give something to a node that did not answer at
// the last look. A node that has just died leads nothing, and so would be given a
// leadership before it counts as down; the shard would take no writes meanwhile. Nor
// would it while one is asked to lead that did not manage to a moment ago.
func (o *overseer) feasible(steps []placement.Step) []placement.Step {
	return slices.DeleteFunc(steps, func(s placement.Step) bool {
		return s.Action != placement.Remove && o.silent[s.Node] > 0 || o.failed.recent(s)
	})
}

// ask has every member report, and notes who does not answer.
func (o *overseer) ask(ctx context.Context) {
	members := o.node.topology.members()
	reports := make([]*nodeReport, len(members))
	for _, m := range members {
		if o.asked[m.ID] == nil {
			answer := make(chan *nodeReport, 1)
			o.asked[m.ID] = answer
			o.asking.Go(func() { answer <- o.node.reportOf(ctx, m.ID) })
		}
	}
	patience, cancel := context.WithTimeout(ctx, silentWait)
	defer cancel()
	for _, silent := range []bool{false, true} {
		for i, m := range members {
			if silent == (o.silent[m.ID] > 0) {
				reports[i] = o.answer(patience, m.ID, silent)
			}
		}
	}

	now := time.Now()
	passed := min(now.Sub(o.looked), 2*answerTime)
	if o.looked.IsZero() {
		passed = managePause
	}
	o.looked = now
	for shard, f := range o.shards {
		f.leader = 0
		o.shards[shard] = f
	}
	known := make(map[uint64]bool)
	for i, m := range members {
		known[m.ID] = true
		if reports[i] == nil {
			o.silent[m.ID] += passed
			continue
		}
		o.silent[m.ID] = 0
		o.full[m.ID] = reports[i].Full
		for _, r := range reports[i].Replicas {
			o.hear(m.ID, r)
		}
	}
	maps.DeleteFunc(o.silent, func(id uint64, _ time.Duration) bool { return !known[id] })
	maps.DeleteFunc(o.full, func(id uint64, _ bool) bool { return !known[id] })
}

// answer waits for a node's report, that of a silent one for no longer than patience
// lasts.
func (o *overseer) answer(patience context.Context, id uint64, silent bool) (r *nodeReport) {
	answer := o.asked[id]
	if silent {
		select {
		case r = <-answer:
		case <-patience.Done():
			select {
			case r = <-answer:
			default:
				return nil
			}
		}
	} else {
		r = <-answer
	}
	delete(o.asked, id)
	return r
}

// hear takes in what a node says of a replica, if that leads.
func (o *overseer) hear(from uint64, r replicaReport) {
	if r.Members == nil || r.Shard < 0 {
		return
	}
	if was := o.shards[r.Shard]; r.Term >= was.term {
		o.shards[r.Shard] = shardFacts{
			leader: from, term: r.Term, index: r.Members.Index, changing: r.Members.Changing,
			voters: r.Members.Voters, learners: r.Members.Learners,
		}
	}
}

// reportOf asks a node about itself; nil if it does not answer.
func (n *node) reportOf(ctx context.Context, id uint64) *nodeReport {
	if id == uint64(n.id) {
		r := n.report()
		return &r
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	response, err := n.transport.Call(ctx, id, methodStatus, nil)
	if err != nil {
		return nil
	}
	r := new(nodeReport)
	if json.Unmarshal(response, r) != nil {
		return nil
	}
	return r
}

// nodes are the members as places for replicas.
func (o *overseer) nodes() []placement.Node {
	var all []placement.Node
	for _, m := range o.node.topology.members() {
		p := placement.Node{ID: m.ID, Zone: m.Zone, Down: o.silent[m.ID] >= downAfter}
		switch {
		case m.State == NodeDecommissioning:
			p.State = placement.Decommissioning
		case m.State == NodeDraining, o.full[m.ID]:
			p.State = placement.Draining
		}
		if p.State != placement.Decommissioning && o.silent[m.ID] >= o.node.opts.ReplaceAfter {
			p.State = placement.Dead
		}
		all = append(all, p)
	}
	return all
}

// state is the cluster as it is planned for. A shard whose leader has not been
// heard of at all counts where the catalog has it.
func (o *overseer) state(nodes []placement.Node) placement.State {
	s := placement.State{Nodes: nodes}
	if c := o.node.topology.record(); c != nil {
		s.Factor = c.Replicas
	}
	for _, p := range o.node.topology.placed() {
		f, ok := o.shards[p.Shard]
		if !ok {
			f.voters = p.Hosts
		}
		s.Shards = append(s.Shards, placement.Shard{ID: uint64(p.Shard), Voters: f.voters, Learners: f.learners, Leader: f.leader})
	}
	for _, of := range o.node.topology.ordered() {
		for _, or := range of.Orders {
			s.Orders = append(s.Orders, placement.Order{Shard: uint64(of.Shard), From: or.From, To: or.To})
		}
	}
	return s
}

// catalogVoters is how many nodes vote on the catalog: three, or five if every
// shard has as many replicas. The others learn it.
func (o *overseer) catalogVoters() int {
	if c := o.node.topology.record(); c != nil && c.Replicas >= 5 {
		return 5
	}
	return 3
}

// tendCatalog gives every node a replica of the catalog and some of them a vote, one
// step at a time. Who votes is planned as for a shard, except that nodes do not come
// and go with it: they get the vote, and give it back.
func (o *overseer) tendCatalog(ctx context.Context, nodes []placement.Node) error {
	n := o.node
	s := n.runtime.Status(catalogGroup)
	change := func(kind replication.ChangeKind, id replication.Node) error {
		err := n.runtime.ChangeMembers(ctx, catalogGroup, replication.Change{Kind: kind, Node: id, At: s.ConfIndex})
		if err == nil {
			n.kick() // there may be more to do
		}
		return err
	}
	for _, p := range nodes {
		if id := replication.Node(p.ID); !isMember(s, id) {
			return change(replication.AddLearner, id)
		}
	}
	member := func(id replication.Node) bool {
		return slices.ContainsFunc(nodes, func(p placement.Node) bool { return p.ID == uint64(id) })
	}
	for _, p := range s.Peers {
		// One that is heard is to learn first that it was removed.
		if p.Learner && !member(p.Node) && (p.Match >= s.Commit || !p.Active) {
			return change(replication.RemoveMember, p.Node)
		}
	}
	shard := placement.Shard{Leader: uint64(n.id)}
	for _, v := range s.Voters {
		shard.Voters = append(shard.Voters, uint64(v))
	}
	for _, step := range placement.Plan(placement.State{
		Factor: o.catalogVoters(), Nodes: nodes, Shards: []placement.Shard{shard},
	}, placement.Limits{}) {
		id := replication.Node(step.Node)
		var err error
		switch step.Action {
		case placement.AddLearner, placement.Promote:
			err = change(replication.Promote, id)
		case placement.Remove:
			if member(id) {
				err = change(replication.Demote, id)
			} else {
				err = change(replication.RemoveMember, id)
			}
		case placement.TransferLeader:
			err = n.runtime.Transfer(ctx, catalogGroup, id)
		}
		if err != nil { // of no concern to the shards: a learner may be far behind
			n.db.log.Debug("a change of who votes on the catalog failed", "step", step.String(), "error", err)
		}
	}
	return nil
}
