package partition

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/stator-db/stator/partition/membership"
	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/partition/transport"
	"github.com/stator-db/stator/partition/wal"
	"github.com/stator-db/stator/storage"
)

// ClusterOptions makes a DB a node of a cluster.
type ClusterOptions struct {
	Name      string // unique in the cluster
	Addr      string // where the cluster port listens, host:port
	Advertise string // the address others reach it at; empty derives it from Addr
	HTTP      string // the address of this node's client port, told to others
	Zone      string
	Version   string
	// Join are cluster ports of other nodes. A node without a cluster asks them
	// until one has or, among BootstrapExpect nodes that have none, makes one. With
	// others to join and a BootstrapExpect of 1 it never makes one.
	Join            []string
	BootstrapExpect int
	// Shards and Replicas are fixed by the node that makes the cluster: the
	// number of token ranges (0: 16) and of replicas of each (0: 3).
	Shards, Replicas int
	// GossipKey encrypts the gossip between nodes: 16, 24 or 32 bytes, the same on
	// all. Nil sends it in clear.
	GossipKey []byte
	// LeaseReads lets leaders answer strong reads without asking for a while,
	// which relies on clocks of about equal speed.
	LeaseReads bool
	// ReplaceAfter is how long a node may be silent before its replicas are made
	// anew on others. 0 is 5 minutes. That of the catalog's leader counts.
	ReplaceAfter time.Duration
	// ReadPolicy chooses the replicas that answer eventual reads.
	ReadPolicy ReadPolicy
	// Timeout bounds how long a request waits for a leader and a majority. 0 is 5 s.
	Timeout              time.Duration
	ServerTLS, ClientTLS *tls.Config
	// Lab lets DB.Lab make this node misbehave.
	Lab bool
	// Context ends the wait for a cluster to form; nil waits as long as it takes.
	Context context.Context //nolint:containedctx // Open's, which has no other
	// Transport replaces the network.
	Transport func(transport.Options) (transport.Interface, error)
}

// protocolVersion is what nodes must agree on.
const protocolVersion = 1

// catalogGroup replicates the catalog; shard i is group i+1.
const catalogGroup replication.Group = 0

func groupOf(shard int) replication.Group { return replication.Group(shard + 1) }

// node is this process as a member of a cluster.
type node struct {
	db        *DB
	opts      ClusterOptions
	id        replication.Node
	process   uint64 // drawn at each start
	proposals atomic.Uint64
	forwards  atomic.Uint64
	spaceless atomic.Int64 // groups that cannot apply for want of disk space

	lab       *Lab // nil unless the options want one
	pool      *storage.Pool
	transport transport.Interface
	members   *membership.Membership
	runtime   *replication.Runtime
	topology  topology
	routes    []*route
	catalog   *route

	groups struct {
		sync.RWMutex
		m map[replication.Group]*group
	}
	changed chan struct{} // the topology has changed

	forwarded atomic.Pointer[func(ctx context.Context, request []byte) ([]byte, error)]

	promise struct {
		sync.Mutex
		to    uint64
		until time.Time
	}
	leading struct {
		sync.Mutex
		cancel context.CancelFunc
	}
	// deciding is held by whoever, as the catalog's leader, reads a member's
	// record or an order and writes it again.
	deciding  sync.Mutex
	snapshots *rate.Limiter
	look      chan struct{} // the catalog's leader is to look after the cluster now
	oversees  atomic.Pointer[management]
	removed   atomic.Bool

	work   *lifecycle      // goroutines of the node itself, which may begin until it has handed everything over
	ctx    context.Context // ends when the node is being closed
	cancel context.CancelFunc
}

// openNode opens a node's directory and network. It serves the cluster from then
// on; whoever needs the catalog waits for it (ready).
func openNode(db *DB) (_ *node, err error) {
	o := *db.opts.Cluster
	setDefault(&o.Shards, 16)
	setDefault(&o.Replicas, 3)
	setDefault(&o.BootstrapExpect, 1)
	setDefault(&o.Timeout, 5*time.Second)
	setDefault(&o.ReplaceAfter, 5*time.Minute)
	n := &node{db: db, opts: o, changed: make(chan struct{}, 1), look: make(chan struct{}, 1), snapshots: newSnapshotLimiter()}
	var faults *transport.Faults
	var logOptions wal.Options
	if o.Lab {
		n.lab = newLab(&db.clock)
		faults, logOptions.FS = n.lab.Links, n.lab.Disk
	}
	n.groups.m = make(map[replication.Group]*group)
	n.work = newLifecycle()
	n.ctx, n.cancel = n.work.ctx, n.work.cancel
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	n.process = binary.BigEndian.Uint64(random[:])
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	if n.pool, err = storage.OpenPool(storage.PoolOptions{Dir: db.opts.Dir, InMemory: db.opts.InMemory, Logger: db.log}); err != nil {
		return nil, err
	}
	identity := n.pool.Identity()
	n.id = replication.Node(identity.NodeID)
	if identity.Name != o.Name {
		identity.Name = o.Name
		if err := n.pool.SetIdentity(identity); err != nil {
			return nil, err
		}
	}
	listen := o.Transport
	if listen == nil {
		listen = func(to transport.Options) (transport.Interface, error) { return transport.Listen(to) }
	}
	if n.transport, err = listen(transport.Options{
		Addr: o.Addr, Advertise: o.Advertise, NodeID: uint64(n.id), Name: o.Name, Version: protocolVersion,
		OpenMethods: []uint8{methodHello, methodJoin, methodPromise},
		ServerTLS:   o.ServerTLS, ClientTLS: o.ClientTLS, Logger: db.log, Faults: faults,
	}); err != nil {
		return nil, err
	}
	if n.runtime, err = replication.Open(replication.Config{
		Node: n.id, Dir: filepath.Join(db.opts.Dir, raftDir), WAL: logOptions, Transport: carrier{n}, Observer: observer{n},
		Logger: db.log, LeaseReads: o.LeaseReads, Fatal: func(err error) { db.fail(err) },
	}); err != nil {
		return nil, err
	}
	n.catalog = &route{node: n, shard: -1, id: catalogGroup}
	n.transport.HandleMessages(func(from uint64, batch []byte) {
		if err := n.runtime.Receive(replication.Node(from), batch); err != nil {
			db.log.Warn("a message of another node was dropped", "from", from, "error", err)
		}
	})
	n.transport.HandleStream(streamSnapshot, func(ctx context.Context, from uint64, conn io.ReadWriter) error {
		return n.runtime.ReceiveSnapshot(ctx, replication.Node(from), conn)
	})
	n.transport.HandleStream(streamDigest, func(ctx context.Context, _ uint64, conn io.ReadWriter) error {
		return n.serveDigest(ctx, conn)
	})
	n.transport.HandleCalls(n.serve)
	if identity.ClusterID != [16]byte{} {
		n.transport.SetCluster(identity.ClusterID)
	}
	if n.members, err = membership.Join(membership.Options{
		Name: o.Name, ID: uint64(n.id), Meta: n.meta(), Join: o.Join, Key: o.GossipKey, Transport: n.transport, Logger: db.log,
	}); err != nil {
		return nil, err
	}
	return n, nil
}

// meta is what this node gossips of itself.
func (n *node) meta() membership.Meta {
	return membership.Meta{
		HTTPAddr: n.opts.HTTP, Zone: n.opts.Zone, Version: n.opts.Version, ClusterID: n.pool.Identity().ClusterID,
		Protocol: protocolVersion, MinProtocol: protocolVersion, Capacity: 1, PID: os.Getpid(),
	}
}

// alive lists the other nodes that answer, by id.
func (n *node) alive() map[uint64]membership.Member {
	found := make(map[uint64]membership.Member)
	for _, m := range n.members.Members() {
		if m.State == membership.Alive && m.ID != uint64(n.id) {
			found[m.ID] = m
		}
	}
	return found
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// raftDir is where in a node's directory its log is.
const raftDir = "raft"

// streamSnapshot is the kind of stream that carries a snapshot.
const streamSnapshot = 1

// carrier lets the raft runtime use the transport.
type carrier struct{ n *node }

func (c carrier) Send(to replication.Node, batch []byte) bool {
	return c.n.transport.Send(uint64(to), batch)
}

func (c carrier) SendSnapshot(ctx context.Context, to replication.Node, write func(io.Writer) error) error {
	s, err := c.n.transport.Stream(ctx, uint64(to), streamSnapshot)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := write(limitedWriter{ctx, s, c.n.snapshots}); err != nil {
		return err
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, s)
	return err
}

// observer passes what the runtime tells on.
type observer struct{ n *node }

func (o observer) LeaderChanged(id replication.Group, leader replication.Node, term uint64) {
	if g := o.n.group(id); g != nil {
		g.leaderChanged(leader, term)
	}
}

func (o observer) MembersChanged(replication.Group, []replication.Node, []replication.Node) {
	o.n.kick()
}

func (o observer) Removed(replication.Group) { o.n.kick() }

func (o observer) Stopped(id replication.Group, err error) {
	o.n.db.log.Error("a replica stopped and takes no part any more until a restart", "group", uint64(id), "error", err)
}

func (n *node) group(id replication.Group) *group {
	n.groups.RLock()
	defer n.groups.RUnlock()
	return n.groups.m[id]
}

// leaderOf is the leader of a group as far as this node knows.
func (n *node) leaderOf(id replication.Group) replication.Node {
	if n.group(id) == nil {
		return 0
	}
	return n.runtime.Leader(id)
}

// diskFull reports whether the log, or a shard's database, waits for space.
func (n *node) diskFull() bool { return n.runtime.DiskFull() || n.spaceless.Load() > 0 }

// bounded limits how long a request may wait.
func (n *node) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, n.opts.Timeout)
}

// kick has the topology looked at again.
func (n *node) kick() {
	for _, c := range []chan struct{}{n.changed, n.look} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// startGroup begins or continues to take part in a group.
func (n *node) startGroup(id replication.Group, shard int, first []replication.Node) error {
	s, err := n.openShard(id)
	if err != nil {
		return err
	}
	g, err := n.newGroup(id, shard, s)
	if err != nil {
		return err
	}
	g.ctx, g.cancel = context.WithCancel(n.ctx)
	if shard < 0 {
		if err := n.readCatalog(s); err != nil {
			return err
		}
	}
	n.groups.Lock()
	n.groups.m[id] = g
	n.groups.Unlock()
	if err := n.runtime.Start(id, g, first); err != nil {
		n.groups.Lock()
		delete(n.groups.m, id)
		n.groups.Unlock()
		g.cancel()
		return err
	}
	if g.propagator != nil && !n.work.start(func() { g.propagator.run(g.ctx) }) {
		g.propagator.end()
	}
	return nil
}

// openShard opens or makes the database of a group.
func (n *node) openShard(id replication.Group) (*storage.Shard, error) {
	if slices.Contains(n.pool.Groups(), uint64(id)) {
		return n.pool.Open(uint64(id))
	}
	// A log that is here without a database is what dropGroup was interrupted at.
	if err := n.runtime.Remove(id); err != nil {
		return nil, err
	}
	return n.pool.Create(uint64(id))
}

// readCatalog loads tables and topology from the catalog's shard.
func (n *node) readCatalog(s *storage.Shard) error {
	if err := s.View(n.db.catalog.read); err != nil {
		return err
	}
	if err := s.View(n.topology.read); err != nil {
		return err
	}
	n.followTopology()
	return nil
}

// catalogChanged makes applied records of the catalog visible.
func (n *node) catalogChanged(changes []catalogChange) {
	n.db.catalog.change(changes)
	for _, c := range changes {
		if c.topology != nil {
			n.topology.set(*c.topology)
			n.followTopology()
		}
	}
}

// followTopology tells the transport whom there is to talk to.
func (n *node) followTopology() {
	n.topology.RLock()
	for id, m := range n.topology.nodes {
		if id != uint64(n.id) && m.State != NodeRemoved {
			n.transport.SetPeer(id, m.Name, m.Addr)
		}
	}
	me := n.topology.nodes[uint64(n.id)]
	n.topology.RUnlock()
	if me != nil && me.State == NodeRemoved {
		n.wasRemoved()
	}
	n.kick()
}

// start takes part in the cluster: it goes on with what is in its directory, or
// joins or makes a cluster, and returns once it knows all shards.
func (n *node) start(ctx context.Context) error {
	if slices.Contains(n.pool.Groups(), uint64(catalogGroup)) {
		if err := n.startGroup(catalogGroup, -1, nil); err != nil {
			return err
		}
	} else if err := n.enroll(ctx); err != nil {
		return err
	}
	n.work.start(n.reconcile)
	n.work.start(n.announce)
	var shards int
	for {
		if n.removed.Load() {
			return ErrRemoved
		}
		c := n.topology.record()
		if c != nil && len(n.topology.placed()) == c.Shards {
			shards = c.Shards
			break
		}
		timer := time.NewTimer(5 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("waiting for the cluster to form: %w", context.Cause(ctx))
		}
	}
	for shard := range shards {
		n.routes = append(n.routes, &route{node: n, shard: shard, id: groupOf(shard)})
	}
	return nil
}

// serve answers other nodes.
func (n *node) serve(ctx context.Context, from uint64, method uint8, request []byte) ([]byte, error) {
	switch method {
	case methodHello:
		return n.serveHello()
	case methodPromise:
		return n.servePromise(from)
	case methodJoin:
		return n.serveJoin(ctx, request)
	case methodPropose:
		return n.servePropose(ctx, request)
	case methodRead:
		return n.serveRead(ctx, request)
	case methodLook:
		return n.serveLook(ctx, request)
	case methodApplied:
		return n.serveApplied(ctx, request)
	case methodStats:
		return n.serveStats(request)
	case methodCatalog:
		r := wireReader{b: request}
		return nil, n.runtime.WaitApplied(ctx, catalogGroup, r.uvarint())
	case methodForward:
		if serve := n.forwarded.Load(); serve != nil && n.leadsCatalog() {
			return (*serve)(ctx, request)
		}
		return nil, notHereError{errNotHere}
	case methodStep:
		return nil, n.serveStep(ctx, request)
	case methodMember:
		return n.serveMember(ctx, request)
	case methodOperate:
		return nil, n.serveOperate(ctx, request)
	case methodStatus:
		return json.Marshal(n.report())
	}
	return nil, errBadRequest
}

// close leaves in order: leaderships first, so that nobody has to wait for an
// election.
func (n *node) close() error {
	n.cancel()
	var errs []error
	if n.runtime != nil {
		n.handOver()
	}
	n.work.close()
	if n.runtime != nil {
		errs = append(errs, n.runtime.Close())
	}
	if n.members != nil {
		// Others that go too may not hear it any more, which does no harm.
		if err := n.members.Leave(leaveTimeout); err != nil {
			n.db.log.Info("the others may not know that this node goes", "error", err)
		}
		errs = append(errs, n.members.Close())
	}
	if n.transport != nil {
		errs = append(errs, n.transport.Close())
	}
	if n.pool != nil {
		errs = append(errs, n.pool.Close())
	}
	return errors.Join(errs...)
}

// leaveTimeout is how long a node tries to tell the others that it goes.
const leaveTimeout = 300 * time.Millisecond

// handOver gives every leadership to the member that is furthest.
func (n *node) handOver() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	n.groups.RLock()
	ids := make([]replication.Group, 0, len(n.groups.m))
	for id := range n.groups.m {
		ids = append(ids, id)
	}
	n.groups.RUnlock()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			s := n.runtime.Status(id)
			if s.Role != replication.Leader {
				return
			}
			var to replication.Node
			var match uint64
			for _, p := range s.Peers {
				if !p.Learner && p.Active && p.Match >= match {
					to, match = p.Node, p.Match
				}
			}
			if to == 0 {
				return
			}
			if err := n.runtime.Transfer(ctx, id, to); err != nil {
				n.db.log.Info("a leadership was not handed over", "group", uint64(id), "error", err)
			}
		})
	}
	all.Wait()
}
