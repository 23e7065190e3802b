package replication

import "go.etcd.io/raft/v3/raftpb"

// resendBytes is how large an append must be to be worth holding back.
const resendBytes = 16 << 10

// sentAppend is the last append that a peer was sent.
type sentAppend struct {
	term, index uint64 // Index is what comes before its entries
	ticks       int    // when, by group.ticks
}

// repeats reports whether a message sends a peer the same entries once more that it
// was sent a moment ago. Raft does so with every answer to a heartbeat, while it does
// not know what the peer has. A peer that stood still answers at once to all the
// heartbeats that have come meanwhile; to send it all it has missed for each of them
// would keep this node from everything else. An append that was lost is sent again a
// little later. The caller holds g.mu.
func (g *group) repeats(m *raftpb.Message) bool {
	if m.GetType() != raftpb.MsgApp {
		return false
	}
	last := g.sent[m.GetTo()]
	if last.term == m.GetTerm() && last.index == m.GetIndex() && g.ticks-last.ticks < g.rt.config.ElectionTicks/2 && isLarge(m.GetEntries()) {
		return true
	}
	if g.sent == nil {
		g.sent = make(map[uint64]sentAppend)
	}
	g.sent[m.GetTo()] = sentAppend{m.GetTerm(), m.GetIndex(), g.ticks}
	return false
}

func isLarge(entries []*raftpb.Entry) bool {
	size := 0
	for _, e := range entries {
		size += len(e.GetData())
	}
	return size >= resendBytes
}
