package replication

// Role is what a member is in its group at the moment.
type Role uint8

// Roles.
const (
	Follower Role = iota
	Candidate
	Leader
	Learner
)

func (r Role) String() string {
	switch r {
	case Follower:
		return "follower"
	case Candidate:
		return "candidate"
	case Leader:
		return "leader"
	case Learner:
		return "learner"
	}
	return "unknown"
}

// Status is a group as one of its members sees it.
type Status struct {
	Group  Group
	Role   Role
	Term   uint64
	Leader Node // 0 if not known

	// First and Last are the indexes of the first and last entry of the
	// durable log; it is empty if Last is First-1. Commit is the last index
	// known to be committed, Applied the last one in the state machine.
	First, Last, Commit, Applied uint64

	Voters, Learners []Node // ascending
	// ConfIndex is the index of the entry that made them the members. It is the
	// same on all nodes. Changing says that another change is under way here.
	ConfIndex uint64
	Changing  bool

	// Peers are the other members as the leader sees them, by ascending Node;
	// empty elsewhere.
	Peers []Peer

	// InFlight is the number of bytes proposed here and not applied yet.
	InFlight int64
	// Restoring says that a snapshot is being received.
	Restoring bool
	// Err is why the group has stopped, or nil.
	Err error
}

// Peer is what a leader knows of a member.
type Peer struct {
	Node    Node
	Learner bool
	// Match is the last index known to be durable there, Next the one to send
	// next.
	Match, Next uint64
	// State is probe, replicate or snapshot.
	State string
	// Active says that it was heard of within the last election timeout.
	Active bool
	// PendingSnapshot is the index of the snapshot it is being sent, or 0.
	PendingSnapshot uint64
}
