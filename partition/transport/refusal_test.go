package transport

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each refusal is an error of the caller and stands in both logs, once.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(a, b *Options)
		wire   func(a, b *Transport)
		reason string
	}{
		{"other cluster", nil, func(a, b *Transport) { join(a, b); b.SetCluster(otherCluster) }, "node of another cluster"},
		{"too old", func(a, _ *Options) { a.Version, a.MinVersion = 1, 1 }, join2, "protocol version 1 is too old, node-b needs at least 2"},
		{"too new", func(a, _ *Options) { a.Version, a.MinVersion = 9, 9 }, join2, "protocol version 3 of node-b is too old, at least 9 is needed"},
		{"somebody else", nil, func(a, b *Transport) { join(a, b); a.SetPeer(7, "node-x", b.Addr()) }, "node 7 is expected here, this is node 2"},
		{"same id", func(a, _ *Options) { a.NodeID = 2 }, func(a, b *Transport) { join(b); join(a); a.SetPeer(7, "node-x", b.Addr()) }, "it has the id of this node"},
	} {
		t.Run(c.name, func(t *testing.T) {
			oa, ob := testOptions(1), testOptions(2)
			if c.change != nil {
				c.change(&oa, &ob)
			}
			a, logA := node(t, oa)
			b, logB := node(t, ob)
			b.HandleCalls(echoHandler)
			c.wire(a, b)
			to := a.Stats()[len(a.Stats())-1].ID
			_, err := a.Call(t.Context(), to, methodOpen, nil)
			requireOutcome(t, err, ErrNotSent)
			var refused *RefusedError
			require.ErrorAs(t, err, &refused)
			require.Contains(t, refused.Reason, c.reason)
			awaitLog(t, logA, c.reason)
			awaitLog(t, logB, c.reason)
			for range 3 {
				_, _, err = a.dial(t.Context(), target{id: to, addr: b.Addr(), kind: kindCalls})
				require.ErrorAs(t, err, &refused)
			}
			require.Equal(t, 1, strings.Count(logA.String(), c.reason), logA)
			require.Equal(t, 1, strings.Count(logB.String(), c.reason), logB)
		})
	}
}

func join2(a, b *Transport) { join(a, b) }

// Without a cluster a node can be asked for what is open, and gossip, only;
// this changes for connections that exist as well.
func TestNoCluster(t *testing.T) {
	a, _ := node(t, testOptions(1))
	b, _ := node(t, testOptions(2))
	b.HandleCalls(echoHandler)
	a.HandleCalls(echoHandler)
	a.SetPeer(2, "node-b", b.Addr())
	b.SetPeer(1, "node-a", a.Addr())

	check := func(from *Transport, to uint64, addr string, allowed bool) {
		t.Helper()
		_, err := from.Call(t.Context(), to, methodOpen, nil)
		require.NoError(t, err)
		_, err = from.CallAddr(t.Context(), addr, methodOpen, nil)
		require.NoError(t, err)
		conn, err := from.Gossip().Dial(t.Context(), "", addr)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		_, err = from.Call(t.Context(), to, methodEcho, nil)
		_, errAddr := from.CallAddr(t.Context(), addr, methodEcho, nil)
		if allowed {
			require.NoError(t, err)
			require.NoError(t, errAddr)
			return
		}
		requireOutcome(t, err, ErrNotSent)
		require.ErrorContains(t, err, "is not yet member of")
		requireOutcome(t, errAddr, ErrNotSent)
		_, err = from.Stream(t.Context(), to, 1)
		require.ErrorContains(t, err, "is not yet member of")
	}
	check(a, 2, b.Addr(), false)
	a.SetCluster(testCluster)
	check(a, 2, b.Addr(), false)
	check(b, 1, a.Addr(), false)
	b.SetCluster(testCluster)
	check(a, 2, b.Addr(), true)
	check(b, 1, a.Addr(), true)
	require.False(t, a.Send(77, nil))
}

func TestStrangers(t *testing.T) {
	a, log := node(t, testOptions(1))
	for name, greeting := range map[string]string{
		"not a Stator node":        "GET / HTTP/1.1\r\n\r\n",
		"it speaks TLS, which":     "\x16\x03\x01\x00\x05hello",
		"preamble format 9":        "STTR\x09" + strings.Repeat("x", 60),
		"damaged preamble":         string(append(append([]byte("STTR\x01\x02"), make([]byte, 43)...), 1, 2, 3, 4)),
		"not a Stator node: name ": "STTR\x01" + strings.Repeat("\xff", 60),
	} {
		conn, err := net.Dial("tcp", a.Addr())
		require.NoError(t, err)
		_, err = conn.Write([]byte(greeting))
		require.NoError(t, err)
		awaitLog(t, log, name)
		require.NoError(t, conn.Close())
	}
	// Whoever says nothing is let go.
	short := testOptions(2)
	short.DialTimeout = 50 * time.Millisecond
	b, _ := node(t, short)
	conn, err := net.Dial("tcp", b.Addr())
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, net.ErrClosed)
	require.NoError(t, conn.Close())
}

func TestMutualTLS(t *testing.T) {
	ca, strangers := newAuthority(t), newAuthority(t)
	secure := func(by *authority) func(o *Options) {
		return func(o *Options) { o.ServerTLS, o.ClientTLS = by.server(t), by.client(t) }
	}
	oa, ob := testOptions(1), testOptions(2)
	secure(ca)(&oa)
	secure(ca)(&ob)
	a, _ := node(t, oa)
	b, logB := node(t, ob)
	b.HandleCalls(echoHandler)
	join(a, b)
	got, err := a.Call(t.Context(), 2, methodEcho, []byte("secret"))
	require.NoError(t, err)
	require.Equal(t, "secret", string(got))
	received := make(chan string, 1)
	b.HandleMessages(func(_ uint64, batch []byte) { received <- string(batch) })
	require.True(t, a.Send(2, []byte("message")))
	require.Equal(t, "message", <-received)
	testStreamBothWays(t, a, b)

	try := func(o Options) (*logBuffer, error) {
		c, log := node(t, o)
		c.SetCluster(testCluster)
		_, err := c.CallAddr(t.Context(), b.Addr(), methodEcho, nil)
		return log, err
	}
	plain := testOptions(3)
	stranger := testOptions(4)
	secure(strangers)(&stranger)
	// Trusts b, but shows a certificate of strangers.
	forger := testOptions(5)
	forger.ServerTLS = strangers.server(t)
	forger.ClientTLS = &tls.Config{RootCAs: ca.pool, Certificates: strangers.client(t).Certificates}
	for name, c := range map[string]struct {
		o      Options
		reason string
		logged string // at the listener
	}{
		"no TLS":            {plain, "does it use TLS as this one does?", "it speaks no TLS, which this node demands"},
		"another authority": {stranger, "certificate signed by unknown authority", "remote error: tls: bad certificate"},
		"forged":            {forger, "tls: ", "failed to verify certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			log, err := try(c.o)
			requireOutcome(t, err, ErrNotSent)
			require.ErrorContains(t, err, c.reason)
			awaitLog(t, log, "peer is not reachable")
			awaitLog(t, logB, c.logged)
		})
	}

	// TLS towards a node without.
	bare, bareLog := node(t, testOptions(6))
	_, err = a.CallAddr(t.Context(), bare.Addr(), methodOpen, nil)
	requireOutcome(t, err, ErrNotSent)
	awaitLog(t, bareLog, "it speaks TLS, which this node does not")
}

func TestOptions(t *testing.T) {
	_, err := Listen(Options{MinVersion: 2, Version: 1, ServerTLS: &tls.Config{}, DialTimeout: -1, CallBytes: 5, MaxHandlers: -1})
	require.EqualError(t, err, `transport: node id is 0
transport: the node's name "" must have 1 to 128 bytes
transport: minimum version 2 is beyond version 1
transport: TLS needs a configuration for serving and one for dialling
transport: TLS must require and verify client certificates
transport: a negative duration
transport: limits on bytes must be at least 16842752
transport: a negative number of handlers`)
	_, err = Listen(Options{NodeID: 1, Name: "x", Addr: "nonsense"})
	require.ErrorContains(t, err, `listening at "nonsense"`)
	a, _ := node(t, testOptions(1))
	o := testOptions(2)
	o.Addr = a.Addr()
	_, err = Listen(o)
	require.ErrorContains(t, err, a.Addr())

	o.Addr, o.Advertise = "127.0.0.1:0", "db.example.org"
	b, _ := node(t, o)
	host, port, err := net.SplitHostPort(b.Addr())
	require.NoError(t, err)
	require.Equal(t, "db.example.org", host)
	require.Equal(t, port, b.tcp.Addr().String()[len("127.0.0.1:"):])
}
