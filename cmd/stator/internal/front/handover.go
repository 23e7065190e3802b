package front

import (
	"net"
	"sync"
)

// handedListener is a net.Listener for the connections that are handed over.
type handedListener struct {
	address net.Addr
	conns   chan net.Conn
	closed  chan struct{}
	close   func()
}

func newHandedListener() *handedListener {
	l := &handedListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	return l
}

// hand gives a connection to whoever accepts, or closes it if nobody does any more.
// The bytes of read come before those of the connection.
func (l *handedListener) hand(conn net.Conn, read []byte) {
	select {
	case l.conns <- &handedConn{Conn: conn, read: read}:
	case <-l.closed:
		_ = conn.Close() // as all connections are when a server stops
	}
}

// Accept returns the next connection, or net.ErrClosed.
func (l *handedListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and hand.
func (l *handedListener) Close() error {
	l.close()
	return nil
}

// Addr is the address of the listener the connections came from.
func (l *handedListener) Addr() net.Addr { return l.address }

// handedConn is a connection from which something was read already. Reads are not
// concurrent: net/http makes one at a time.
type handedConn struct {
	net.Conn
	read []byte
}

func (c *handedConn) Read(p []byte) (int, error) {
	if len(c.read) > 0 {
		n := copy(p, c.read)
		c.read = c.read[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}
