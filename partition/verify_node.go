package partition

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/stator-db/stator/partition/wal"
	"github.com/stator-db/stator/storage"
)

// verifyNode is Verify for the directory of a cluster node.
func verifyNode(ctx context.Context, o Options, report func(Problem)) (summary VerifySummary, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	pool, err := storage.OpenPool(storage.PoolOptions{Dir: o.Dir, Existing: true, Logger: o.Logger})
	if err != nil {
		return summary, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	v := nodeVerifier{ctx: ctx, opts: o, pool: pool, applied: make(map[uint64]uint64)}
	v.summary.Node = pool.Identity().Name
	v.report = func(p Problem) {
		v.summary.Problems++
		report(p)
	}
	err = v.run()
	return v.summary, err
}

type nodeVerifier struct {
	ctx     context.Context
	opts    Options
	pool    *storage.Pool
	report  func(Problem)
	summary VerifySummary
	applied map[uint64]uint64 // by group
}

func (v *nodeVerifier) run() error {
	shards, err := v.catalog()
	if err != nil {
		return err
	}
	for _, id := range v.pool.Groups() {
		if id == uint64(catalogGroup) {
			continue
		}
		if err := v.shard(id, shards); err != nil {
			return err
		}
	}
	return v.log()
}

// catalog checks the catalog's records and returns the number of shards.
func (v *nodeVerifier) catalog() (shards int, err error) {
	s, err := v.pool.Open(uint64(catalogGroup))
	if err != nil {
		return 0, fmt.Errorf("the node has not become a member of a cluster: %w", err)
	}
	if err := s.VerifyChecksums(); err != nil {
		v.report(Problem{Shard: -1, What: err.Error()})
	}
	r, err := openReplica(-1, 0, s, v.opts.GSI)
	if err != nil {
		return 0, err
	}
	v.applied[uint64(catalogGroup)] = r.seq
	v.summary.Replicas++
	err = s.View(func(snap *storage.Snapshot) error {
		return scanKind(snap, kindCatalog, func(key, value []byte) error {
			c, err := decodeCatalogRecord(key, value)
			switch {
			case err != nil:
				v.report(Problem{Shard: -1, Key: key, What: err.Error()})
			case c.topology != nil && c.topology.cluster != nil:
				shards = c.topology.cluster.Shards
			case c.table != nil && c.table.Status != TableDeleting:
				v.summary.Tables++
			}
			return nil
		})
	})
	if err == nil && shards == 0 {
		err = errors.New("the node's catalog does not know its cluster yet")
	}
	return shards, err
}

// shard checks the replica of a shard by itself.
func (v *nodeVerifier) shard(id uint64, shards int) error {
	shard := int(id) - 1
	if shard >= shards {
		v.report(Problem{Shard: shard, What: fmt.Sprintf("the cluster has %d shards only", shards)})
		return nil
	}
	s, err := v.pool.Open(id)
	if err != nil {
		return err
	}
	r, err := openReplica(shard, shards, s, v.opts.GSI)
	if err != nil {
		return err
	}
	c := checker{
		ctx: v.ctx, alone: true, shards: make([]*storage.Shard, shards), replicas: make([]*replica, shards),
		tables: r.tables, counted: make([]map[statsID]counts, shards), report: v.report,
	}
	c.shards[shard], c.replicas[shard], c.counted[shard] = s, r, make(map[statsID]counts)
	if err := c.run(); err != nil {
		return err
	}
	v.applied[id] = r.seq
	v.summary.Replicas++
	v.summary.Items += c.summary.Items
	v.summary.IndexEntries += c.summary.IndexEntries
	return nil
}

// maxLogPiece is how much of a group's log is read at a time, in bytes.
const maxLogPiece = 4 << 20

// log reads all entries of all groups, and checks that none is missing between
// what a replica has applied and its log.
func (v *nodeVerifier) log() (err error) {
	l, err := wal.Open(filepath.Join(v.opts.Dir, raftDir), wal.Options{CacheBytes: -1, Logger: v.opts.Logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for _, id := range v.pool.Groups() {
		if !l.Known(id) {
			v.report(Problem{Shard: int(id) - 1, What: "the log knows nothing of the replica"})
			continue
		}
		g := l.Group(id)
		first, err := g.FirstIndex()
		if err != nil {
			return err
		}
		last, err := g.LastIndex()
		if err != nil {
			return err
		}
		if first > v.applied[id]+1 {
			v.report(Problem{Shard: int(id) - 1, What: fmt.Sprintf("the log begins at entry %d, and the replica has applied %d only", first, v.applied[id])})
		}
		for next := first; next <= last; {
			if err := v.ctx.Err(); err != nil {
				return err
			}
			entries, err := g.Entries(next, last+1, maxLogPiece)
			if err != nil || len(entries) == 0 {
				v.report(Problem{Shard: int(id) - 1, What: fmt.Sprintf("entry %d of the log cannot be read: %v", next, err)})
				break
			}
			next += uint64(len(entries))
		}
	}
	return nil
}
