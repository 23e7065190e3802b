package replication

import (
	"sync"

	"go.etcd.io/raft/v3/raftpb"
)

const (
	// maxInboxBytes and maxInboxMessages bound what other nodes can make a group
	// hold. More is dropped, as the network may do, too.
	maxInboxBytes    = 48 << 20
	maxInboxMessages = 8192
	// maxTicks is how many ticks a group makes up for when its workers were
	// late. Others are lost: after a pause, it should listen before it campaigns.
	maxTicks = 2
)

// inbox is what a group has to do next.
type inbox struct {
	ticks int
	// local are responses of the group's own log and state machine. There are
	// never more than raft has handed out.
	local []*raftpb.Message
	// remote are messages of other nodes, of remoteBytes bytes.
	remote      []*raftpb.Message
	remoteBytes int
	// lost are peers that a batch with entries could not be sent to.
	lost []Node
	// calls run on the goroutine that drives raft.
	calls     []func()
	proposals []*proposal
	// reads is the next round of reads, which callers may join until it begins.
	reads *waiter
}

func (in *inbox) unreachable(peer Node) {
	for _, n := range in.lost {
		if n == peer {
			return
		}
	}
	in.lost = append(in.lost, peer)
}

// receive takes a message of a peer unless there are too many.
func (in *inbox) receive(m *raftpb.Message, size int) {
	if len(in.remote) >= maxInboxMessages || in.remoteBytes+size > maxInboxBytes {
		return
	}
	in.remote = append(in.remote, m)
	in.remoteBytes += size
}

// mailbox is the inbox that is being filled. Its lock is held for moments only,
// never while raft works.
type mailbox struct {
	mu     sync.Mutex
	inbox  inbox
	closed bool
}

// post adds to the group's inbox and has a worker look at it. It returns false if
// the group has stopped.
func (g *group) post(add func(*inbox)) bool {
	g.mail.mu.Lock()
	if g.mail.closed {
		g.mail.mu.Unlock()
		return false
	}
	add(&g.mail.inbox)
	g.mail.mu.Unlock()
	g.rt.sched.notify(g)
	return true
}

// collect exchanges the filled inbox with the emptied one that raft has worked
// off. A round of reads stays until the one before has ended.
func (g *group) collect(in *inbox) {
	clear(in.local)
	clear(in.remote)
	clear(in.calls)
	clear(in.proposals)
	*in = inbox{
		local:     in.local[:0],
		remote:    in.remote[:0],
		lost:      in.lost[:0],
		calls:     in.calls[:0],
		proposals: in.proposals[:0],
	}
	g.mail.mu.Lock()
	defer g.mail.mu.Unlock()
	*in, g.mail.inbox = g.mail.inbox, *in
	if g.reading != nil {
		in.reads, g.mail.inbox.reads = nil, in.reads
	}
}

// seal closes the mailbox and returns what was in it.
func (g *group) seal() inbox {
	g.mail.mu.Lock()
	defer g.mail.mu.Unlock()
	g.mail.closed = true
	in := g.mail.inbox
	g.mail.inbox = inbox{}
	return in
}
