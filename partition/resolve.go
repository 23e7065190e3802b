package partition

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/stator-db/stator/storage"
)

// In a cluster a coordinator may die while everybody else goes on. What it left
// is found by its age: the leader of a shard looks for intents that have waited
// for staleIntent, has the coordinator's shard say what became of the
// transaction (resolveCommand, which settles it if nobody has), and finishes its
// part. Two who do so at once do the same twice, which changes nothing.
//
// Ages are told by the clocks of nodes. A wrong one costs a transaction that is
// under way, never its atomicity.
const (
	staleIntent = 10 * time.Second
	staleLedger = time.Minute // of a committed transaction, whose parts are then looked for
	deadLedger  = time.Hour   // of an aborted one: by then no coordinator can still want to commit it
)

type staleTx struct {
	id          txID
	coordinator int
	count       int
}

func (db *DB) resolveStale(ctx context.Context) error {
	if db.node == nil {
		return nil // the start has resolved everything, and later ones have a living coordinator
	}
	for shard := range db.logs {
		if !db.acts(shard) {
			continue
		}
		intents, ledger, err := db.staleOf(ctx, shard)
		if err != nil {
			return err
		}
		for _, in := range intents {
			r := &resolveCommand{id: in.id, at: db.Now()}
			if err := db.insist(ctx, db.logs[in.coordinator], r, true); err != nil {
				return err
			}
			if r.decided {
				err = db.commitPart(shard, &commitCommand{id: in.id, count: in.count})
			} else {
				err = db.insist(ctx, db.logs[shard], &abortCommand{in.id}, true)
			}
			if err != nil {
				return err
			}
			db.log.Info("finished a transaction of a lost coordinator", "shard", shard, "committed", r.decided)
		}
		for _, id := range ledger {
			left, err := db.hasIntents(ctx, id)
			if err != nil {
				return err
			}
			if !left {
				db.ledger.done(shard, id)
			}
		}
	}
	return nil
}

// staleOf looks for old intents and old records of the ledger on a shard.
func (db *DB) staleOf(ctx context.Context, shard int) (intents []staleTx, ledger []txID, err error) {
	now := db.Now()
	err = db.view(ctx, shard, Strong, func(s snapshot) error {
		if err := scanKind(s, kindIntent, func(key, value []byte) error {
			in, err := decodeIntent(value)
			if err != nil || len(key) != 1+len(txID{})+2 {
				return err
			}
			if now.Sub(time.UnixMilli(in.at)) < staleIntent {
				return nil
			}
			id := txID(key[1:17])
			if len(intents) == 0 || intents[len(intents)-1].id != id {
				intents = append(intents, staleTx{id: id, coordinator: in.coordinator})
			}
			intents[len(intents)-1].count = int(binary.BigEndian.Uint16(key[17:])) + 1
			return nil
		}); err != nil {
			return err
		}
		return scanKind(s, kindLedger, func(key, value []byte) error {
			if len(key) != 1+len(txID{}) || len(value) < 2 {
				return nil
			}
			_, n := binary.Uvarint(value[1:])
			at, m := binary.Varint(value[1+max(n, 0):])
			limit := staleLedger
			if isAborted(value) {
				limit = deadLedger
			}
			if n > 0 && m > 0 && now.Sub(time.UnixMilli(at)) >= limit {
				ledger = append(ledger, txID(key[1:]))
			}
			return nil
		})
	})
	return intents, ledger, err
}

// hasIntents reports whether any shard still holds a part of a transaction.
func (db *DB) hasIntents(ctx context.Context, id txID) (left bool, err error) {
	for shard := range db.logs {
		err := db.view(ctx, shard, Strong, func(s snapshot) error {
			return s.Scan(storage.Range{Lower: intentKey(id, 0), Upper: intentKey(id, maxIntents)},
				func(_, _ []byte) (bool, error) {
					left = true
					return false, nil
				})
		})
		if err != nil || left {
			return left, err
		}
	}
	return false, nil
}
