package replication

import (
	"errors"
	"fmt"

	"github.com/stator-db/stator/partition/wal"
)

// Errors of Runtime's methods.
var (
	// ErrStopped means that the group or the runtime has been stopped, or has
	// stopped itself because of a failure, which is then wrapped too.
	ErrStopped = errors.New("replication is stopped")
	// ErrUnknownGroup means that the group has not been started on this node.
	ErrUnknownGroup = errors.New("raft group is not running on this node")
	// ErrRunning means that the group has been started already.
	ErrRunning = errors.New("raft group is already running on this node")
	// ErrBusy means that too many bytes are proposed and not yet applied, or
	// that leadership is being handed over. Nothing was appended; try later.
	ErrBusy = errors.New("raft group takes no more proposals at the moment")
	// ErrTooLarge means that a proposal exceeds MaxProposal.
	ErrTooLarge = errors.New("proposal is too large")
	// ErrDiskFull means that the log cannot be written. Nothing was appended;
	// other nodes may lead.
	ErrDiskFull = wal.ErrDiskFull
	// ErrNotCaughtUp means that a learner cannot be promoted because it is not
	// connected or its log is far behind.
	ErrNotCaughtUp = errors.New("learner has not caught up")
	// ErrChangePending means that another membership change is under way.
	ErrChangePending = errors.New("another membership change is under way")
	// ErrMembersChanged means that the members are not those any more that a
	// change was decided on.
	ErrMembersChanged = errors.New("members of the raft group have changed meanwhile")
	// ErrNotMember means that a change or transfer concerns a node that is not
	// a member, or not in the role that it would have to have.
	ErrNotMember = errors.New("node is not a member of the raft group")
	// ErrLastVoter means that the only voter of a group cannot be removed.
	ErrLastVoter = errors.New("last voter of the raft group cannot be removed")
	// ErrTransfer means that a leadership transfer did not succeed in time.
	ErrTransfer = errors.New("leadership was not taken over")
	// ErrLogLost means that the log does not continue what the state machine
	// has applied, or has lost entries that were acknowledged: this node's
	// replica must be removed from the group and replaced.
	ErrLogLost = errors.New("raft log and state machine do not fit together")
	// ErrMalformed means that a batch of messages or a snapshot cannot be
	// decoded.
	ErrMalformed = errors.New("malformed raft message")
	// ErrSnapshot means that a snapshot was refused: it is older than what the
	// node has, or the group is taking one over already.
	ErrSnapshot = errors.New("snapshot is not wanted")
)

// NotLeader means that this node does not lead the group. Where a method says
// so, its outcome is then unknown.
type NotLeader struct {
	Group Group
	// Leader is the leader as far as this node knows, or 0.
	Leader Node
}

func (e *NotLeader) Error() string {
	if e.Leader == 0 {
		return fmt.Sprintf("not the leader of raft group %d, leader unknown", uint64(e.Group))
	}
	return fmt.Sprintf("not the leader of raft group %d, leader is node %x", uint64(e.Group), uint64(e.Leader))
}
