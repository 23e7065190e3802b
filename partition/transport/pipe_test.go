package transport

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"
)

// A pipe keeps the rules of net.Conn.
func TestPipe(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := newPipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
		return a, b, func() { _ = a.Close(); _ = b.Close() }, nil
	})
}
