package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// maxGreetings bounds the connections that have not passed the preamble; more
// are not accepted for the time being.
const maxGreetings = 256

// acceptPause is how long to wait when the system has no connection to give
// (too many open files).
const acceptPause = 100 * time.Millisecond

// accept takes connections until the transport closes.
func (t *Transport) accept() {
	greetings := make(chan struct{}, maxGreetings)
	for {
		select {
		case greetings <- struct{}{}:
		case <-t.ctx.Done():
			return
		}
		conn, err := t.tcp.Accept()
		if err != nil {
			<-greetings
			if t.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			t.trouble.warn("accept", err.Error(), "cannot accept connections")
			select {
			case <-time.After(acceptPause):
			case <-t.ctx.Done():
				return
			}
			continue
		}
		if !t.track(conn) {
			<-greetings
			return
		}
		started := t.spawn(func() {
			defer t.untrack(conn)
			secured, hello, err := t.receive(conn)
			<-greetings
			if err != nil {
				_ = conn.Close()
				return
			}
			t.serve(secured, hello)
		})
		if !started {
			_ = conn.Close()
			return
		}
	}
}

// receive is the listener's side of the preamble. Whatever goes wrong is
// logged.
func (t *Transport) receive(conn net.Conn) (net.Conn, preamble, error) {
	ctx, cancel := context.WithTimeout(t.ctx, t.o.DialTimeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	host := conn.RemoteAddr().String()
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}

	secured := conn
	if t.o.ServerTLS != nil {
		s := tls.Server(conn, t.o.ServerTLS)
		if err := s.HandshakeContext(ctx); err != nil {
			t.ignore(host, fmt.Errorf("TLS: %w", err))
			return nil, preamble{}, err
		}
		secured = s
	}
	hello, err := readPreamble(secured)
	if err != nil {
		t.ignore(host, err)
		return nil, preamble{}, err
	}
	// A one-way block of what this node sends holds back the answer, too.
	if err := t.o.Faults.await(ctx, t.o.Name, hello.name); err != nil {
		return nil, preamble{}, err
	}
	a := answer{
		version: t.o.Version, minVersion: t.o.MinVersion,
		cluster: t.clusterID(),
		from:    t.o.NodeID, name: t.o.Name,
		reason: t.refusal(hello),
	}
	if _, err := secured.Write(a.encode()); err != nil {
		return nil, preamble{}, err
	}
	if a.reason != "" {
		t.trouble.warn(refusedPeer(hello), a.reason, "refused a connection",
			"peer", hello.name, "node", fmt.Sprintf("%x", hello.from), "addr", host, "kind", hello.kind.String())
		return nil, preamble{}, errors.New(a.reason)
	}
	t.trouble.over(refusedPeer(hello))
	_ = conn.SetDeadline(time.Time{})
	return secured, hello, nil
}

// refusedPeer is whom a refusal is about, for the log.
func refusedPeer(p preamble) string { return fmt.Sprintf("accept %x %s %s", p.from, p.name, p.kind) }

// ignore logs that somebody did not get as far as a preamble. Those who connect
// and leave without a word are port scanners and health checks.
func (t *Transport) ignore(host string, err error) {
	if errors.Is(err, io.EOF) || t.ctx.Err() != nil {
		return
	}
	var header tls.RecordHeaderError
	if errors.As(err, &header) {
		err = fmt.Errorf("%w: it speaks no TLS, which this node demands", err)
	}
	t.trouble.warn("accept "+host, err.Error(), "ignored a connection", "addr", host)
}

// serve does what an accepted connection is for until it ends.
func (t *Transport) serve(conn net.Conn, hello preamble) {
	if hello.kind == kindGossip {
		t.gossip.serve(conn)
		return
	}
	defer func() { _ = conn.Close() }()
	if p := t.peer(hello.from); p != nil {
		p.seen()
	}
	switch hello.kind {
	case kindMessages:
		t.serveMessages(conn, hello)
	case kindCalls:
		t.serveCalls(conn, hello)
	case kindStream:
		t.serveStream(conn, hello)
	}
}
