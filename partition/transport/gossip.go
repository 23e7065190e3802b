package transport

import (
	"context"
	"net"
	"time"
)

// MaxPacket is the largest packet of gossip in bytes, such that it fits into
// one packet of an Ethernet.
const MaxPacket = 1372

// Gossip is the part of a transport that carries the gossip of package
// membership: packets over UDP and connections, which share the listener, TLS
// and preamble of the others.
type Gossip struct{ t *Transport }

// HandlePackets sets the receiver of packets: b belongs to it, at is when it
// arrived. It must not wait.
func (g *Gossip) HandlePackets(h func(b []byte, from net.Addr, at time.Time)) {}

// HandleConns sets the receiver of connections, which it must close.
func (g *Gossip) HandleConns(h func(conn net.Conn)) {}

// Send sends a packet to the node of a name (may be empty) at addr (host:port),
// best effort.
func (g *Gossip) Send(name, addr string, b []byte) error { return ErrClosed }

// Dial opens a connection to the node of a name (may be empty) at addr
// (host:port).
func (g *Gossip) Dial(ctx context.Context, name, addr string) (net.Conn, error) {
	return nil, ErrClosed
}
