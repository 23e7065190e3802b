package transport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// packetQueue is how many packets a node in memory holds unread; more are lost.
const packetQueue = 1024

// Network is a network in memory: the same transport over pipes and packets
// that never leave the process. It uses package time only, so that it runs on
// the clock of a testing/synctest bubble in which it was made.
type Network struct {
	faults *Faults

	mu    sync.Mutex
	nodes map[netip.AddrPort]*memoryListener
	hosts byte // given away
}

// NewNetwork returns a network without nodes. Faults (nil: none) apply to all of
// its nodes that bring none of their own.
func NewNetwork(faults *Faults) *Network {
	return &Network{faults: faults, nodes: map[netip.AddrPort]*memoryListener{}}
}

// Listen adds a node to the network, as the function Listen does over TCP.
// Options.Addr is an IP address and a port; an empty one takes the next of
// 10.0.0.1:7000, 10.0.0.2:7000 and so on. The address is free again after Close.
func (n *Network) Listen(o Options) (*Transport, error) {
	if o.Faults == nil {
		o.Faults = n.faults
	}
	return listen(o, n)
}

func (n *Network) listen(addr string) (net.Listener, packetConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at, err := netip.ParseAddrPort(addr)
	if addr == "" {
		n.hosts++
		at, err = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n.hosts}), 7000), nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("listening at %q: %w", addr, err)
	}
	if n.nodes[at] != nil {
		return nil, nil, fmt.Errorf("listening at %s: %w", at, syscall.EADDRINUSE)
	}
	l := &memoryListener{
		n: n, at: at,
		conns:   make(chan net.Conn),
		packets: make(chan memoryPacket, packetQueue),
		closed:  make(chan struct{}),
	}
	n.nodes[at] = l
	return l, memoryPackets{l}, nil
}

func (n *Network) node(addr string) *memoryListener {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nodes[at]
}

func (n *Network) dial(ctx context.Context, addr string) (net.Conn, error) {
	l := n.node(addr)
	if l == nil {
		return nil, syscall.ECONNREFUSED
	}
	here, there := newPipe(net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.IPv4Unspecified(), 1)), l.Addr())
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// memoryListener is a node's place in a Network.
type memoryListener struct {
	n       *Network
	at      netip.AddrPort
	conns   chan net.Conn
	packets chan memoryPacket
	once    sync.Once
	closed  chan struct{}
}

type memoryPacket struct {
	b    []byte
	from netip.AddrPort
}

// Accept implements net.Listener.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (l *memoryListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// Close implements net.Listener.
func (l *memoryListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.n.mu.Lock()
		delete(l.n.nodes, l.at)
		l.n.mu.Unlock()
	})
	return nil
}

// memoryPackets is the packetConn of a memoryListener.
type memoryPackets struct{ *memoryListener }

func (p memoryPackets) readFrom(b []byte) (int, net.Addr, error) {
	select {
	case packet := <-p.packets:
		return copy(b, packet.b), net.UDPAddrFromAddrPort(packet.from), nil
	case <-p.closed:
		return 0, nil, net.ErrClosed
	}
}

func (p memoryPackets) writeTo(b []byte, addr string) error {
	to := p.n.node(addr)
	if to == nil {
		return nil
	}
	select {
	case to.packets <- memoryPacket{append([]byte(nil), b...), p.at}:
	default:
	}
	return nil
}
