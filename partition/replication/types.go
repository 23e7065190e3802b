package replication

import (
	"context"
	"io"
)

// Group names a raft group. It is the same on all nodes and never used again
// for another one.
type Group uint64

// Node names a node for all time: a node that lost its disk is another Node. It
// is neither zero nor one of the two highest values, which raft uses itself.
type Node uint64

// Entry is one position of a group's log. Data is nil where the log holds
// nothing for the state machine: a leader's first entry, a change of members.
// Data must not be changed; it may be kept.
type Entry struct {
	Index, Term uint64
	Data        []byte
}

// StateMachine is what a group replicates. Apply, Snapshot and Restore are
// called by one goroutine at a time; Applied only during Start. Sync may be
// called while Apply runs.
type StateMachine interface {
	// Apply applies entries in the order of their indexes, each index once,
	// also across restarts, without gaps, including those without Data, so that
	// the machine can keep its applied index. The slice is valid during the
	// call only. Apply may block, which after a while stops the group from
	// taking proposals. An error stops the group on this node.
	Apply(entries []Entry) error

	// Applied is the index of the last entry that is in the machine as found
	// on disk, 0 for a new one. It may be lower than what was applied before a
	// crash, but not lower than at the last Sync.
	Applied() uint64

	// Sync makes durable all that was applied before the call. The log under
	// it is dropped afterwards.
	Sync() error

	// Snapshot returns a consistent view of all that has been applied. It may
	// be read while Apply continues.
	Snapshot() (Snapshot, error)

	// Restore replaces everything by the bytes of another machine's Snapshot,
	// taken after it applied index of term. It is atomic: after an error or a
	// crash, the machine is as before or as the snapshot, never between. It is
	// durable when Restore returns nil. An error of rd that is not io.EOF means
	// that the snapshot is incomplete.
	Restore(index, term uint64, rd io.Reader) error
}

// Snapshot is a consistent view of a state machine.
type Snapshot interface {
	// Index is that of the last entry applied to the view.
	Index() uint64
	// WriteTo writes what Restore reads.
	io.WriterTo
	// Close releases the view.
	Close() error
}

// Transport carries messages and snapshots between nodes. It is used by many
// goroutines at once.
type Transport interface {
	// Send hands over a batch for the peer's Runtime.Receive, best effort and
	// without waiting. Batches of one node to another should arrive in the
	// order sent; raft survives if they do not, slowly. A batch has at most
	// MaxProposal bytes and a kilobyte. Send returns false if the batch is
	// certainly lost. The batch must not be kept after return.
	Send(to Node, batch []byte) bool

	// SendSnapshot opens a stream of its own to the peer's
	// Runtime.ReceiveSnapshot, lets write fill it and returns nil once the peer
	// returned nil. The peer must see an error, not io.EOF, unless write
	// returned nil. It ends with ctx, and with an error if the peer takes nothing
	// for long: only Config.MaxSnapshots are sent at a time.
	SendSnapshot(ctx context.Context, to Node, write func(io.Writer) error) error
}

// Observer is told what happens to groups, for one group one call at a time.
// The calls come from the goroutines that drive raft: they must not block and
// may only use those methods of Runtime that say so.
type Observer interface {
	// LeaderChanged reports a group's leader, 0 if there is none or it is not
	// known, and the term.
	LeaderChanged(g Group, leader Node, term uint64)
	// MembersChanged reports the members after a change was applied or a
	// snapshot taken over. The slices are sorted and belong to the receiver.
	MembersChanged(g Group, voters, learners []Node)
	// Removed reports that this node was a member and is none any more. The
	// group goes on to exist here until Runtime.Remove.
	Removed(g Group)
	// Stopped reports that a group stopped because of err: its state machine
	// failed or its log is not what it should be.
	Stopped(g Group, err error)
}

// ChangeKind is a kind of membership change.
type ChangeKind uint8

// Kinds of membership changes.
const (
	// AddLearner adds a member that receives the log and has no vote.
	AddLearner ChangeKind = iota + 1
	// Promote makes a learner that has caught up a voter.
	Promote
	// RemoveMember takes a voter or learner out.
	RemoveMember
	// Demote makes a voter a learner.
	Demote
)

func (k ChangeKind) String() string {
	switch k {
	case AddLearner:
		return "add learner"
	case Promote:
		return "promote"
	case RemoveMember:
		return "remove"
	case Demote:
		return "demote"
	}
	return "unknown change"
}

// Change is one step from one set of members to another.
type Change struct {
	Kind ChangeKind
	Node Node
	// At, if it is not 0, is the Status.ConfIndex of the members that the change
	// was decided on. It is refused if there are others by now.
	At uint64
}
