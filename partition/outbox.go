package partition

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stator-db/stator/storage"
)

// GSIMode says when a write is acknowledged with respect to global indexes.
type GSIMode uint8

// GSISync acknowledges a write when its global index entries are visible, as
// people expect of a local database. GSIEventual acknowledges before, as the
// service does, and lets entries lag.
const (
	GSISync GSIMode = iota
	GSIEventual
)

// An outboxEntry is the changes one command makes to global index entries of one
// shard. It is durable in the source shard from the command's commit until the
// destination has applied it.
type outboxEntry struct {
	dest    int
	seq     uint64 // of the command, and behind it the entry's number in the command
	changes []byte // see appendChange
	waiting *sync.WaitGroup
	at      time.Time // when it was committed
}

// outboxPartBits is the room for the number of an entry within its command.
const outboxPartBits = 16

// maxEntrySize is where a command's changes for a shard go on in another entry:
// so one holds hardly more than the change of the largest item. maxDelivery bounds
// what one command delivers.
const (
	maxEntrySize = 512 << 10
	maxDelivery  = 1 << 20
)

// maxBacklog bounds the index changes of a shard that are under way, in
// bytes. Writers wait while there are more.
const maxBacklog = 64 << 20

// propagator carries the outbox of one shard to the others, in order, so that
// every change is applied exactly once and the changes of an item in the order
// of its versions.
type propagator struct {
	source int
	db     *DB
	lag    time.Duration

	mu struct {
		sync.Mutex
		queue   []outboxEntry
		bytes   int
		wakeup  chan struct{} // buffered: there is something in the queue
		room    chan struct{} // closed and replaced when the backlog shrinks
		stopped bool
		ended   bool // nobody runs it any more, whoever leads
	}
}

func newPropagator(source int, db *DB) *propagator {
	g := &propagator{source: source, db: db, lag: db.opts.GSILag}
	g.mu.wakeup = make(chan struct{}, 1)
	g.mu.room = make(chan struct{})
	return g
}

// enqueue takes committed entries over. It never blocks: it is called by the
// leader of the source's log, which the propagator itself may be waiting for.
func (g *propagator) enqueue(entries []outboxEntry) {
	now := time.Time{}
	if g.lag > 0 {
		now = time.Now()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range entries {
		if g.mu.stopped {
			continue // it stays in the outbox and is sent at the next start
		}
		e.at = now
		if e.waiting != nil {
			e.waiting.Add(1)
		}
		g.mu.queue = append(g.mu.queue, e)
		g.mu.bytes += len(e.changes)
	}
	select {
	case g.mu.wakeup <- struct{}{}:
	default:
	}
}

// admit waits until the backlog is small enough for another write.
func (g *propagator) admit(ctx context.Context) error {
	for {
		g.mu.Lock()
		full, room := g.mu.bytes > maxBacklog, g.mu.room
		g.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-g.db.jobs.ctx.Done():
			return ErrClosed
		}
	}
}

// admit waits until a shard takes another write. In a cluster its leader does so.
func (db *DB) admit(ctx context.Context, shard int) error {
	if db.node != nil {
		return nil
	}
	return db.propagators[shard].admit(ctx)
}

// load puts what a crash or shutdown left in the outbox into the queue. waiting
// is held until it is delivered.
func (g *propagator) load(s *storage.Shard, waiting *sync.WaitGroup) error {
	var left []outboxEntry
	err := s.View(func(s *storage.Snapshot) error {
		return scanKind(s, kindOutbox, func(key, value []byte) error {
			if len(key) != 11 {
				return fmt.Errorf("%w: outbox entry under key %x", ErrCorruptRecord, key)
			}
			left = append(left, outboxEntry{
				dest:    int(binary.BigEndian.Uint16(key[1:])),
				seq:     binary.BigEndian.Uint64(key[3:]),
				changes: bytes.Clone(value),
				waiting: waiting,
			})
			return nil
		})
	})
	if err != nil {
		return err
	}
	g.enqueue(left)
	return nil
}

// resume begins to carry a shard's outbox on this node: everything that is there
// and, from here on, what is committed.
func (g *propagator) resume(s *storage.Shard) error {
	g.mu.Lock()
	g.mu.stopped = g.mu.ended
	g.mu.Unlock()
	return g.load(s, nil)
}

// run carries entries until ctx ends and the queue is empty, or something fails.
func (g *propagator) run(ctx context.Context) {
	for {
		batch := g.take()
		if len(batch) == 0 {
			select {
			case <-g.mu.wakeup:
				continue
			case <-ctx.Done():
			}
			g.mu.Lock()
			done := len(g.mu.queue) == 0
			g.mu.ended = done
			g.mu.stopped = g.mu.stopped || done
			g.mu.Unlock()
			if done {
				return
			}
			continue
		}
		g.delay(ctx, batch[len(batch)-1].at)
		err := g.deliver(batch)
		if err != nil {
			g.db.fail(fmt.Errorf("propagating index changes of shard %d: %w", g.source, err))
			g.settle(batch)
			g.end()
			return
		}
		g.settle(batch)
	}
}

// delay waits until the configured lag after an entry's commit is over.
func (g *propagator) delay(ctx context.Context, committed time.Time) {
	if g.lag == 0 || committed.IsZero() {
		return
	}
	timer := time.NewTimer(time.Until(committed.Add(g.lag)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// take removes what is to be sent next: with a lag only entries of about the
// same age, so that none waits for a younger one.
func (g *propagator) take() []outboxEntry {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, size := 0, 0
	for n < min(len(g.mu.queue), maxBatch) {
		e := &g.mu.queue[n]
		size += len(e.changes)
		if n > 0 && (size > maxDelivery || g.lag > 0 && e.at.Sub(g.mu.queue[0].at) > time.Millisecond) {
			break
		}
		n++
	}
	// The queue moves on in its memory, for copying what remains would cost its
	// square; append makes a new one, of what is left, at its end.
	batch := slices.Clone(g.mu.queue[:n])
	clear(g.mu.queue[:n])
	g.mu.queue = g.mu.queue[n:]
	return batch
}

// deliver applies a batch on its destinations and then trims it from the outbox.
func (g *propagator) deliver(batch []outboxEntry) error {
	byDest := make(map[int][]outboxEntry)
	for _, e := range batch {
		byDest[e.dest] = append(byDest[e.dest], e)
	}
	dests := slices.Sorted(maps.Keys(byDest))
	errs := make([]error, len(dests))
	g.db.together(len(dests), func(i int) {
		c := &receiveCommand{source: g.source, entries: byDest[dests[i]]}
		errs[i] = g.db.insist(g.db.jobs.ctx, g.db.logs[dests[i]], c, true)
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return g.db.insist(g.db.jobs.ctx, g.db.logs[g.source], &trimCommand{batch}, true)
}

// settle lets waiting writers go and makes room for others.
func (g *propagator) settle(batch []outboxEntry) {
	g.mu.Lock()
	for _, e := range batch {
		g.mu.bytes -= len(e.changes)
	}
	close(g.mu.room)
	g.mu.room = make(chan struct{})
	g.mu.Unlock()
	for _, e := range batch {
		if e.waiting != nil {
			e.waiting.Done()
		}
	}
}

// abandon releases everybody who waits; the entries remain in the outbox.
func (g *propagator) abandon() {
	g.mu.Lock()
	left := g.mu.queue
	g.mu.queue, g.mu.stopped = nil, true
	g.mu.Unlock()
	g.settle(left)
}

// end has nothing carried any more on this node.
func (g *propagator) end() {
	g.mu.Lock()
	g.mu.ended = true
	g.mu.Unlock()
	g.abandon()
}

// received is how much of another shard's outbox has been applied, here or in the
// open transaction: two leaders of the source, one after the other, may send the
// same.
func (a *application) received(source int) uint64 {
	for i := len(a.moved) - 1; i >= 0; i-- {
		if a.moved[i].source == source {
			return a.moved[i].seq
		}
	}
	return a.r.received[source]
}

// receiveCommand applies index changes that another shard's outbox carries.
type receiveCommand struct {
	source  int
	entries []outboxEntry // ascending sequence
}

func (c *receiveCommand) apply(a *application) error {
	before := a.received(c.source)
	position := before
	for _, e := range c.entries {
		if e.seq <= position {
			continue // delivered before, but not trimmed at the source
		}
		err := eachChange(e.changes, func(table uint32, index uint16, ch change) error {
			t := a.schema(table)
			if t == nil {
				return nil // dropped meanwhile
			}
			ix := t.indexByID(index)
			if ix == nil || ix.Status == IndexDeleting {
				return nil
			}
			return a.change(t, ix, ch)
		})
		if err != nil {
			return err
		}
		position = e.seq
	}
	if position != before {
		a.set(receivedKey(c.source), binary.BigEndian.AppendUint64(nil, position))
		a.moved = append(a.moved, receivedTo{c.source, position})
	}
	return nil
}

// trimCommand removes delivered entries from the outbox.
type trimCommand struct{ entries []outboxEntry }

func (c *trimCommand) apply(a *application) error {
	for _, e := range c.entries {
		a.delete(outboxKey(e.dest, e.seq))
	}
	return nil
}
