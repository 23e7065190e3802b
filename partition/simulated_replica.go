package partition

import (
	"context"
	"hash/crc64"
	"slices"
	"sync"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/storage"
)

// SimulatedReplica is a replica of a shard on a simulated node: the state machine
// under a raft group that somebody else runs.
type SimulatedReplica struct {
	g     *group
	world World
	// waiting are proposals that are not decided, in the order in which they came.
	waiting []*simulatedProposal
	// visible has what is called when all index changes of a proposal have been
	// delivered, and how many have not.
	visible  map[*sync.WaitGroup]*delivery
	carrying bool
}

type simulatedProposal struct {
	pr      *proposal
	command command
	wait    bool
	done    func(result []byte, decided bool)
}

type delivery struct {
	left int
	done func()
}

// OpenReplica makes the node's replica of a shard, empty: the log brings it to
// where it was before.
func (n *SimulatedNode) OpenReplica(shard int) (*SimulatedReplica, error) {
	s, err := n.pool.Create(uint64(groupOf(shard)))
	if err != nil {
		return nil, err
	}
	g, err := n.node.newGroup(groupOf(shard), shard, s)
	if err != nil {
		return nil, err
	}
	r := &SimulatedReplica{g: g, world: n.world, visible: make(map[*sync.WaitGroup]*delivery)}
	g.replica.Load().emit = r.emit
	n.node.groups.m[g.id] = g
	return r, nil
}

// Propose proposes a command if this node leads the shard. log appends the entry
// that it becomes, or fails if the node does not lead. done is called
// once: with the result for World.Propose, which is ready at the earliest during an
// Apply, with wait when the index entries are visible as well; or with decided
// false if the command was not and will not be applied.
func (r *SimulatedReplica) Propose(command []byte, wait bool, log func(entry []byte) (term uint64, err error), done func(result []byte, decided bool)) {
	c, err := decodeCommand(command)
	if err != nil {
		done(nil, false)
		return
	}
	r.g.propose = log
	pr, _, err := r.g.submit(context.Background(), c)
	if err != nil {
		done(nil, false)
		return
	}
	r.waiting = append(r.waiting, &simulatedProposal{pr, c, wait, done})
}

// Apply applies entries of the log and tells their proposers.
func (r *SimulatedReplica) Apply(entries []replication.Entry) error {
	if err := r.g.Apply(entries); err != nil {
		return err
	}
	r.decided()
	if len(r.g.propagator.mu.queue) > 0 { // of an earlier leader
		r.carry()
	}
	return nil
}

func (r *SimulatedReplica) decided() {
	waiting := r.waiting
	r.waiting = nil
	for _, p := range waiting {
		select {
		case <-p.pr.wake:
			r.answer(p)
		default:
			r.waiting = append(r.waiting, p)
		}
	}
}

// answer is what group.await does once a command is decided.
func (r *SimulatedReplica) answer(p *simulatedProposal) {
	err := p.pr.err
	p.pr.command = nil
	if notApplied(err) {
		p.done(nil, false)
		return
	}
	result, err := appendResult(nil, p.command, err)
	if err != nil {
		p.done(nil, false)
		return
	}
	d := r.visible[&p.pr.outbox]
	if d == nil {
		if !p.pr.sent {
			proposals.Put(p.pr)
		}
		p.done(result, true)
		return
	}
	if p.wait {
		d.done = func() { p.done(result, true) }
	} else {
		p.done(result, true)
	}
}

// emit is told of index changes that were committed.
func (r *SimulatedReplica) emit(entries []outboxEntry) {
	if r.g.propagator.mu.stopped {
		return
	}
	for _, e := range entries {
		if e.waiting != nil {
			if r.visible[e.waiting] == nil {
				r.visible[e.waiting] = new(delivery)
			}
			r.visible[e.waiting].left++
		}
	}
	r.g.propagator.enqueue(entries)
	r.carry()
}

// carry is what propagator.run does, as a process that ends when there is nothing
// to carry.
func (r *SimulatedReplica) carry() {
	if r.carrying {
		return
	}
	r.carrying = true
	r.world.Go(func() {
		defer func() { r.carrying = false }()
		for {
			batch := r.g.propagator.take()
			if len(batch) == 0 {
				return
			}
			if err := r.g.propagator.deliver(batch); err != nil {
				r.g.node.db.fail(err)
				return
			}
			r.g.propagator.settle(batch)
			r.settled(batch)
		}
	})
}

// settled tells those who wait for index changes to be visible.
func (r *SimulatedReplica) settled(batch []outboxEntry) {
	for _, e := range batch {
		d := r.visible[e.waiting]
		if d == nil {
			continue
		}
		if d.left--; d.left == 0 {
			delete(r.visible, e.waiting)
			if d.done != nil {
				d.done()
			}
		}
	}
}

// Lead tells the replica who leads its shard, 0 for nobody, as far as its node knows.
func (r *SimulatedReplica) Lead(leader, term uint64) {
	g := r.g
	g.mu.leader, g.mu.leaderTerm = replication.Node(leader), term
	switch {
	case g.mu.leader != g.node.id:
		left := slices.Clone(g.propagator.mu.queue)
		g.endActing()
		r.settled(left)
	case g.mu.appliedTerm == term:
		g.beginActing()
	}
	if len(g.propagator.mu.queue) > 0 {
		r.carry()
	}
}

// Applied is the index of the last entry applied.
func (r *SimulatedReplica) Applied() uint64 { return r.g.applied }

// Digest is a checksum of everything that the replica holds.
func (r *SimulatedReplica) Digest() (sum uint64, err error) {
	table := crc64.MakeTable(crc64.ECMA)
	err = r.view(func(s snapshot) error {
		return s.Scan(storage.Range{}, func(key, value []byte) (bool, error) {
			sum = crc64.Update(crc64.Update(sum, table, key), table, value)
			return true, nil
		})
	})
	return sum, err
}

func (r *SimulatedReplica) view(fn func(s snapshot) error) error {
	return r.g.replica.Load().shard.View(func(s *storage.Snapshot) error { return fn(s) })
}
