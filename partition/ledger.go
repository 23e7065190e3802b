package partition

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// ledger remembers transactions whose every part has taken effect; their
// records in the coordinator's ledger are of no use any more.
type ledger struct {
	sync.Mutex
	finished []finishedTx
}

type finishedTx struct {
	coordinator int
	id          txID
}

func (l *ledger) done(coordinator int, id txID) {
	l.Lock()
	defer l.Unlock()
	l.finished = append(l.finished, finishedTx{coordinator, id})
}

// A record of the ledger: a format byte, the number of parts, 0 for a
// transaction that was resolved to be aborted, and the milliseconds since the
// epoch when it began.
func ledgerRecord(parts int, at time.Time) []byte {
	b := binary.AppendUvarint([]byte{intentFormat}, uint64(parts))
	return binary.AppendVarint(b, at.UnixMilli())
}

func isAborted(record []byte) bool {
	if len(record) < 2 {
		return false
	}
	parts, n := binary.Uvarint(record[1:])
	return n > 0 && parts == 0
}

// aborted reports whether somebody has had the transaction aborted.
func (a *application) aborted(id txID) (bool, error) {
	value, found, err := a.b.Get(ledgerKey(id))
	return err == nil && found && isAborted(value), err
}

// errAborted: the coordinator was taken for dead, and its transaction aborted.
var errAborted = errors.New("the transaction was aborted by recovery")

// forgetTransactions removes the ledger records of finished transactions.
func (db *DB) forgetTransactions() error {
	db.ledger.Lock()
	finished := db.ledger.finished
	db.ledger.finished = nil
	db.ledger.Unlock()
	byShard := make(map[int][]mutation)
	for _, f := range finished {
		byShard[f.coordinator] = append(byShard[f.coordinator], mutation{key: ledgerKey(f.id)})
	}
	var failed error
	for _, shard := range slices.Sorted(maps.Keys(byShard)) {
		records := byShard[shard]
		for len(records) > 0 {
			n := min(len(records), purgeStep)
			failed = errors.Join(failed, db.logs[shard].propose(db.jobs.ctx, &recordsCommand{records[:n]}, true))
			records = records[n:]
		}
	}
	return failed
}

// resolveTransactions finishes, before anything else is served, the
// transactions that a crash interrupted: an intent is committed if its
// coordinator's ledger has the transaction, else aborted.
func (db *DB) resolveTransactions() error {
	type found struct {
		id          txID
		coordinator int
		count       int // one more than the highest number of an intent
	}
	committed, aborted := 0, 0
	for shard := range db.logs {
		var intents []found
		err := db.view(db.jobs.ctx, shard, Strong, func(snap snapshot) error {
			return scanKind(snap, kindIntent, func(key, value []byte) error {
				if len(key) != 1+len(txID{})+2 {
					return fmt.Errorf("%w: intent under key %x", ErrCorruptRecord, key)
				}
				in, err := decodeIntent(value)
				if err == nil && in.coordinator >= len(db.logs) {
					err = fmt.Errorf("%w: intent names shard %d", ErrCorruptRecord, in.coordinator)
				}
				// A transaction's intents lie side by side, in the order of their numbers.
				id := txID(key[1:17])
				if len(intents) == 0 || intents[len(intents)-1].id != id {
					intents = append(intents, found{id: id, coordinator: in.coordinator})
				}
				intents[len(intents)-1].count = int(binary.BigEndian.Uint16(key[17:])) + 1
				return err
			})
		})
		if err != nil {
			return err
		}
		for _, in := range intents {
			var decided bool
			err := db.view(db.jobs.ctx, in.coordinator, Strong, func(snap snapshot) error {
				var err error
				_, err = snap.Get(ledgerKey(in.id), func(value []byte) error {
					decided = !isAborted(value)
					return nil
				})
				return err
			})
			if err != nil {
				return err
			}
			if decided {
				committed++
				err = db.commitPart(shard, &commitCommand{id: in.id, count: in.count})
			} else {
				aborted++
				err = db.logs[shard].propose(db.jobs.ctx, &abortCommand{in.id}, true)
			}
			if err != nil {
				return err
			}
		}
	}
	if committed+aborted > 0 {
		db.log.Info("finished interrupted transactions", "committed parts", committed, "aborted parts", aborted)
	}
	for shard := range db.logs {
		err := db.view(db.jobs.ctx, shard, Strong, func(snap snapshot) error {
			return scanKind(snap, kindLedger, func(key, _ []byte) error {
				if len(key) == 1+len(txID{}) {
					db.ledger.done(shard, txID(key[1:]))
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return db.forgetTransactions()
}
