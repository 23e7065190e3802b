package replication

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/wal/waltest"
)

// cluster is a number of nodes over a network in memory.
type cluster struct {
	t       testing.TB
	config  Config
	checker *checker
	net     *network
	mu      sync.Mutex // guards nodes for the network
	nodes   map[Node]*member
}

func (c *cluster) node(id Node) *member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[id]
}

// member is a node that can crash and come back.
type member struct {
	c      *cluster
	config Config
	id     Node
	disk   *waltest.Disk

	mu       sync.Mutex
	rt       *Runtime // nil while down
	machines map[Group]*machine
	fatal    error
	stopped  map[Group]error
	removed  []Group
}

func newCluster(t testing.TB, seed uint64, config Config, n int) *cluster {
	c := &cluster{t: t, config: config, checker: newChecker(), nodes: map[Node]*member{}}
	c.net = &network{c: c, random: rand.New(rand.NewPCG(seed, 1)), cut: map[[2]Node]bool{}, bytes: map[Node]int{}}
	for i := range n {
		c.add(Node(i + 1))
	}
	return c
}

func (c *cluster) add(id Node) *member {
	m := &member{c: c, config: c.config, id: id, disk: waltest.NewDisk(), machines: map[Group]*machine{}, stopped: map[Group]error{}}
	c.mu.Lock()
	c.nodes[id] = m
	c.mu.Unlock()
	m.open()
	return m
}

// ids returns the ids of all nodes, ascending.
func (c *cluster) ids() []Node {
	var ids []Node
	for id := range c.nodes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (c *cluster) close() {
	for _, id := range c.ids() {
		m := c.nodes[id]
		if rt := m.runtime(); rt != nil {
			m.mu.Lock()
			m.rt = nil
			m.mu.Unlock()
			require.NoError(c.t, rt.Close())
		}
	}
	require.Empty(c.t, c.checker.failures)
}

func (m *member) open() {
	config := m.config
	config.Node = m.id
	config.Dir = "wal"
	config.WAL.FS = m.disk
	if config.WAL.SegmentSize == 0 {
		config.WAL.SegmentSize = 64 << 10
	}
	config.WAL.CacheBytes = 8 << 10
	config.Transport = endpoint{m.c.net, m.id}
	config.Observer = m
	config.Fatal = func(err error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.fatal = err
	}
	if os.Getenv("STATOR_RAFT_LOG") != "" {
		config.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", uint64(m.id))
	}
	rt, err := Open(config)
	require.NoError(m.c.t, err)
	m.mu.Lock()
	m.rt, m.fatal = rt, nil
	m.mu.Unlock()
}

func (m *member) runtime() *Runtime {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rt
}

func (m *member) machine(g Group) *machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.machines[g]
}

// start starts a group on a node with what its machine is on disk.
func (m *member) start(g Group, first ...Node) error {
	m.mu.Lock()
	sm := m.machines[g]
	if sm == nil {
		sm = newMachine(g, m.c.checker)
		m.machines[g] = sm
	}
	rt := m.rt
	m.mu.Unlock()
	return rt.Start(g, sm, first)
}

// startAll starts a group on the nodes that it begins with.
func (c *cluster) startAll(g Group, first ...Node) {
	for _, id := range first {
		require.NoError(c.t, c.nodes[id].start(g, first...))
	}
}

// crash ends a node as a power cut does.
func (m *member) crash(random *rand.Rand) {
	m.mu.Lock()
	rt := m.rt
	m.rt = nil
	for g, sm := range m.machines {
		m.machines[g] = sm.crash(random)
	}
	m.mu.Unlock()
	if rt != nil {
		m.disk.Crash(random)
		rt.Close() // its disk is gone
	}
}

// restart brings a node back with all its groups.
func (m *member) restart() {
	m.open()
	m.mu.Lock()
	var groups []Group
	for g := range m.machines {
		groups = append(groups, g)
	}
	m.mu.Unlock()
	slices.Sort(groups)
	for _, g := range groups {
		require.NoError(m.c.t, m.start(g))
	}
}

func (m *member) LeaderChanged(g Group, leader Node, term uint64) {
	if leader != 0 {
		m.c.checker.leads(g, leader, term)
	}
}

func (m *member) MembersChanged(Group, []Node, []Node) {}

func (m *member) Removed(g Group) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removed = append(m.removed, g)
}

func (m *member) Stopped(g Group, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped[g] = err
	if m.rt == nil {
		return // its disk has crashed
	}
	if !errors.Is(err, errDead) && !errors.Is(err, errBroken) {
		m.c.checker.failf("node %x: group %d stopped: %v", m.id, g, err)
	}
}

var errBroken = errors.New("broken on purpose")

// leader waits for a node that leads a group and has applied an entry of its term.
func (c *cluster) leader(g Group) *member {
	c.t.Helper()
	for range 10_000 {
		for _, id := range c.ids() {
			if rt := c.nodes[id].runtime(); rt != nil {
				if _, ok := rt.IsLeader(g); ok {
					return c.nodes[id]
				}
			}
		}
		pause(10 * time.Millisecond)
	}
	require.Fail(c.t, "no leader")
	return nil
}

// eventually waits for a condition.
func (c *cluster) eventually(what string, ok func() bool) {
	c.t.Helper()
	for range 6000 {
		if ok() {
			return
		}
		pause(10 * time.Millisecond)
	}
	require.Fail(c.t, "never came", what)
}

// put proposes on a node and waits for the outcome. It returns the index, 0 if
// the proposal was not or will never be applied.
func (m *member) put(ctx context.Context, g Group, id string) (uint64, error) {
	rt, sm := m.runtime(), m.machine(g)
	if rt == nil || sm == nil {
		return 0, errDead
	}
	term, err := rt.Propose(g, []byte(id))
	if err != nil {
		return 0, err
	}
	m.c.checker.leads(g, m.id, term)
	p := sm.expect(id, term)
	select {
	case index := <-p.done:
		return index, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// mustPut puts on whoever leads until it is applied.
func (c *cluster) mustPut(g Group, id string) uint64 {
	c.t.Helper()
	for n := range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		index, err := c.leader(g).put(ctx, g, fmt.Sprintf("%s#%d", id, n))
		cancel()
		if err == nil && index != 0 {
			return index
		}
		pause(50 * time.Millisecond)
	}
	require.Fail(c.t, "proposal is never applied")
	return 0
}

// converge waits until the running members of a group have applied the same.
func (c *cluster) converge(g Group, ids ...Node) {
	c.t.Helper()
	index := c.mustPut(g, fmt.Sprintf("%d/converge %d", g, c.checker.latest(g)))
	c.eventually("convergence", func() bool {
		for _, id := range ids {
			if c.nodes[id].machine(g).Applied() < index {
				return false
			}
		}
		return true
	})
}

func pause(d time.Duration) { <-time.After(d) }

// network carries batches between members, badly if told to.
type network struct {
	c *cluster

	mu               sync.Mutex
	random           *rand.Rand
	drop             float64
	delay            time.Duration // up to
	cut              map[[2]Node]bool
	batches, largest int
	bytes            map[Node]int // handed over for a node
}

// faults sets how likely batches are lost and how long they may take.
func (n *network) faults(drop float64, delay time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drop, n.delay = drop, delay
}

// cutOff cuts what a node sends to others.
func (n *network) cutOff(from Node, to ...Node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range to {
		n.cut[[2]Node{from, id}] = true
	}
}

func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.cut)
	n.drop, n.delay = 0, 0
}

func (n *network) broken(from, to Node) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cut[[2]Node{from, to}]
}

// endpoint is a node's Transport.
type endpoint struct {
	net  *network
	from Node
}

func (e endpoint) Send(to Node, b []byte) bool {
	n := e.net
	if n.c.node(e.from).runtime() == nil {
		return false
	}
	n.mu.Lock()
	cut := n.cut[[2]Node{e.from, to}]
	lost := n.random.Float64() < n.drop
	delay := time.Millisecond
	if n.delay > 0 {
		delay += time.Duration(n.random.Int64N(int64(n.delay)))
	}
	reported := n.random.IntN(2) == 0
	n.batches++
	n.largest = max(n.largest, len(b))
	n.bytes[to] += len(b)
	n.mu.Unlock()
	if cut || lost {
		return reported
	}
	b = slices.Clone(b)
	time.AfterFunc(delay, func() {
		if n.broken(e.from, to) {
			return
		}
		if m := n.c.node(to); m != nil {
			if rt := m.runtime(); rt != nil {
				if err := rt.Receive(e.from, b); err != nil && !errors.Is(err, ErrStopped) {
					n.c.checker.failf("node %x: %v", to, err)
				}
			}
		}
	})
	return true
}

func (e endpoint) SendSnapshot(ctx context.Context, to Node, write func(io.Writer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := e.net.c.node(to)
	if m == nil {
		return errors.New("unknown node")
	}
	rt := m.runtime()
	if rt == nil {
		return errors.New("node is down")
	}
	rd, w := io.Pipe()
	received := make(chan error, 1)
	go func() {
		err := rt.ReceiveSnapshot(ctx, e.from, rd)
		rd.CloseWithError(errors.Join(err, io.ErrClosedPipe))
		received <- err
	}()
	err := write(snapshotWriter{e, to, w})
	if err != nil {
		w.CloseWithError(err)
	} else {
		w.Close()
	}
	return errors.Join(err, <-received)
}

// snapshotWriter breaks when the network does.
type snapshotWriter struct {
	e  endpoint
	to Node
	w  *io.PipeWriter
}

func (s snapshotWriter) Write(b []byte) (int, error) {
	pause(time.Millisecond)
	n := s.e.net
	if n.broken(s.e.from, s.to) || n.c.node(s.e.from).runtime() == nil || n.c.node(s.to).runtime() == nil {
		return 0, errors.New("stream is broken")
	}
	return s.w.Write(b)
}
