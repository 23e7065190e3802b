package replication

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
)

// Runtime drives the raft groups of a node. Its methods may be called by many
// goroutines at once; those that an Observer may call say so.
type Runtime struct {
	config Config
	wal    *wal.Log
	opened time.Time

	sched       *scheduler
	appender    *appender
	appliers    appliers
	housekeeper *housekeeper
	wg          sync.WaitGroup
	// closing is closed by Close.
	closing chan struct{}

	proposals sync.Pool // of *proposal

	groups atomic.Pointer[map[Group]*group]
	failed atomic.Pointer[error]
	// diskFull says that the log cannot be written at the moment.
	diskFull atomic.Bool
	// sending is the number of snapshots on their way.
	sending atomic.Int64
	// sent and restored count snapshots since Open.
	sent, restored atomic.Uint64

	// mu is held while groups start and stop, and guards closed and writing
	// the map of groups.
	mu     sync.Mutex
	closed bool
}

// Open opens the write-ahead log in Config.Dir. No group runs before Start.
func Open(c Config) (*Runtime, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	log, err := wal.Open(c.Dir, c.WAL)
	if err != nil {
		return nil, fmt.Errorf("replication: %w", err)
	}
	r := &Runtime{
		config:      c,
		wal:         log,
		opened:      time.Now(),
		sched:       newScheduler(c.StepWorkers),
		housekeeper: newHousekeeper(),
		closing:     make(chan struct{}),
	}
	r.appliers.max = c.ApplyWorkers
	r.appender = newAppender(r)
	r.groups.Store(&map[Group]*group{})
	for range c.StepWorkers {
		r.wg.Go(r.work)
	}
	r.wg.Go(r.appender.run)
	r.wg.Go(r.housekeeper.run)
	r.wg.Go(r.tick)
	return r, nil
}

// work drives groups until the scheduler closes.
func (r *Runtime) work() {
	out := newOutbox(r)
	var gs []*group
	for {
		var ok bool
		if gs, ok = r.sched.take(gs[:0]); !ok {
			return
		}
		for _, g := range gs {
			g.drive(out)
		}
		out.flush()
		r.sched.done(gs)
		clear(gs)
	}
}

// tick is raft's clock. All groups hear it at once, so that their heartbeats
// leave together.
func (r *Runtime) tick() {
	t := time.NewTicker(r.config.Tick)
	defer t.Stop()
	var gs []*group
	for {
		select {
		case <-t.C:
		case <-r.closing:
			return
		}
		gs = gs[:0]
		for _, g := range *r.groups.Load() {
			g.mail.mu.Lock()
			g.mail.inbox.ticks = min(g.mail.inbox.ticks+1, maxTicks)
			g.mail.mu.Unlock()
			gs = append(gs, g)
		}
		r.sched.notify(gs...)
		clear(gs)
	}
}

// group returns a running group, or why there is none.
func (r *Runtime) group(id Group) (*group, error) {
	if g := (*r.groups.Load())[id]; g != nil {
		return g, nil
	}
	select {
	case <-r.closing:
		return nil, ErrStopped
	default:
		return nil, ErrUnknownGroup
	}
}

// Groups returns the groups that the log holds anything of, running or not,
// ascending. Those that were removed do not count.
func (r *Runtime) Groups() []Group {
	var gs []Group
	for _, id := range r.wal.Groups() {
		if id <= maxGroup && !retired(r.wal.Group(id)) {
			gs = append(gs, Group(id))
		}
	}
	return gs
}

// Start starts a group with its state machine. A group that the log knows is
// continued, whatever first says; ErrLogLost if machine and log do not fit
// together. An unknown group begins with the voters first, which must be the
// same on all of them, or, if first is empty, waits without a vote until a leader
// adds it and sends it a snapshot; so does one that was removed here before. The
// first entry of a new group has index 2.
// Other errors: ErrRunning, ErrNotMember if first is without this node, ErrStopped,
// those of the log, such as ErrDiskFull.
func (r *Runtime) Start(id Group, sm StateMachine, first []Node) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.failure(); err != nil {
		return err
	}
	switch {
	case r.closed:
		return ErrStopped
	case id > maxGroup:
		return fmt.Errorf("raft group %d: number is too high", uint64(id))
	case (*r.groups.Load())[id] != nil:
		return ErrRunning
	}
	alone := len(first) == 1 && !r.known(id)
	if err := r.prepare(id, sm, first); err != nil {
		return fmt.Errorf("start raft group %d: %w", uint64(id), err)
	}
	g := newGroup(r, id, sm)
	if err := g.open(); err != nil {
		g.cancel(err)
		return err
	}
	if alone { // there is nobody to wait for
		if err := g.node.Campaign(); err != nil {
			g.cancel(err)
			return err
		}
	}
	gs := maps.Clone(*r.groups.Load())
	gs[id] = g
	r.groups.Store(&gs)
	g.post(g.campaignAlone)
	return nil
}

// prepare makes the log fit for raft to start.
func (r *Runtime) prepare(id Group, sm StateMachine, first []Node) error {
	if !r.known(id) && len(first) > 0 {
		if !slices.Contains(first, r.config.Node) {
			return fmt.Errorf("%w: it begins with %x", ErrNotMember, first)
		}
		if err := begin(r.wal, id, first); err != nil {
			return err
		}
	}
	return reconcile(r.wal, id, sm.Applied())
}

// known reports whether the log knows a group, if only by a snapshot that it has
// received.
func (r *Runtime) known(id Group) bool {
	return r.wal.Known(uint64(id)) || r.wal.Known(shadow(id, 0)) || r.wal.Known(shadow(id, 1))
}

// Stop stops a group and waits until its state machine is not used any more. The
// log stays; Start continues it. It is no error if the group is not running.
func (r *Runtime) Stop(id Group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopLocked(id)
}

func (r *Runtime) stopLocked(id Group) {
	g := (*r.groups.Load())[id]
	if g == nil {
		return
	}
	g.mu.Lock()
	g.halt(ErrStopped)
	g.mu.Unlock()
	gs := maps.Clone(*r.groups.Load())
	delete(gs, id)
	r.groups.Store(&gs)
	// Nobody gets the state machine any more.
	g.apply.lock <- struct{}{}
	g.tasks.Wait()
	g.trim.using.Lock()
	defer g.trim.using.Unlock()
	r.appender.forget(g)
}

// Remove stops a group and forgets its log, but not how this node voted: should
// the group come back to this node, it does not vote again in a term it has voted
// in. The node must not be a member any more, or the group loses what it relied on.
func (r *Runtime) Remove(id Group) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopLocked(id)
	return errors.Join(retire(r.wal, id), r.wal.Remove(shadow(id, 0)), r.wal.Remove(shadow(id, 1)))
}

// Leader returns the group's leader, 0 if not known. It takes no locks and may
// be called by an Observer.
func (r *Runtime) Leader(id Group) Node {
	if g := (*r.groups.Load())[id]; g != nil {
		return Node(g.leader.Load())
	}
	return 0
}

// IsLeader returns the term in which this node leads the group, and whether it
// does and has applied an entry of that term, so that its state machine holds
// all that was acknowledged by leaders before. It takes no locks and may be
// called by an Observer.
func (r *Runtime) IsLeader(id Group) (term uint64, ok bool) {
	g := (*r.groups.Load())[id]
	if g == nil {
		return 0, false
	}
	term = g.leaderTerm.Load()
	return term, term != 0 && g.appliedTerm.Load() == term
}

// Status returns the state of a group, a zero one if it is not running.
func (r *Runtime) Status(id Group) Status {
	g := (*r.groups.Load())[id]
	if g == nil {
		return Status{}
	}
	return g.status()
}

func (g *group) status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	st := g.node.Status()
	s := Status{
		Group:     g.id,
		Term:      st.GetTerm(),
		Leader:    Node(st.Lead),
		Commit:    st.GetCommit(),
		Voters:    nodesOf(g.conf.GetVoters(), g.conf.GetVotersOutgoing()),
		Learners:  nodesOf(g.conf.GetLearners(), g.conf.GetLearnersNext()),
		ConfIndex: g.confIndex,
		Changing:  g.change != nil,
		InFlight:  g.flow.inFlight(),
		Restoring: g.apply.restoring.Load(),
		Err:       g.failed,
	}
	switch st.RaftState {
	case raft.StateLeader:
		s.Role = Leader
	case raft.StateCandidate, raft.StatePreCandidate:
		s.Role = Candidate
	default:
		if slices.Contains(s.Learners, g.rt.config.Node) {
			s.Role = Learner
		}
	}
	s.Applied, _ = g.progress.get()
	log := g.rt.wal.Group(uint64(g.id))
	// These do not fail: they are in memory.
	s.First, _ = log.FirstIndex()
	s.Last, _ = log.LastIndex()
	for id, p := range st.Progress {
		if id != st.ID {
			s.Peers = append(s.Peers, Peer{
				Node: Node(id), Learner: p.IsLearner, Match: p.Match, Next: p.Next,
				State: p.State.String(), Active: p.RecentActive, PendingSnapshot: p.PendingSnapshot,
			})
		}
	}
	slices.SortFunc(s.Peers, func(a, b Peer) int {
		if a.Node < b.Node {
			return -1
		}
		return 1
	})
	return s
}

// DiskFull reports whether the log cannot be written for want of space, so that this
// node can neither lead nor acknowledge.
func (r *Runtime) DiskFull() bool { return r.diskFull.Load() }

// Snapshots counts, since Open, the snapshots that other nodes took over and those
// that were taken over from them.
func (r *Runtime) Snapshots() (sent, received uint64) { return r.sent.Load(), r.restored.Load() }

// Receive takes a batch that another node's Runtime handed to Transport.Send. It
// does not block and does not keep the batch. Messages for groups that do not run
// here are dropped. Errors: ErrMalformed if the batch cannot be decoded to its end,
// ErrStopped.
func (r *Runtime) Receive(from Node, batch []byte) error {
	if err := r.failure(); err != nil {
		return err
	}
	full := r.appender.full()
	return decodeBatch(batch, from, r.config.Node, func(id Group, m *raftpb.Message, size int) {
		g := (*r.groups.Load())[id]
		if g == nil || full && len(m.GetEntries()) > 0 {
			return
		}
		g.post(func(in *inbox) { in.receive(m, size) })
	})
}

// fail ends this node's part in all groups: the log cannot be relied on.
func (r *Runtime) fail(err error) {
	err = fmt.Errorf("%w: %w", ErrStopped, err)
	if !r.failed.CompareAndSwap(nil, &err) {
		return
	}
	r.config.Logger.Error("this node takes no further part in replication", "error", err)
	gs := slices.Collect(maps.Values(*r.groups.Load()))
	r.sched.notify(gs...)
	if r.config.Fatal != nil {
		r.config.Fatal(err)
	}
}

// failure returns what fail was called with.
func (r *Runtime) failure() error {
	if err := r.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Close stops all groups and closes the log. It waits for calls of state machines
// to return. Leaderships are not handed over: Transfer them before. It may be
// called more than once.
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	close(r.closing)
	for id := range *r.groups.Load() {
		r.stopLocked(id)
	}
	// Without groups, nobody has anything to do any more.
	r.sched.close()
	r.housekeeper.close()
	r.appender.close()
	r.wg.Wait()
	r.appliers.close()
	return r.wal.Close()
}
