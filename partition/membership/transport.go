package membership

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/stator-db/stator/partition/transport"
)

// gossip is memberlist's way to the network: the node's own transport.
type gossip struct {
	g       *transport.Gossip
	addr    string // that this node advertises
	ctx     context.Context
	cancel  context.CancelFunc
	packets chan *memberlist.Packet
	conns   chan net.Conn
}

var _ memberlist.NodeAwareTransport = (*gossip)(nil)

// packetQueue is how many packets may wait for memberlist; more are lost.
const packetQueue = 256

func newGossip(t transport.Interface) *gossip {
	g := &gossip{
		g: t.Gossip(), addr: t.Addr(),
		packets: make(chan *memberlist.Packet, packetQueue),
		conns:   make(chan net.Conn),
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.g.HandlePackets(func(b []byte, from net.Addr, at time.Time) {
		select {
		case g.packets <- &memberlist.Packet{Buf: b, From: from, Timestamp: at}:
		default:
		}
	})
	g.g.HandleConns(func(conn net.Conn) {
		select {
		case g.conns <- conn:
		case <-g.ctx.Done():
			_ = conn.Close()
		}
	})
	return g
}

// FinalAdvertiseAddr implements memberlist.Transport.
func (g *gossip) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	host, port, err := net.SplitHostPort(g.addr)
	if err != nil {
		return nil, 0, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, 0, fmt.Errorf("port of %s: %w", g.addr, err)
	}
	addrs, err := net.DefaultResolver.LookupIPAddr(g.ctx, host)
	if err != nil {
		return nil, 0, err
	}
	for _, a := range addrs {
		if ip := a.IP.To4(); ip != nil {
			return ip, int(n), nil
		}
	}
	return addrs[0].IP, int(n), nil
}

// WriteTo implements memberlist.Transport.
func (g *gossip) WriteTo(b []byte, addr string) (time.Time, error) {
	return g.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// WriteToAddress implements memberlist.NodeAwareTransport.
func (g *gossip) WriteToAddress(b []byte, addr memberlist.Address) (time.Time, error) {
	now := time.Now()
	return now, g.g.Send(addr.Name, addr.Addr, b)
}

// PacketCh implements memberlist.Transport.
func (g *gossip) PacketCh() <-chan *memberlist.Packet { return g.packets }

// DialTimeout implements memberlist.Transport.
func (g *gossip) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return g.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (g *gossip) DialAddressTimeout(addr memberlist.Address, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(g.ctx, timeout)
	defer cancel()
	return g.g.Dial(ctx, addr.Name, addr.Addr)
}

// StreamCh implements memberlist.Transport.
func (g *gossip) StreamCh() <-chan net.Conn { return g.conns }

// Shutdown implements memberlist.Transport. The transport itself goes on.
func (g *gossip) Shutdown() error {
	g.g.HandlePackets(nil)
	g.g.HandleConns(nil)
	g.cancel()
	return nil
}
