package replication

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"google.golang.org/protobuf/proto"
)

// caughtUp is how many entries a learner may be behind when it is promoted: few
// enough that it does not hold up the majority it then may be part of.
const caughtUp = 2000

// memberChange is a change of members that is in the log and not applied.
type memberChange struct {
	// mark is in the entry and tells it from all others.
	mark    []byte
	applied *waiter
}

// ChangeMembers changes the members by one step, on the leader, and returns when
// it is applied there. A change that is in effect already is no error.
//
// Errors: ErrMembersChanged, ErrChangePending, ErrNotCaughtUp, ErrNotMember,
// ErrLastVoter, ErrBusy, ErrDiskFull, ErrUnknownGroup, with which nothing happened; *NotLeader,
// ErrStopped and that of ctx, with which it may still happen.
func (r *Runtime) ChangeMembers(ctx context.Context, id Group, c Change) error {
	g, err := r.group(id)
	if err != nil {
		return err
	}
	if r.diskFull.Load() {
		return ErrDiskFull
	}
	type result struct {
		w   *waiter
		err error
	}
	results := make(chan result, 1)
	if err := g.call(ctx, func() {
		w, err := g.proposeChange(c)
		results <- result{w, err}
	}); err != nil {
		return err
	}
	res := <-results
	if res.err != nil || res.w == nil {
		return res.err
	}
	return res.w.wait(ctx)
}

// proposeChange checks a change and appends it to the log. It returns nil if
// there is nothing to change.
func (g *group) proposeChange(c Change) (*waiter, error) {
	st := g.node.BasicStatus()
	if st.RaftState != raft.StateLeader || g.failed != nil {
		return nil, &NotLeader{Group: g.id, Leader: Node(st.Lead)}
	}
	if c.At != 0 && c.At != g.confIndex {
		return nil, ErrMembersChanged
	}
	id := uint64(c.Node)
	voter := slices.Contains(g.conf.GetVoters(), id)
	learner := slices.Contains(g.conf.GetLearners(), id)
	var typ raftpb.ConfChangeType
	switch c.Kind {
	case AddLearner:
		if voter || learner {
			return nil, nil
		}
		typ = raftpb.ConfChangeAddLearnerNode
	case Promote:
		if voter {
			return nil, nil
		}
		if !learner {
			return nil, ErrNotMember
		}
		if !g.hasCaughtUp(id) {
			return nil, ErrNotCaughtUp
		}
		typ = raftpb.ConfChangeAddNode
	case RemoveMember:
		if !voter && !learner {
			return nil, nil
		}
		if voter && len(g.conf.GetVoters()) == 1 {
			return nil, ErrLastVoter
		}
		typ = raftpb.ConfChangeRemoveNode
	case Demote:
		switch {
		case learner:
			return nil, nil
		case !voter:
			return nil, ErrNotMember
		case len(g.conf.GetVoters()) == 1:
			return nil, ErrLastVoter
		}
		typ = raftpb.ConfChangeAddLearnerNode
	default:
		return nil, errors.New("unknown kind of membership change")
	}
	if g.change != nil {
		return nil, ErrChangePending
	}
	g.changes++
	mark := binary.AppendUvarint(nil, uint64(g.rt.config.Node))
	mark = binary.AppendUvarint(mark, st.GetTerm())
	mark = binary.AppendUvarint(mark, g.changes)
	data, err := proto.Marshal(&raftpb.ConfChangeV2{
		Changes: []*raftpb.ConfChangeSingle{{Type: typ.Enum(), NodeId: &id}},
		Context: mark,
	})
	if err != nil {
		return nil, err
	}
	m := &raftpb.Message{
		Type:    raftpb.MsgProp.Enum(),
		From:    new(uint64(g.rt.config.Node)),
		Entries: []*raftpb.Entry{{Type: raftpb.EntryConfChangeV2.Enum(), Data: data}},
	}
	if err := g.node.Step(m); err != nil {
		if errors.Is(err, raft.ErrProposalDropped) {
			err = ErrBusy
		}
		return nil, err
	}
	// Raft puts an empty entry in the place of a change that comes before the
	// last one, maybe a former leader's, is applied.
	if m.GetEntries()[0].GetType() != raftpb.EntryConfChangeV2 {
		return nil, ErrChangePending
	}
	g.change = &memberChange{mark: mark, applied: newWaiter()}
	return g.change.applied, nil
}

// hasCaughtUp reports whether a learner could take part in majorities at once.
func (g *group) hasCaughtUp(id uint64) bool {
	st := g.node.Status()
	p, ok := st.Progress[id]
	return ok && p.RecentActive && p.State == tracker.StateReplicate && p.Match+caughtUp >= st.GetCommit()
}

// knowsTooLittleToVote holds back votes of a replica that has not got anything
// yet. It may have been a member before and have forgotten what it confirmed then
// to a majority that a candidate still counts it into: its empty log would have it
// vote for anybody.
func (g *group) knowsTooLittleToVote(m *raftpb.Message) bool {
	switch m.GetType() {
	case raftpb.MsgVote, raftpb.MsgPreVote:
		return len(g.conf.GetVoters()) == 0
	}
	return false
}

// switchConf has raft use the configuration that an entry of the log leads to,
// and calls done with it once the log remembers it: the state machine must not
// get ahead of that. After a restart, the configuration of a later entry may be in
// use already; then done gets nil.
func (g *group) switchConf(e *raftpb.Entry, done func(*raftpb.ConfState)) {
	switch index := e.GetIndex(); {
	case index < g.confIndex:
		done(nil)
	case index == g.confIndex:
		done(g.conf)
	default:
		cc := &raftpb.ConfChangeV2{}
		if err := proto.Unmarshal(e.GetData(), cc); err != nil {
			panic("membership change in the log: " + err.Error())
		}
		cs := g.node.ApplyConfChange(cc)
		g.setConf(cs, index)
		if c := g.change; c != nil && bytes.Equal(c.mark, cc.GetContext()) {
			g.change = nil
			g.progress.add(c.applied, index)
		}
		g.appendConf(cs, index, func() { done(cs) })
	}
}
