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

// dial makes a connection and passes the preamble. The error is of the dial and
// logged; nothing but the preamble has been sent then.
func (t *Transport) dial(ctx context.Context, to target) (net.Conn, answer, error) {
	if t.ctx.Err() != nil {
		return nil, answer{}, ErrClosed
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.o.DialTimeout,
		fmt.Errorf("connecting to %s: no answer within %s", to.addr, t.o.DialTimeout))
	defer cancel()
	ctx, closed := context.WithCancelCause(ctx)
	defer closed(nil)
	defer context.AfterFunc(t.ctx, func() { closed(ErrClosed) })()
	conn, a, err := t.dialContext(ctx, to)
	who := "dial " + to.addr
	if err == nil {
		if t.trouble.over(who) {
			t.log.Info("peer is reachable again", "peer", a.name, "addr", to.addr)
		}
		return conn, a, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if t.ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		var refused *RefusedError
		if errors.As(err, &refused) {
			t.trouble.warn(who, refused.Reason, "peer refuses the connection", "peer", to.name, "addr", to.addr)
		} else {
			t.trouble.warn(who, err.Error(), "peer is not reachable", "peer", to.name, "addr", to.addr)
		}
	}
	return nil, answer{}, err
}

func (t *Transport) dialContext(ctx context.Context, to target) (net.Conn, answer, error) {
	name := to.name
	if name == "" {
		name = t.nameAt(to.addr)
	}
	if err := t.pass(ctx, name); err != nil {
		return nil, answer{}, err
	}
	conn, err := t.net.dial(ctx, to.addr)
	if err != nil {
		return nil, answer{}, fmt.Errorf("connecting to %s: %w", to.addr, err)
	}
	a, secured, err := t.greet(ctx, conn, to)
	if err != nil {
		_ = conn.Close()
		return nil, answer{}, err
	}
	return secured, a, nil
}

// pass waits as faults want it before a connection to a node is made: blocked
// in either direction none can be.
func (t *Transport) pass(ctx context.Context, name string) error {
	f := t.o.Faults
	if err := f.await(ctx, t.o.Name, name); err != nil {
		return err
	}
	if err := f.await(ctx, name, t.o.Name); err != nil {
		return err
	}
	if d := f.draw(t.o.Name, name).delay; d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// greet secures a connection if that is wanted and passes the preamble.
func (t *Transport) greet(ctx context.Context, conn net.Conn, to target) (answer, net.Conn, error) {
	raw := conn
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if t.o.ClientTLS != nil {
		cfg := t.o.ClientTLS
		if cfg.ServerName == "" {
			cfg = cfg.Clone()
			cfg.ServerName, _, _ = net.SplitHostPort(to.addr)
		}
		secured := tls.Client(conn, cfg)
		if err := secured.HandshakeContext(ctx); err != nil {
			return answer{}, nil, fmt.Errorf("TLS with %s: %w", to.addr, err)
		}
		conn = secured
	}
	hello := preamble{
		kind: to.kind, sub: to.sub,
		version: t.o.Version, minVersion: t.o.MinVersion,
		cluster: t.clusterID(),
		from:    t.o.NodeID, to: to.id, name: t.o.Name,
	}
	if _, err := conn.Write(hello.encode()); err != nil {
		return answer{}, nil, fmt.Errorf("greeting %s: %w", to.addr, err)
	}
	a, err := readAnswer(conn)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("it hung up without an answer (is it a node, and does it use TLS as this one does?): %w", err)
		}
		return answer{}, nil, fmt.Errorf("greeting %s: %w", to.addr, err)
	}
	if reason := t.mismatch(a, to); reason != "" {
		return answer{}, nil, &RefusedError{Addr: to.addr, Reason: reason}
	}
	if !stop() {
		return answer{}, nil, context.Cause(ctx)
	}
	return a, conn, nil
}

// mismatch returns why the connection cannot be used, or an empty string. What
// the listener checks is not checked again.
func (t *Transport) mismatch(a answer, to target) string {
	switch {
	case a.reason != "":
		return a.reason
	case to.id != 0 && a.from != to.id:
		return fmt.Sprintf("node %x is expected there, not %x (%s)", to.id, a.from, a.name)
	}
	return ""
}
