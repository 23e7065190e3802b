package replication

import (
	"slices"
	"sync"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// Freshness is how recent the state machine of a group on this node is.
type Freshness struct {
	Role Role // never Candidate, who is a Follower for the purpose
	// Applied is the index of the last entry in the state machine.
	Applied uint64
	// Staleness bounds the age of the state machine: when the last message came by
	// which the leader had committed nothing that is not applied here by now. How
	// long that message took is not known and not counted. It is 0 on the leader,
	// which may have been deposed up to an election timeout ago without knowing,
	// and negative if there was no such message since the group was started.
	Staleness time.Duration
}

// Freshness tells how recent a group is. What is read from the state machine
// afterwards is at least that recent. It is zero if the group is not running.
func (r *Runtime) Freshness(id Group) Freshness {
	g := (*r.groups.Load())[id]
	if g == nil {
		return Freshness{}
	}
	var f Freshness
	var term uint64
	f.Applied, term = g.progress.get()
	switch {
	case g.leaderTerm.Load() != 0:
		f.Role = Leader
		return f
	case !g.votes.Load():
		f.Role = Learner
	}
	f.Staleness = g.news.staleness(f.Applied, term)
	return f
}

// Votes reports whether this node is a voter of the group, which it becomes when
// it has caught up with the leader. It takes no locks.
func (r *Runtime) Votes(id Group) bool {
	g := (*r.groups.Load())[id]
	return g != nil && g.votes.Load()
}

// news is what a follower has heard of its leader's commit index.
type news struct {
	mu     sync.Mutex
	latest word
	// awaited is an earlier word, zero if there is none: under load, when there
	// is always something left to apply, latest may never come true.
	awaited word
	current time.Time // when the last word came that has come true
}

// word is what the leader of a term had committed when a message of it came. It has
// come true once that is applied, and an entry of that term: a new leader does not
// know at first what others committed before.
type word struct {
	term, commit uint64
	at           time.Time
}

func (w word) holds(applied, term uint64) bool { return applied >= w.commit && term >= w.term }

// heard takes a word of the leader.
func (n *news) heard(w word, applied, term uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latest = w
	if n.awaited.at.IsZero() {
		n.awaited = w
	}
	n.settle(applied, term)
}

// settle looks which words have come true.
func (n *news) settle(applied, term uint64) {
	if n.awaited.at.IsZero() || !n.awaited.holds(applied, term) {
		return
	}
	n.current, n.awaited = n.awaited.at, n.latest
	if n.latest.holds(applied, term) {
		n.current, n.awaited = n.latest.at, word{}
	}
}

func (n *news) staleness(applied, term uint64) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settle(applied, term)
	if n.current.IsZero() {
		return -1
	}
	return max(time.Since(n.current), 0)
}

// tellCommit makes a heartbeat tell what the leader has committed, in a field that
// raft has no use for there: its own leaves out what the follower does not have.
func (g *group) tellCommit(m *raftpb.Message) {
	if m.GetType() == raftpb.MsgHeartbeat {
		m.Index = new(g.node.BasicStatus().GetCommit())
	}
}

// hear notes what a message of the leader says about its commit index.
func (g *group) hear(m *raftpb.Message) {
	var commit uint64
	switch m.GetType() {
	case raftpb.MsgHeartbeat:
		commit = m.GetIndex()
	case raftpb.MsgApp:
		commit = m.GetCommit()
	}
	if commit == 0 || m.GetTerm() < g.term {
		return
	}
	applied, term := g.progress.get()
	g.news.heard(word{m.GetTerm(), commit, time.Now()}, applied, term)
}

// noteVote keeps votes up to date with the configuration.
func (g *group) noteVote() {
	self := uint64(g.rt.config.Node)
	g.votes.Store(slices.Contains(g.conf.GetVoters(), self) || slices.Contains(g.conf.GetVotersOutgoing(), self))
}
