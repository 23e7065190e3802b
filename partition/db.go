package partition

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// Options configures a DB. The zero value of each field is its default.
type Options struct {
	Dir      string // directory of the data; ignored with InMemory
	InMemory bool   // nothing on disk
	// Sync acknowledges a write after its commit was fsynced. Without it a write
	// survives the death of the process, but not a power cut of the last moments.
	Sync bool
	// Shards is the number of token ranges, fixed at first start; 0 takes the
	// directory's, or storage.DefaultShards on a fresh one.
	Shards  int
	Compact bool         // compact all shards while opening
	Logger  *slog.Logger // nil discards
	GSI     GSIMode
	// GSILag is how long index changes are held back, with GSIEventual.
	GSILag time.Duration
	// IndexDelay stretches the creation and the deletion of global indexes, so
	// that their transient states can be seen.
	IndexDelay time.Duration
	// Cluster makes the DB a node of a cluster.
	Cluster *ClusterOptions
	// Clock replaces the wall clock for expiry, stream trimming and idempotency
	// windows; nil is time.Now.
	Clock func() time.Time
	// SweepInterval is the time between two looks for expired items and for
	// stream records and tokens past their retention; 0 is a second.
	SweepInterval time.Duration
}

// DB is a set of tables on the shards of one node. All methods may be called
// concurrently.
type DB struct {
	opts  Options
	log   *slog.Logger
	store *storage.Store

	node        *node // nil unless this is a node of a cluster
	world       World // nil unless it is a simulated one
	replicas    []*replica
	logs        []shardLog
	catalogLog  shardLog // where the catalog changes: the log of shard 0
	propagators []*propagator
	catalog     catalog

	clock    clock
	inFlight tokensInFlight
	ledger   ledger
	sweeping sync.Mutex
	ordering ordering

	ddl sync.Mutex // held while a schema changes; never while waiting for a job

	failure atomic.Pointer[error] // set once background work had to stop

	serving  atomic.Bool // set when the start is over
	jobs     *lifecycle
	carriers struct {
		sync.WaitGroup
		cancel context.CancelFunc
	}
	closing sync.Once
	closed  error
}

// Open opens the shards in o.Dir, finishes what a crash interrupted (table and
// index creation and deletion, index changes under way), and serves.
//
// Errors are those of storage.Open, and ErrCorruptRecord.
func Open(o Options) (*DB, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.GSILag > 0 && o.GSI != GSIEventual {
		return nil, errors.New("a lag of global indexes needs eventual index consistency")
	}
	if o.Cluster != nil {
		ctx := o.Cluster.Context
		if ctx == nil {
			ctx = context.Background()
		}
		return openMember(ctx, o)
	}
	store, err := storage.Open(storage.Options{
		Dir: o.Dir, InMemory: o.InMemory, Sync: o.Sync, Shards: o.Shards, Compact: o.Compact, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	db := &DB{opts: o, log: o.Logger, store: store, jobs: newLifecycle()}
	db.clock.base = o.Clock
	if o.Clock == nil {
		db.clock.base = time.Now
	}
	if err := db.start(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) start() error {
	carry, cancel := context.WithCancel(context.Background())
	db.carriers.cancel = cancel

	shards := db.store.Shards()
	for i, s := range shards {
		r, err := openReplica(i, len(shards), s, db.opts.GSI)
		if err != nil {
			return err
		}
		db.replicas = append(db.replicas, r)
		db.logs = append(db.logs, newPipeline(r))
	}
	db.catalogLog = db.logs[0]
	db.replicas[0].catalogChanged = db.catalog.change
	db.reconcileSequences()
	var left sync.WaitGroup // index changes left by the last run
	for i, r := range db.replicas {
		g := newPropagator(i, db)
		r.emit = g.enqueue
		db.propagators = append(db.propagators, g)
		if err := g.load(shards[i], &left); err != nil {
			return err
		}
	}
	for _, g := range db.propagators {
		db.carriers.Go(func() { g.run(carry) })
	}
	if db.opts.GSI == GSISync {
		// Changes of the item's own shard do not go through the outbox. The last
		// run's may be there, if it was not synchronous, and would come late.
		left.Wait()
		if err := db.usable(); err != nil {
			return err
		}
	}
	jobs, err := db.recoverCatalog()
	if err != nil {
		return err
	}
	db.serving.Store(true)
	for _, job := range append(jobs, db.sweeper) {
		db.jobs.start(job)
	}
	return nil
}

// reconcileSequences looks for shards that remember more of another shard's
// outbox than that shard knows to have sent. Without Sync a power cut can do
// that: each shard loses its own last moments. A sequence must not be used
// twice, or its changes would be taken for delivered ones.
func (db *DB) reconcileSequences() {
	for _, r := range db.replicas {
		for source, position := range r.received {
			if source >= len(db.replicas) {
				continue
			}
			if sent, seq := db.replicas[source], position>>outboxPartBits; seq > sent.seq {
				sent.seq = seq
				sent.applied.Store(seq)
				db.log.Warn("a shard lost its last writes, so global indexes may disagree with items: run stator verify and stator repair",
					"shard", source)
			}
		}
	}
}

// Close waits for writes under way, hands index changes over as far as they
// come, and closes the shards. It may be called more than once.
func (db *DB) Close() error {
	db.closing.Do(func() {
		// What runs writes through the logs and waits for carriers, carriers
		// write too, and all need open shards: hence this order.
		db.jobs.close()
		if db.carriers.cancel != nil {
			db.carriers.cancel()
			db.carriers.Wait()
		}
		for _, l := range db.logs {
			l.close()
		}
		switch {
		case db.node != nil:
			db.closed = db.node.close()
		case db.store != nil:
			db.closed = db.store.Close()
		}
	})
	return db.closed
}

// fail makes every further write return the error: background work could not go
// on, so what is acknowledged from here on might never become visible.
func (db *DB) fail(err error) {
	if db.jobs.ctx.Err() != nil {
		for _, left := range []error{ErrClosed, storage.ErrDiskFull, ErrUnavailable, ErrOutcomeUnknown} {
			if errors.Is(err, left) {
				return // what Close leaves undone is done at the next start or by other nodes
			}
		}
	}
	if db.failure.CompareAndSwap(nil, &err) {
		db.log.Error("writes are refused until restart", "error", err)
	}
}

// usable returns the error of a database that no longer takes writes.
func (db *DB) usable() error {
	if err := db.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Write applies w on the shard that owns its item. When it returns without
// error the change is durable as configured, visible to every read, and, with
// GSISync, visible in every index.
//
// Errors: *ConditionFailed, *IndexKeyError, ErrItemTooLarge, ErrTableNotFound,
// ErrWriteTooLarge, ErrClosed, the errors of expression.Update.Apply, the cause
// of ctx while the database holds writers back, and the storage's. Once a write
// was admitted, the end of ctx no longer stops it.
func (db *DB) Write(ctx context.Context, w *Write) (WriteResult, error) {
	if err := db.usable(); err != nil {
		return WriteResult{}, err
	}
	shard := db.shardOfItem(w.Table, w.Item)
	if err := db.admit(ctx, shard); err != nil {
		return WriteResult{}, err
	}
	w.at = db.Now()
	c := writeCommand{write: w}
	if err := db.logs[shard].propose(ctx, &c, db.opts.GSI == GSISync); err != nil {
		return WriteResult{}, fmt.Errorf("writing to table %s: %w", w.Table.Name, err)
	}
	return c.result, db.usable()
}

// WriteAll applies independent writes side by side. Result and error of each
// stand at its position; see Write.
func (db *DB) WriteAll(ctx context.Context, ws []*Write) ([]WriteResult, []error) {
	results, errs := make([]WriteResult, len(ws)), make([]error, len(ws))
	if len(ws) == 1 {
		results[0], errs[0] = db.Write(ctx, ws[0])
		return results, errs
	}
	if err := db.usable(); err != nil {
		for i := range errs {
			errs[i] = err
		}
		return results, errs
	}
	byShard := make([][]int, len(db.logs)) // positions of the writes of each shard
	for i, w := range ws {
		shard := db.shardOfItem(w.Table, w.Item)
		byShard[shard] = append(byShard[shard], i)
	}
	var all sync.WaitGroup
	for shard, positions := range byShard {
		if len(positions) > 0 {
			all.Go(func() { db.writeShard(ctx, shard, positions, ws, results, errs) })
		}
	}
	all.Wait()
	return results, errs
}

// writeShard proposes several writes of one shard at once, so that they share
// its commits.
func (db *DB) writeShard(ctx context.Context, shard int, positions []int, ws []*Write, results []WriteResult, errs []error) {
	if err := db.admit(ctx, shard); err != nil {
		for _, i := range positions {
			errs[i] = err
		}
		return
	}
	writes := make([]writeCommand, len(positions))
	commands := make([]command, len(positions))
	now := db.Now()
	for n, i := range positions {
		ws[i].at = now
		writes[n].write = ws[i]
		commands[n] = &writes[n]
	}
	failed := db.logs[shard].proposeAll(ctx, commands, db.opts.GSI == GSISync)
	broken := db.usable()
	for n, i := range positions {
		results[i], errs[i] = writes[n].result, broken
		if failed[n] != nil {
			errs[i] = fmt.Errorf("writing to table %s: %w", ws[i].Table.Name, failed[n])
		}
	}
}

func (db *DB) shardOfItem(t *Table, it item.Item) int {
	_, token := appendHash(make([]byte, 0, 128), it.Get(t.Key.Hash[0].Name))
	return shardOf(token, len(db.logs))
}

// Shards is the number of token ranges of the data.
func (db *DB) Shards() int { return len(db.logs) }
