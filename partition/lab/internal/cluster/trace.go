package cluster

import "context"

// Policy is how the replica for an eventual read is chosen, as package partition
// has it.
type Policy string

// Policies. Nearest is the replica on the node that was asked, else the one with
// the shortest way; Pinned the one on a certain node.
const (
	Nearest    Policy = "nearest"
	Random     Policy = "random"
	RoundRobin Policy = "round-robin"
	Pinned     Policy = "pinned"
)

// Trace travels with a request: how its reads are to be served, and where they
// were.
type Trace struct {
	Policy Policy // empty is Nearest
	Turn   int    // for RoundRobin
	Pin    int    // the node, for Pinned
	// Unconfirmed is a defect, for the negative control: a strong read is answered by
	// a replica that does not lead, from what it has.
	Unconfirmed bool

	// Served is the node whose replica answered, -1 if none did or several; Leader
	// whether it led, Applied the index that its replica had reached.
	Served  int
	Leader  bool
	Applied uint64
	reads   int
}

type traceKey struct{}

// Context has a request carry t.
func (t *Trace) Context() context.Context {
	t.Served = -1
	return context.WithValue(context.Background(), traceKey{}, t)
}

func traceOf(ctx context.Context) *Trace {
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		return t
	}
	return &Trace{}
}

func (t *Trace) served(node int, leader bool, applied uint64) {
	if t.reads++; t.reads > 1 && t.Served != node {
		node, leader, applied = -1, false, 0
	}
	t.Served, t.Leader, t.Applied = node, leader, applied
}
