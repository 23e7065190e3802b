package transport

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// noCluster is the id of a node that is not yet member of a cluster.
var noCluster [16]byte

// Transport connects a node with its peers. It implements Interface, where its
// methods are described.
type Transport struct {
	o       Options
	net     network
	addr    string
	tcp     net.Listener
	udp     packetConn
	log     *slog.Logger
	trouble onceLog
	open    [256]bool // OpenMethods
	started time.Time

	cluster  atomic.Pointer[[16]byte]
	peers    atomic.Pointer[map[uint64]*peer] // copied on change, with mu held
	messages atomic.Pointer[func(from uint64, batch []byte)]
	calls    atomic.Pointer[CallHandler]
	streams  [256]atomic.Pointer[StreamHandler]
	gossip   Gossip

	workers workers
	// Not of the package: channels belong to the bubble they were made in.
	pendingCalls sync.Pool

	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	closed  bool
	conns   map[net.Conn]struct{} // every connection that Close must end
	serving map[*serverConn]struct{}
	wg      sync.WaitGroup // every goroutine but the workers; added to with mu held, unless closed
	done    chan struct{}  // closed at the end of Close
}

var _ Interface = (*Transport)(nil)

// Listen starts a transport over TCP and UDP. The error names the address that
// cannot be listened at.
func Listen(o Options) (*Transport, error) { return listen(o, tcpNetwork{}) }

func listen(o Options, n network) (*Transport, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	tcp, udp, err := n.listen(o.Addr)
	if err != nil {
		return nil, err
	}
	addr, err := advertised(o.Advertise, tcp.Addr())
	if err != nil {
		return nil, errors.Join(err, tcp.Close(), udp.Close())
	}
	t := &Transport{
		o: o, net: n, addr: addr, tcp: tcp, udp: udp, log: o.Logger,
		trouble: onceLog{logger: o.Logger},
		started: time.Now(),
		conns:   map[net.Conn]struct{}{},
		serving: map[*serverConn]struct{}{},
		done:    make(chan struct{}),
	}
	for _, m := range o.OpenMethods {
		t.open[m] = true
	}
	t.gossip.t = t
	t.pendingCalls.New = newPendingCall
	t.cluster.Store(&noCluster)
	t.peers.Store(&map[uint64]*peer{})
	t.ctx, t.cancel = context.WithCancelCause(context.Background())
	t.spawn(t.accept)
	t.spawn(t.receivePackets)
	t.spawn(t.keep)
	return t, nil
}

// spawn runs f in a goroutine that Close waits for. It returns false, without
// running it, once the transport is closed.
func (t *Transport) spawn(f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.wg.Go(f)
	return true
}

// track has Close end a connection. It returns false, having closed it, once
// the transport is closed.
func (t *Transport) track(conn net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		_ = conn.Close()
		return false
	}
	t.conns[conn] = struct{}{}
	return true
}

// untrack is the end of track.
func (t *Transport) untrack(conn net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, conn)
}

// ID implements Interface.
func (t *Transport) ID() uint64 { return t.o.NodeID }

// Addr implements Interface.
func (t *Transport) Addr() string { return t.addr }

func (t *Transport) clusterID() [16]byte { return *t.cluster.Load() }

// SetCluster implements Interface.
func (t *Transport) SetCluster(id [16]byte) {
	if old := t.cluster.Swap(&id); *old == id {
		return
	}
	for _, p := range *t.peers.Load() {
		p.reconnect(errMoved)
	}
}

// SetPeer implements Interface.
func (t *Transport) SetPeer(id uint64, name, addr string) {
	if id == 0 || id == t.o.NodeID {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	if p := t.peer(id); p != nil {
		p.move(name, addr)
		return
	}
	peers := maps.Clone(*t.peers.Load())
	p := newPeer(t, id, name, addr)
	peers[id] = p
	t.peers.Store(&peers)
	t.wg.Go(p.messages.run)
}

// RemovePeer implements Interface.
func (t *Transport) RemovePeer(id uint64) {
	t.mu.Lock()
	p := t.peer(id)
	if p != nil {
		peers := maps.Clone(*t.peers.Load())
		delete(peers, id)
		t.peers.Store(&peers)
	}
	t.mu.Unlock()
	if p != nil {
		p.close(ErrUnknownPeer)
	}
}

func (t *Transport) peer(id uint64) *peer { return (*t.peers.Load())[id] }

// nameAt is the name of the peer at an address, or the address.
func (t *Transport) nameAt(addr string) string {
	for _, p := range *t.peers.Load() {
		if name, a := p.where(); a == addr {
			return name
		}
	}
	return addr
}

// HandleMessages implements Interface.
func (t *Transport) HandleMessages(h func(from uint64, batch []byte)) { t.messages.Store(&h) }

// HandleCalls implements Interface.
func (t *Transport) HandleCalls(h CallHandler) { t.calls.Store(&h) }

// HandleStream implements Interface.
func (t *Transport) HandleStream(kind uint8, h StreamHandler) { t.streams[kind].Store(&h) }

func (t *Transport) streamHandler(kind uint8) StreamHandler {
	if h := t.streams[kind].Load(); h != nil {
		return *h
	}
	return nil
}

// RoundTrip implements Interface.
func (t *Transport) RoundTrip(to uint64) time.Duration {
	if p := t.peer(to); p != nil {
		return time.Duration(p.roundTrip.Load())
	}
	return 0
}

// Stats implements Interface.
func (t *Transport) Stats() []PeerStats {
	peers := *t.peers.Load()
	stats := make([]PeerStats, 0, len(peers))
	for _, id := range slices.Sorted(maps.Keys(peers)) {
		stats = append(stats, peers[id].stats())
	}
	return stats
}

// Gossip implements Interface.
func (t *Transport) Gossip() *Gossip { return &t.gossip }

// keep looks after the connections for calls: it makes those that are missing,
// asks for signs of life, and lets idle workers go.
func (t *Transport) keep() {
	tick := time.NewTicker(t.o.PingInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-t.ctx.Done():
			return
		}
		for _, p := range *t.peers.Load() {
			p.keep()
		}
		t.workers.trim()
	}
}

// flushTimeout bounds how long Close waits for answers to leave.
const flushTimeout = time.Second

// Close implements Interface. Its order: no new connections and no new calls
// (those that still come are answered as not handled); running handlers end
// with their contexts; their answers are written; then connections end, and with
// them the goroutines that serve them.
func (t *Transport) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		<-t.done
		return nil
	}
	t.closed = true
	serving := slices.Collect(maps.Keys(t.serving))
	t.mu.Unlock()

	t.cancel(ErrClosed)
	err := errors.Join(t.tcp.Close(), t.udp.Close())
	t.workers.close()
	enough := time.AfterFunc(flushTimeout, func() {
		for _, s := range serving {
			s.out.close(ErrClosed)
		}
	})
	for _, s := range serving {
		s.out.flush()
	}
	enough.Stop()
	for _, p := range *t.peers.Load() {
		p.close(ErrClosed)
	}
	t.mu.Lock()
	conns := slices.Collect(maps.Keys(t.conns))
	t.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
	t.wg.Wait()
	close(t.done)
	return err
}
