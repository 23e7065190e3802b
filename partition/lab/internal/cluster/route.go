package cluster

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/stator-db/stator/partition"
)

// requestTimeout is how long a request waits for a leader and a majority, as
// partition.ClusterOptions has it.
const requestTimeout = 5 * time.Second

// How long a route waits before it looks for the leader again, as in package
// partition.
const (
	routePause    = 5 * time.Millisecond
	routePauseMax = 100 * time.Millisecond
)

// world is a node's partition.World.
type world struct{ n *node }

func (w world) Now() time.Time                 { return epoch.Add(w.n.c.World.Now() + w.n.clock) }
func (w world) Go(do func())                   { w.n.c.World.Go(w.n.host, do) }
func (w world) Sleep(d time.Duration)          { w.n.c.World.Sleep(d) }
func (w world) Together(n int, do func(i int)) { w.n.c.World.Together(n, do) }
func (w world) NewID() (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], w.n.ids.Uint64())
	binary.BigEndian.PutUint64(id[8:], w.n.ids.Uint64())
	return id
}

// Propose implements partition.World as partition's routes do: a command is sent
// again only if it certainly was not and will not be applied.
func (w world) Propose(_ context.Context, shard int, command []byte, wait bool) ([]byte, error) {
	n := w.n
	limit := n.c.World.Now() + requestTimeout
	for attempt := 0; ; attempt++ {
		var result []byte
		var decided bool
		end := refused
		leader := n.leader(shard, attempt)
		if left := limit - n.c.World.Now(); leader != nil && left > 0 {
			var known int
			end = n.ask(leader, left, func() {
				var o outcome
				result, o = leader.propose(shard, command, wait, left)
				decided = o == answered
				if o == unanswered {
					known = -1
					return
				}
				known = leader.knows(shard)
			})
			switch {
			case end == answered && decided:
				return result, nil
			case end == answered && known >= 0:
				n.hints[shard] = known
			case end == answered:
				end = unanswered
			}
		}
		if end == unanswered || end == broken {
			delete(n.hints, shard)
			return nil, fmt.Errorf("%w: no answer from the leader of shard %d", partition.ErrOutcomeUnknown, shard)
		}
		if end == refused {
			delete(n.hints, shard)
		}
		if !n.pause(attempt, limit) {
			return nil, fmt.Errorf("%w: shard %d", partition.ErrUnavailable, shard)
		}
	}
}

// propose is a command on the node that may lead. The outcome is answered with its
// result, refused if it was not and will not be applied, or unanswered.
func (n *node) propose(shard int, command []byte, wait bool, timeout time.Duration) (result []byte, end outcome) {
	m := n.members[shard]
	if m == nil {
		return nil, refused
	}
	n.c.World.Park(timeout, func(wake func()) {
		m.replica.Propose(command, wait, m.propose, func(r []byte, decided bool) {
			if result, end = r, answered; !decided {
				end = refused
			}
			wake()
		})
		m.ready()
	})
	return result, end
}

// ask has another node, or this one, handle something.
func (n *node) ask(to *node, timeout time.Duration, serve func()) outcome {
	if to == n {
		serve()
		return answered
	}
	there, back := n.c.between(n, to)
	return n.c.call(to, there, back, timeout, serve)
}

// leader is whom to ask: the leader if it is known, else one of the replicas,
// another at each attempt; nil for nobody.
func (n *node) leader(shard, attempt int) *node {
	if known := n.knows(shard); known >= 0 {
		return n.c.nodes[known]
	}
	replicas := n.c.shards[shard].replicas
	to := replicas[attempt%len(replicas)]
	if to == n.index {
		return nil // and it does not know
	}
	return n.c.nodes[to]
}

// knows is the leader of a shard as far as the node knows, -1 for unknown.
func (n *node) knows(shard int) int {
	if m := n.members[shard]; m != nil && m.lead != 0 {
		return int(m.lead) - 1
	}
	if hint, ok := n.hints[shard]; ok {
		return hint
	}
	return -1
}

// pause waits before another attempt, unless there is no time left.
func (n *node) pause(attempt int, limit time.Duration) bool {
	d := min(routePause<<min(attempt, 8), routePauseMax)
	if n.c.World.Now()+d >= limit {
		return false
	}
	n.c.World.Sleep(d)
	return true
}

// Read implements partition.World.
func (w world) Read(ctx context.Context, shard int, c partition.Consistency, read func(r *partition.SimulatedReplica) error) error {
	n, t := w.n, traceOf(ctx)
	limit := n.c.World.Now() + requestTimeout
	for attempt := 0; ; attempt++ {
		var to *node
		confirm := c == partition.Strong && !t.Unconfirmed
		if confirm {
			to = n.leader(shard, attempt)
		} else {
			to = n.replica(t, shard, attempt)
		}
		var err error
		served := false
		if left := limit - n.c.World.Now(); to != nil && left > 0 {
			if !confirm {
				left = min(left, requestTimeout/3) // there are others to ask
			}
			end := n.ask(to, left, func() {
				m := to.members[shard]
				if m == nil || confirm && !m.readIndex(left) {
					return
				}
				served = true
				t.served(to.index, m.leads(), m.replica.Applied())
				err = read(m.replica)
			})
			if end == answered && served {
				return err
			}
			if end != answered {
				delete(n.hints, shard)
			}
		}
		if !n.pause(attempt, limit) {
			return fmt.Errorf("%w: shard %d", partition.ErrUnavailable, shard)
		}
	}
}

// replica is who answers a read without asking anybody: by the policy at first, then
// the nearest, another one at each attempt.
func (n *node) replica(t *Trace, shard, attempt int) *node {
	replicas := slices.Clone(n.c.shards[shard].replicas)
	if t.Unconfirmed && len(replicas) > 1 {
		leader := n.c.Leader(shard)
		replicas = slices.DeleteFunc(replicas, func(r int) bool { return r == leader })
	}
	if attempt == 0 {
		switch t.Policy {
		case Random:
			return n.c.nodes[replicas[n.route.IntN(len(replicas))]]
		case RoundRobin:
			return n.c.nodes[replicas[t.Turn%len(replicas)]]
		case Pinned:
			if slices.Contains(replicas, t.Pin) {
				return n.c.nodes[t.Pin]
			}
		}
	}
	slices.SortStableFunc(replicas, func(a, b int) int { return int(n.distance(a) - n.distance(b)) })
	return n.c.nodes[replicas[attempt%len(replicas)]]
}

func (n *node) distance(to int) time.Duration {
	if to == n.index {
		return -1
	}
	return n.c.links[n.index][to].latency.Median
}
