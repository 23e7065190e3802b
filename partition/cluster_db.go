package partition

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/replication"
)

// openMember opens a DB as a node of a cluster. It returns when the cluster has
// formed and this node knows where each shard is.
func openMember(ctx context.Context, o Options) (*DB, error) {
	db := &DB{opts: o, log: o.Logger, jobs: newLifecycle()}
	db.clock.base = o.Clock
	if o.Clock == nil {
		db.clock.base = time.Now
	}
	if err := openCluster(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openCluster opens a DB as a node of a cluster.
func openCluster(ctx context.Context, db *DB) error {
	n, err := openNode(db)
	if err != nil {
		return err
	}
	db.node = n
	db.catalogLog = &localLog{node: n, id: catalogGroup}
	if err := n.start(ctx); err != nil {
		return err
	}
	for _, l := range n.routes {
		db.logs = append(db.logs, l)
	}
	db.serving.Store(true)
	db.jobs.start(db.sweeper)
	return nil
}

// acts reports whether this node is the one that sweeps a shard and finishes its
// transactions: on a single node always, in a cluster if it leads.
func (db *DB) acts(shard int) bool {
	if db.node == nil {
		return true
	}
	g := db.node.group(groupOf(shard))
	return g != nil && g.acts.Load()
}

// LeadsCatalog reports whether this node may create, change and delete tables.
// Others pass such requests on (Forward).
func (db *DB) LeadsCatalog() bool { return db.node == nil || db.node.leadsCatalog() }

// HandleForwarded sets what serves requests that other nodes pass on.
func (db *DB) HandleForwarded(serve func(ctx context.Context, request []byte) ([]byte, error)) {
	if db.node != nil {
		db.node.forwarded.Store(&serve)
	}
}

// Forward has a request served by the node that leads the catalog. Errors:
// ErrUnavailable, ErrOutcomeUnknown, and what the handler there returned.
func (db *DB) Forward(ctx context.Context, request []byte) ([]byte, error) {
	n := db.node
	if n.removed.Load() {
		return nil, ErrRemoved
	}
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	for attempt := 0; ; attempt++ {
		err := errNoLeader
		to := n.catalog.leader(attempt)
		if to == n.id {
			if serve := n.forwarded.Load(); serve != nil && n.leadsCatalog() {
				return (*serve)(ctx, request)
			}
		} else if to != 0 {
			var response []byte
			response, err = n.transport.Call(ctx, uint64(to), methodForward, request)
			if err == nil {
				return response, nil
			}
			if !n.catalog.mayRepeat(err) && !isNotHere(err) {
				return nil, fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
			}
		}
		if !n.catalog.pause(ctx, attempt+1) {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

// leadCatalog takes over from the catalog's last leader: versions left pending
// are installed, dropped tables dropped everywhere, and jobs begun again.
func (db *DB) leadCatalog(ctx context.Context) {
	if !db.awaitPlaced(ctx) {
		return
	}
	db.ddl.Lock()
	defer db.ddl.Unlock()
	db.catalog.RLock()
	dropped := maps.Clone(db.catalog.dropped)
	db.catalog.RUnlock()
	for _, t := range dropped {
		if ctx.Err() != nil {
			return
		}
		if err := db.everyShard(&dropCommand{t}); err != nil {
			return
		}
	}
	jobs, err := db.resumeCatalog()
	if err != nil {
		db.ended("taking over the catalog", err)
		return
	}
	for _, job := range jobs {
		db.jobs.start(job)
	}
}

// awaitPlaced waits until this node can reach shards.
func (db *DB) awaitPlaced(ctx context.Context) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !db.serving.Load() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// settle waits, for a moment, until every node that can be reached sees the
// catalog as it is now: a client may ask any node next.
func (db *DB) settle(ctx context.Context) {
	n := db.node
	if n == nil {
		return
	}
	g := n.group(catalogGroup)
	g.applying.Lock()
	request := binary.AppendUvarint(nil, g.applied)
	g.applying.Unlock()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, p := range n.runtime.Status(catalogGroup).Peers {
		if p.Active {
			all.Go(func() { _, _ = n.transport.Call(ctx, uint64(p.Node), methodCatalog, request) })
		}
	}
	all.Wait()
}

// catchUp waits until this node's catalog is as recent as its leader's was when
// it was called. It reports false if that could not be done.
func (db *DB) catchUp(ctx context.Context) bool {
	n := db.node
	if n == nil || n.leadsCatalog() {
		return n != nil
	}
	index, err := n.reached(ctx, n.catalog)
	if err != nil {
		return false
	}
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	return n.runtime.WaitApplied(ctx, catalogGroup, index) == nil
}

// reached asks the leader of a shard for the index it has applied, after making
// sure that it leads.
func (n *node) reached(ctx context.Context, l *route) (uint64, error) {
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	request := binary.AppendUvarint(nil, uint64(l.id))
	for attempt := 0; ; attempt++ {
		to := l.leader(attempt)
		var response []byte
		err := errNoLeader
		switch {
		case to == n.id:
			response, err = n.serveApplied(ctx, request)
		case to != 0:
			response, err = n.transport.Call(ctx, uint64(to), methodApplied, request)
		}
		if err == nil {
			r := wireReader{b: response}
			index := r.uvarint()
			return index, r.err
		}
		if !l.pause(ctx, attempt+1) {
			return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

func (n *node) serveApplied(ctx context.Context, request []byte) ([]byte, error) {
	r := wireReader{b: request}
	id := replication.Group(r.uvarint())
	g := n.group(id)
	if g == nil {
		return nil, notHereError{errNotHere}
	}
	index, err := n.runtime.ReadIndex(ctx, id)
	if err != nil {
		return nil, err
	}
	return binary.AppendUvarint(nil, index), nil
}

// applied is the sequence that a shard has reached.
func (db *DB) applied(ctx context.Context, shard int) (uint64, error) {
	if db.node != nil {
		return db.node.reached(ctx, db.node.routes[shard])
	}
	return db.replicas[shard].applied.Load(), nil
}

// serveLook answers db.look for one shard: again, wanted, number of keys, keys.
func (n *node) serveLook(ctx context.Context, request []byte) ([]byte, error) {
	r := wireReader{b: request}
	id, again, wanted := replication.Group(r.uvarint()), r.byte() == 1, r.byte() == 1
	count := r.uvarint()
	if r.err != nil || count > uint64(len(request)) {
		return nil, errBadRequest
	}
	keys := make([][]byte, count)
	for i := range keys {
		keys[i] = r.bytes()
	}
	if r.err != nil {
		return nil, errBadRequest
	}
	found, err := n.lookHere(ctx, id, keys, again, wanted)
	if errors.Is(err, errNotHere) {
		return nil, notHereError{err}
	}
	if err != nil {
		return nil, err
	}
	var response []byte
	for _, f := range found {
		held := byte(0)
		if f.held {
			held = 1
		}
		response = binary.BigEndian.AppendUint64(response, f.incarnation)
		response = append(binary.AppendUvarint(response, f.version), held)
		response = appendBytes(response, f.item)
	}
	return response, nil
}

func (n *node) lookHere(ctx context.Context, id replication.Group, keys [][]byte, again, wanted bool) ([]sighting, error) {
	g := n.group(id)
	if g == nil {
		return nil, errNotHere
	}
	var found []sighting
	before := g.replica.Load().lastDelete.Load()
	incarnation := g.incarnation.Load()
	err := n.viewHere(ctx, id, true, nil, func(s snapshot) error {
		if again {
			before = g.replica.Load().lastDelete.Load()
		}
		var err error
		found, err = lookAt(s, keys, before, wanted)
		return err
	})
	for i := range found {
		found[i].incarnation = incarnation
	}
	return found, err
}

// lookFar is db.look for one shard in a cluster.
func (n *node) lookFar(ctx context.Context, shard int, keys [][]byte, again, wanted bool) ([]sighting, error) {
	l := n.routes[shard]
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	request := binary.AppendUvarint(nil, uint64(l.id))
	for _, flag := range []bool{again, wanted} {
		b := byte(0)
		if flag {
			b = 1
		}
		request = append(request, b)
	}
	request = binary.AppendUvarint(request, uint64(len(keys)))
	for _, k := range keys {
		request = appendBytes(request, k)
	}
	for attempt := 0; ; attempt++ {
		to := l.leader(attempt)
		err := errNoLeader
		switch {
		case to == n.id:
			var found []sighting
			if found, err = n.lookHere(ctx, l.id, keys, again, wanted); err == nil {
				return found, nil
			}
		case to != 0:
			var response []byte
			if response, err = n.transport.Call(ctx, uint64(to), methodLook, request); err == nil {
				return parseSightings(response, len(keys))
			}
			l.hint.CompareAndSwap(uint64(to), 0)
		}
		if !l.pause(ctx, attempt+1) {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

func parseSightings(response []byte, count int) ([]sighting, error) {
	r := wireReader{b: response}
	found := make([]sighting, count)
	for i := range found {
		if len(r.b) < 8 {
			return nil, errBadRequest
		}
		found[i].incarnation = binary.BigEndian.Uint64(r.b)
		r.b = r.b[8:]
		found[i].version, found[i].held = r.uvarint(), r.byte() == 1
		if it := r.bytes(); len(it) > 0 {
			found[i].item = it
		}
	}
	return found, r.err
}

// serveStats tells the counts of a table on a shard: shard, table, and the
// answer as JSON.
func (n *node) serveStats(request []byte) ([]byte, error) {
	r := wireReader{b: request}
	id, table := replication.Group(r.uvarint()), uint32(r.uvarint())
	g := n.group(id)
	if r.err != nil || g == nil || !g.begun.Load() {
		return nil, notHereError{errNotHere}
	}
	return json.Marshal(g.replica.Load().countsOf(table))
}

// shardStats are the counts of a table and, by id, of its indexes on one shard.
type shardStats map[uint16][2]int64

func (r *replica) countsOf(table uint32) shardStats {
	s := make(shardStats)
	r.stats.Lock()
	defer r.stats.Unlock()
	for id, c := range r.stats.counts {
		if id.table == table {
			s[id.index] = [2]int64{c.items, c.bytes}
		}
	}
	return s
}

// tableStats are the counts of a table on a shard, from a replica here if there
// is one.
func (db *DB) tableStats(table uint32, shard int) shardStats {
	n := db.node
	if n == nil {
		return db.replicas[shard].countsOf(table)
	}
	if g := n.group(groupOf(shard)); g != nil && g.begun.Load() {
		return g.replica.Load().countsOf(table)
	}
	ctx, cancel := context.WithTimeout(n.ctx, time.Second)
	defer cancel()
	request := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(groupOf(shard))), uint64(table))
	var s shardStats
	if response, err := n.transport.Call(ctx, uint64(n.nearest(shard, 0)), methodStats, request); err == nil {
		_ = json.Unmarshal(response, &s) // counts are estimates: a shard that does not answer counts for nothing
	}
	return s
}
