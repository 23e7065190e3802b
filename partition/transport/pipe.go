package transport

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeBuffer is what one direction of a pipe holds unread, about what two
// sockets would.
const pipeBuffer = 256 << 10

// newPipe returns the two ends of a connection in memory. Unlike net.Pipe it
// has buffers, as sockets have: a peer that does not read must not stop the
// sender at once.
func newPipe(a, b net.Addr) (*pipeConn, *pipeConn) {
	there, back := newHalf(), newHalf()
	return &pipeConn{in: back, out: there, local: a, remote: b}, &pipeConn{in: there, out: back, local: b, remote: a}
}

// pipeConn is one end.
type pipeConn struct {
	in, out       *half
	local, remote net.Addr
}

func (c *pipeConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *pipeConn) Write(b []byte) (int, error) { return c.out.write(b) }
func (c *pipeConn) LocalAddr() net.Addr         { return c.local }
func (c *pipeConn) RemoteAddr() net.Addr        { return c.remote }

// Close lets the other side read what was written, then io.EOF.
func (c *pipeConn) Close() error {
	c.in.close(false)
	c.out.close(true)
	return nil
}

func (c *pipeConn) SetDeadline(t time.Time) error {
	c.in.readLimit.set(c.in, t)
	c.out.writeLimit.set(c.out, t)
	return nil
}

func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.in.readLimit.set(c.in, t)
	return nil
}

func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.out.writeLimit.set(c.out, t)
	return nil
}

// half is one direction.
type half struct {
	mu         sync.Mutex
	changed    sync.Cond
	buf        []byte
	writerGone bool // nothing follows buf
	readerGone bool
	readLimit  limit
	writeLimit limit
}

func newHalf() *half {
	h := &half{}
	h.changed.L = &h.mu
	return h
}

// limit is a deadline.
type limit struct {
	timer  *time.Timer
	number int // of sets: an old timer's fire is told by it
	passed bool
}

func (l *limit) set(h *half, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.number++
	l.passed = false
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		l.passed = true
		h.changed.Broadcast()
		return
	}
	number := l.number
	l.timer = time.AfterFunc(left, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if l.number == number {
			l.passed = true
			h.changed.Broadcast()
		}
	})
}

func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readerGone:
			return 0, net.ErrClosed
		case h.readLimit.passed:
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0:
			n := copy(b, h.buf)
			h.buf = h.buf[n:]
			h.changed.Broadcast()
			return n, nil
		case h.writerGone:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *half) write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for {
		switch {
		case h.writerGone:
			return n, net.ErrClosed
		case h.readerGone:
			return n, io.ErrClosedPipe
		case h.writeLimit.passed:
			return n, os.ErrDeadlineExceeded
		case len(b) == 0:
			return n, nil
		}
		if room := pipeBuffer - len(h.buf); room > 0 {
			part := b[:min(len(b), room)]
			h.buf = append(h.buf, part...)
			n += len(part)
			b = b[len(part):]
			h.changed.Broadcast()
			continue
		}
		h.changed.Wait()
	}
}

// close ends the direction from the writer's or the reader's side.
func (h *half) close(writer bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &h.readLimit
	if writer {
		h.writerGone = true
		l = &h.writeLimit
	} else {
		h.readerGone = true
		h.buf = nil
	}
	l.number++
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	h.changed.Broadcast()
}
