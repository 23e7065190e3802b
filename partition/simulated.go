package partition

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// The laboratory runs clusters in which one thing happens at a time, so that a seed
// repeats a history. A node of such a cluster is a DB: commands, their codec, apply,
// transactions, the outbox and their recovery are what they are elsewhere. What is
// not is everything that depends on goroutines, timers, sockets and disks; it comes
// from a World.

// World is where a simulated node lives. Methods that take time are called by
// processes of the world (World.Go), one of which runs at a time, and return to them.
type World interface {
	// Now is the node's clock.
	Now() time.Time
	// NewID draws the id of a transaction.
	NewID() [16]byte
	// Go begins a process on this node.
	Go(do func())
	// Sleep lets time pass.
	Sleep(d time.Duration)
	// Together runs do for 0 to n-1 as processes of this node and waits for all.
	Together(n int, do func(i int))
	// Propose has the leader of a shard propose a command (SimulatedReplica.Propose)
	// and returns its result. Errors: ErrUnavailable, ErrOutcomeUnknown.
	Propose(ctx context.Context, shard int, command []byte, wait bool) (result []byte, err error)
	// Read finds a replica that may serve a read of that consistency and calls read
	// with it once the read may happen there. Errors: ErrUnavailable and read's.
	Read(ctx context.Context, shard int, c Consistency, read func(r *SimulatedReplica) error) error
}

// SimulatedNode is a node whose world is simulated. It is what a crash ends: the
// next start makes another one.
type SimulatedNode struct {
	*DB
	pool *storage.Pool
}

// SimulatedOptions describe a node.
type SimulatedOptions struct {
	Node    uint64 // as raft knows it; not 0
	Process uint64 // another one at each start of any node
	Shards  int    // number of token ranges of the cluster
	GSI     GSIMode
	World   World
}

// OpenSimulated starts a node without replicas.
func OpenSimulated(o SimulatedOptions) (*SimulatedNode, error) {
	pool, err := storage.OpenPool(storage.PoolOptions{InMemory: true})
	if err != nil {
		return nil, err
	}
	w := o.World
	db := &DB{opts: Options{GSI: o.GSI}, log: slog.New(slog.DiscardHandler), world: w, jobs: newLifecycle()}
	db.clock.base = w.Now
	n := &node{db: db, id: replication.Node(o.Node), process: o.Process}
	n.topology.cluster = &clusterRecord{Shards: o.Shards}
	n.groups.m = make(map[replication.Group]*group)
	db.node = n
	for shard := range o.Shards {
		db.logs = append(db.logs, simulatedLog{w, shard})
	}
	db.serving.Store(true)
	w.Go(func() {
		for {
			w.Sleep(sweepInterval)
			if err := db.sweep(db.jobs.ctx); err != nil {
				db.ended("removing what has expired", err)
			}
		}
	})
	return &SimulatedNode{db, pool}, nil
}

// Close frees the node's memory. Its processes must have ended.
func (n *SimulatedNode) Close() error {
	n.jobs.close()
	return n.pool.Close()
}

// Install has all shards know a table, and returns it. It is called once in the
// life of a cluster, by a process of any node.
func (n *SimulatedNode) Install(ctx context.Context, spec Table) (*Table, error) {
	t := spec.clone()
	t.ID, t.Status, t.Created = 1, TableActive, n.Now()
	for _, list := range [][]*Index{t.Local, t.Global} {
		for _, ix := range list {
			t.NextIndex++
			ix.ID, ix.Status, ix.Created = t.NextIndex, IndexActive, t.Created
		}
	}
	t.prepare()
	errs := make([]error, len(n.logs))
	n.together(len(n.logs), func(i int) { errs[i] = n.insist(ctx, n.logs[i], &installCommand{t}, true) })
	return t, errors.Join(errs...)
}

// SimulatedShard tells which of a cluster's shards holds an item.
func SimulatedShard(t *Table, it item.Item, shards int) int {
	_, token := appendItemKey(nil, t, it)
	return shardOf(token, shards)
}

// simulatedLog is the log of a shard, by way of the world.
type simulatedLog struct {
	w     World
	shard int
}

func (l simulatedLog) propose(ctx context.Context, c command, wait bool) error {
	body, err := appendCommand(nil, c)
	if err != nil {
		return err
	}
	result, err := l.w.Propose(ctx, l.shard, body, wait)
	if err != nil {
		return err
	}
	return decodeResult(result, c)
}

func (l simulatedLog) proposeAll(ctx context.Context, cs []command, wait bool) []error {
	errs := make([]error, len(cs))
	l.w.Together(len(cs), func(i int) { errs[i] = l.propose(ctx, cs[i], wait) })
	return errs
}

func (l simulatedLog) close() {}

func (db *DB) viewSimulated(ctx context.Context, shard int, c Consistency, fn func(s snapshot) error) error {
	return db.world.Read(ctx, shard, c, func(r *SimulatedReplica) error { return r.view(fn) })
}

// lookSimulated is lookFar. Nothing happens between its steps.
func (db *DB) lookSimulated(ctx context.Context, shard int, keys [][]byte, wanted bool) (found []sighting, err error) {
	err = db.world.Read(ctx, shard, Strong, func(r *SimulatedReplica) error {
		return r.view(func(s snapshot) error {
			found, err = lookAt(s, keys, r.g.replica.Load().lastDelete.Load(), wanted)
			for i := range found {
				found[i].incarnation = r.g.node.process
			}
			return err
		})
	})
	return found, err
}
