package replication

import (
	"context"
	"io"
)

// Runtime drives the raft groups of a node. Its methods may be called by many
// goroutines at once; those that an Observer may call say so.
type Runtime struct{ config Config }

// Open opens the write-ahead log in Config.Dir. No group runs before Start.
func Open(c Config) (*Runtime, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &Runtime{config: c}, nil
}

// Groups returns the groups that the log knows, running or not, ascending.
func (r *Runtime) Groups() []Group { return nil }

// Start starts a group with its state machine. A group that the log knows is
// continued, whatever first says; ErrLogLost if machine and log do not fit
// together. An unknown group begins with the voters first, which must be the
// same on all of them, or, if first is empty, waits without a vote until a leader
// adds it and sends it a snapshot.
func (r *Runtime) Start(g Group, sm StateMachine, first []Node) error { return ErrStopped }

// Propose appends data to the group's log on the leader and returns the term of
// the entry. It does not wait until it is committed. The state machine sees the
// outcome: it applies the entry, or, if the entry is lost, sooner or later one of
// a higher term; from then on this one is never applied. data must not be
// changed until then.
//
// Errors, with which nothing was appended: *NotLeader, ErrBusy, ErrTooLarge,
// ErrDiskFull, ErrUnknownGroup, ErrStopped.
func (r *Runtime) Propose(g Group, data []byte) (term uint64, err error) { return 0, ErrStopped }

// ReadIndex waits on the leader until the state machine has applied everything
// that was committed when it was called, so that a read after it is
// linearizable, and returns the index up to which it had to wait.
//
// Errors: *NotLeader, ErrUnknownGroup, ErrStopped, that of ctx.
func (r *Runtime) ReadIndex(ctx context.Context, g Group) (index uint64, err error) {
	return 0, ErrStopped
}

// WaitApplied waits until the state machine has applied index. Errors:
// ErrUnknownGroup, ErrStopped, that of ctx.
func (r *Runtime) WaitApplied(ctx context.Context, g Group, index uint64) error { return ErrStopped }

// Leader returns the group's leader, 0 if not known. It takes no locks and may
// be called by an Observer.
func (r *Runtime) Leader(g Group) Node { return 0 }

// IsLeader returns the term in which this node leads the group, and whether it
// does and has applied an entry of that term, so that its state machine holds
// all that was acknowledged by leaders before. It takes no locks and may be
// called by an Observer.
func (r *Runtime) IsLeader(g Group) (term uint64, ok bool) { return 0, false }

// Status returns the state of a group, a zero one if it is not running.
func (r *Runtime) Status(g Group) Status { return Status{} }

// Transfer makes a voter leader in this node's place and waits for it. Errors:
// *NotLeader, ErrNotMember, ErrTransfer, ErrUnknownGroup, ErrStopped, that of ctx.
func (r *Runtime) Transfer(ctx context.Context, g Group, to Node) error { return ErrStopped }

// ChangeMembers changes the members by one step, on the leader, and returns when
// it is applied there. A change that is in effect already is no error.
//
// Errors: ErrChangePending, ErrNotCaughtUp, ErrNotMember, ErrBusy, ErrDiskFull,
// ErrUnknownGroup, with which nothing happened; *NotLeader, ErrStopped and that
// of ctx, with which it may still happen.
func (r *Runtime) ChangeMembers(ctx context.Context, g Group, c Change) error { return ErrStopped }

// Stop stops a group and waits until its state machine is not used any more. The
// log stays; Start continues it. It is no error if the group is not running.
func (r *Runtime) Stop(g Group) {}

// Remove stops a group and forgets its log.
func (r *Runtime) Remove(g Group) error { return ErrStopped }

// Receive takes a batch that another node's Runtime handed to Transport.Send. It
// does not block and does not keep the batch. ErrMalformed if it cannot be decoded
// to its end.
func (r *Runtime) Receive(from Node, batch []byte) error { return ErrStopped }

// ReceiveSnapshot takes the stream of a Transport.SendSnapshot. It returns when
// the state machine has been replaced. rd must return io.EOF only at the end that
// the sender made.
func (r *Runtime) ReceiveSnapshot(ctx context.Context, from Node, rd io.Reader) error {
	return ErrStopped
}

// Close stops all groups and closes the log. It waits for calls of state machines
// to return. It may be called more than once.
func (r *Runtime) Close() error { return nil }
