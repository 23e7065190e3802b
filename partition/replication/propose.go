package replication

import (
	"errors"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// proposal is a call of Propose on its way to raft.
type proposal struct {
	data []byte
	done chan struct{} // receives once term and err are set
	term uint64
	err  error
}

// proposal returns a new or used one. The pool is not shared with other runtimes,
// which may live in another synctest bubble.
func (r *Runtime) proposal() *proposal {
	if p, ok := r.proposals.Get().(*proposal); ok {
		return p
	}
	return &proposal{done: make(chan struct{}, 1)}
}

func (p *proposal) answer(term uint64, err error) {
	p.term, p.err = term, err
	p.done <- struct{}{}
}

// Propose appends data to the group's log on the leader and returns the term of
// the entry. It does not wait until it is committed. The state machine sees the
// outcome: it applies the entry, or, if the entry is lost, sooner or later one of
// a higher term; from then on this one is never applied. data must not be
// changed until Propose returns.
//
// Errors, with which nothing was appended: *NotLeader, ErrBusy, ErrTooLarge,
// ErrDiskFull, ErrUnknownGroup, ErrStopped.
func (r *Runtime) Propose(id Group, data []byte) (term uint64, err error) {
	g, err := r.group(id)
	if err != nil {
		return 0, err
	}
	n := int64(len(data))
	switch {
	case n > MaxProposal:
		return 0, ErrTooLarge
	case g.leaderTerm.Load() == 0:
		if err := g.ctx.Err(); err != nil {
			return 0, g.stopped()
		}
		return 0, &NotLeader{Group: id, Leader: Node(g.leader.Load())}
	case r.diskFull.Load():
		return 0, ErrDiskFull
	case r.appender.full() || !g.flow.reserve(n):
		return 0, ErrBusy
	}
	p := r.proposal()
	p.data = data
	if !g.post(func(in *inbox) { in.proposals = append(in.proposals, p) }) {
		g.flow.cancel(n)
		r.proposals.Put(p)
		return 0, g.stopped()
	}
	<-p.done
	term, err = p.term, p.err
	p.data, p.err = nil, nil
	r.proposals.Put(p)
	return term, err
}

// propose hands all waiting proposals to raft at once, so that they travel and
// are written together.
func (g *group) propose(ps []*proposal) {
	entries := make([]raftpb.Entry, len(ps))
	m := &raftpb.Message{
		Type:    raftpb.MsgProp.Enum(),
		From:    new(uint64(g.rt.config.Node)),
		Entries: make([]*raftpb.Entry, len(ps)),
	}
	for i, p := range ps {
		entries[i].Data = p.data
		m.Entries[i] = &entries[i]
	}
	st := g.node.BasicStatus()
	err := g.failed
	switch {
	case err != nil:
	case st.RaftState != raft.StateLeader:
		err = &NotLeader{Group: g.id, Leader: Node(st.Lead)}
	default:
		err = g.node.Step(m)
		if errors.Is(err, raft.ErrProposalDropped) {
			err = ErrBusy
		}
	}
	for _, p := range ps {
		n := int64(len(p.data))
		if err != nil {
			g.flow.cancel(n)
			p.answer(0, err)
		} else {
			g.flow.accept(n, st.GetTerm())
			p.answer(st.GetTerm(), nil)
		}
	}
	// Answered: halt must not do it again.
	clear(ps)
	g.inbox.proposals = g.inbox.proposals[:0]
}
