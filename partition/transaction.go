package partition

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
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

func (db *DB) newTransaction() txID {
	if db.world != nil {
		return db.world.NewID()
	}
	return txID(uuid.New())
}

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
		result, found, err := db.replay(ctx, token)
		if found || err != nil {
			return result, err
		}
	}
	tx := transaction{ctx: ctx, db: db, id: db.newTransaction(), token: token, ws: ws, results: make([]WriteResult, len(ws))}
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
		if err := db.admit(ctx, p.shard); err != nil {
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
	ctx     context.Context
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
	return tx.db.logs[p.shard].propose(tx.ctx, c, tx.db.opts.GSI == GSISync)
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
			if errs[n] == nil || errors.Is(errs[n], ErrOutcomeUnknown) {
				prepared = append(prepared, p)
			}
		}
		aborted := tx.everyPart(prepared, func(p txPart) error {
			return tx.db.insist(tx.db.jobs.ctx, tx.db.logs[p.shard], &abortCommand{tx.id}, true)
		})
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
	err := tx.db.commitPart(coordinator, decision)
	if errors.Is(err, errAborted) || errors.Is(err, ErrTransactionInProgress) {
		// Nothing is decided: this node was so slow that its intents were taken for
		// a dead one's, or another used the token first.
		aborted := tx.everyPart(tx.parts, func(p txPart) error {
			return tx.db.insist(tx.db.jobs.ctx, tx.db.logs[p.shard], &abortCommand{tx.id}, true)
		})
		if errors.Is(err, errAborted) {
			canceled := &TransactionCanceled{Reasons: make([]error, len(tx.ws))}
			for i := range canceled.Reasons {
				canceled.Reasons[i] = ErrTransactionConflict
			}
			err = canceled
		}
		return tx.broken(err, aborted)
	}
	if err != nil {
		// Undecided: the prepared shards learn later what became of it.
		err = inDoubt(err)
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
		return inDoubt(err)
	}
	tx.db.ledger.done(coordinator, tx.id)
	return nil
}

// inDoubt keeps the promise of ErrUnavailable that nothing was written: what was
// begun by then may be decided already, or be finished by another node.
func inDoubt(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%w: %v", ErrOutcomeUnknown, err) //nolint:errorlint // it must not be found
	}
	return err
}

// commit is a part's second phase.
func (tx *transaction) commit(p txPart) *commitCommand {
	return &commitCommand{id: tx.id, at: tx.ws[0].at, count: len(p.at), writes: tx.writes(p), results: make([]WriteResult, len(p.at))}
}

// commitPart runs the second phase of a part, in as many commits as it takes.
// The first of them decides.
func (db *DB) commitPart(shard int, c *commitCommand) error {
	wait := db.opts.GSI == GSISync
	err := db.insist(db.jobs.ctx, db.logs[shard], c, wait)
	if !errors.Is(err, ErrWriteTooLarge) {
		return err
	}
	for n := range c.count {
		step := *c
		step.from, step.count = n, 1
		if n > 0 {
			step.decides, step.token = false, nil
		}
		if err := db.insist(db.jobs.ctx, db.logs[shard], &step, wait); err != nil {
			return err
		}
	}
	return nil
}

// everyPart runs fn for each part side by side.
func (tx *transaction) everyPart(parts []txPart, fn func(p txPart) error) []error {
	errs := make([]error, len(parts))
	tx.db.together(len(parts), func(n int) { errs[n] = fn(parts[n]) })
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
