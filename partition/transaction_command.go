package partition

import (
	"errors"
	"time"

	"github.com/stator-db/stator/storage"
)

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
		if err := a.unused(c.token); err != nil {
			return err
		}
		a.remember(c.token)
	}
	return nil
}

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
	at          time.Time // when the transaction began, for the ledger
	token       *tokenRecord
	// writes and results are the client's, by number; nil in recovery.
	writes  []*Write
	results []WriteResult
}

func (c *commitCommand) apply(a *application) error {
	if c.decides {
		aborted, err := a.aborted(c.id)
		if err != nil {
			return err
		}
		if aborted {
			return errAborted
		}
	}
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
		a.set(ledgerKey(c.id), ledgerRecord(c.parts, c.at))
	}
	if c.token != nil {
		if err := a.unused(c.token); err != nil {
			return err
		}
		a.remember(c.token)
	}
	return nil
}

// resolveCommand asks a coordinator's shard, for a participant that has waited
// long, whether a transaction was decided. If it was not, it never will be.
type resolveCommand struct {
	id      txID
	at      time.Time
	decided bool // result
}

func (c *resolveCommand) apply(a *application) error {
	value, found, err := a.b.Get(ledgerKey(c.id))
	if err != nil {
		return err
	}
	if c.decided = found && !isAborted(value); !found {
		a.set(ledgerKey(c.id), ledgerRecord(0, c.at))
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
