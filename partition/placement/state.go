package placement

import (
	"fmt"
	"slices"
)

// NodeState says what a node is meant for.
type NodeState uint8

// States of a node.
const (
	// Up nodes hold and lead replicas.
	Up NodeState = iota
	// Draining nodes keep their replicas, get no new ones and lead none.
	Draining
	// Decommissioning nodes lose their replicas, a few at a time.
	Decommissioning
	// Dead nodes are given up; their replicas are made again on others. So is a
	// node that a shard names and State.Nodes does not.
	Dead
)

func (s NodeState) String() string {
	switch s {
	case Up:
		return "up"
	case Draining:
		return "draining"
	case Decommissioning:
		return "decommissioning"
	case Dead:
		return "dead"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Node is a place for replicas.
type Node struct {
	// ID is nonzero and unique in State.Nodes.
	ID uint64
	// Zone is what fails together. Nodes without one form a zone of their own.
	Zone  string
	State NodeState
	// Down: the node does not answer now. It leads nothing, takes nothing and
	// its votes are not counted on, but its replicas are not replaced.
	Down bool
	// Weight is the node's capacity in proportion to the others'; 0 means 1. It
	// should be set once and not follow a measurement: every change of it moves
	// replicas.
	Weight uint32
}

// Shard is one Raft group as its members are now.
type Shard struct {
	ID uint64
	// Voters and Learners are the members, by node, in any order. A learner is
	// taken for the target of a move under way.
	Voters, Learners []uint64
	// Leader is a voter, or 0 if it is not known.
	Leader uint64
	// Bytes is the size on disk. Of replicas that could go equally well, the
	// smaller goes.
	Bytes int64
}

// Order moves one replica because an operator wants it. It stays in force as
// long as it is handed in, also after it has been carried out, so that balance
// does not take the replica away again: drop it once Done and the replica may
// move like any other. It is void while To is dead or decommissioned.
type Order struct {
	Shard uint64
	// From loses its replica and gets none back; 0 leaves it to the plan which
	// replica has to give way.
	From uint64
	// To gets a replica and keeps it; 0 leaves the choice to the plan.
	To uint64
}

// Done reports whether the order has been carried out on s, the shard it names.
func (o Order) Done(s Shard) bool {
	return len(s.Learners) == 0 &&
		(o.From == 0 || !slices.Contains(s.Voters, o.From)) &&
		(o.To == 0 || slices.Contains(s.Voters, o.To))
}

// State is the cluster as its catalog knows it.
type State struct {
	// Factor is the number of voters that a shard should have: 3 or 5.
	Factor int
	Nodes  []Node
	Shards []Shard
	Orders []Order
}

// Limits bound what goes on at the same time. A zero field means its default.
type Limits struct {
	// Moves is how many shards may have a move under way: 16.
	Moves int
	// MovesPerNode is how many moves may have the same node as their target, or
	// take a replica away from it: 2.
	MovesPerNode int
	// Transfers is how many leaders one plan moves: 64. Those that a move needs
	// are not counted.
	Transfers int
}

func (l Limits) withDefaults() Limits {
	if l.Moves <= 0 {
		l.Moves = 16
	}
	if l.MovesPerNode <= 0 {
		l.MovesPerNode = 2
	}
	if l.Transfers <= 0 {
		l.Transfers = 64
	}
	return l
}

// Action is a kind of step.
type Action uint8

// Kinds of steps.
const (
	// AddLearner begins a move: Node becomes a learner.
	AddLearner Action = iota + 1
	// Promote makes the learner on Node a voter, once it has caught up. Until
	// then it is to be tried again.
	Promote
	// Remove takes the voter or learner on Node out.
	Remove
	// TransferLeader makes the voter on Node the leader.
	TransferLeader
)

func (a Action) String() string {
	switch a {
	case AddLearner:
		return "add learner"
	case Promote:
		return "promote"
	case Remove:
		return "remove"
	case TransferLeader:
		return "transfer leader"
	}
	return fmt.Sprintf("action %d", uint8(a))
}

// Reason says why a step is taken.
type Reason uint8

// Reasons, the most urgent first.
const (
	// Continue: a move under way goes on.
	Continue Reason = iota
	// Repair: the shard has too few voters, or voters on nodes given up.
	Repair
	// Ordered: see Order.
	Ordered
	// Decommission: the node is to be emptied.
	Decommission
	// Drain: the node must not lead.
	Drain
	// Spread: the voters can be spread better over the zones.
	Spread
	// Balance: a node holds or leads more than its share.
	Balance
)

func (r Reason) String() string {
	switch r {
	case Continue:
		return "continue"
	case Repair:
		return "repair"
	case Ordered:
		return "order"
	case Decommission:
		return "decommission"
	case Drain:
		return "drain"
	case Spread:
		return "spread"
	case Balance:
		return "balance"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Step is one change of one shard's group.
type Step struct {
	Shard  uint64
	Action Action
	Node   uint64
	Reason Reason
}

func (s Step) String() string {
	return fmt.Sprintf("shard %d: %s %d (%s)", s.Shard, s.Action, s.Node, s.Reason)
}
