package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// MaxPacket is the largest packet of gossip in bytes, such that it fits into
// one packet of an Ethernet.
const MaxPacket = 1372

// The head of a packet: see the package's documentation.
const (
	packetMagic  = "SG"
	packetFormat = 1
	packetHead   = 4 + 16
)

// A packetConn sends and receives packets; what it does not share with
// net.PacketConn is that addresses are strings.
type packetConn interface {
	// readFrom fills b with a packet.
	readFrom(b []byte) (int, net.Addr, error)
	writeTo(b []byte, addr string) error
	Close() error
}

// Gossip is the part of a transport that carries the gossip of package
// membership: packets over UDP and connections, which share the listener, TLS
// and preamble of the others.
type Gossip struct {
	t       *Transport
	packets atomic.Pointer[func(b []byte, from net.Addr, at time.Time)]
	conns   atomic.Pointer[func(conn net.Conn)]
}

// HandlePackets sets the receiver of packets: b belongs to it, at is when it
// arrived. It must not wait. Nil: packets are ignored.
func (g *Gossip) HandlePackets(h func(b []byte, from net.Addr, at time.Time)) {
	if h == nil {
		g.packets.Store(nil)
		return
	}
	g.packets.Store(&h)
}

// HandleConns sets the receiver of connections, which it must close. Nil:
// connections are closed at once.
func (g *Gossip) HandleConns(h func(conn net.Conn)) {
	if h == nil {
		g.conns.Store(nil)
		return
	}
	g.conns.Store(&h)
}

// Send sends a packet of at most MaxPacket bytes to the node of a name (may be
// empty) at addr (host:port), best effort.
func (g *Gossip) Send(name, addr string, b []byte) error {
	t := g.t
	if name == "" {
		name = t.nameAt(addr)
	}
	cluster := t.clusterID()
	packet := make([]byte, 0, packetHead+len(b))
	packet = append(packet, packetMagic...)
	packet = append(packet, packetFormat, 0)
	packet = append(packet, cluster[:]...)
	packet = append(packet, b...)
	switch fate := t.o.Faults.draw(t.o.Name, name); {
	case fate.lost:
		return nil
	case fate.delay > 0:
		time.AfterFunc(fate.delay, func() { _ = t.udp.writeTo(packet, addr) })
		return nil
	}
	return t.udp.writeTo(packet, addr)
}

// Dial opens a connection to the node of a name (may be empty) at addr
// (host:port). The caller closes it.
func (g *Gossip) Dial(ctx context.Context, name, addr string) (net.Conn, error) {
	conn, _, err := g.t.dial(ctx, target{name: name, addr: addr, kind: kindGossip})
	return conn, err
}

// serve hands a connection over.
func (g *Gossip) serve(conn net.Conn) {
	h := g.conns.Load()
	if h == nil {
		_ = conn.Close()
		return
	}
	(*h)(conn)
}

// receivePackets takes packets until the transport closes.
func (t *Transport) receivePackets() {
	b := make([]byte, 64<<10)
	for {
		n, from, err := t.udp.readFrom(b)
		if err != nil {
			if t.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			// On some systems an ICMP answer to an earlier packet shows up here.
			t.log.Debug("receiving a packet", "error", err)
			continue
		}
		at := time.Now()
		if reason := t.foreignPacket(b[:n]); reason != "" {
			t.trouble.warn("packet "+from.String(), reason, "ignored a packet", "addr", from.String())
			continue
		}
		if h := t.gossip.packets.Load(); h != nil {
			(*h)(append([]byte(nil), b[packetHead:n]...), from, at)
		}
	}
}

// foreignPacket returns why a packet is ignored, or an empty string.
func (t *Transport) foreignPacket(b []byte) string {
	if len(b) < packetHead || string(b[:2]) != packetMagic || b[2] != packetFormat {
		return "not of a Stator node"
	}
	cluster, own := [16]byte(b[4:]), t.clusterID()
	if cluster != own && cluster != noCluster && own != noCluster {
		return fmt.Sprintf("from a node of another cluster: %x instead of %x", cluster, own)
	}
	return ""
}
