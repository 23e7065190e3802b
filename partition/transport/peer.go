package transport

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Why connections end that are not broken.
var (
	errMoved  = errors.New("connection replaced")
	errSilent = errors.New("peer gives no sign of life")
)

// Dialling waits after a failure, so that a dead peer costs little: from
// minBackoff, doubling to maxBackoff. A peer that connects to this node is dialled
// at once: neither side waits for long after a restart, or the end of a partition.
const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = 500 * time.Millisecond
)

// A peer is another node as this one sees it.
type peer struct {
	t        *Transport
	id       uint64
	messages *messenger

	call      atomic.Pointer[callConn] // nil if there is none that works
	roundTrip atomic.Int64
	count     counters

	mu      sync.Mutex
	name    string
	addr    string
	closed  error
	dialing *dialing // at most one, for calls
	dialled backoff  // for calls
}

// counters are the numbers of PeerStats.
type counters struct {
	bytesSent, bytesReceived                            atomic.Uint64
	messagesSent, messagesReceived, messagesDropped     atomic.Uint64
	callsSent, callsFailed, callsHandled, callsInFlight atomic.Int64
}

// dialing is an attempt to connect that several callers may wait for.
type dialing struct {
	done chan struct{}
	conn *callConn // valid once done is closed, if err is nil
	err  error
}

func newPeer(t *Transport, id uint64, name, addr string) *peer {
	p := &peer{t: t, id: id, name: name, addr: addr}
	p.messages = newMessenger(p)
	return p
}

// where returns name and address.
func (p *peer) where() (name, addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name, p.addr
}

// move sets name and address.
func (p *peer) move(name, addr string) {
	p.mu.Lock()
	same := p.name == name && p.addr == addr
	p.name, p.addr = name, addr
	p.mu.Unlock()
	if !same {
		p.reconnect(errMoved)
	}
}

// reconnect has new connections made; what is under way on the old ones ends
// there.
func (p *peer) reconnect(cause error) {
	p.mu.Lock()
	p.dialled.reset()
	p.mu.Unlock()
	if c := p.call.Swap(nil); c != nil {
		c.retire(cause)
	}
	p.messages.reconnect()
}

// seen is called when the peer has made a connection to this node.
func (p *peer) seen() {
	p.mu.Lock()
	p.dialled.reset()
	p.mu.Unlock()
	p.messages.mu.Lock()
	p.messages.down.reset()
	p.messages.mu.Unlock()
}

// close ends all connections for good.
func (p *peer) close(cause error) {
	p.mu.Lock()
	p.closed = cause
	p.mu.Unlock()
	if c := p.call.Swap(nil); c != nil {
		c.out.close(cause)
	}
	p.messages.close()
}

// lost is called when a connection for calls has ended.
func (p *peer) lost(c *callConn) {
	if p.call.CompareAndSwap(c, nil) {
		p.roundTrip.Store(0)
	}
}

// conn returns the connection for calls, making one if need be. The error is
// the one of connecting, or the cause of ctx's end.
func (p *peer) conn(ctx context.Context) (*callConn, error) {
	if c := p.call.Load(); c != nil {
		return c, nil
	}
	d, err := p.dial()
	if err != nil {
		return nil, err
	}
	select {
	case <-d.done:
		return d.conn, d.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// dial starts connecting unless that is under way, or fails because it failed
// just now.
func (p *peer) dial() (*dialing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil {
		return nil, p.closed
	}
	if p.dialing != nil {
		return p.dialing, nil
	}
	d := &dialing{done: make(chan struct{})}
	if c := p.call.Load(); c != nil {
		d.conn = c
		close(d.done)
		return d, nil
	}
	if err := p.dialled.wait(); err != nil {
		return nil, err
	}
	if !p.t.spawn(func() { p.connect(d) }) {
		return nil, ErrClosed
	}
	p.dialing = d
	return d, nil
}

// connect is the work of dial.
func (p *peer) connect(d *dialing) {
	cluster := p.t.clusterID()
	name, addr := p.where()
	conn, _, err := p.t.dial(p.t.ctx, target{p.id, name, addr, kindCalls, 0})
	var c *callConn
	if err == nil {
		c = newCallConn(p.t, p, name, conn)
		err = c.start()
	}
	p.mu.Lock()
	moved := p.addr != addr || p.t.clusterID() != cluster
	if err != nil {
		p.dialled.failed(err)
	} else {
		p.dialled.reset()
		if p.closed != nil {
			err = p.closed
		} else if !moved {
			p.call.Store(c)
		}
	}
	p.dialing = nil
	p.mu.Unlock()

	switch {
	case err != nil && c != nil:
		c.out.close(err)
	case err == nil && moved:
		// Whoever waits may use it, nobody else.
		defer c.retire(errMoved)
	}
	if err == nil && c.ended() {
		// It broke before it was stored, when lost could not find it.
		p.lost(c)
	}
	d.conn, d.err = c, err
	close(d.done)
}

// keep makes the connection for calls if there is none, breaks it if it is
// dead, and asks for a sign of life.
func (p *peer) keep() {
	c := p.call.Load()
	if c == nil {
		_, _ = p.dial()
		return
	}
	if c.silent() > 3*p.t.o.PingInterval {
		c.out.close(errSilent)
		return
	}
	c.ping()
}

// pong takes a measured round trip into account.
func (p *peer) pong(sample time.Duration) {
	old := time.Duration(p.roundTrip.Load())
	if old != 0 {
		sample = old + (sample-old)/4
	}
	p.roundTrip.Store(int64(max(sample, 1)))
}

func (p *peer) stats() PeerStats {
	name, addr := p.where()
	n := &p.count
	return PeerStats{
		ID:               p.id,
		Name:             name,
		Addr:             addr,
		Connected:        p.call.Load() != nil,
		RoundTrip:        time.Duration(p.roundTrip.Load()),
		BytesSent:        n.bytesSent.Load(),
		BytesReceived:    n.bytesReceived.Load(),
		MessagesSent:     n.messagesSent.Load(),
		MessagesReceived: n.messagesReceived.Load(),
		MessagesDropped:  n.messagesDropped.Load(),
		CallsSent:        uint64(n.callsSent.Load()),
		CallsFailed:      uint64(n.callsFailed.Load()),
		CallsHandled:     uint64(n.callsHandled.Load()),
		CallsInFlight:    int(n.callsInFlight.Load()),
		QueuedBytes:      p.messages.queued(),
	}
}

// backoff says when to dial again.
type backoff struct {
	delay time.Duration
	until time.Time
	err   error
}

// wait returns the last failure if it is too early to try again.
func (b *backoff) wait() error {
	if b.err != nil && time.Now().Before(b.until) {
		return b.err
	}
	return nil
}

func (b *backoff) failed(err error) {
	b.delay = min(max(2*b.delay, minBackoff), maxBackoff)
	b.until = time.Now().Add(b.delay)
	b.err = err
}

func (b *backoff) reset() { *b = backoff{} }

// target is whom and what for a connection is made.
type target struct {
	id   uint64 // 0: whoever is there
	name string
	addr string
	kind kind
	sub  uint8
}

// countingConn counts what a peer's connection carries.
type countingConn struct {
	net.Conn
	count *counters
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.count.bytesReceived.Add(uint64(n))
	return n, err
}

func (c countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.count.bytesSent.Add(uint64(n))
	return n, err
}
