package transport

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type packet struct {
	text string
	from string
}

func receivePackets(t *Transport) chan packet {
	packets := make(chan packet, 100)
	t.Gossip().HandlePackets(func(b []byte, from net.Addr, at time.Time) {
		if time.Since(at) < time.Minute {
			packets <- packet{string(b), from.String()}
		}
	})
	return packets
}

func TestGossip(t *testing.T) {
	a, logA := node(t, testOptions(1))
	b, logB := node(t, testOptions(2))
	packets := receivePackets(b)
	require.NoError(t, a.Gossip().Send("", b.Addr(), []byte("hello")))
	require.Equal(t, packet{"hello", a.Addr()}, <-packets)
	// A host name is fine, too.
	_, port, err := net.SplitHostPort(b.Addr())
	require.NoError(t, err)
	_ = a.Gossip().Send("", net.JoinHostPort("localhost", port), []byte("by name"))

	b.Gossip().HandleConns(func(conn net.Conn) {
		_, _ = io.Copy(conn, conn)
		_ = conn.Close()
	})
	conn, err := a.Gossip().Dial(t.Context(), "", b.Addr())
	require.NoError(t, err)
	_, err = conn.Write([]byte("ping"))
	require.NoError(t, err)
	got := make([]byte, 4)
	_, err = io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, "ping", string(got))
	require.NoError(t, conn.Close())

	b.Gossip().HandleConns(nil)
	conn, err = a.Gossip().Dial(t.Context(), "", b.Addr())
	require.NoError(t, err)
	_, err = conn.Read(got)
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, conn.Close())

	// One cluster's packets are nothing to the other.
	a.SetCluster(testCluster)
	require.NoError(t, a.Gossip().Send("", b.Addr(), []byte("newcomer's friend")))
	for p := range packets {
		if p.text == "newcomer's friend" {
			break
		}
	}
	b.SetCluster(otherCluster)
	require.NoError(t, a.Gossip().Send("", b.Addr(), []byte("foreign")))
	awaitLog(t, logB, "from a node of another cluster")
	_, err = a.Gossip().Dial(t.Context(), "", b.Addr())
	require.ErrorContains(t, err, "node of another cluster")
	awaitLog(t, logA, "node of another cluster")
	require.Empty(t, packets)

	stranger, err := net.Dial("udp", b.Addr())
	require.NoError(t, err)
	_, err = stranger.Write([]byte("x"))
	require.NoError(t, err)
	awaitLog(t, logB, "not of a Stator node")
	require.NoError(t, stranger.Close())
}

func TestMemoryGossip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, faults := memoryPair(t)
		packets := receivePackets(b)
		began := time.Now()
		require.NoError(t, faults.Set([]Rule{{From: "node-a", To: "node-b", DelayMS: 7}}))
		require.NoError(t, a.Gossip().Send("node-b", b.Addr(), []byte("late")))
		require.Equal(t, packet{"late", a.Addr()}, <-packets)
		require.Equal(t, 7*time.Millisecond, time.Since(began))
		require.NoError(t, faults.Set([]Rule{{From: "node-a", Block: true}}))
		require.NoError(t, a.Gossip().Send("", b.Addr(), []byte("lost")))
		require.NoError(t, faults.Set(nil))
		require.NoError(t, a.Gossip().Send("", b.Addr(), []byte("next")))
		require.Equal(t, "next", (<-packets).text)
		require.NoError(t, a.Gossip().Send("", "10.9.9.9:1", []byte("nobody")))
		b.Gossip().HandlePackets(nil)
		require.NoError(t, a.Gossip().Send("", b.Addr(), []byte("unheard")))
		synctest.Wait()
		require.Empty(t, packets)
		closeAll(t, a, b)
	})
}
