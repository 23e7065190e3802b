package partition

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/storage"
)

// group is this node's replica of a shard, or of the catalog, in a cluster: the
// state machine under a raft group, and the log for commands proposed here while
// this node leads.
//
// An entry of the log is a command behind the process and the number it was
// proposed under. The proposer finds its own command object by them when the
// entry is applied, and with it whoever waits; everybody else decodes.
type group struct {
	node    *node
	id      replication.Group
	shard   int                                         // -1 for the catalog
	propose func(entry []byte) (term uint64, err error) // appends to the log if this node leads

	applying sync.Mutex // held while the state changes
	applied  uint64     // index of the last entry applied
	replica  atomic.Pointer[replica]
	// incarnation tells two openings of the same state apart: what is kept in
	// memory only begins anew with each.
	incarnation atomic.Uint64
	batch       []*proposal

	mu struct {
		sync.Mutex
		pending     map[uint64]*proposal // by number
		appliedTerm uint64
		leader      replication.Node
		leaderTerm  uint64
	}
	marks struct {
		sync.Mutex
		wanted map[markID]chan markedView
	}
	propagator *propagator // nil for the catalog
	proposals  atomic.Uint64
	reads      readCounts
	acts       atomic.Bool // leads, and has applied an entry of its term
	// begun: it holds the shard as it was at some moment. A replica that has
	// just come here holds nothing until it got a snapshot.
	begun atomic.Bool

	ctx    context.Context // ends when the replica leaves this node
	cancel context.CancelFunc
}

// entryFormat is the version of what an entry of the log holds: format, process
// (8 bytes), number (uvarint), command.
const entryFormat = 1

func (n *node) newGroup(id replication.Group, shard int, s *storage.Shard) (*group, error) {
	g := &group{node: n, id: id, shard: shard}
	g.propose = func(entry []byte) (uint64, error) { return n.runtime.Propose(id, entry) }
	g.mu.pending = make(map[uint64]*proposal)
	if shard >= 0 {
		g.propagator = newPropagator(shard, n.db)
		g.propagator.mu.stopped = true // until this node leads
	}
	if err := g.open(s); err != nil {
		return nil, err
	}
	return g, nil
}

// open makes a shard's database the state of the group.
func (g *group) open(s *storage.Shard) error {
	shards := 0 // the catalog routes nothing
	if c := g.node.topology.record(); c != nil {
		shards = c.Shards
	}
	r, err := openReplica(g.shard, shards, s, g.node.db.opts.GSI)
	if err != nil {
		return err
	}
	if g.propagator != nil {
		r.emit = g.propagator.enqueue
	} else {
		r.emit = func([]outboxEntry) {}
		r.catalogChanged = g.node.catalogChanged
	}
	g.applied = r.seq
	g.begun.Store(r.seq > 0)
	g.incarnation.Store(rand.Uint64())
	g.replica.Store(r)
	return nil
}

// Outcomes that leave no doubt that the command was not and will not be applied.
var errDropped = errors.New("the entry was overtaken by another leader's")

// notApplied reports whether a command that failed so may be proposed again.
func notApplied(err error) bool {
	var notLeader *replication.NotLeader
	return errors.Is(err, errDropped) || errors.As(err, &notLeader) ||
		errors.Is(err, replication.ErrBusy) || errors.Is(err, replication.ErrStopped) ||
		errors.Is(err, replication.ErrUnknownGroup) || errors.Is(err, replication.ErrDiskFull)
}

// proposeAll runs commands through the log if this node leads it. Errors are those of the commands, those that
// notApplied knows, and ErrOutcomeUnknown.
func (g *group) proposeAll(ctx context.Context, cs []command, wait bool) []error {
	errs := make([]error, len(cs))
	prs := make([]*proposal, len(cs))
	numbers := make([]uint64, len(cs))
	for i, c := range cs {
		prs[i], numbers[i], errs[i] = g.submit(ctx, c)
	}
	for i, pr := range prs {
		if pr != nil {
			errs[i] = g.await(ctx, pr, numbers[i], wait)
		}
	}
	return errs
}

// submit hands a command in.
func (g *group) submit(ctx context.Context, c command) (*proposal, uint64, error) {
	if g.propagator != nil && mayChangeIndexes(c) {
		if err := g.propagator.admit(ctx); err != nil {
			return nil, 0, err
		}
	}
	number := g.node.proposals.Add(1)
	g.proposals.Add(1)
	data := make([]byte, 0, 512)
	data = append(data, entryFormat)
	data = binary.BigEndian.AppendUint64(data, g.node.process)
	data = binary.AppendUvarint(data, number)
	data, err := appendCommand(data, c)
	if err != nil {
		return nil, 0, err
	}
	pr := proposals.Get().(*proposal)
	pr.command, pr.err, pr.index, pr.term, pr.sent = c, nil, 0, 0, false
	g.mu.Lock()
	g.mu.pending[number] = pr
	g.mu.Unlock()
	term, err := g.propose(data)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		delete(g.mu.pending, number)
		return nil, 0, err
	}
	if _, undecided := g.mu.pending[number]; undecided {
		if pr.term = term; g.mu.appliedTerm > term {
			delete(g.mu.pending, number)
			return nil, 0, errDropped
		}
	}
	return pr, number, nil
}

// mayChangeIndexes tells a client's commands, which wait while index changes are
// held up, from those that carry them.
func mayChangeIndexes(c command) bool {
	switch c.(type) {
	case *writeCommand, *transactCommand, *prepareCommand, *reindexCommand, *expireCommand:
		return true
	}
	return false
}

// await waits until a command is decided, or ctx ends: its outcome is unknown
// then.
func (g *group) await(ctx context.Context, pr *proposal, number uint64, wait bool) error {
	select {
	case <-pr.wake:
	case <-ctx.Done():
		g.mu.Lock()
		_, undecided := g.mu.pending[number]
		delete(g.mu.pending, number)
		g.mu.Unlock()
		if undecided {
			return fmt.Errorf("%w: %w", ErrOutcomeUnknown, context.Cause(ctx))
		}
		<-pr.wake
	}
	err := pr.err
	pr.command = nil
	if !pr.sent {
		proposals.Put(pr)
		return err
	}
	if wait {
		visible := make(chan struct{})
		go func() {
			pr.outbox.Wait()
			close(visible)
		}()
		select {
		case <-visible:
		case <-ctx.Done(): // committed; its index entries will follow
		}
	}
	return err
}

// Apply implements replication.StateMachine.
func (g *group) Apply(entries []replication.Entry) error {
	g.applying.Lock()
	defer g.applying.Unlock()
	for len(entries) > 0 {
		// The first entry of a term ends the batch: with it a leader begins to act.
		// So does a mark, at which a view may be wanted.
		n := 1
		mark, isMark := markOf(&entries[0])
		for n < len(entries) && entries[n-1].Term == entries[n].Term && n < maxBatch && !isMark {
			mark, isMark = markOf(&entries[n])
			n++
		}
		if entries[0].Term > g.term() && n > 1 {
			n, isMark = 1, false
		}
		if err := g.applyBatch(entries[:n]); err != nil {
			return err
		}
		if isMark {
			g.marked(mark)
		}
		g.reached(entries[n-1].Term)
		entries = entries[n:]
	}
	return nil
}

func (g *group) applyBatch(entries []replication.Entry) error {
	g.batch = g.batch[:0]
	for i := range entries {
		e := &entries[i]
		if len(e.Data) == 0 {
			continue
		}
		pr, err := g.take(e)
		if err != nil {
			return fmt.Errorf("entry %d of group %d: %w", e.Index, g.id, err)
		}
		pr.index = e.Index
		g.batch = append(g.batch, pr)
	}
	r := g.replica.Load()
	if err := g.insist(r, entries); err != nil {
		for _, pr := range g.batch {
			g.decided(pr)
		}
		return err
	}
	g.applied = entries[len(entries)-1].Index
	g.begun.Store(true)
	for _, pr := range g.batch {
		g.decided(pr)
	}
	clear(g.batch)
	return nil
}

// decided wakes whoever waits for a proposal.
func (g *group) decided(pr *proposal) {
	if pr.term == foreign {
		if !pr.sent {
			pr.command, pr.term = nil, 0
			proposals.Put(pr)
		}
		return
	}
	pr.wake <- false
}

// foreign is the term of a proposal that nobody here waits for.
const foreign = ^uint64(0)

// take finds or makes the proposal of an entry.
func (g *group) take(e *replication.Entry) (pr *proposal, err error) {
	if len(e.Data) < 10 || e.Data[0] != entryFormat {
		return nil, fmt.Errorf("%w: entry of unknown format", ErrCorruptRecord)
	}
	number, w := binary.Uvarint(e.Data[9:])
	if w <= 0 {
		return nil, fmt.Errorf("%w: entry without number", ErrCorruptRecord)
	}
	if binary.BigEndian.Uint64(e.Data[1:]) == g.node.process {
		g.mu.Lock()
		pr = g.mu.pending[number]
		delete(g.mu.pending, number)
		g.mu.Unlock()
		if pr != nil {
			return pr, nil
		}
	}
	c, err := decodeCommand(e.Data[9+w:])
	if err != nil {
		return nil, err
	}
	pr = proposals.Get().(*proposal)
	pr.command, pr.err, pr.term = c, nil, foreign
	return pr, nil
}

// insist applies the batch, which entries are the origin of. What is in the log has
// happened, so on a full disk it waits for space. Clients do not, and another replica
// should lead meanwhile.
func (g *group) insist(r *replica, entries []replication.Entry) error {
	for first := true; ; first = false {
		err := r.apply(g.batch)
		if !errors.Is(err, storage.ErrDiskFull) {
			return err
		}
		// What was committed before the disk was full is not applied again.
		for len(g.batch) > 0 && g.batch[0].index <= r.seq {
			g.decided(g.batch[0])
			g.batch = g.batch[1:]
		}
		if first {
			g.node.db.log.Error("waiting for disk space to apply what was decided", "group", g.id, "error", err)
			g.node.spaceless.Add(1)
			defer g.node.spaceless.Add(-1)
			if err := g.abandon(entries, err); err != nil {
				return err
			}
		}
		g.node.runtime.HandOver(g.id)
		timer := time.NewTimer(diskFullPause)
		select {
		case <-timer.C:
		case <-g.node.ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// abandon tells those who wait for proposals of the batch that their outcome is
// unknown. The commands are theirs, so the batch goes on with what the log holds.
func (g *group) abandon(entries []replication.Entry, reason error) error {
	byIndex := make(map[uint64]*replication.Entry, len(entries))
	for i := range entries {
		byIndex[entries[i].Index] = &entries[i]
	}
	for i, pr := range g.batch {
		if pr.term == foreign {
			continue
		}
		stranger, err := g.take(byIndex[pr.index]) // it is pending no more
		if err != nil {
			return err
		}
		stranger.index = pr.index
		g.batch[i] = stranger
		pr.err, pr.sent = fmt.Errorf("%w: %w", ErrOutcomeUnknown, reason), false
		pr.wake <- false
	}
	return nil
}

func (g *group) term() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mu.appliedTerm
}

// reached notes that an entry of a term was applied. Terms only grow along a
// log: what was proposed in a lower one and is not applied by now never will be.
func (g *group) reached(term uint64) {
	g.mu.Lock()
	if term <= g.mu.appliedTerm {
		g.mu.Unlock()
		return
	}
	g.mu.appliedTerm = term
	for number, pr := range g.mu.pending {
		if pr.term != 0 && pr.term < term {
			delete(g.mu.pending, number)
			pr.err = errDropped
			pr.wake <- false
		}
	}
	begin := g.mu.leader == g.node.id && g.mu.leaderTerm == term
	g.mu.Unlock()
	if begin {
		g.beginActing()
	}
}

// leaderChanged is told by the runtime.
func (g *group) leaderChanged(leader replication.Node, term uint64) {
	g.mu.Lock()
	g.mu.leader, g.mu.leaderTerm = leader, term
	begin := leader == g.node.id && g.mu.appliedTerm == term
	g.mu.Unlock()
	switch {
	case begin:
		go func() { // not here: this is raft's goroutine
			g.applying.Lock()
			defer g.applying.Unlock()
			if g.leads() {
				g.beginActing()
			}
		}()
	case leader != g.node.id:
		g.endActing()
	}
}

func (g *group) leads() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mu.leader == g.node.id && g.mu.appliedTerm == g.mu.leaderTerm
}

// beginActing makes this node the one that carries this shard's index changes,
// sweeps it and finishes its transactions. The caller holds applying, so that no
// change is carried twice or left out.
func (g *group) beginActing() {
	if g.acts.Load() {
		return
	}
	if g.propagator != nil {
		if err := g.propagator.resume(g.replica.Load().shard); err != nil {
			g.node.db.fail(fmt.Errorf("reading the outbox of shard %d: %w", g.shard, err))
			return
		}
	}
	if g.propagator == nil {
		g.node.catalogGained()
	}
	g.acts.Store(true)
	if !g.leads() { // lost meanwhile, when leaderChanged had nothing to end yet
		g.endActing()
	}
}

// endActing undoes beginActing, once.
func (g *group) endActing() {
	switch {
	case !g.acts.Swap(false):
	case g.propagator != nil:
		g.propagator.abandon()
	default:
		g.node.catalogLost()
	}
}

// discard ends the group after its replica was removed from this node. What was
// proposed here and is not decided may yet be, by the others.
func (g *group) discard() {
	g.endActing()
	g.cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.giveUpPending()
}

// giveUpPending tells those who wait that nobody here will know what became of
// their proposals. The caller holds mu.
func (g *group) giveUpPending() {
	for number, pr := range g.mu.pending {
		delete(g.mu.pending, number)
		pr.err = ErrOutcomeUnknown
		pr.wake <- false
	}
}

// Applied implements replication.StateMachine.
func (g *group) Applied() uint64 {
	g.applying.Lock()
	defer g.applying.Unlock()
	return g.applied
}

// Sync implements replication.StateMachine. The log below the applied index is
// dropped afterwards, so that index must be in the database even if the last
// entries changed nothing.
func (g *group) Sync() error {
	g.applying.Lock()
	r := g.replica.Load()
	err := r.persist(g.applied)
	g.applying.Unlock()
	if err != nil {
		return err
	}
	return r.shard.Sync()
}

// persist stores the index of the last entry applied.
func (r *replica) persist(index uint64) error {
	if index == r.seq {
		return nil
	}
	b := r.shard.NewBatch()
	defer b.Discard()
	if err := b.Set(appliedKey, binary.BigEndian.AppendUint64(nil, index)); err != nil {
		return err
	}
	if err := b.Commit(); err != nil {
		return err
	}
	r.seq = index
	r.applied.Store(index)
	return nil
}

// groupSnapshot is the state of a group at one index.
type groupSnapshot struct {
	index    uint64
	snapshot *storage.Snapshot
	done     chan struct{} // closed to end the view
	ended    chan error
}

// Snapshot implements replication.StateMachine.
func (g *group) Snapshot() (replication.Snapshot, error) {
	g.applying.Lock()
	defer g.applying.Unlock()
	r := g.replica.Load()
	if err := r.persist(g.applied); err != nil {
		return nil, err
	}
	return g.view()
}

// view opens a view of the state as it is. The caller holds applying.
func (g *group) view() (*groupSnapshot, error) {
	s := &groupSnapshot{index: g.applied, done: make(chan struct{}), ended: make(chan error, 1)}
	ready := make(chan struct{})
	shard := g.replica.Load().shard
	go func() {
		s.ended <- shard.View(func(snap *storage.Snapshot) error {
			s.snapshot = snap
			close(ready)
			<-s.done
			return nil
		})
	}()
	select {
	case <-ready:
		return s, nil
	case err := <-s.ended:
		return nil, err
	}
}

func (s *groupSnapshot) Index() uint64                      { return s.index }
func (s *groupSnapshot) WriteTo(w io.Writer) (int64, error) { return s.snapshot.WriteTo(w) }

func (s *groupSnapshot) Close() error {
	close(s.done)
	return <-s.ended
}

// Restore implements replication.StateMachine.
func (g *group) Restore(index, term uint64, rd io.Reader) error {
	g.applying.Lock()
	defer g.applying.Unlock()
	s, err := g.node.pool.Receive(uint64(g.id), rd)
	if err != nil {
		return err
	}
	g.missedMarks()
	if err := g.open(s); err != nil {
		return err
	}
	if g.applied != index {
		return fmt.Errorf("%w: snapshot of index %d holds index %d", ErrCorruptRecord, index, g.applied)
	}
	if g.shard < 0 {
		if err := g.node.readCatalog(s); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.appliedTerm = max(g.mu.appliedTerm, term)
	g.giveUpPending() // the snapshot may hold them or not
	return nil
}
