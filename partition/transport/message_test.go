package transport

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMessages(t *testing.T) {
	a, b := pair(t)
	next := uint32(0)
	done := make(chan struct{})
	const n = 5000
	b.HandleMessages(func(from uint64, batch []byte) {
		if from != 1 || binary.LittleEndian.Uint32(batch) != next {
			t.Errorf("batch %d of node %d instead of %d", binary.LittleEndian.Uint32(batch), from, next)
		}
		if next++; next == n {
			close(done)
		}
	})
	batch := make([]byte, 500)
	for i := range uint32(n) {
		binary.LittleEndian.PutUint32(batch, i)
		require.True(t, a.Send(2, batch))
	}
	<-done
	require.Eventually(t, func() bool { return a.Stats()[0].MessagesSent == n }, time.Minute, time.Millisecond)
	require.Equal(t, uint64(n), b.Stats()[0].MessagesReceived)
	require.Zero(t, a.Stats()[0].MessagesDropped)
	require.Greater(t, a.Stats()[0].BytesSent, uint64(n*len(batch)))

	// Large ones, and no larger ones.
	got := make(chan int, 1)
	b.HandleMessages(func(_ uint64, batch []byte) { got <- len(batch) })
	require.True(t, a.Send(2, make([]byte, MaxFrame)))
	require.Equal(t, MaxFrame, <-got)
	require.False(t, a.Send(2, make([]byte, MaxFrame+1)))
	require.Equal(t, uint64(1), a.Stats()[0].MessagesDropped)
}

// Send never waits, and queues no more than allowed.
func TestSendDrops(t *testing.T) {
	peer := stuckPeer(t)
	o := testOptions(1)
	o.QueueBytes = MaxFrame
	a, _ := node(t, o)
	a.SetCluster(testCluster)
	a.SetPeer(2, "stuck", peer.Addr().String())
	batch := bytes.Repeat([]byte{1}, 1<<20)
	dropped := 0
	for range 100 {
		if !a.Send(2, batch) {
			dropped++
		}
	}
	require.Positive(t, dropped)
	stats := a.Stats()[0]
	require.Equal(t, uint64(dropped), stats.MessagesDropped)
	require.LessOrEqual(t, stats.QueuedBytes, MaxFrame+1<<10)
	require.NoError(t, a.Close())
	require.False(t, a.Send(2, batch))
}

// An unreachable peer costs nothing, and gets messages again when it is back.
func TestMessagesAfterRestart(t *testing.T) {
	a, b := pair(t)
	got := make(chan string, 1000)
	receive := func(_ uint64, batch []byte) { got <- string(batch) }
	b.HandleMessages(receive)
	require.True(t, a.Send(2, []byte("one")))
	require.Equal(t, "one", <-got)
	o := testOptions(2)
	o.Addr = b.Addr()
	closeAll(t, b)
	require.Eventually(t, func() bool { return !a.Send(2, []byte("lost")) }, time.Minute, time.Millisecond)
	b, _ = node(t, o)
	b.HandleMessages(receive)
	b.SetCluster(testCluster)
	require.Eventually(t, func() bool {
		a.Send(2, []byte("two"))
		select {
		case s := <-got:
			return s == "two"
		default:
			return false
		}
	}, 10*time.Second, time.Millisecond)
}
