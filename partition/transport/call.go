package transport

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// readBuffer is of connections for calls and messages.
	readBuffer = 32 << 10
	// callOverhead is what an unanswered request counts beside its bytes.
	callOverhead = 256
)

// notQueued is the end of a request that is not in the outbox yet.
const notQueued = math.MaxUint64

// errUnhandled: the peer answered that it does not handle the call.
type errUnhandled struct{ reason string }

func (e errUnhandled) Error() string { return "peer does not handle the call: " + e.reason }

// A callConn is a connection on which this node sends requests.
//
// The outcome of a call that gets no answer is told from where its request ends
// in the bytes of the connection (pendingCall.end):
//
//   - withdrawn while the outbox has not taken it: the frame is made void in
//     place, ErrNotSent;
//   - the connection broke: once the writer has returned, what ends beyond
//     outbox.written never left this process as a whole, and the peer acts on
//     whole frames only: ErrNotSent. The rest: ErrUnknown;
//   - answered as unhandled: ErrNotSent;
//   - everything else: ErrUnknown.
//
// TLS keeps this true: its Write counts only records that were written whole,
// and nothing of a record can be read before all of it is there.
type callConn struct {
	t     *Transport
	peer  *peer // nil: made by CallAddr
	name  string
	out   outbox
	bytes *semaphore.Weighted // unanswered requests
	heard atomic.Int64        // when bytes were last read, since t.started

	// Guarded by out.mu.
	pending map[uint64]*pendingCall
	lastID  uint64
	retired error // no new calls; ends when pending is empty
	debt    int64 // of bytes: withdrawn requests still in the outbox
}

// A pendingCall is a call without an answer. Who removes it from pending fills
// in the result and signals done, or returns it to the pool.
type pendingCall struct {
	done     chan struct{} // of capacity 1
	end      uint64        // offset behind the request's frame, or notQueued
	size     int           // of the frame
	response []byte
	err      error
}

func newPendingCall() any { return &pendingCall{done: make(chan struct{}, 1)} }

func newCallConn(t *Transport, p *peer, name string, conn net.Conn) *callConn {
	c := &callConn{
		t: t, peer: p, name: name,
		bytes:   semaphore.NewWeighted(int64(t.o.CallBytes) + callOverhead),
		pending: map[uint64]*pendingCall{},
	}
	if p != nil {
		conn = countingConn{conn, &p.count}
	}
	c.out.init(conn, t.o.WriteTimeout, t.o.CallBytes)
	c.out.onTake = func() {
		if c.debt > 0 {
			c.bytes.Release(c.debt)
			c.debt = 0
		}
	}
	c.heard.Store(int64(time.Since(t.started)))
	return c
}

// start begins to serve the connection.
func (c *callConn) start() error {
	if !c.t.track(c.out.conn) {
		return ErrClosed
	}
	written := make(chan struct{})
	if !c.t.spawn(func() { defer close(written); c.out.run() }) {
		close(written)
		c.out.close(ErrClosed)
		return ErrClosed
	}
	if !c.t.spawn(func() { c.read(written) }) {
		c.out.close(ErrClosed)
		return ErrClosed
	}
	return nil
}

// ended says whether the connection has ended.
func (c *callConn) ended() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.err != nil
}

// retire lets no new calls begin and ends the connection after those under way.
func (c *callConn) retire(cause error) {
	c.out.mu.Lock()
	c.retired = cause
	idle := len(c.pending) == 0
	c.out.mu.Unlock()
	if idle {
		c.out.close(cause)
	}
}

// call sends a request and waits for the answer. retry says that the connection
// was not usable and nothing was sent.
func (c *callConn) call(ctx context.Context, method uint8, body []byte) (response []byte, retry bool, err error) {
	var timeout uint32
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		if left <= 0 {
			return nil, false, notSent(context.DeadlineExceeded)
		}
		timeout = uint32(min((left+time.Millisecond-1)/time.Millisecond, math.MaxUint32))
	}
	weight := int64(len(body) + callOverhead)
	if err := c.bytes.Acquire(ctx, weight); err != nil {
		return nil, false, notSent(context.Cause(ctx))
	}
	p := c.t.pendingCalls.Get().(*pendingCall)
	p.end, p.size, p.response, p.err = notQueued, frameHead+requestHead+len(body), nil, nil
	fate := c.t.o.Faults.draw(c.t.o.Name, c.name)

	c.out.mu.Lock()
	if cause := c.endedLocked(); cause != nil {
		c.out.mu.Unlock()
		c.bytes.Release(weight)
		c.t.pendingCalls.Put(p)
		return nil, true, notSent(cause)
	}
	c.lastID++
	id := c.lastID
	c.pending[id] = p
	switch {
	case fate.lost:
		// The network has it: nobody can know that it got lost there.
		p.end = 0
	case fate.delay > 0:
		time.AfterFunc(fate.delay, func() {
			c.out.mu.Lock()
			defer c.out.mu.Unlock()
			if c.pending[id] == p && c.out.err == nil {
				c.sendLocked(p, id, method, timeout, body)
			}
		})
	default:
		c.sendLocked(p, id, method, timeout, body)
	}
	c.out.mu.Unlock()

	if cancelled := ctx.Done(); cancelled == nil {
		<-p.done
	} else {
		select {
		case <-p.done:
		case <-cancelled:
			if err := c.abandon(ctx, id, p, weight); err != nil {
				return nil, false, err
			}
			<-p.done
		}
	}
	response, err = p.response, p.err
	p.response, p.err = nil, nil
	c.t.pendingCalls.Put(p)
	c.bytes.Release(weight)
	return response, false, err
}

// endedLocked returns why no new call can begin, or nil.
func (c *callConn) endedLocked() error {
	if c.out.err != nil {
		return c.out.err
	}
	return c.retired
}

// sendLocked appends the request of p.
func (c *callConn) sendLocked(p *pendingCall, id uint64, method uint8, timeout uint32, body []byte) {
	before := len(c.out.buf)
	c.out.buf = appendRequest(c.out.buf, id, method, timeout, body)
	p.end = c.out.endLocked()
	c.out.appendedLocked(before)
}

// abandon gives up a call whose context has ended and returns what became of
// it, or nil if its answer is there.
func (c *callConn) abandon(ctx context.Context, id uint64, p *pendingCall, weight int64) error {
	c.out.mu.Lock()
	if c.pending[id] != p {
		c.out.mu.Unlock()
		return nil
	}
	var err error
	delete(c.pending, id)
	cause := context.Cause(ctx)
	switch {
	case p.end == notQueued:
		err = notSent(cause)
		c.bytes.Release(weight)
	case c.out.err == nil && p.end > c.out.taken:
		end := int(p.end - c.out.taken)
		voidFrame(c.out.buf, end-p.size, end)
		// Its bytes stay queued: they count until they are taken.
		c.debt += weight
		err = notSent(cause)
	default:
		err = unknown(cause)
		c.bytes.Release(weight)
	}
	last := c.retired != nil && len(c.pending) == 0
	c.out.mu.Unlock()
	if last {
		c.out.close(errMoved)
	}
	c.t.pendingCalls.Put(p)
	return err
}

// read delivers answers until the connection ends, then says of every call
// without an answer what became of it.
func (c *callConn) read(written <-chan struct{}) {
	frames := newFrameReader(c.out.conn, readBuffer, maxBody)
	var err error
	for err == nil {
		if frames.r.Buffered() == 0 {
			if _, err = frames.r.Peek(1); err != nil {
				break
			}
			c.heard.Store(int64(time.Since(c.t.started)))
		}
		var typ byte
		var body []byte
		if typ, body, err = frames.next(); err == nil {
			err = c.deliver(typ, body)
		}
	}
	c.out.close(fmt.Errorf("connection lost: %w", err))
	<-written
	if c.peer != nil {
		c.peer.lost(c)
	}
	c.t.untrack(c.out.conn)

	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	for id, p := range c.pending {
		delete(c.pending, id)
		// Neither queued nor taken, or not written as a whole.
		if p.end > c.out.written {
			p.err = notSent(c.out.err)
		} else {
			p.err = unknown(c.out.err)
		}
		p.done <- struct{}{}
	}
	c.out.onTake()
}

// deliver takes one frame.
func (c *callConn) deliver(typ byte, body []byte) error {
	if typ == frameVoid {
		return nil
	}
	id, body, err := parseAnswer(body)
	if err != nil {
		return err
	}
	var response []byte
	var failure error
	switch typ {
	case framePong:
		if c.peer != nil {
			c.peer.pong(time.Since(c.t.started) - time.Duration(id))
		}
		return nil
	case frameResponse:
		if len(body) > 0 {
			response = append(make([]byte, 0, len(body)), body...)
		}
	case frameError:
		remote, err := parseRemoteError(body)
		if err != nil {
			return err
		}
		failure = remote
	case frameUnhandled:
		failure = notSent(errUnhandled{string(body)})
	default:
		return fmt.Errorf("%w: type %d among answers", errCorrupt, typ)
	}
	c.out.mu.Lock()
	p := c.pending[id]
	delete(c.pending, id)
	last := c.retired != nil && len(c.pending) == 0
	c.out.mu.Unlock()
	if p != nil {
		p.response, p.err = response, failure
		p.done <- struct{}{}
	}
	if last {
		return errMoved
	}
	return nil
}

// silent is for how long nothing was heard.
func (c *callConn) silent() time.Duration {
	return time.Since(c.t.started) - time.Duration(c.heard.Load())
}

// ping asks for a sign of life. Its id is the time, which the pong brings back.
func (c *callConn) ping() {
	fate := c.t.o.Faults.draw(c.t.o.Name, c.name)
	if fate.lost {
		return
	}
	at := time.Since(c.t.started)
	send := func() {
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		if c.out.err == nil {
			before := len(c.out.buf)
			c.out.buf = appendAnswer(c.out.buf, framePing, uint64(at), nil)
			c.out.appendedLocked(before)
		}
	}
	if fate.delay > 0 {
		time.AfterFunc(fate.delay, send)
		return
	}
	send()
}

// notSent and unknown are the two ends of a call without an answer.
func notSent(cause error) error { return fmt.Errorf("%w: %w", ErrNotSent, cause) }
func unknown(cause error) error { return fmt.Errorf("%w: %w", ErrUnknown, cause) }

// Call implements Interface.
func (t *Transport) Call(ctx context.Context, to uint64, method uint8, request []byte) ([]byte, error) {
	p := t.peer(to)
	if p == nil {
		return nil, fmt.Errorf("call to node %x: %w", to, notSent(ErrUnknownPeer))
	}
	if len(request) > MaxFrame {
		return nil, fmt.Errorf("request of %d bytes: %w", len(request), ErrTooLarge)
	}
	p.count.callsSent.Add(1)
	p.count.callsInFlight.Add(1)
	response, err := p.send(ctx, method, request)
	p.count.callsInFlight.Add(-1)
	if err == nil {
		return response, nil
	}
	var remote *RemoteError
	if errors.As(err, &remote) {
		return nil, remote
	}
	p.count.callsFailed.Add(1)
	name, _ := p.where()
	return nil, fmt.Errorf("call to %s: %w", name, err)
}

// send is Call to a peer.
func (p *peer) send(ctx context.Context, method uint8, body []byte) ([]byte, error) {
	for attempt := 0; ; attempt++ {
		c, err := p.conn(ctx)
		if err != nil {
			return nil, notSent(err)
		}
		response, retry, err := c.call(ctx, method, body)
		// A connection that has ended just now deserves one new one.
		if !retry || attempt > 0 {
			return response, err
		}
		p.lost(c)
	}
}

// CallAddr implements Interface.
func (t *Transport) CallAddr(ctx context.Context, addr string, method uint8, request []byte) ([]byte, error) {
	if len(request) > MaxFrame {
		return nil, fmt.Errorf("request of %d bytes: %w", len(request), ErrTooLarge)
	}
	conn, a, err := t.dial(ctx, target{addr: addr, kind: kindCalls})
	if err != nil {
		return nil, fmt.Errorf("call to %s: %w", addr, notSent(err))
	}
	c := newCallConn(t, nil, a.name, conn)
	if err := c.start(); err != nil {
		return nil, fmt.Errorf("call to %s: %w", addr, notSent(err))
	}
	defer c.out.close(errMoved)
	response, _, err := c.call(ctx, method, request)
	var remote *RemoteError
	if err != nil && !errors.As(err, &remote) {
		err = fmt.Errorf("call to %s: %w", addr, err)
	}
	return response, err
}
