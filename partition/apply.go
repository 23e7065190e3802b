package partition

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/stator-db/stator/storage"
)

// application is a batch of commands being applied. A command stages its
// mutations; they move to the transaction together, or not at all.
type application struct {
	r     *replica
	b     *storage.Batch
	arena arena
	seq   uint64 // sequence of the command being applied, version of what it writes

	// staged by the current command
	mutations []mutation
	deltas    []statsDelta
	outgoing  []outboxEntry
	records   uint16 // stream records

	// in the open transaction
	start   uint64 // r.seq before it
	entries int
	dirty   []statsTotal
	sent    []outboxEntry
	schemas []schemaChange
	moved   []receivedTo
	locks   []lockChange
	catalog []catalogChange
	deletes bool // an item was deleted
	// forgotten selects counts to drop from memory with the commit.
	forgotten []func(statsID) bool
}

// A mutation sets a key, or deletes it if value is nil.
type mutation struct{ key, value []byte }

// statsDelta changes counts, statsTotal is their new value.
type (
	statsDelta struct {
		id           statsID
		items, bytes int64
	}
	statsTotal struct {
		id statsID
		counts
	}
)

func (a *application) set(key, value []byte) { a.mutations = append(a.mutations, mutation{key, value}) }
func (a *application) delete(key []byte)     { a.mutations = append(a.mutations, mutation{key, nil}) }

// latest reads a record as the current command has left it, nil for none. It
// looks through what the command staged, so it is for the rare command that
// touches a key more than once.
func (a *application) latest(key []byte) ([]byte, error) {
	for i := len(a.mutations) - 1; i >= 0; i-- {
		if bytes.Equal(a.mutations[i].key, key) {
			return a.mutations[i].value, nil
		}
	}
	value, _, err := a.b.Get(key)
	return value, err
}

func (a *application) count(table uint32, index uint16, items, bytes int64) {
	if items != 0 || bytes != 0 {
		a.deltas = append(a.deltas, statsDelta{statsID{table, index}, items, bytes})
	}
}

// What is kept in memory of the database changes with the commit: a schema (nil
// for a dropped table) and the position reached in another shard's outbox.
type (
	schemaChange struct {
		id    uint32
		table *Table
	}
	receivedTo struct {
		source int
		seq    uint64
	}
)

// errFull: the command does not fit into the open transaction any more.
var errFull = errors.New("transaction is full")

// apply runs a batch of commands and commits what they changed, in one
// transaction unless it grows too large for one. Outcomes are left in the
// proposals. An error is the database's: every proposal of the transaction that
// failed carries it, and nothing of that transaction took effect.
func (r *replica) apply(batch []*proposal) error {
	a := &r.app
	a.begin(r)
	first := 0 // first proposal of the open transaction
	for i := 0; i < len(batch); i++ {
		p := batch[i]
		fatal := a.run(p)
		if fatal != nil {
			a.abandon()
			return failBatch(batch[first:], fatal)
		}
		if !errors.Is(p.err, errFull) {
			continue
		}
		if a.entries == 0 {
			p.err = ErrWriteTooLarge
			continue
		}
		if err := a.commit(); err != nil {
			return failBatch(batch[first:], err)
		}
		a.begin(r)
		first = i
		i-- // once more, in the new transaction
	}
	if err := a.commit(); err != nil {
		return failBatch(batch[first:], err)
	}
	return nil
}

func failBatch(batch []*proposal, err error) error {
	for _, p := range batch {
		p.err = err
	}
	return err
}

func (a *application) begin(r *replica) {
	a.r = r
	a.b = r.shard.NewBatch()
	a.start = r.seq
}

// run applies one command. Its own failure is left in the proposal and changes
// nothing; a returned error is fatal to the whole transaction.
func (a *application) run(p *proposal) (fatal error) {
	a.seq = a.r.seq + 1
	if p.index != 0 {
		a.seq = p.index
	}
	p.sent = false
	a.mutations, a.deltas, a.outgoing, a.records = a.mutations[:0], a.deltas[:0], a.outgoing[:0], 0
	schemas, moved, locks, forgotten, catalog := len(a.schemas), len(a.moved), len(a.locks), len(a.forgotten), len(a.catalog)
	undo := func() {
		a.schemas, a.moved = a.schemas[:schemas], a.moved[:moved]
		a.locks, a.forgotten, a.catalog = a.locks[:locks], a.forgotten[:forgotten], a.catalog[:catalog]
	}
	if p.err = a.evaluate(p.command); p.err != nil {
		undo()
		return nil //nolint:nilerr // the proposal has it
	}
	if len(a.mutations) == 0 && len(a.outgoing) == 0 {
		return nil
	}
	for i := range a.outgoing {
		e := &a.outgoing[i]
		e.waiting = &p.outbox
		e.seq = a.seq<<outboxPartBits | uint64(i)
		a.set(outboxKey(e.dest, e.seq), e.changes)
	}
	// Room for the closing records of the transaction is asked for as well.
	closing := len(a.dirty) + len(a.deltas) + 1
	cost := int64(closing) * a.b.Cost(len(statsKey(0, 0)), 2*binary.MaxVarintLen64)
	for _, m := range a.mutations {
		cost += a.b.Cost(len(m.key), len(m.value))
	}
	if !a.b.Fits(len(a.mutations)+closing, cost) {
		undo()
		p.err = errFull
		return nil
	}
	for _, m := range a.mutations {
		var err error
		if m.value == nil {
			err = a.b.Delete(m.key)
		} else {
			err = a.b.Set(m.key, m.value)
		}
		if err != nil {
			return fmt.Errorf("shard %d: %w", a.r.id, err)
		}
	}
	for _, match := range a.forgotten[forgotten:] {
		a.dirty = slices.DeleteFunc(a.dirty, func(t statsTotal) bool { return match(t.id) })
	}
	for _, d := range a.deltas {
		a.total(d)
	}
	a.sent = append(a.sent, a.outgoing...)
	p.sent = len(a.outgoing) > 0
	a.entries += len(a.mutations)
	a.r.seq = a.seq
	return nil
}

// evaluate lets a command stage its mutations. Whoever leads the log runs the
// commands of others, so a panic in one becomes its error.
func (a *application) evaluate(c command) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("shard %d: command %T panicked: %v\n%s", a.r.id, c, p, debug.Stack())
		}
	}()
	return c.apply(a)
}

// total adds a delta to the totals of the open transaction.
func (a *application) total(d statsDelta) {
	for i := range a.dirty {
		if a.dirty[i].id == d.id {
			a.dirty[i].items += d.items
			a.dirty[i].bytes += d.bytes
			return
		}
	}
	c := a.r.stats.counts[d.id] // only apply writes the map, so reading needs no lock here
	a.dirty = append(a.dirty, statsTotal{d.id, counts{c.items + d.items, c.bytes + d.bytes}})
}

// commit writes the counts and the applied index beside the mutations and
// commits them together. Then, and only then, they show in memory.
func (a *application) commit() error {
	if a.entries == 0 {
		a.abandon()
		return nil
	}
	if a.deletes {
		a.r.lastDelete.Store(a.r.seq) // before it can be seen: look relies on it
	}
	err := a.finish()
	if hook := a.r.hooks.commit; hook != nil && err == nil {
		err = hook()
	}
	if err == nil {
		err = a.b.Commit()
	}
	if err != nil {
		a.abandon()
		return fmt.Errorf("shard %d: %w", a.r.id, err)
	}
	if hook := a.r.hooks.committed; hook != nil {
		hook()
	}
	if len(a.dirty)+len(a.forgotten) > 0 {
		a.r.stats.Lock()
		for _, match := range a.forgotten {
			maps.DeleteFunc(a.r.stats.counts, func(id statsID, _ counts) bool { return match(id) })
		}
		for _, t := range a.dirty {
			a.r.stats.counts[t.id] = t.counts
		}
		a.r.stats.Unlock()
	}
	for _, c := range a.schemas {
		if c.table == nil {
			delete(a.r.tables, c.id)
		} else {
			a.r.tables[c.id] = c.table
		}
	}
	for _, m := range a.moved {
		a.r.received[m.source] = m.seq
	}
	for _, l := range a.locks {
		if l.tx == nil {
			delete(a.r.locks, l.key)
		} else {
			a.r.locks[l.key] = *l.tx
		}
	}
	if len(a.catalog) > 0 && a.r.catalogChanged != nil {
		a.r.catalogChanged(a.catalog)
	}
	a.r.applied.Store(a.r.seq)
	if len(a.sent) > 0 {
		a.r.emit(a.sent)
	}
	a.end()
	return nil
}

func (a *application) finish() error {
	for _, t := range a.dirty {
		value := binary.AppendVarint(binary.AppendVarint(nil, t.items), t.bytes)
		if err := a.b.Set(statsKey(t.id.table, t.id.index), value); err != nil {
			return err
		}
	}
	return a.b.Set(appliedKey, binary.BigEndian.AppendUint64(nil, a.r.seq))
}

// abandon gives the transaction up; the replica is as it was before it.
func (a *application) abandon() {
	a.b.Discard()
	a.r.seq = a.start
	a.end()
}

func (a *application) end() {
	a.b = nil
	a.entries = 0
	a.dirty, a.sent = a.dirty[:0], a.sent[:0]
	a.schemas, a.moved, a.forgotten = a.schemas[:0], a.moved[:0], a.forgotten[:0]
	a.locks, a.catalog, a.deletes = a.locks[:0], nil, false
	clear(a.mutations[:cap(a.mutations)])
	clear(a.outgoing[:cap(a.outgoing)])
}

// arena hands out memory for keys and values in chunks, so that they need no
// allocation each. Memory is never handed out twice: a chunk goes to the garbage
// collector with the last transaction that used it.
type arena struct{ free []byte }

const arenaChunk = 64 << 10

// grab returns an empty slice with room for n bytes. Whoever appended to it
// gives it to keep before the next grab.
func (m *arena) grab(n int) []byte {
	if cap(m.free) < n {
		m.free = make([]byte, 0, max(arenaChunk, n))
	}
	return m.free[:0]
}

// keep makes a grabbed and appended-to slice permanent.
func (m *arena) keep(b []byte) []byte {
	if cap(b) == cap(m.free) { // still in the chunk, not moved by append
		m.free = m.free[len(b):len(b)]
	}
	return b[:len(b):len(b)]
}
