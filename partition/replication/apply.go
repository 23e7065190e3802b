package replication

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.etcd.io/raft/v3/raftpb"
)

// applyQueue is what a group's state machine has to do.
type applyQueue struct {
	mu sync.Mutex
	// messages are raft's requests to apply. Raft bounds their bytes.
	messages []*raftpb.Message
	// conf is the configuration at the state machine's position, nil while it
	// is not known.
	conf *raftpb.ConfState

	listed    bool // guarded by the appliers' lock
	restoring atomic.Bool

	// lock holds a value while somebody uses the state machine; what follows
	// belongs to that one.
	lock   chan struct{}
	index  uint64
	slot   int // of the last snapshot restored
	broken bool
	run    []Entry
}

// appliers are the goroutines that apply: as many as there are groups with
// entries to apply, up to max, so that a state machine that blocks does not hold
// up others; none when there is nothing to do.
type appliers struct {
	max int
	wg  sync.WaitGroup

	mu      sync.Mutex
	queue   []*group
	running int
	closed  bool
}

func (a *appliers) add(g *group) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || g.apply.listed {
		return
	}
	g.apply.listed = true
	a.queue = append(a.queue, g)
	if a.running < a.max {
		a.running++
		a.wg.Go(a.work)
	}
}

func (a *appliers) work() {
	for {
		a.mu.Lock()
		if len(a.queue) == 0 || a.closed {
			a.running--
			a.mu.Unlock()
			return
		}
		g := a.queue[0]
		n := copy(a.queue, a.queue[1:])
		a.queue[n] = nil
		a.queue = a.queue[:n]
		g.apply.listed = false
		a.mu.Unlock()
		g.applySome()
	}
}

func (a *appliers) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.wg.Wait()
}

func (g *group) enqueueApply(m *raftpb.Message) {
	g.apply.mu.Lock()
	g.apply.messages = append(g.apply.messages, m)
	g.apply.mu.Unlock()
	g.rt.appliers.add(g)
}

// applySome applies what there is, unless somebody else uses the state machine,
// who then calls release.
func (g *group) applySome() {
	select {
	case g.apply.lock <- struct{}{}:
	default:
		return
	}
	defer g.release()
	g.apply.mu.Lock()
	messages := g.apply.messages
	g.apply.messages = nil
	g.apply.mu.Unlock()
	if g.apply.broken || g.ctx.Err() != nil {
		return
	}
	if err := g.applyMessages(messages); err != nil {
		g.apply.broken = true
		if g.ctx.Err() == nil {
			g.fail(err)
		}
	}
}

// acquire waits until nobody uses the state machine.
func (g *group) acquire(ctx context.Context) error {
	select {
	case g.apply.lock <- struct{}{}:
		return nil
	case <-g.ctx.Done():
		return g.stopped()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// release lets others use the state machine.
func (g *group) release() {
	<-g.apply.lock
	g.apply.mu.Lock()
	more := len(g.apply.messages) > 0
	g.apply.mu.Unlock()
	if more {
		g.rt.appliers.add(g)
	}
}

// applyMessages applies the entries of messages and tells raft. The state machine
// gets them in as few calls as possible: a call ends before a change of members,
// which has to be remembered by the log first.
func (g *group) applyMessages(messages []*raftpb.Message) error {
	for _, m := range messages {
		for _, e := range m.GetEntries() {
			entry := Entry{Index: e.GetIndex(), Term: e.GetTerm(), Data: e.GetData()}
			if e.GetType() != raftpb.EntryNormal {
				if err := g.applyRun(); err != nil {
					return err
				}
				if err := g.applyConf(e); err != nil {
					return err
				}
				entry.Data = nil
			}
			if len(entry.Data) == 0 {
				entry.Data = nil
			}
			// A snapshot may have brought the state machine beyond raft.
			if entry.Index > g.apply.index {
				g.apply.run = append(g.apply.run, entry)
			}
		}
	}
	if err := g.applyRun(); err != nil {
		return err
	}
	g.post(func(in *inbox) {
		for _, m := range messages {
			in.local = append(in.local, m.GetResponses()...)
		}
	})
	return nil
}

// applyRun applies g.apply.run and empties it.
func (g *group) applyRun() error {
	run := g.apply.run
	if len(run) == 0 {
		return nil
	}
	if first := run[0].Index; first != g.apply.index+1 {
		return fmt.Errorf("%w: raft group %d: entry %d behind %d", ErrLogLost, uint64(g.id), first, g.apply.index)
	}
	if err := g.sm.Apply(run); err != nil {
		return fmt.Errorf("apply raft group %d at %d: %w", uint64(g.id), run[0].Index, err)
	}
	last := run[len(run)-1]
	g.apply.index = last.Index
	g.appliedTerm.Store(last.Term)
	g.progress.advance(last.Index, last.Term)
	var bytes, own int64
	term := g.leaderTerm.Load()
	for i := range run {
		n := int64(len(run[i].Data))
		bytes += n + entryOverhead
		if run[i].Term == term {
			own += n
		}
	}
	if own > 0 {
		g.flow.applied(own, term)
	}
	if g.trim.note(last.Index, bytes, &g.rt.config) {
		g.rt.housekeeper.add(g)
	}
	clear(run)
	g.apply.run = run[:0]
	return nil
}

// applyConf has raft change the members and waits until the log remembers it.
func (g *group) applyConf(e *raftpb.Entry) error {
	done := make(chan *raftpb.ConfState, 1)
	g.post(func(in *inbox) {
		in.calls = append(in.calls, func() {
			g.switchConf(e, func(cs *raftpb.ConfState) { done <- cs })
		})
	})
	select {
	case cs := <-done:
		// A snapshot may have brought the state machine, and with it conf,
		// beyond this entry.
		if e.GetIndex() > g.apply.index {
			g.apply.mu.Lock()
			g.apply.conf = cs
			g.apply.mu.Unlock()
		}
		return nil
	case <-g.ctx.Done():
		return g.stopped()
	}
}
