package front

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"
)

// The phases of a connection. Whoever closes it from outside because it is idle, and
// the goroutine that found a request on it, exchange idle for another phase; only one
// of them succeeds.
const (
	active int32 = iota
	idle
	closed
)

const (
	// usualSize is the size of a buffer that most requests and answers fit into.
	usualSize = 4 << 10
	// keptSize is the largest buffer that an idle connection keeps.
	keptSize = 16 << 10
)

// connection is a client's connection. It belongs to one goroutine but for phase.
type connection struct {
	s     *Server
	conn  net.Conn
	phase atomic.Int32
	// armed is when the deadline for the next request was set.
	armed time.Time

	in      []byte        // what was read and not yet answered
	request *http.Request // reused, with its header
	url     url.URL
	body    body
	out     answer
}

// body is the body of a request, which was received as a whole.
type body struct{ bytes.Reader }

func (*body) Close() error { return nil }

func newConnection(s *Server, conn net.Conn) *connection {
	return &connection{s: s, conn: conn, in: make([]byte, 0, usualSize), out: answer{header: http.Header{}}}
}

// run answers requests until the client leaves, the server stops, or a request is not
// plain.
func (c *connection) run() {
	ctx, cancel := context.WithCancel(c.s.base)
	defer cancel()
	c.request = (&http.Request{
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, RemoteAddr: c.conn.RemoteAddr().String(),
	}).WithContext(ctx)
	for len(c.in) > 0 || c.await() {
		clear(c.request.Header)
		host, head, length, plain := parseHead(c.in, c.request.Header)
		if !plain {
			_ = c.conn.SetReadDeadline(time.Time{}) // an error shows when it is used
			c.s.handed.hand(c.conn, c.in)
			return
		}
		size := head + length
		if !c.receive(size) || !c.answer(host, c.in[head:size]) {
			break
		}
		if rest := c.in[size:]; len(rest) == 0 && cap(c.in) > keptSize {
			c.in = make([]byte, 0, usualSize)
		} else {
			c.in = c.in[:copy(c.in, rest)]
		}
	}
	_ = c.conn.Close() // there is nobody to tell
}

// await waits for the first bytes of a request.
//
// The deadline is not set anew for each request, but when a quarter of it has passed:
// an idle connection is closed after three quarters of the limit at the earliest.
func (c *connection) await() bool {
	c.phase.Store(idle)
	if c.s.closing.Load() { // looked at after idle is seen, and set before idle is looked at
		return false
	}
	limit := c.s.web.IdleTimeout
	if now := time.Now(); now.Sub(c.armed) > limit/4 {
		c.armed = now
		if c.conn.SetReadDeadline(now.Add(limit)) != nil {
			return false
		}
	}
	n, err := c.conn.Read(c.in[:cap(c.in)])
	c.in = c.in[:n]
	return err == nil && n > 0 && c.phase.CompareAndSwap(idle, active)
}

// receive waits until size bytes are there.
func (c *connection) receive(size int) bool {
	if len(c.in) >= size {
		return true
	}
	c.in = slices.Grow(c.in, size-len(c.in))
	if c.conn.SetReadDeadline(time.Now().Add(c.s.web.ReadTimeout)) != nil {
		return false
	}
	c.armed = time.Time{}
	for len(c.in) < size {
		n, err := c.conn.Read(c.in[len(c.in):cap(c.in)])
		c.in = c.in[:len(c.in)+n]
		if err != nil {
			return false
		}
	}
	return true
}

// answer has a request answered and tells whether another one may follow.
func (c *connection) answer(host string, content []byte) (more bool) {
	defer func() {
		if p := recover(); p != nil {
			more = false
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				c.s.web.ErrorLog.Printf("panic serving %s: %v\n%s", c.request.RemoteAddr, p, debug.Stack())
			}
		}
	}()
	r := c.request
	c.url = url.URL{Path: "/"}
	c.body.Reset(content)
	r.Method, r.URL, r.RequestURI, r.Host = http.MethodPost, &c.url, "/", host
	r.Body, r.ContentLength = &c.body, int64(len(content))
	c.out.begin(c)
	c.s.web.Handler.ServeHTTP(&c.out, r)
	return c.out.end()
}
