package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A messenger sends batches to a peer: they gather in a buffer, and run writes
// what has gathered at once, connecting as needed. What cannot be sent is
// dropped.
type messenger struct {
	p      *peer
	ctx    context.Context // ends with close
	cancel context.CancelFunc
	wake   chan struct{} // of capacity 1

	mu      sync.Mutex
	buf     []byte // frames
	spare   []byte
	frames  uint64
	delayed int      // bytes that faults hold back
	down    backoff  // after a failed dial
	conn    net.Conn // nil: none
}

func newMessenger(p *peer) *messenger {
	m := &messenger{p: p, wake: make(chan struct{}, 1)}
	m.ctx, m.cancel = context.WithCancel(p.t.ctx)
	return m
}

// Send implements Interface.
func (t *Transport) Send(to uint64, batch []byte) bool {
	p := t.peer(to)
	if p == nil {
		return false
	}
	ok := len(batch) <= MaxFrame && p.messages.send(batch)
	if !ok {
		p.count.messagesDropped.Add(1)
	}
	return ok
}

func (m *messenger) send(batch []byte) bool {
	t := m.p.t
	if t.clusterID() == noCluster || m.ctx.Err() != nil {
		return false
	}
	var fate fate
	if t.o.Faults != nil {
		name, _ := m.p.where()
		fate = t.o.Faults.draw(t.o.Name, name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.buf)+m.delayed+len(batch) > t.o.QueueBytes || m.down.wait() != nil {
		return false
	}
	switch {
	case fate.lost:
	case fate.delay > 0:
		late := append([]byte(nil), batch...)
		m.delayed += len(late)
		time.AfterFunc(fate.delay, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.delayed -= len(late)
			m.queueLocked(late)
		})
	default:
		m.queueLocked(batch)
	}
	return true
}

func (m *messenger) queueLocked(batch []byte) {
	if len(m.buf) == 0 {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
	m.buf = appendFrame(m.buf, frameMessage, batch)
	m.frames++
}

// take returns what is queued.
func (m *messenger) take() (frames []byte, n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	frames, n = m.buf, m.frames
	m.buf, m.spare, m.frames = m.spare[:0], nil, 0
	return frames, n
}

// run sends until close.
func (m *messenger) run() {
	defer m.disconnect()
	count := &m.p.count
	for {
		select {
		case <-m.wake:
		case <-m.ctx.Done():
			return
		}
		// Connecting first: what is queued meanwhile goes along.
		conn, err := m.connect()
		frames, n := m.take()
		if err == nil && len(frames) > 0 {
			_ = conn.SetWriteDeadline(time.Now().Add(m.p.t.o.WriteTimeout))
			_, err = conn.Write(frames)
			if err != nil {
				m.drop(conn)
			}
		}
		if err != nil {
			count.messagesDropped.Add(n)
		} else {
			count.messagesSent.Add(n)
		}
		m.mu.Lock()
		if cap(frames) <= keepBuffer {
			m.spare = frames
		}
		m.mu.Unlock()
	}
}

// connect returns the connection, making one if there is none.
func (m *messenger) connect() (net.Conn, error) {
	m.mu.Lock()
	conn := m.conn
	m.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	t := m.p.t
	name, addr := m.p.where()
	conn, _, err := t.dial(m.ctx, target{m.p.id, name, addr, kindMessages, 0})
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.down.failed(err)
		return nil, err
	}
	m.down.reset()
	conn = countingConn{conn, &m.p.count}
	if !t.track(conn) {
		return nil, ErrClosed
	}
	// The peer never sends anything: reading ends with the connection.
	watching := t.spawn(func() {
		_, _ = conn.Read(make([]byte, 1))
		m.drop(conn)
	})
	if !watching {
		_ = conn.Close()
		return nil, ErrClosed
	}
	m.conn = conn
	return conn, nil
}

// drop ends a connection; the next batch makes a new one.
func (m *messenger) drop(conn net.Conn) {
	m.mu.Lock()
	if m.conn == conn {
		m.conn = nil
	}
	m.mu.Unlock()
	_ = conn.Close()
	m.p.t.untrack(conn)
}

func (m *messenger) disconnect() {
	m.mu.Lock()
	conn := m.conn
	m.mu.Unlock()
	if conn != nil {
		m.drop(conn)
	}
}

// reconnect has the next batch sent over a new connection, without delay.
func (m *messenger) reconnect() {
	m.mu.Lock()
	m.down.reset()
	m.mu.Unlock()
	m.disconnect()
}

// close ends run.
func (m *messenger) close() {
	m.cancel()
	m.disconnect()
}

func (m *messenger) queued() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.buf) + m.delayed
}

// serveMessages receives batches until the connection ends.
func (t *Transport) serveMessages(conn net.Conn, hello preamble) {
	p := t.peer(hello.from)
	if p != nil {
		conn = countingConn{conn, &p.count}
	}
	frames := newFrameReader(conn, readBuffer, maxBody)
	for {
		typ, body, err := frames.next()
		if err == nil && typ != frameMessage {
			err = errCorrupt
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && t.ctx.Err() == nil {
				t.log.Debug("connection for messages ended", "peer", hello.name, "error", err)
			}
			return
		}
		if p = t.peer(hello.from); p != nil {
			p.count.messagesReceived.Add(1)
		}
		if h := t.messages.Load(); h != nil {
			(*h)(hello.from, body)
		}
	}
}
