package replication

import (
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
)

// shadow is one of two groups under which the log remembers the position of a
// snapshot that is being restored, see ReceiveSnapshot.
func shadow(g Group, slot int) uint64 { return uint64(g) | 1<<(62+slot) }

// maxGroup is the highest number of a group.
const maxGroup = 1<<62 - 1

// storage is what raft reads: the group's part of the log, with snapshots of the
// state machine.
type storage struct {
	*wal.Group
	g *group
	// commit is what is known to be committed because the state machine has
	// applied it, at start.
	commit uint64
}

// InitialState implements raft.Storage. The log does not sync the commit index,
// so after a crash the state machine can be ahead of it.
func (s *storage) InitialState() (*raftpb.HardState, *raftpb.ConfState, error) {
	hs, cs, err := s.Group.InitialState()
	if err == nil && hs != nil && hs.GetCommit() < s.commit {
		hs.Commit = &s.commit
	}
	return hs, cs, err
}

// Snapshot implements raft.Storage with the position of the state machine. When
// the snapshot is sent, it may be ahead of this one, which raft allows.
func (s *storage) Snapshot() (*raftpb.Snapshot, error) {
	if int(s.g.rt.sending.Load()) >= s.g.rt.config.MaxSnapshots {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	s.g.apply.mu.Lock()
	conf := s.g.apply.conf
	s.g.apply.mu.Unlock()
	index, term := s.g.progress.get()
	if conf == nil || index == 0 {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	return &raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{ConfState: conf, Index: &index, Term: &term}}, nil
}

// begin writes the first position of a new group: as if all voters had received
// a snapshot of an empty state machine at index 1 of term 1.
func begin(log *wal.Log, g Group, voters []Node) error {
	cs := &raftpb.ConfState{Voters: nodeIDs(voters)}
	return log.Append([]wal.Write{{
		Group:     uint64(g),
		Snapshot:  &raftpb.SnapshotMetadata{ConfState: cs, Index: new(uint64(1)), Term: new(uint64(1))},
		HardState: &raftpb.HardState{Term: new(uint64(1)), Vote: new(uint64(0)), Commit: new(uint64(1))},
	}})
}

// retire leaves nothing of a group in the log but the term that its replica here
// knew of, and whom it voted for in it.
func retire(log *wal.Log, id Group) error {
	if !log.Known(uint64(id)) {
		return nil
	}
	g := log.Group(uint64(id))
	hs, _, err := g.InitialState()
	if err != nil {
		return err
	}
	if hs == nil {
		return log.Remove(uint64(id))
	}
	return log.Append([]wal.Write{{
		Group:     uint64(id),
		Snapshot:  &raftpb.SnapshotMetadata{ConfState: &raftpb.ConfState{}, Index: new(uint64), Term: new(uint64)},
		HardState: &raftpb.HardState{Term: new(hs.GetTerm()), Vote: new(hs.GetVote()), Commit: new(uint64)},
	}})
}

// retired reports whether a group holds no more than retire leaves.
func retired(g *wal.Group) bool {
	last, err := g.LastIndex()
	return err == nil && last == 0
}

// reconcile makes the log fit to a state machine that has applied up to applied.
// It fails with ErrLogLost if they do not belong together.
func reconcile(log *wal.Log, id Group, applied uint64) error {
	if err := finishRestore(log, id, applied); err != nil {
		return err
	}
	g := log.Group(uint64(id))
	first, err := g.FirstIndex()
	if err != nil {
		return err
	}
	last, err := g.LastIndex()
	if err != nil {
		return err
	}
	// A new state machine has applied nothing, though its log begins at 2.
	if base := first - 1; applied < base && base > 1 {
		return fmt.Errorf("%w: raft group %d: log begins behind %d, state machine is at %d", ErrLogLost, uint64(id), base, applied)
	}
	if applied > last {
		return fmt.Errorf("%w: raft group %d: log ends at %d, state machine is at %d", ErrLogLost, uint64(id), last, applied)
	}
	return nil
}

// finishRestore does what a crash kept ReceiveSnapshot or raft from doing: if the
// state machine has become a snapshot, the log has to continue it.
func finishRestore(log *wal.Log, id Group, applied uint64) error {
	var latest *wal.Group
	var index uint64
	for slot := range 2 {
		s := log.Group(shadow(id, slot))
		i, err := s.LastIndex()
		if err != nil {
			return err
		}
		if i > index && i <= applied {
			latest, index = s, i
		}
	}
	if latest != nil {
		if err := restoreLog(log, id, latest, index); err != nil {
			return err
		}
	}
	return errors.Join(log.Remove(shadow(id, 0)), log.Remove(shadow(id, 1)))
}

// restoreLog makes a group's log contain the position index of s, as raft does
// with a snapshot: what it drops was never committed, or is in the snapshot.
func restoreLog(log *wal.Log, id Group, s *wal.Group, index uint64) error {
	g := log.Group(uint64(id))
	_, cs, err := s.InitialState()
	if err != nil {
		return err
	}
	term, err := s.Term(index)
	if err != nil {
		return err
	}
	w := wal.Write{Group: uint64(id)}
	t, err := g.Term(index)
	switch {
	case errors.Is(err, raft.ErrCompacted) || err == nil && t == term:
		if g.ConfIndex() >= index {
			return nil
		}
		w.ConfState, w.ConfIndex = cs, index
	case err == nil || errors.Is(err, raft.ErrUnavailable):
		hs, _, err := g.InitialState()
		if err != nil {
			return err
		}
		w.Snapshot = &raftpb.SnapshotMetadata{ConfState: cs, Index: &index, Term: &term}
		w.HardState = &raftpb.HardState{Term: new(hs.GetTerm()), Vote: new(hs.GetVote()), Commit: &index}
		if hs.GetTerm() < term {
			w.HardState.Term, w.HardState.Vote = &term, new(uint64(0))
		}
	default:
		return err
	}
	return log.Append([]wal.Write{w})
}

func nodeIDs(ns []Node) []uint64 {
	ids := make([]uint64, len(ns))
	for i, n := range ns {
		ids[i] = uint64(n)
	}
	slices.Sort(ids)
	return ids
}

func nodesOf(ids ...[]uint64) []Node {
	var ns []Node
	for _, list := range ids {
		for _, id := range list {
			ns = append(ns, Node(id))
		}
	}
	slices.Sort(ns)
	return slices.Compact(ns)
}
