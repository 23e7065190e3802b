package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"
)

// answerQueue bounds the bytes of answers that wait to be written to a peer
// that does not take them; beyond it handlers wait.
const answerQueue = 16 << 20

// A serverConn is a connection on which a peer sends requests.
type serverConn struct {
	t      *Transport
	hello  preamble
	out    outbox
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	running int   // calls that are handled
	backlog []job // that wait, because MaxHandlers are
	waiting int   // bytes of backlog
}

// serveCalls handles the requests of a connection until it ends.
func (t *Transport) serveCalls(conn net.Conn, hello preamble) {
	if p := t.peer(hello.from); p != nil {
		conn = countingConn{conn, &p.count}
	}
	s := &serverConn{t: t, hello: hello}
	s.out.init(conn, t.o.WriteTimeout, answerQueue)
	s.ctx, s.cancel = context.WithCancelCause(t.ctx)
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		s.cancel(ErrClosed)
		return
	}
	t.serving[s] = struct{}{}
	t.wg.Go(s.out.run)
	t.mu.Unlock()

	err := s.read(newFrameReader(conn, readBuffer, maxBody))
	if err != nil && !errors.Is(err, io.EOF) && t.ctx.Err() == nil {
		t.log.Debug("connection for calls ended", "peer", hello.name, "error", err)
	}
	cause := fmt.Errorf("caller's connection ended: %w", err)
	s.cancel(cause)
	s.out.close(cause)
	t.mu.Lock()
	delete(t.serving, s)
	t.mu.Unlock()
}

// read takes requests and has them handled.
func (s *serverConn) read(frames *frameReader) error {
	for {
		typ, body, err := frames.next()
		if err != nil {
			return err
		}
		switch typ {
		case frameVoid:
		case framePing:
			id, _, err := parseAnswer(body)
			if err != nil {
				return err
			}
			s.reply(framePong, id, nil)
		case frameRequest:
			req, err := parseRequest(body)
			if err != nil {
				return err
			}
			if reason := s.unwanted(req.method); reason != "" {
				s.reply(frameUnhandled, req.id, []byte(reason))
				continue
			}
			// The handler owns its request, the reader its buffer.
			req.body = append(make([]byte, 0, len(req.body)), req.body...)
			ctx := &callContext{parent: s.ctx}
			if req.timeout > 0 {
				ctx.deadline = time.Now().Add(time.Duration(req.timeout) * time.Millisecond)
			}
			s.begin(job{s, ctx, req})
		default:
			return fmt.Errorf("%w: type %d among requests", errCorrupt, typ)
		}
	}
}

// unwanted returns why a call of a method is not handled, or an empty string.
func (s *serverConn) unwanted(method uint8) string {
	if s.t.calls.Load() == nil {
		return "the node is not ready"
	}
	if s.t.open[method] {
		return ""
	}
	// Looked at for each call: this node may have become member since.
	switch own := s.t.clusterID(); {
	case own == noCluster:
		return s.t.o.Name + " is not yet member of a cluster"
	case s.hello.cluster == noCluster:
		return s.hello.name + " is not yet member of the cluster"
	case s.hello.cluster != own:
		return fmt.Sprintf("caller of another cluster: %x instead of %x", s.hello.cluster, own)
	}
	return ""
}

// begin has a call handled, now or when others have been. Requests are read on
// meanwhile: pings come behind them, and without an answer to these the caller
// would take this node for dead. The caller bounds what may wait (CallBytes);
// one who does not is told so.
func (s *serverConn) begin(j job) {
	s.mu.Lock()
	now := s.running < s.t.o.MaxHandlers
	full := !now && s.waiting > 2*s.t.o.CallBytes
	switch {
	case now:
		s.running++
	case !full:
		s.backlog = append(s.backlog, j)
		s.waiting += len(j.req.body) + callOverhead
	}
	s.mu.Unlock()
	switch {
	case full:
		s.reply(frameUnhandled, j.req.id, []byte("too many calls are waiting"))
	case now && !s.t.workers.do(j):
		s.reply(frameUnhandled, j.req.id, []byte(ErrClosed.Error()))
	}
}

// next returns a call that has waited, or says that its worker is free.
func (s *serverConn) next() (job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.backlog) == 0 {
		s.running--
		return job{}, false
	}
	j := s.backlog[0]
	s.backlog[0] = job{}
	s.backlog = s.backlog[1:]
	s.waiting -= len(j.req.body) + callOverhead
	return j, true
}

// handle answers one call.
func (s *serverConn) handle(j job) {
	if s.ctx.Err() != nil {
		s.reply(frameUnhandled, j.req.id, []byte(ErrClosed.Error()))
		return
	}
	if !j.ctx.deadline.IsZero() && !time.Now().Before(j.ctx.deadline) {
		s.reply(frameUnhandled, j.req.id, []byte("its deadline has passed"))
		return
	}
	response, err := s.run(j)
	j.ctx.end()
	if p := s.t.peer(s.hello.from); p != nil {
		p.count.callsHandled.Add(1)
	}
	switch {
	case err != nil:
		s.reply(frameError, j.req.id, errorText(err))
	case len(response) > MaxFrame:
		s.reply(frameError, j.req.id, errorText(fmt.Errorf("response of %d bytes: %w", len(response), ErrTooLarge)))
	default:
		s.reply(frameResponse, j.req.id, response)
	}
}

// run calls the handler. A request must not take the process down.
func (s *serverConn) run(j job) (response []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.t.log.Error("handler of a call panicked", "peer", s.hello.name, "method", j.req.method,
				"panic", p, slog.String("stack", string(debug.Stack())))
			response, err = nil, errors.New("internal error")
		}
	}()
	return (*s.t.calls.Load())(j.ctx, s.hello.from, j.req.method, j.req.body)
}

// reply sends an answer, as faults want it.
func (s *serverConn) reply(typ byte, id uint64, body []byte) {
	fate := s.t.o.Faults.draw(s.t.o.Name, s.hello.name)
	switch {
	case fate.lost:
	case fate.delay > 0:
		time.AfterFunc(fate.delay, func() { s.out.answer(typ, id, body) })
	default:
		s.out.answer(typ, id, body)
	}
}
