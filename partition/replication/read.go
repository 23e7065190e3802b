package replication

import (
	"context"
	"encoding/binary"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// ReadIndex waits on the leader until the state machine has applied everything
// that was committed when it was called, so that a read after it is
// linearizable, and returns the index up to which it had to wait. All callers
// that wait for the other nodes' word at a moment share one round of messages.
//
// Errors: *NotLeader, ErrUnknownGroup, ErrStopped, that of ctx.
func (r *Runtime) ReadIndex(ctx context.Context, id Group) (index uint64, err error) {
	g, err := r.group(id)
	if err != nil {
		return 0, err
	}
	if g.leaderTerm.Load() == 0 {
		if g.ctx.Err() != nil {
			return 0, g.stopped()
		}
		return 0, &NotLeader{Group: id, Leader: Node(g.leader.Load())}
	}
	var w *waiter
	ok := g.post(func(in *inbox) {
		if in.reads == nil {
			in.reads = newWaiter()
		}
		w = in.reads
	})
	if !ok {
		return 0, g.stopped()
	}
	if err := w.wait(ctx); err != nil {
		return 0, err
	}
	return w.index, nil
}

// WaitApplied waits until the state machine has applied index. Errors:
// ErrUnknownGroup, ErrStopped, that of ctx.
func (r *Runtime) WaitApplied(ctx context.Context, id Group, index uint64) error {
	g, err := r.group(id)
	if err != nil {
		return err
	}
	w := newWaiter()
	g.progress.add(w, index)
	err = w.wait(ctx)
	if err != nil {
		g.progress.drop(w)
	}
	return err
}

// read begins a round of reads.
func (g *group) read(w *waiter) {
	st := g.node.BasicStatus()
	if st.RaftState != raft.StateLeader {
		w.fail(&NotLeader{Group: g.id, Leader: Node(st.Lead)})
		g.inbox.reads = nil
		return
	}
	g.inbox.reads = nil
	if g.leaseHolds(st.GetTerm()) {
		g.progress.add(w, st.GetCommit())
		return
	}
	w.began = time.Now()
	g.reading = w
	g.round++
	g.node.ReadIndex(binary.LittleEndian.AppendUint64(nil, g.round))
}

// readConfirmed ends a round: what remains is to wait for the state machine. An
// answer to a round of an earlier term is of no use.
func (g *group) readConfirmed(rs raft.ReadState) {
	if g.reading == nil || len(rs.RequestCtx) != 8 || binary.LittleEndian.Uint64(rs.RequestCtx) != g.round {
		return
	}
	w := g.reading
	g.reading = nil
	g.extendLease(w.began)
	g.progress.add(w, rs.Index)
	// The next round may be waiting.
	g.rt.sched.notify(g)
}

// lease is the time during which no other node can have become leader, because
// a majority has heard of this one within an election timeout and does not vote.
//
// It is not raft's own ReadOnlyLeaseBased, which believes in a leader until it
// steps down, up to two election timeouts after a majority last heard of it.
type lease struct {
	until time.Time
	// transferred is the term in which this node asked another one to stand for
	// election regardless of leases. That message may arrive at any time.
	transferred uint64
}

// extendLease notes that a majority has confirmed this leader by answers to
// messages sent at began or later. Followers count ticks, the first of which may
// come at once; the clocks may differ by a tenth.
func (g *group) extendLease(began time.Time) {
	c := &g.rt.config
	if c.LeaseReads {
		g.lease.until = began.Add(time.Duration(c.ElectionTicks-1) * c.Tick * 8 / 10)
	}
}

// leaseHolds reports whether the leader may answer a read on its own: it has
// applied an entry of its term, so that it knows what was committed before, and
// the majority of the lease still is one, since the members have not changed.
func (g *group) leaseHolds(term uint64) bool {
	if !g.rt.config.LeaseReads || term != g.term || g.change != nil || g.lease.transferred == term {
		return false
	}
	return g.appliedTerm.Load() == term && time.Now().Before(g.lease.until)
}

// tooEarlyToVote holds back votes of a node that has just started and does not
// know whether it took part in a leader's lease before.
func (r *Runtime) tooEarlyToVote(m *raftpb.Message) bool {
	if !r.config.LeaseReads {
		return false
	}
	switch m.GetType() {
	case raftpb.MsgVote, raftpb.MsgPreVote:
		return time.Since(r.opened) < time.Duration(r.config.ElectionTicks)*r.config.Tick
	}
	return false
}
