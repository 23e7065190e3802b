package front

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server answers on the connections of a listener. Make it with [New].
type Server struct {
	web    *http.Server
	handed *handedListener
	date   dateClock

	// base is the parent of all contexts, ended by end.
	base context.Context
	end  context.CancelFunc

	closing atomic.Bool
	mu      struct { // never held while waiting
		sync.Mutex
		listener    net.Listener
		connections map[*connection]struct{}
	}
	running sync.WaitGroup // connections; added to with mu held and closing false
}

// New returns a server with the handler, the time limits and the error log of web,
// which serves what is not plain. Web's methods must not be called any more.
func New(web *http.Server) *Server {
	s := &Server{web: web, handed: newHandedListener()}
	s.base, s.end = context.WithCancel(context.WithValue(context.Background(), http.ServerContextKey, web))
	s.mu.connections = map[*connection]struct{}{}
	return s
}

// Serve accepts connections until Shutdown or Close, and then returns
// http.ErrServerClosed. It is to be called once.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	s.mu.listener = l
	s.mu.Unlock()
	s.handed.address = l.Addr()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.web.Serve(s.handed) // ends with the listener, whose errors are only that it is closed
	}()
	err := s.accept(l)
	_ = s.handed.Close()
	<-served
	return err
}

// accept starts a goroutine for each connection. A lack of resources passes, so it
// waits for that.
func (s *Server) accept(l net.Listener) error {
	for !s.closing.Load() {
		conn, err := l.Accept()
		if err == nil {
			s.start(conn)
			continue
		}
		if s.closing.Load() {
			break
		}
		var passing interface{ Temporary() bool }
		if !errors.As(err, &passing) || !passing.Temporary() {
			return err
		}
		s.web.ErrorLog.Printf("accepting: %v", err)
		select {
		case <-time.After(100 * time.Millisecond):
		case <-s.base.Done():
		}
	}
	return http.ErrServerClosed
}

func (s *Server) start(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		_ = conn.Close()
		return
	}
	c := newConnection(s, conn)
	s.mu.connections[c] = struct{}{}
	s.running.Go(func() {
		defer s.forget(c)
		c.run()
	})
}

func (s *Server) forget(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.connections, c)
}

// Shutdown stops accepting, closes idle connections and waits until the requests
// under way are answered, or until ctx ends and its error is returned; then Close
// ends what is left.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop(func(c *connection) bool { return c.phase.CompareAndSwap(idle, closed) })
	answered := make(chan struct{})
	go func() {
		s.running.Wait()
		close(answered)
	}()
	if err := s.web.Shutdown(ctx); err != nil {
		return err
	}
	select {
	case <-answered:
		s.end()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops accepting and closes all connections.
func (s *Server) Close() error {
	s.end()
	s.stop(func(*connection) bool { return true })
	return s.web.Close()
}

// stop stops accepting and closes the connections that selected chooses.
func (s *Server) stop(selected func(*connection) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing.Store(true)
	if s.mu.listener != nil {
		_ = s.mu.listener.Close() // nobody waits for anything from it
	}
	for c := range s.mu.connections {
		if selected(c) {
			_ = c.conn.Close() // its goroutine sees the error that matters
		}
	}
}

// dateClock is the text of the header Date, made once a second.
type dateClock struct{ latest atomic.Pointer[dateText] }

type dateText struct {
	second int64
	text   string
}

func (d *dateClock) at(now time.Time) string {
	latest := d.latest.Load()
	if second := now.Unix(); latest == nil || latest.second != second {
		latest = &dateText{second, now.UTC().Format(http.TimeFormat)}
		d.latest.Store(latest)
	}
	return latest.text
}
