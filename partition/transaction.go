package partition

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// Transactions that write (TransactWriteItems).
//
// All items on one shard: one command, atomic like any other. Several shards:
// two phases with presumed abort.
//
//  1. Each shard is sent a prepareCommand. It evaluates its writes against the
//     current items and, if all may take effect, keeps an intent (the writes'
//     outcomes) and locks their items. From here on other writes of a locked
//     item fail with ErrTransactionConflict; nobody waits for a lock, so there
//     are no deadlocks.
//  2. If every shard is prepared, a commitCommand on the coordinator, the shard
//     of the first write, stores the decision in its ledger together with its
//     own part. That commit decides the transaction. The other shards are sent
//     their commitCommand; each applies its intent and releases its locks.
//     Otherwise the prepared shards are sent an abortCommand.
//
// After a crash, an intent whose coordinator has the transaction in its ledger
// is committed, any other aborted (resolveTransactions). So a transaction takes
// effect everywhere or nowhere, and no lock stays behind.
//
// A part that is too large for one commit, which many index entries with small
// values can be, is committed item by item: the items not yet reached are still
// locked, and the intents that are left say what is to be done. A transaction
// of one shard that is too large takes the two phases, too.
//
// A read sees the last committed item and never waits.

// ErrTransactionConflict refuses a write of an item that a transaction holds.
var ErrTransactionConflict = errors.New("item is held by a transaction")

// TransactionCanceled is the outcome of a transaction of which nothing took
// effect.
type TransactionCanceled struct {
	// Reasons has one entry for each action in order; nil for one that would
	// have succeeded.
	Reasons []error
}

func (e *TransactionCanceled) Error() string {
	return fmt.Sprintf("transaction canceled: %v", errors.Join(e.Reasons...))
}

// TransactResult tells what a transaction did.
type TransactResult struct {
	// Results has one entry for each action. Of a replayed transaction only the
	// sizes are known.
	Results []WriteResult
	// Replayed: the token was used before with the same parameters, and nothing
	// was done now.
	Replayed bool
}

// txID names a transaction.
type txID [16]byte

// TransactWrite applies all writes or none. No two may concern the same item.
//
// With a token, a transaction that succeeded is not repeated for
// TokenRetention. Errors: *TransactionCanceled, ErrIdempotentMismatch,
// ErrTransactionInProgress, ErrTableNotFound, and those of DB.Write that are
// not about one item.
func (db *DB) TransactWrite(ctx context.Context, ws []*Write, token *IdempotencyToken) (TransactResult, error) {
	if err := db.enter(); err != nil {
		return TransactResult{}, err
	}
	defer db.jobs.leave()
	if token != nil {
		if !db.inFlight.enter(token.Key) {
			return TransactResult{}, ErrTransactionInProgress
		}
		defer db.inFlight.leave(token.Key)
		result, found, err := db.replay(token)
		if found || err != nil {
			return result, err
		}
	}
	tx := transaction{db: db, id: txID(uuid.New()), token: token, ws: ws, results: make([]WriteResult, len(ws))}
	now := db.Now()
	byShard := make(map[int]int)
	for i, w := range ws {
		w.at = now
		shard := db.shardOfItem(w.Table, w.Item)
		n, seen := byShard[shard]
		if !seen {
			n = len(tx.parts)
			byShard[shard] = n
			tx.parts = append(tx.parts, txPart{shard: shard})
		}
		tx.parts[n].at = append(tx.parts[n].at, i)
	}
	for _, p := range tx.parts {
		if err := db.propagators[p.shard].admit(ctx); err != nil {
			return TransactResult{}, err
		}
	}
	err := ErrWriteTooLarge
	if len(tx.parts) == 1 {
		err = tx.runAlone()
	}
	if errors.Is(err, ErrWriteTooLarge) {
		err = tx.runTwoPhase()
	}
	if err == nil {
		err = db.usable()
	}
	return TransactResult{Results: tx.results}, err
}

// transaction is a TransactWrite under way.
type transaction struct {
	db      *DB
	id      txID
	token   *IdempotencyToken
	ws      []*Write
	parts   []txPart // by shard, the coordinator's first
	results []WriteResult
}

// txPart is what a transaction does on one shard.
type txPart struct {
	shard int
	at    []int // positions of its writes
}

func (tx *transaction) writes(p txPart) []*Write {
	ws := make([]*Write, len(p.at))
	for n, i := range p.at {
		ws[n] = tx.ws[i]
	}
	return ws
}

// propose runs a part's command, waiting for indexes as configured.
func (tx *transaction) propose(p txPart, c command) error {
	return tx.db.logs[p.shard].propose(c, tx.db.opts.GSI == GSISync)
}

func (tx *transaction) runAlone() error {
	c := transactCommand{writes: tx.ws, results: tx.results}
	if tx.token != nil {
		c.token = &tokenRecord{IdempotencyToken: *tx.token, at: tx.ws[0].at}
	}
	return tx.propose(tx.parts[0], &c)
}

func (tx *transaction) runTwoPhase() error {
	coordinator := tx.parts[0].shard
	errs := tx.everyPart(tx.parts, func(p txPart) error {
		return tx.propose(p, &prepareCommand{id: tx.id, coordinator: coordinator, writes: tx.writes(p)})
	})
	if err := tx.verdict(errs); err != nil {
		var prepared []txPart
		for n, p := range tx.parts {
			if errs[n] == nil {
				prepared = append(prepared, p)
			}
		}
		aborted := tx.everyPart(prepared, func(p txPart) error { return tx.db.insist(p.shard, &abortCommand{tx.id}, true) })
		return tx.broken(err, aborted)
	}

	decision := tx.commit(tx.parts[0])
	decision.decides, decision.parts = true, len(tx.parts)
	if tx.token != nil {
		decision.token = &tokenRecord{IdempotencyToken: *tx.token, at: tx.ws[0].at}
		decision.token.sizes = make([]int, len(tx.ws))
	}
	if decision.token != nil {
		// Sizes of all parts are known once all are prepared; the record must
		// have them, for it is what a replay is accounted by.
		for i := range tx.ws {
			decision.token.sizes[i] = tx.ws[i].size
		}
	}
	if err := tx.db.commitPart(coordinator, decision); err != nil {
		// Undecided: the prepared shards learn at the next start what became of it.
		tx.db.fail(fmt.Errorf("deciding a transaction: %w", err))
		return err
	}
	tx.collect(tx.parts[0], decision.results)
	others := tx.parts[1:]
	committed := tx.everyPart(others, func(p txPart) error {
		c := tx.commit(p)
		err := tx.db.commitPart(p.shard, c)
		if err == nil {
			tx.collect(p, c.results)
		}
		return err
	})
	if err := tx.broken(nil, committed); err != nil {
		return err
	}
	tx.db.ledger.done(coordinator, tx.id)
	return nil
}

// commit is a part's second phase.
func (tx *transaction) commit(p txPart) *commitCommand {
	return &commitCommand{id: tx.id, count: len(p.at), writes: tx.writes(p), results: make([]WriteResult, len(p.at))}
}

// commitPart runs the second phase of a part, in as many commits as it takes.
// The first of them decides.
func (db *DB) commitPart(shard int, c *commitCommand) error {
	wait := db.opts.GSI == GSISync
	err := db.insist(shard, c, wait)
	if !errors.Is(err, ErrWriteTooLarge) {
		return err
	}
	for n := range c.count {
		step := *c
		step.from, step.count = n, 1
		if n > 0 {
			step.decides, step.token = false, nil
		}
		if err := db.insist(shard, &step, wait); err != nil {
			return err
		}
	}
	return nil
}

// everyPart runs fn for each part side by side.
func (tx *transaction) everyPart(parts []txPart, fn func(p txPart) error) []error {
	errs := make([]error, len(parts))
	var all sync.WaitGroup
	for n, p := range parts {
		all.Go(func() { errs[n] = fn(p) })
	}
	all.Wait()
	return errs
}

// verdict merges the outcomes of the prepare phase, nil if all are prepared.
func (tx *transaction) verdict(errs []error) error {
	reasons := make([]error, len(tx.ws))
	canceled := false
	for n, err := range errs {
		var c *TransactionCanceled
		switch {
		case errors.As(err, &c):
			canceled = true
			for k, i := range tx.parts[n].at {
				reasons[i] = c.Reasons[k]
			}
		case err != nil:
			return err
		}
	}
	if canceled {
		return &TransactionCanceled{reasons}
	}
	return nil
}

// broken makes it known if a shard could not be told the verdict: its locks
// stay until the next start, so the database must not go on as if nothing were.
func (tx *transaction) broken(verdict error, errs []error) error {
	if err := errors.Join(errs...); err != nil {
		tx.db.fail(fmt.Errorf("finishing a transaction: %w", err))
		return err
	}
	return verdict
}

func (tx *transaction) collect(p txPart, results []WriteResult) {
	for n, i := range p.at {
		tx.results[i] = results[n]
	}
}

// decideAll evaluates the writes of one transaction on one shard. A
// *TransactionCanceled has a reason for at least one of them.
func (a *application) decideAll(writes []*Write) ([]decision, error) {
	decisions, reasons := make([]decision, len(writes)), make([]error, len(writes))
	canceled := false
	for i, w := range writes {
		t := a.schema(w.Table.ID)
		if t == nil {
			return nil, ErrTableNotFound
		}
		err := w.Fault
		if err == nil {
			decisions[i], err = a.decide(t, w)
		}
		if err != nil {
			if !isReason(err) {
				return nil, err
			}
			reasons[i], canceled = err, true
		}
	}
	if canceled {
		return nil, &TransactionCanceled{reasons}
	}
	return decisions, nil
}

// isReason tells what is wrong with one action from what is wrong with the database.
func isReason(err error) bool {
	return !errors.Is(err, ErrCorruptRecord) && !errors.Is(err, storage.ErrCorrupt) && !errors.Is(err, storage.ErrClosed)
}

// transactCommand is a transaction of one shard.
type transactCommand struct {
	writes  []*Write
	results []WriteResult
	token   *tokenRecord // nil without
}

func (c *transactCommand) apply(a *application) error {
	decisions, err := a.decideAll(c.writes)
	if err != nil {
		return err
	}
	for i, d := range decisions {
		c.results[i] = WriteResult{}
		if err := a.store(d, &c.results[i]); err != nil {
			return err
		}
	}
	if c.token != nil {
		c.token.sizes = c.token.sizes[:0]
		for _, r := range c.results {
			c.token.sizes = append(c.token.sizes, max(r.OldSize, r.NewSize, 0))
		}
		a.remember(c.token)
	}
	return nil
}

// lockChange takes (tx set) or releases a lock with the open transaction.
type lockChange struct {
	key string
	tx  *txID
}

// locked reports whether a transaction holds the item.
func (a *application) locked(key []byte) bool {
	if len(a.locks) == 0 && len(a.r.locks) == 0 {
		return false
	}
	for i := len(a.locks) - 1; i >= 0; i-- {
		if a.locks[i].key == string(key) {
			return a.locks[i].tx != nil
		}
	}
	_, held := a.r.locks[string(key)]
	return held
}

func lockKey(itemKey []byte) []byte { return append([]byte{kindLock}, itemKey...) }

// intentPrefix starts the keys of all intents of a transaction on a shard.
func intentPrefix(id txID) []byte { return append([]byte{kindIntent}, id[:]...) }

func intentKey(id txID, n int) []byte {
	return binary.BigEndian.AppendUint16(intentPrefix(id), uint16(n))
}

func ledgerKey(id txID) []byte { return append([]byte{kindLedger}, id[:]...) }

// prepareCommand is the first phase on one shard.
type prepareCommand struct {
	id          txID
	coordinator int
	writes      []*Write
}

func (c *prepareCommand) apply(a *application) error {
	decisions, err := a.decideAll(c.writes)
	if err != nil {
		return err
	}
	for i, d := range decisions {
		w := c.writes[i]
		w.size = 0
		if d.old != nil {
			w.size = d.old.Size()
		}
		if d.next != nil {
			w.size = max(w.size, d.next.Size())
		}
		id := c.id
		a.set(lockKey(d.key), id[:])
		a.locks = append(a.locks, lockChange{string(d.key), &id})
		a.set(intentKey(c.id, i), encodeIntent(c.coordinator, d))
	}
	return nil
}

// commitCommand is the second phase on one shard: count intents, beginning with
// number from, take effect. On the coordinator it also decides. Applying it
// again changes nothing.
type commitCommand struct {
	id          txID
	from, count int
	decides     bool
	parts       int
	token       *tokenRecord
	// writes and results are the client's, by number; nil in recovery.
	writes  []*Write
	results []WriteResult
}

func (c *commitCommand) apply(a *application) error {
	intents, err := a.intents(c.id, c.from, c.count)
	if err != nil || len(intents) == 0 {
		return err
	}
	for _, in := range intents {
		a.release(c.id, in)
		t := a.schema(in.table)
		var result WriteResult
		if t != nil { // else dropped meanwhile
			old, err := a.load(in.key)
			if err != nil {
				return err
			}
			w := in.write(t)
			if c.writes != nil {
				w = c.writes[in.n]
			}
			if err := a.store(decision{t: t, w: w, key: in.key, old: old, next: in.next}, &result); err != nil {
				return err
			}
		}
		if c.results != nil {
			c.results[in.n] = result
		}
	}
	if c.decides {
		a.set(ledgerKey(c.id), binary.AppendUvarint([]byte{intentFormat}, uint64(c.parts)))
	}
	if c.token != nil {
		a.remember(c.token)
	}
	return nil
}

// abortCommand undoes a prepareCommand.
type abortCommand struct{ id txID }

func (c *abortCommand) apply(a *application) error {
	intents, err := a.intents(c.id, 0, maxIntents)
	for _, in := range intents {
		a.release(c.id, in)
	}
	return err
}

// maxIntents is beyond every number of a transaction's intents.
const maxIntents = 1<<16 - 1

// intents reads count numbers of what a transaction has prepared here, as far
// as there are intents, in the order of its writes.
func (a *application) intents(id txID, from, count int) (intents []intent, err error) {
	bounds := storage.Range{Lower: intentKey(id, from), Upper: intentKey(id, from+count)}
	err = a.b.Scan(bounds, func(key, value []byte) (bool, error) {
		in, err := decodeIntent(bytes.Clone(value))
		in.n = int(binary.BigEndian.Uint16(key[len(key)-2:]))
		intents = append(intents, in)
		return true, err
	})
	return intents, err
}

// release stages the removal of an intent and of its lock.
func (a *application) release(id txID, in intent) {
	a.delete(intentKey(id, in.n))
	a.delete(lockKey(in.key))
	a.locks = append(a.locks, lockChange{key: string(in.key)})
}

// An intent is the outcome of one write of a prepared transaction.
type intent struct {
	n           int // its number, from its key
	coordinator int
	table       uint32
	kind        WriteKind
	at          int64 // milliseconds since the epoch
	key         []byte
	next        item.Item // nil deletes
}

// A stored intent: a format byte, the coordinator, table id, kind, time, and key
// and new item with their lengths (an absent item has none).
const intentFormat = 1

func encodeIntent(coordinator int, d decision) []byte {
	b := binary.BigEndian.AppendUint16([]byte{intentFormat}, uint16(coordinator))
	b = binary.BigEndian.AppendUint32(b, d.t.ID)
	b = append(b, byte(d.w.Kind))
	b = binary.AppendVarint(b, d.w.at.UnixMilli())
	b = binary.AppendUvarint(b, uint64(len(d.key)))
	b = append(b, d.key...)
	b = binary.AppendUvarint(b, uint64(len(d.next)))
	return append(b, d.next...)
}

// decodeIntent parses a stored intent; key and next alias b.
func decodeIntent(b []byte) (in intent, err error) {
	bad := fmt.Errorf("%w: intent of a transaction", ErrCorruptRecord)
	if len(b) < 8 || b[0] != intentFormat {
		return in, bad
	}
	in.coordinator = int(binary.BigEndian.Uint16(b[1:]))
	in.table, in.kind = binary.BigEndian.Uint32(b[3:]), WriteKind(b[7])
	at, n := binary.Varint(b[8:])
	if n <= 0 {
		return in, bad
	}
	in.at, b = at, b[8+n:]
	for _, field := range []*[]byte{&in.key, (*[]byte)(&in.next)} {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return in, bad
		}
		if size > 0 {
			*field = b[n : n+int(size) : n+int(size)]
		}
		b = b[n+int(size):]
	}
	if len(b) > 0 {
		return in, bad
	}
	return in, nil
}
