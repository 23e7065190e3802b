package cluster

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/partition/replication"
)

// electionTicks is how long a follower waits for the leader, at least, before it
// stands for election; at most twice as long. It is that of package replication.
const electionTicks = 10

// member is a node's part in the raft group of a shard.
type member struct {
	n       *node
	shard   int
	raft    *raft.RawNode
	log     *raft.MemoryStorage
	replica *partition.SimulatedReplica

	// As of the last round.
	role raft.StateType
	term uint64
	lead uint64
	led  int // position of its leadership in the cluster's, while it leads

	elapsed, patience int // in ticks

	applying bool
	toApply  []*raftpb.Message
	waiting  []waiter

	// A round of reads is under way for reading; next wait for the one after it.
	round         uint64
	reading, next []func(leads bool)
}

// waiter waits until an index is applied.
type waiter struct {
	index uint64
	done  func()
}

// join takes part in a group again, or for the first time.
func (n *node) join(shard int) error {
	m := &member{n: n, shard: shard, log: n.logs[shard]}
	var err error
	if m.replica, err = n.db.OpenReplica(shard); err != nil {
		return err
	}
	config := replication.Config{Node: replication.Node(n.id)}.RaftConfig(m.log, firstIndex-1)
	if m.raft, err = raft.NewRawNode(config); err != nil {
		return err
	}
	st := m.raft.BasicStatus()
	m.role, m.term, m.lead = st.RaftState, st.GetTerm(), st.Lead
	m.losePatience()
	n.members[shard] = m
	n.applied[shard] = firstIndex - 1
	m.ready()
	return nil
}

func (m *member) leads() bool { return m.role == raft.StateLeader }

// losePatience draws when the member will stand for election.
func (m *member) losePatience() {
	m.elapsed, m.patience = 0, electionTicks+m.n.timing.IntN(electionTicks)
}

func (m *member) tick() {
	if m.leads() {
		m.raft.Tick()
		m.ready()
		return
	}
	m.elapsed++
	if m.elapsed == electionTicks && m.role == raft.StateFollower {
		_ = m.raft.ForgetLeader() // so that it grants votes
	}
	if m.elapsed >= m.patience {
		m.campaign()
		return
	}
	m.ready()
}

func (m *member) campaign() {
	m.losePatience()
	_ = m.raft.Campaign()
	m.ready()
}

// receive handles a message of another member. Raft refuses those that come at the
// wrong time, which means nothing.
func (m *member) receive(msg *raftpb.Message) {
	_ = m.raft.Step(msg)
	switch msg.GetType() {
	case raftpb.MsgApp, raftpb.MsgHeartbeat:
		if msg.GetFrom() == m.raft.BasicStatus().Lead {
			m.elapsed = 0
		}
	}
	m.ready()
}

// ready passes on what raft has to say until it has nothing more.
func (m *member) ready() {
	for m.raft.HasReady() {
		rd := m.raft.Ready()
		for _, rs := range rd.ReadStates {
			m.confirmed(rs)
		}
		for _, msg := range rd.Messages {
			switch msg.GetTo() {
			case raft.LocalAppendThread:
				m.n.disk.append(write{m, msg})
			case raft.LocalApplyThread:
				m.toApply = append(m.toApply, msg)
				m.apply()
			default:
				m.n.c.send(m.n, m.n.c.nodes[msg.GetTo()-1], m.shard, msg)
			}
		}
	}
	m.publish()
}

// persist is a write reaching the disk; persisted is what it was waited for.
func (m *member) persist(msg *raftpb.Message) {
	if msg.Term != nil {
		m.must(m.log.SetHardState(&raftpb.HardState{Term: msg.Term, Vote: msg.Vote, Commit: msg.Commit}))
	}
	m.must(m.log.Append(msg.GetEntries()))
}

func (m *member) persisted(msg *raftpb.Message) { m.respond(msg.GetResponses()) }

func (m *member) respond(messages []*raftpb.Message) {
	for _, r := range messages {
		if r.GetTo() == m.n.id {
			_ = m.raft.Step(r)
		} else {
			m.n.c.send(m.n, m.n.c.nodes[r.GetTo()-1], m.shard, r)
		}
	}
	m.ready()
}

func (m *member) must(err error) {
	if err != nil {
		m.n.c.fail(fmt.Errorf("shard %d on %s: %w", m.shard, m.n.c.o.Nodes[m.n.index].Name, err))
	}
}

// apply applies what was committed, one message of raft's after the other.
func (m *member) apply() {
	if m.applying || len(m.toApply) == 0 {
		return
	}
	m.applying = true
	m.n.c.World.After(m.n.host, m.n.c.o.Apply.draw(m.n.timing), func() {
		msg := m.toApply[0]
		m.toApply = m.toApply[1:]
		entries := make([]replication.Entry, len(msg.GetEntries()))
		for i, e := range msg.GetEntries() {
			entries[i] = replication.Entry{Index: e.GetIndex(), Term: e.GetTerm(), Data: e.GetData()}
		}
		m.must(m.replica.Apply(entries))
		m.n.applied[m.shard] = m.replica.Applied()
		m.n.c.committed(m.shard, m.replica.Applied())
		waiting := m.waiting
		m.waiting = nil
		for _, w := range waiting {
			m.whenApplied(w)
		}
		m.applying = false
		m.respond(msg.GetResponses())
		m.apply()
	})
}

func (m *member) whenApplied(w waiter) {
	if m.replica.Applied() >= w.index {
		w.done()
	} else {
		m.waiting = append(m.waiting, w)
	}
}

// publish compares raft's state with that of the last round.
func (m *member) publish() {
	st := m.raft.BasicStatus()
	role, term, lead := st.RaftState, st.GetTerm(), st.Lead
	m.n.c.committed(m.shard, st.GetCommit())
	if role != m.role || term != m.term {
		if m.leads() {
			m.deposed()
		}
		if role == raft.StateLeader {
			m.led = len(m.n.c.leaderships)
			m.n.c.leaderships = append(m.n.c.leaderships, Leadership{m.shard, m.n.index, term, m.n.c.World.Now(), -1})
		}
		m.losePatience()
	}
	changed := lead != m.lead || term != m.term
	m.role, m.term, m.lead = role, term, lead
	if changed {
		m.replica.Lead(lead, term)
	}
}

// deposed ends what only a leader can finish.
func (m *member) deposed() {
	m.ended()
	for _, done := range append(m.reading, m.next...) {
		done(false)
	}
	m.reading, m.next = nil, nil
}

// ended notes the end of a leadership.
func (m *member) ended() {
	if m.leads() {
		m.n.c.leaderships[m.led].Until = m.n.c.World.Now()
	}
}

// propose appends an entry to the log if this node leads.
func (m *member) propose(entry []byte) (term uint64, err error) {
	if !m.leads() {
		return 0, &replication.NotLeader{Group: replication.Group(m.shard), Leader: replication.Node(m.lead)}
	}
	if err := m.raft.Propose(entry); err != nil {
		return 0, replication.ErrBusy
	}
	return m.term, nil
}

// readIndex waits, at most for timeout, until everything is applied that was
// committed when it was called, if this member still leads.
func (m *member) readIndex(timeout time.Duration) (ok bool) {
	if !m.leads() {
		return false
	}
	m.n.c.World.Park(timeout, func(wake func()) {
		m.next = append(m.next, func(leads bool) { ok = leads; wake() })
		if m.reading == nil {
			m.beginRound()
		}
	})
	return ok
}

func (m *member) beginRound() {
	m.reading, m.next = m.next, nil
	m.round++
	m.raft.ReadIndex(binary.LittleEndian.AppendUint64(nil, m.round))
	m.ready()
}

// confirmed ends a round: what remains is to wait for the state machine.
func (m *member) confirmed(rs raft.ReadState) {
	if m.reading == nil || len(rs.RequestCtx) != 8 || binary.LittleEndian.Uint64(rs.RequestCtx) != m.round {
		return
	}
	done := m.reading
	m.reading = nil
	m.whenApplied(waiter{rs.Index, func() {
		for _, d := range done {
			d(true)
		}
	}})
	if len(m.next) > 0 {
		m.beginRound()
	}
}
