package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// A network is where a transport listens and dials: TCP and UDP, or memory.
type network interface {
	listen(addr string) (net.Listener, packetConn, error)
	dial(ctx context.Context, addr string) (net.Conn, error)
}

// keepAlive finds connections whose other side has vanished without a word.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

type tcpNetwork struct{}

// listen takes the same port for TCP and UDP.
func (tcpNetwork) listen(addr string) (net.Listener, packetConn, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, fmt.Errorf("listening at %q: %w", addr, err)
	}
	attempts := 1
	if port == "0" {
		// A port that is free for TCP may be taken for UDP.
		attempts = 16
	}
	lc := net.ListenConfig{KeepAliveConfig: keepAlive}
	for {
		attempts--
		tcp, err := lc.Listen(context.Background(), "tcp", addr)
		if err != nil {
			return nil, nil, fmt.Errorf("listening at %s: %w", addr, err)
		}
		host, _, _ := net.SplitHostPort(addr)
		same := net.JoinHostPort(host, strconv.Itoa(tcp.Addr().(*net.TCPAddr).Port))
		udp, err := lc.ListenPacket(context.Background(), "udp", same)
		if err == nil {
			return tcp, udpConn{udp.(*net.UDPConn)}, nil
		}
		_ = tcp.Close()
		if attempts == 0 {
			return nil, nil, fmt.Errorf("listening at %s, UDP: %w", same, err)
		}
	}
}

func (tcpNetwork) dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{KeepAliveConfig: keepAlive}
	return d.DialContext(ctx, "tcp", addr)
}

type udpConn struct{ *net.UDPConn }

func (c udpConn) readFrom(b []byte) (int, net.Addr, error) { return c.ReadFrom(b) }

func (c udpConn) writeTo(b []byte, addr string) error {
	if to, err := netip.ParseAddrPort(addr); err == nil {
		_, err = c.WriteToUDPAddrPort(b, to)
		return err
	}
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return err
	}
	_, err = c.WriteTo(b, to)
	return err
}

// advertised returns the address that others dial: the one wished for, or the
// one listened at, or one of this machine.
func advertised(wish string, listening net.Addr) (string, error) {
	at, err := netip.ParseAddrPort(listening.String())
	if err != nil {
		return "", fmt.Errorf("listening at %s: %w", listening, err)
	}
	if wish != "" {
		host, port, err := net.SplitHostPort(wish)
		if err != nil {
			host, port = wish, "0"
		}
		if host == "" {
			return "", fmt.Errorf("advertised address %q has no host", wish)
		}
		if port == "0" || port == "" {
			port = strconv.Itoa(int(at.Port()))
		}
		return net.JoinHostPort(host, port), nil
	}
	if !at.Addr().IsUnspecified() {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String(), nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("which address to advertise: %w", err)
	}
	// Of IPv4 and IPv6 the first, of private and public either.
	var found netip.Addr
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr().Unmap()
		if ip.IsGlobalUnicast() && (!found.IsValid() || ip.Is4() && !found.Is4()) {
			found = ip
		}
	}
	if !found.IsValid() {
		return "", errors.New("this machine has no address to advertise: set one")
	}
	return netip.AddrPortFrom(found, at.Port()).String(), nil
}
