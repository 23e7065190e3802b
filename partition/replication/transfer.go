package replication

import (
	"context"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"
)

// transfer is a call of Transfer.
type transfer struct {
	to   uint64
	term uint64
	// until is the group's tick at which an election without outcome has failed.
	until int
	done  chan error
}

func (t *transfer) answer(err error) {
	select {
	case t.done <- err:
	default:
	}
}

// maxTransferLag is how many entries the voter that is to lead may be behind. As long
// as it is behind, raft takes no proposals.
const maxTransferLag = 128

// Transfer makes a voter leader in this node's place and waits for it. Meanwhile the
// group takes no proposals, for an election timeout at most: then it has failed, as it
// does for one that has not heard yet that it is a voter. One that is far behind is
// refused. Errors: *NotLeader, ErrNotMember, ErrTransfer, ErrUnknownGroup, ErrStopped,
// that of ctx.
func (r *Runtime) Transfer(ctx context.Context, id Group, to Node) error {
	g, err := r.group(id)
	if err != nil {
		return err
	}
	t := &transfer{to: uint64(to), done: make(chan error, 1)}
	if err := g.call(ctx, func() { g.beginTransfer(t) }); err != nil {
		return err
	}
	select {
	case err := <-t.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// HandOver asks the voter that has most of the log to lead in this node's place,
// if this node leads, and does not wait for it. A state machine whose Apply cannot
// get on calls it, for a leader that cannot apply is of no use.
func (r *Runtime) HandOver(id Group) {
	g, err := r.group(id)
	if err != nil {
		return // it does not lead either
	}
	g.post(func(in *inbox) { in.calls = append(in.calls, g.handOver) })
}

func (g *group) beginTransfer(t *transfer) {
	st := g.node.BasicStatus()
	switch {
	case st.RaftState != raft.StateLeader:
		t.answer(&NotLeader{Group: g.id, Leader: Node(st.Lead)})
		return
	case t.to == uint64(g.rt.config.Node):
		t.answer(nil)
		return
	case !slices.Contains(g.conf.GetVoters(), t.to):
		t.answer(ErrNotMember)
		return
	case g.isBehind(t.to):
		t.answer(ErrTransfer)
		return
	}
	t.term = st.GetTerm()
	t.until = g.ticks + 3*g.rt.config.ElectionTicks
	g.transfers = append(g.transfers, t)
	g.lease.transferred = t.term
	g.node.TransferLeader(t.to)
}

// isBehind reports whether a peer does not keep up with this leader.
func (g *group) isBehind(peer uint64) bool {
	p := g.node.Status().Progress[peer]
	last, _ := g.rt.wal.Group(uint64(g.id)).LastIndex() // it does not fail: it is in memory
	return p.State != tracker.StateReplicate || !p.RecentActive || p.Match+maxTransferLag < last
}

// checkTransfers answers those whose outcome is known.
func (g *group) checkTransfers() {
	if len(g.transfers) == 0 {
		return
	}
	st := g.node.BasicStatus()
	g.transfers = slices.DeleteFunc(g.transfers, func(t *transfer) bool {
		leading := st.RaftState == raft.StateLeader && st.GetTerm() == t.term
		switch {
		case !leading && st.Lead == t.to:
			t.answer(nil)
		case !leading && st.Lead != 0, g.ticks >= t.until:
			t.answer(ErrTransfer)
		case leading && st.LeadTransferee != t.to: // raft gives up after an election timeout
			t.answer(ErrTransfer)
		default:
			return false
		}
		return true
	})
}

// handOver asks the voter that has most of the log to lead.
func (g *group) handOver() {
	st := g.node.Status()
	if st.RaftState != raft.StateLeader || st.LeadTransferee != 0 {
		return
	}
	var best, match uint64
	for id, p := range st.Progress {
		if id != st.ID && !p.IsLearner && p.RecentActive && (best == 0 || p.Match > match || p.Match == match && id < best) {
			best, match = id, p.Match
		}
	}
	if best != 0 {
		g.lease.transferred = st.GetTerm()
		g.node.TransferLeader(best)
	}
}
