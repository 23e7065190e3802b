package partition

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/stator-db/stator/partition/replication"
)

// A ReadPolicy says which replica of a shard answers an eventual read in a cluster.
// The zero value is nearest. All but nearest choose among replicas on nodes that can
// be reached; if the chosen one does not answer, the read goes on to the others, the
// nearest first.
type ReadPolicy struct {
	choice policyChoice
	node   string // of pinned
}

type policyChoice uint8

const (
	nearest policyChoice = iota
	random
	roundRobin
	pinned
)

// pinnedTo introduces the name of a node.
const pinnedTo = "pinned:"

var errReadPolicy = errors.New("a read policy is nearest, random, round-robin or pinned:NODE")

// ParseReadPolicy reads the name of a policy:
//
//	nearest       the replica on the node that was asked, else one in its zone, else
//	              the one with the shortest round trip
//	random        any, drawn for each read
//	round-robin   one after the other
//	pinned:NODE   the one on a node, as long as it has one and can be reached; else
//	              the nearest
func ParseReadPolicy(name string) (ReadPolicy, error) {
	switch name {
	case "nearest":
		return ReadPolicy{}, nil
	case "random":
		return ReadPolicy{choice: random}, nil
	case "round-robin":
		return ReadPolicy{choice: roundRobin}, nil
	}
	if node, ok := strings.CutPrefix(name, pinnedTo); ok && node != "" {
		return ReadPolicy{choice: pinned, node: node}, nil
	}
	return ReadPolicy{}, fmt.Errorf("%w, not %q", errReadPolicy, name)
}

// choose is the node whose replica a policy has answer an eventual read, which may be
// this one; 0 if no replica is known.
func (n *node) choose(p ReadPolicy, l *route) replication.Node {
	if p.choice == nearest && n.votes(l.id) {
		return n.id
	}
	all := n.byDistance(l.shard)
	if len(all) == 0 {
		return 0
	}
	reached := all
	for len(reached) > 1 && !n.reaches(reached[len(reached)-1]) {
		reached = reached[:len(reached)-1]
	}
	switch p.choice {
	case random:
		return reached[rand.N(len(reached))]
	case roundRobin:
		turn := slices.Sorted(slices.Values(reached))
		return turn[l.turn.Add(1)%uint64(len(turn))]
	case pinned:
		for _, to := range reached {
			if n.topology.name(to) == p.node {
				return to
			}
		}
	}
	return all[0]
}

// nearest is the replica to ask when another did not answer, a different one at each
// attempt; it may be on this node.
func (n *node) nearest(shard, attempt int) replication.Node {
	all := n.byDistance(shard)
	if len(all) == 0 {
		return 0
	}
	return all[attempt%len(all)]
}

// byDistance lists the nodes with replicas of a shard: this one, those of its zone,
// the others, each by round trip, and last those that cannot be reached.
func (n *node) byDistance(shard int) []replication.Node {
	all := n.topology.replicas(shard)
	distance := func(to replication.Node) (class int, trip time.Duration) {
		switch trip = n.transport.RoundTrip(uint64(to)); {
		case to == n.id:
			return 0, 0
		case trip == 0:
			return 3, 0
		case n.topology.zone(to) == n.opts.Zone:
			return 1, trip
		}
		return 2, trip
	}
	all = slices.DeleteFunc(all, func(to replication.Node) bool { return to == n.id && !n.votes(groupOf(shard)) })
	slices.SortStableFunc(all, func(a, b replication.Node) int {
		classA, tripA := distance(a)
		classB, tripB := distance(b)
		return cmp.Or(cmp.Compare(classA, classB), cmp.Compare(tripA, tripB))
	})
	return all
}

// reaches reports whether a node answered of late.
func (n *node) reaches(to replication.Node) bool {
	return to == n.id || n.transport.RoundTrip(uint64(to)) > 0
}

// votes reports whether this node has a replica that may serve reads: one that is
// still being made would miss much more than the last moments.
func (n *node) votes(id replication.Group) bool {
	g := n.group(id)
	return g != nil && g.begun.Load() && n.runtime.Votes(id)
}
