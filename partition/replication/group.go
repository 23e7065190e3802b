package replication

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
)

// group is a raft group on this node.
type group struct {
	id  Group
	rt  *Runtime
	sm  StateMachine
	log *slog.Logger

	// ctx ends when the group is stopped. tasks are goroutines that the group
	// owns: those that send snapshots.
	ctx    context.Context
	cancel context.CancelCauseFunc
	tasks  sync.WaitGroup

	phase phase // guarded by the scheduler's lock
	mail  mailbox

	// What others read without a lock: the leader, the term this node leads in
	// or 0, and the term of the last entry applied.
	leader      atomic.Uint64
	leaderTerm  atomic.Uint64
	appliedTerm atomic.Uint64
	votes       atomic.Bool // this node is a voter

	flow     flow
	progress progress
	news     news
	apply    applyQueue
	trim     trimmer

	// mu is held while raft works, and by nobody who waits for anything but the
	// log's index and, for entries of long ago, its files.
	mu     sync.Mutex
	node   *raft.RawNode
	inbox  inbox // what is being worked off
	halted bool
	// role, term and lead are as of the last round.
	role raft.StateType
	term uint64
	lead uint64
	// conf is the configuration that raft uses, and the index of the entry it
	// came from.
	conf      *raftpb.ConfState
	confIndex uint64
	// change is the membership change that this node has proposed as a leader
	// and not applied yet, or nil.
	change  *memberChange
	changes uint64 // proposed so far
	// transfers are those who wait for another leader.
	transfers []*transfer
	lease     lease
	// reading is the round of reads that the other nodes are being asked for.
	reading *waiter
	round   uint64
	// failed is why the group is about to stop, giveUp how many ticks it still
	// tries to find another leader.
	failed error
	giveUp int
	sent   map[uint64]sentAppend // by peer; see repeats
	ticks  int
	events []func(Observer)
}

func newGroup(r *Runtime, id Group, sm StateMachine) *group {
	g := &group{id: id, rt: r, sm: sm, log: r.config.Logger.With("group", uint64(id))}
	g.ctx, g.cancel = context.WithCancelCause(context.Background())
	g.flow.max = r.config.MaxInFlight
	g.apply.lock = make(chan struct{}, 1)
	return g
}

// open makes the group's RawNode from the log.
func (g *group) open() (err error) {
	// Raft panics if its storage contradicts itself.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: raft group %d: %v", ErrLogLost, uint64(g.id), p)
		}
	}()
	s := &storage{Group: g.rt.wal.Group(uint64(g.id)), g: g}
	first, err := s.FirstIndex()
	if err != nil {
		return err
	}
	applied := max(g.sm.Applied(), first-1)
	s.commit = applied
	term, err := s.Term(applied)
	if err != nil {
		return err
	}
	_, g.conf, err = s.Group.InitialState()
	if err != nil {
		return err
	}
	g.noteVote()
	g.confIndex = s.ConfIndex()
	if g.confIndex <= applied {
		g.apply.conf = g.conf
	}
	g.apply.index = applied
	g.progress.advance(applied, term)
	g.appliedTerm.Store(term)
	g.trim.start(applied)
	if g.node, err = raft.NewRawNode(g.rt.config.raft(s, applied, g.log)); err != nil {
		return err
	}
	st := g.node.BasicStatus()
	g.role, g.term, g.lead = st.RaftState, st.GetTerm(), st.Lead
	return nil
}

// campaignAlone makes the only voter of a group its leader without waiting for an
// election timeout.
func (g *group) campaignAlone(in *inbox) {
	in.calls = append(in.calls, func() {
		if v := g.conf.GetVoters(); len(v) == 1 && v[0] == uint64(g.rt.config.Node) {
			if err := g.node.Campaign(); err != nil {
				g.log.Debug("raft does not campaign", "error", err)
			}
		}
	})
}

// drive works off the group's inbox. Messages go to out.
func (g *group) drive(out *outbox) {
	g.mu.Lock()
	if !g.halted {
		g.step(out)
	}
	events := g.events
	g.events = nil
	g.mu.Unlock()
	for _, e := range events {
		e(g.rt.config.Observer)
	}
}

// step runs raft once. The caller holds g.mu.
func (g *group) step(out *outbox) {
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("raft group stopped by a contradiction in raft", "panic", p, "stack", string(debug.Stack()))
			g.halt(fmt.Errorf("%w: raft group %d: %v", ErrLogLost, uint64(g.id), p))
		}
	}()
	if err := g.rt.failure(); err != nil {
		g.halt(err)
		return
	}
	in := &g.inbox
	g.collect(in)
	for _, m := range in.local {
		g.deliver(m)
	}
	// Messages come before ticks: a leader's heartbeat that has been waiting
	// here must not be overlooked.
	for _, m := range in.remote {
		g.deliver(m)
	}
	for _, peer := range in.lost {
		g.node.ReportUnreachable(uint64(peer))
	}
	for range in.ticks {
		g.tick()
	}
	for _, call := range in.calls {
		call()
	}
	if len(in.proposals) > 0 {
		g.propose(in.proposals)
	}
	if in.reads != nil {
		g.read(in.reads)
	}
	g.handleReady(out)
	g.publish()
	if g.failed != nil && (g.role != raft.StateLeader || g.giveUp <= 0) {
		g.halt(g.failed)
	}
}

// deliver gives a message to raft.
func (g *group) deliver(m *raftpb.Message) {
	if g.rt.tooEarlyToVote(m) || g.knowsTooLittleToVote(m) {
		return
	}
	// ErrStepPeerNotFound is the answer of somebody who was removed,
	// ErrProposalDropped cannot happen here.
	if err := g.node.Step(m); err != nil && !errors.Is(err, raft.ErrStepPeerNotFound) {
		g.log.Debug("raft refused a message", "type", m.GetType().String(), "from", m.GetFrom(), "error", err)
	}
	g.hear(m)
}

func (g *group) tick() {
	g.ticks++
	if g.failed != nil {
		g.giveUp--
	} else {
		g.node.Tick()
	}
	g.checkTransfers()
	// A leader that cannot write, or not apply, is of no use.
	if g.role == raft.StateLeader && (g.failed != nil || g.rt.diskFull.Load()) {
		g.handOver()
	}
}

// handleReady passes on what raft has to say until it has nothing more.
func (g *group) handleReady(out *outbox) {
	for g.node.HasReady() {
		rd := g.node.Ready()
		for _, rs := range rd.ReadStates {
			g.readConfirmed(rs)
		}
		if !raft.IsEmptySnap(rd.Snapshot) {
			meta := rd.Snapshot.GetMetadata()
			g.setConf(meta.GetConfState(), meta.GetIndex())
		}
		for _, m := range rd.Messages {
			switch {
			case m.GetTo() == raft.LocalAppendThread:
				g.rt.appender.add(appendTask{g: g, m: m})
			case m.GetTo() == raft.LocalApplyThread:
				g.enqueueApply(m)
			case m.GetType() == raftpb.MsgSnap:
				g.sendSnapshot(Node(m.GetTo()), m.GetTerm())
			case g.repeats(m): // and is dropped
			default:
				g.tellCommit(m)
				out.add(g, m)
			}
		}
	}
}

// publish compares raft's state with that of the last round and tells who wants
// to know.
func (g *group) publish() {
	st := g.node.BasicStatus()
	role, term, lead := st.RaftState, st.GetTerm(), st.Lead
	if role != g.role || term != g.term {
		if g.role == raft.StateLeader {
			g.deposed(lead)
		}
		if role == raft.StateLeader {
			g.leaderTerm.Store(term)
		}
	}
	if lead != g.lead || term != g.term && lead != 0 {
		g.leader.Store(lead)
		g.log.Info("raft leader changed", "leader", fmt.Sprintf("%x", lead), "term", term)
		g.events = append(g.events, func(o Observer) { o.LeaderChanged(g.id, Node(lead), term) })
	}
	g.role, g.term, g.lead = role, term, lead
	g.checkTransfers()
}

// deposed ends what only a leader can finish.
func (g *group) deposed(lead uint64) {
	g.leaderTerm.Store(0)
	g.flow.lost()
	g.lease.until = time.Time{}
	if g.change != nil {
		g.change.applied.fail(&NotLeader{Group: g.id, Leader: Node(lead)})
		g.change = nil
	}
	if g.reading != nil {
		g.reading.fail(&NotLeader{Group: g.id, Leader: Node(lead)})
		g.reading = nil
		// Those who came meanwhile are told in the next round.
		g.rt.sched.notify(g)
	}
}

// setConf notes the configuration that raft has switched to.
func (g *group) setConf(cs *raftpb.ConfState, index uint64) {
	self := g.rt.config.Node
	was := isMember(g.conf, self)
	g.conf, g.confIndex = cs, index
	g.noteVote()
	g.lease.until = time.Time{}
	voters, learners := nodesOf(cs.GetVoters(), cs.GetVotersOutgoing()), nodesOf(cs.GetLearners(), cs.GetLearnersNext())
	g.log.Info("raft members changed", "voters", fmt.Sprintf("%x", voters), "learners", fmt.Sprintf("%x", learners), "index", index)
	g.events = append(g.events, func(o Observer) { o.MembersChanged(g.id, voters, learners) })
	if was && !isMember(cs, self) {
		g.events = append(g.events, func(o Observer) { o.Removed(g.id) })
	}
}

func isMember(cs *raftpb.ConfState, n Node) bool {
	for _, list := range [][]uint64{cs.GetVoters(), cs.GetLearners(), cs.GetVotersOutgoing(), cs.GetLearnersNext()} {
		for _, id := range list {
			if id == uint64(n) {
				return true
			}
		}
	}
	return false
}

// halt ends the group's part in raft: nothing more is said or taken. The caller
// holds g.mu.
func (g *group) halt(err error) {
	if g.halted {
		return
	}
	g.halted = true
	stopped := err
	if !errors.Is(err, ErrStopped) {
		stopped = fmt.Errorf("%w: %w", ErrStopped, err)
		g.log.Error("raft group stopped", "error", err)
		g.events = append(g.events, func(o Observer) { o.Stopped(g.id, err) })
	}
	g.failed = err
	g.leader.Store(0)
	g.leaderTerm.Store(0)
	g.cancel(stopped)
	left := g.seal()
	for _, p := range append(g.inbox.proposals, left.proposals...) {
		p.answer(0, stopped)
	}
	for _, w := range []*waiter{g.reading, g.inbox.reads, left.reads} {
		if w != nil {
			w.fail(stopped)
		}
	}
	for _, t := range g.transfers {
		t.answer(stopped)
	}
	if g.change != nil {
		g.change.applied.fail(stopped)
	}
	g.inbox, g.reading, g.transfers, g.change = inbox{}, nil, nil, nil
	g.progress.fail(stopped)
}

// fail has the group stop because of err, once another node leads or cannot be
// found.
func (g *group) fail(err error) {
	g.post(func(in *inbox) {
		in.calls = append(in.calls, func() {
			if g.failed == nil {
				g.failed, g.giveUp = err, 2*g.rt.config.ElectionTicks
				if g.role == raft.StateLeader {
					g.handOver()
				}
			}
		})
	})
}

// call runs f on the goroutine that drives raft and waits for it. It returns
// ErrStopped if the group has stopped, or stops before.
func (g *group) call(ctx context.Context, f func()) error {
	done := make(chan struct{})
	ok := g.post(func(in *inbox) {
		in.calls = append(in.calls, func() {
			f()
			close(done)
		})
	})
	if !ok {
		return g.stopped()
	}
	select {
	case <-done:
		return nil
	case <-g.ctx.Done():
		return g.stopped()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stopped is why the group takes no more calls.
func (g *group) stopped() error {
	if err := context.Cause(g.ctx); err != nil {
		return err
	}
	return ErrStopped
}

// appendConf has the log remember a configuration, then calls done.
func (g *group) appendConf(cs *raftpb.ConfState, index uint64, done func()) {
	g.rt.appender.add(appendTask{
		g:    g,
		conf: &wal.Write{Group: uint64(g.id), ConfState: cs, ConfIndex: index},
		done: done,
	})
}
