package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// chunk is the most that a data frame carries.
	chunk = 64 << 10
	// streamStall breaks a stream whose other side takes nothing for so long.
	streamStall = time.Minute
	// drainTimeout is how long a handler's stream waits for the opener to have
	// read its end.
	drainTimeout = 5 * time.Second
)

// errAbandoned is what the handler of a stream reads that was closed without
// CloseWrite.
var errAbandoned = errors.New("stream abandoned")

// stream is either end of a stream. The bytes of each direction are cut into
// data frames, closed by an end frame. An abort frame ends both directions with
// an error.
type stream struct {
	t    *Transport
	name string // of the other side
	ctx  context.Context
	conn net.Conn
	data *io.PipeReader // what receive got
	done chan struct{}  // closed when receive has returned

	mu    sync.Mutex // held while writing
	buf   []byte
	ended bool // an end or abort frame was written

	failure error // of the other side: set before conn is closed because of it
	state   sync.Mutex
}

// newStream takes over conn, which is tracked. ctx's end closes it.
func newStream(ctx context.Context, t *Transport, name string, conn net.Conn) *stream {
	s := &stream{t: t, name: name, ctx: ctx, conn: conn, done: make(chan struct{})}
	var w *io.PipeWriter
	s.data, w = io.Pipe()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	started := t.spawn(func() {
		defer close(s.done)
		defer stop()
		s.receive(w)
	})
	if !started {
		stop()
		_ = conn.Close()
		_ = w.CloseWithError(ErrClosed)
		close(s.done)
	}
	return s
}

// receive takes frames until the connection ends, so that an abort is noticed
// by whoever writes as well.
func (s *stream) receive(w *io.PipeWriter) {
	frames := newFrameReader(s.conn, chunk+frameHead, chunk+maxErrorText)
	ended := false
	for {
		typ, body, err := frames.next()
		switch {
		case err != nil:
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			if ended {
				return
			}
		case typ == frameData && !ended:
			// Nobody reads any more: the rest is thrown away.
			_, _ = w.Write(body)
			continue
		case typ == frameEnd && !ended:
			ended = true
			_ = w.Close()
			continue
		case typ == frameAbort:
			var remote *RemoteError
			if remote, err = parseRemoteError(body); err == nil {
				err = remote
			}
		default:
			err = fmt.Errorf("%w: type %d in a stream", errCorrupt, typ)
		}
		if cause := s.ctx.Err(); cause != nil {
			err = context.Cause(s.ctx)
		}
		s.state.Lock()
		s.failure = err
		s.state.Unlock()
		_ = w.CloseWithError(err)
		_ = s.conn.Close()
		return
	}
}

// Read implements Stream.
func (s *stream) Read(b []byte) (int, error) { return s.data.Read(b) }

// Write implements Stream.
func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for len(b) > 0 {
		part := b[:min(len(b), chunk)]
		if err := s.writeLocked(frameData, part); err != nil {
			return n, err
		}
		n += len(part)
		b = b[len(part):]
	}
	return n, nil
}

func (s *stream) writeLocked(typ byte, body []byte) error {
	if s.ended {
		return io.ErrClosedPipe
	}
	err := s.t.o.Faults.await(s.ctx, s.t.o.Name, s.name)
	if err == nil {
		s.buf = appendFrame(s.buf[:0], typ, body)
		_ = s.conn.SetWriteDeadline(time.Now().Add(streamStall))
		_, err = s.conn.Write(s.buf)
	}
	if err == nil {
		return nil
	}
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	s.state.Lock()
	defer s.state.Unlock()
	if s.failure != nil {
		return s.failure
	}
	return err
}

// CloseWrite implements Stream.
func (s *stream) CloseWrite() error { return s.finish(frameEnd, nil) }

// finish writes the last frame of this direction.
func (s *stream) finish(typ byte, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended && typ == frameEnd {
		return nil
	}
	// After an end, the other direction can still be aborted.
	s.ended = false
	err := s.writeLocked(typ, body)
	s.ended = true
	return err
}

// Close implements Stream.
func (s *stream) Close() error {
	// Closing the connection first would free a Write that hangs, but takes the
	// abort with it: a short time must do.
	_ = s.conn.SetWriteDeadline(time.Now().Add(flushTimeout))
	if s.mu.TryLock() {
		if !s.ended {
			s.ended = true
			_, _ = s.conn.Write(appendFrame(nil, frameAbort, errorText(errAbandoned)))
		}
		s.mu.Unlock()
	}
	_ = s.conn.Close()
	_ = s.data.Close()
	<-s.done
	s.t.untrack(s.conn)
	return nil
}

// Stream implements Interface.
func (t *Transport) Stream(ctx context.Context, to uint64, kind uint8) (Stream, error) {
	p := t.peer(to)
	if p == nil {
		return nil, fmt.Errorf("stream to node %x: %w", to, ErrUnknownPeer)
	}
	name, addr := p.where()
	if t.o.Faults.draw(t.o.Name, name).lost {
		return nil, fmt.Errorf("stream to %s: %w", name, io.ErrUnexpectedEOF)
	}
	conn, _, err := t.dial(ctx, target{p.id, name, addr, kindStream, kind})
	if err != nil {
		return nil, fmt.Errorf("stream to %s: %w", name, err)
	}
	conn = countingConn{conn, &p.count}
	if !t.track(conn) {
		return nil, fmt.Errorf("stream to %s: %w", name, ErrClosed)
	}
	return newStream(ctx, t, name, conn), nil
}

// serveStream runs the handler of a stream.
func (t *Transport) serveStream(conn net.Conn, hello preamble) {
	if p := t.peer(hello.from); p != nil {
		conn = countingConn{conn, &p.count}
	}
	s := newStream(t.ctx, t, hello.name, conn)
	h := t.streamHandler(hello.sub)
	err := h(t.ctx, hello.from, s)
	if err != nil {
		t.log.Warn("stream failed", "peer", hello.name, "kind", hello.sub, "error", err)
		err = s.finish(frameAbort, errorText(err))
	} else {
		err = s.CloseWrite()
	}
	if err == nil {
		// Closing at once, with bytes unread, could destroy what was just
		// written: wait until the other side has hung up.
		_ = s.data.Close()
		_ = conn.SetReadDeadline(time.Now().Add(drainTimeout))
		<-s.done
	}
	_ = s.Close()
}
