package partition

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// maxBatch is how many commands share one commit at most. Beyond it the gain of
// sharing is gone and the first command of a batch waits for too many others.
const maxBatch = 256

// A shardLog puts the commands of a shard in an order and has them applied.
type shardLog interface {
	// propose runs a command through the log and returns its outcome once it is
	// committed. With wait, it also returns only after the global index entries
	// the command changed on other shards are visible.
	propose(ctx context.Context, c command, wait bool) error
	// proposeAll does the same for several commands, which share commits as far
	// as they go, and returns the outcome of each.
	proposeAll(ctx context.Context, cs []command, wait bool) []error
	// close refuses further commands and waits for those under way.
	close()
}

// A proposal is a command on its way through a shard's log, with its outcome.
type proposal struct {
	command command
	err     error
	// outbox is held while index changes of this command are not yet visible on
	// the shards they were sent to.
	outbox sync.WaitGroup
	// index is the command's place in a replicated log, 0 in a pipeline; term is
	// that in which it was accepted there.
	index, term uint64
	sent        bool // there are index changes for other shards
	// wake receives true to lead the next batch and false when decided.
	wake chan bool
}

var proposals = sync.Pool{New: func() any { return &proposal{wake: make(chan bool, 1)} }}

// pipeline is the log of a shard on a single node: it puts commands in an order
// and applies them in batches (group commit).
//
// There is no writer goroutine. The first to propose leads: it applies its own
// command together with all that queued up meanwhile, then hands the lead to
// the first that is waiting. A lone client commits without a goroutine switch
// of ours, and under load a batch is whatever arrived during the last commit.
type pipeline struct {
	r *replica

	mu struct {
		sync.Mutex
		queue  []*proposal
		led    bool // somebody is applying
		closed bool
		idle   *sync.Cond // signalled when led turns false
	}
	batch []*proposal // the leader's
}

func newPipeline(r *replica) *pipeline {
	p := &pipeline{r: r}
	p.mu.idle = sync.NewCond(&p.mu.Mutex)
	return p
}

// propose never gives up a command that was queued, so it needs no context.
func (p *pipeline) propose(_ context.Context, c command, wait bool) error {
	pr := proposals.Get().(*proposal)
	pr.command, pr.err = c, nil
	if !p.run(pr) {
		return ErrClosed
	}
	return pr.outcome(wait)
}

func (p *pipeline) proposeAll(_ context.Context, cs []command, wait bool) []error {
	errs := make([]error, len(cs))
	prs := make([]*proposal, len(cs))
	for i, c := range cs {
		prs[i] = proposals.Get().(*proposal)
		prs[i].command, prs[i].err = c, nil
	}
	open := p.run(prs...)
	for i, pr := range prs {
		if open {
			errs[i] = pr.outcome(wait)
		} else {
			errs[i] = ErrClosed
		}
	}
	return errs
}

// outcome gives a decided proposal back and returns its error.
func (pr *proposal) outcome(wait bool) error {
	err := pr.err
	pr.command = nil
	if wait {
		pr.outbox.Wait()
		proposals.Put(pr) // its outbox is empty, so nobody else holds it
	}
	return err
}

// run queues proposals and returns when all are decided, false if the log is
// closed.
func (p *pipeline) run(prs ...*proposal) bool {
	p.mu.Lock()
	if p.mu.closed {
		p.mu.Unlock()
		return false
	}
	p.r.proposals.Add(uint64(len(prs)))
	p.mu.queue = append(p.mu.queue, prs...)
	if !p.mu.led {
		p.mu.led = true
		p.lead(prs[0])
		prs = prs[1:]
	} else {
		p.mu.Unlock()
	}
	for _, pr := range prs {
		if lead := <-pr.wake; lead {
			p.mu.Lock()
			p.lead(pr)
		}
	}
	return true
}

// lead applies one batch, which holds the leader's own proposal as its first,
// and passes the lead on. It is entered with the lock held and leaves without.
func (p *pipeline) lead(own *proposal) {
	n := min(len(p.mu.queue), maxBatch)
	p.batch = append(p.batch[:0], p.mu.queue[:n]...)
	rest := copy(p.mu.queue, p.mu.queue[n:])
	clear(p.mu.queue[rest:])
	p.mu.queue = p.mu.queue[:rest]
	p.mu.Unlock()

	p.apply()

	for _, pr := range p.batch {
		if pr != own {
			pr.wake <- false
		}
	}
	clear(p.batch)

	p.mu.Lock()
	if len(p.mu.queue) > 0 {
		p.mu.queue[0].wake <- true
	} else {
		p.mu.led = false
		p.mu.idle.Broadcast()
	}
	p.mu.Unlock()
}

// apply runs the leader's batch. Errors are in the proposals they concern. A
// panic leaves the shard's batch open, so that all later ones fail; here it must
// not keep the lead from being handed on.
func (p *pipeline) apply() {
	defer func() {
		if v := recover(); v != nil {
			_ = failBatch(p.batch, fmt.Errorf("shard %d: panic in a commit: %v\n%s", p.r.id, v, debug.Stack()))
		}
	}()
	_ = p.r.apply(p.batch)
}

func (p *pipeline) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.closed = true
	for p.mu.led {
		p.mu.idle.Wait()
	}
}
