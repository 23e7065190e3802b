package replication

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
)

// A snapshot's stream begins with a header, little endian:
//
//	magic "STSN", version 1, length uint32 of the rest, rest:
//	uvarints: group, leader's term, index, term of index,
//	  4 * (count, node*): voters, learners, outgoing voters, next learners,
//	auto leave as byte, CRC-32C of the header so far
//
// What follows is what the state machine wrote.
const (
	snapshotMagic   = "STSN"
	snapshotVersion = 1
	// maxSnapshotHeader bounds a header, and with it the number of members.
	maxSnapshotHeader = 64 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// snapshotHeader is the position of a snapshot.
type snapshotHeader struct {
	group Group
	// leaderTerm is that of the leader who sends it.
	leaderTerm  uint64
	index, term uint64
	conf        *raftpb.ConfState
}

func (h *snapshotHeader) metadata() *raftpb.SnapshotMetadata {
	return &raftpb.SnapshotMetadata{ConfState: h.conf, Index: &h.index, Term: &h.term}
}

func (h *snapshotHeader) encode() []byte {
	b := append([]byte(snapshotMagic), snapshotVersion, 0, 0, 0, 0)
	for _, v := range []uint64{uint64(h.group), h.leaderTerm, h.index, h.term} {
		b = binary.AppendUvarint(b, v)
	}
	for _, list := range [][]uint64{h.conf.GetVoters(), h.conf.GetLearners(), h.conf.GetVotersOutgoing(), h.conf.GetLearnersNext()} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, id := range list {
			b = binary.AppendUvarint(b, id)
		}
	}
	var auto byte
	if h.conf.GetAutoLeave() {
		auto = 1
	}
	b = append(b, auto)
	binary.LittleEndian.PutUint32(b[5:], uint32(len(b)-9+4))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func readSnapshotHeader(rd io.Reader) (*snapshotHeader, error) {
	b := make([]byte, 9)
	if _, err := io.ReadFull(rd, b); err != nil {
		return nil, fmt.Errorf("header of a snapshot: %w", err)
	}
	n := binary.LittleEndian.Uint32(b[5:])
	if string(b[:4]) != snapshotMagic || b[4] != snapshotVersion || n < 4 || n > maxSnapshotHeader {
		return nil, fmt.Errorf("%w: not a snapshot of version %d", ErrMalformed, snapshotVersion)
	}
	b = append(b, make([]byte, n)...)
	if _, err := io.ReadFull(rd, b[9:]); err != nil {
		return nil, fmt.Errorf("header of a snapshot: %w", err)
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, fmt.Errorf("%w: checksum of a snapshot's header", ErrMalformed)
	}
	d := wireDecoder{b: body[9:]}
	h := &snapshotHeader{group: Group(d.uvarint()), leaderTerm: d.uvarint(), index: d.uvarint(), term: d.uvarint(), conf: &raftpb.ConfState{}}
	for _, list := range []*[]uint64{&h.conf.Voters, &h.conf.Learners, &h.conf.VotersOutgoing, &h.conf.LearnersNext} {
		for n := d.uvarint(); n > 0 && !d.bad; n-- {
			*list = append(*list, d.uvarint())
		}
	}
	if d.byte() != 0 {
		h.conf.AutoLeave = new(true)
	}
	if d.bad || len(d.b) > 0 || h.index == 0 || h.term == 0 || len(h.conf.Voters) == 0 {
		return nil, fmt.Errorf("%w: header of a snapshot", ErrMalformed)
	}
	return h, nil
}

// sendSnapshot sends the state machine's snapshot to a peer in a goroutine of its
// own and tells raft how that ended. The caller holds g.mu.
func (g *group) sendSnapshot(to Node, term uint64) {
	report := func(status raft.SnapshotStatus) {
		g.post(func(in *inbox) {
			in.calls = append(in.calls, func() { g.node.ReportSnapshot(uint64(to), status) })
		})
	}
	if int(g.rt.sending.Add(1)) > g.rt.config.MaxSnapshots {
		g.rt.sending.Add(-1)
		report(raft.SnapshotFailure)
		return
	}
	g.tasks.Go(func() {
		err := g.streamSnapshot(to, term)
		g.rt.sending.Add(-1)
		if err != nil {
			if g.ctx.Err() == nil {
				g.log.Warn("raft snapshot not sent", "to", fmt.Sprintf("%x", uint64(to)), "error", err)
			}
			report(raft.SnapshotFailure)
			return
		}
		g.rt.sent.Add(1)
		report(raft.SnapshotFinish)
	})
}

func (g *group) streamSnapshot(to Node, leaderTerm uint64) error {
	if err := g.acquire(g.ctx); err != nil {
		return err
	}
	index, term := g.progress.get()
	g.apply.mu.Lock()
	conf := g.apply.conf
	g.apply.mu.Unlock()
	snap, err := g.sm.Snapshot()
	g.trim.pin(index)
	defer g.trim.unpin(index)
	g.release()
	if err != nil {
		return err
	}
	defer snap.Close()
	if snap.Index() != index || conf == nil {
		return fmt.Errorf("snapshot of the state machine is at %d, it has applied up to %d", snap.Index(), index)
	}
	g.log.Info("raft snapshot is sent", "to", fmt.Sprintf("%x", uint64(to)), "index", index)
	h := snapshotHeader{group: g.id, leaderTerm: leaderTerm, index: index, term: term, conf: conf}
	return g.rt.config.Transport.SendSnapshot(g.ctx, to, func(w io.Writer) error {
		if _, err := w.Write(h.encode()); err != nil {
			return err
		}
		_, err := snap.WriteTo(w)
		return err
	})
}

// ReceiveSnapshot takes the stream of a Transport.SendSnapshot. It returns when
// the state machine has been replaced. rd must return io.EOF only at the end that
// the sender made.
//
// The state machine is replaced before raft hears of the snapshot, so raft may
// refuse it, since a newer leader is there, or get past it with entries; then the
// state machine is ahead and skips entries. The position is remembered by the log
// before, under a group of its own, so that a crash in between does not leave a
// state machine that the log does not continue. There are two of them, since the
// last position may still be needed if this snapshot breaks off. They cost nothing
// and stay until the next start.
func (r *Runtime) ReceiveSnapshot(ctx context.Context, from Node, rd io.Reader) error {
	h, err := readSnapshotHeader(rd)
	if err != nil {
		return err
	}
	g, err := r.group(h.group)
	if err != nil {
		return err
	}
	if !isMember(h.conf, r.config.Node) {
		return fmt.Errorf("%w: this node is not a member in it", ErrSnapshot)
	}
	if err := g.wantsSnapshot(h); err != nil {
		return err
	}
	if !g.apply.restoring.CompareAndSwap(false, true) {
		return fmt.Errorf("%w: another one is being received", ErrSnapshot)
	}
	defer g.apply.restoring.Store(false)
	if err := g.acquire(ctx); err != nil {
		return err
	}
	defer g.release()
	if g.apply.broken {
		return fmt.Errorf("%w: state machine has failed", ErrStopped)
	}
	if h.index > g.apply.index {
		if err := g.restore(h, rd); err != nil {
			return fmt.Errorf("restore raft group %d at %d: %w", uint64(h.group), h.index, err)
		}
		r.restored.Add(1)
		g.log.Info("raft snapshot has been restored", "from", fmt.Sprintf("%x", uint64(from)), "index", h.index)
	}
	g.post(func(in *inbox) {
		in.local = append(in.local, &raftpb.Message{
			Type:     raftpb.MsgSnap.Enum(),
			From:     (*uint64)(&from),
			To:       (*uint64)(&r.config.Node),
			Term:     &h.leaderTerm,
			Snapshot: &raftpb.Snapshot{Metadata: h.metadata()},
		})
	})
	return nil
}

// wantsSnapshot refuses what raft would refuse now, before much is read.
func (g *group) wantsSnapshot(h *snapshotHeader) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.halted {
		return g.stopped()
	}
	st := g.node.BasicStatus()
	if h.leaderTerm < st.GetTerm() || h.index <= st.GetCommit() {
		return fmt.Errorf("%w: it is at %d, sent in term %d, this node knows of %d in term %d",
			ErrSnapshot, h.index, h.leaderTerm, st.GetCommit(), st.GetTerm())
	}
	return nil
}

// groupReader ends with an error when the group is stopped.
type groupReader struct {
	g  *group
	rd io.Reader
}

func (r groupReader) Read(b []byte) (int, error) {
	if r.g.ctx.Err() != nil {
		return 0, r.g.stopped()
	}
	return r.rd.Read(b)
}

// restore replaces the state machine. The caller has acquired it.
func (g *group) restore(h *snapshotHeader, rd io.Reader) error {
	slot := 1 - g.apply.slot
	err := g.rt.wal.Append([]wal.Write{{Group: shadow(g.id, slot), Snapshot: h.metadata()}})
	if err != nil {
		if errors.Is(err, wal.ErrFailed) {
			g.rt.fail(fmt.Errorf("write-ahead log: %w", err))
		}
		return err
	}
	if err := g.sm.Restore(h.index, h.term, groupReader{g, rd}); err != nil {
		return err
	}
	g.apply.index, g.apply.slot = h.index, slot
	g.apply.mu.Lock()
	g.apply.conf = h.conf
	g.apply.mu.Unlock()
	g.appliedTerm.Store(h.term)
	g.trim.start(h.index)
	g.progress.advance(h.index, h.term)
	return nil
}
