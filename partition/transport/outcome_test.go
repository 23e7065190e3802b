package transport

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// memoryPair is pair in a Network, for the fake clock of a bubble.
func memoryPair(t *testing.T, change ...func(o *Options)) (*Transport, *Transport, *Faults) {
	t.Helper()
	faults := NewFaults(1)
	n := NewNetwork(faults)
	var nodes [2]*Transport
	for i := range nodes {
		o := testOptions(uint64(i + 1))
		o.Addr = ""
		for _, c := range change {
			c(&o)
		}
		var err error
		nodes[i], err = n.Listen(o)
		require.NoError(t, err)
	}
	nodes[1].HandleCalls(echoHandler)
	join(nodes[0], nodes[1])
	return nodes[0], nodes[1], faults
}

func closeAll(t *testing.T, nodes ...*Transport) {
	t.Helper()
	for _, n := range nodes {
		require.NoError(t, n.Close())
		require.NoError(t, n.Close())
	}
}

func requireOutcome(t *testing.T, err, want error, causes ...error) {
	t.Helper()
	not := ErrUnknown
	if want == ErrUnknown { //nolint:errorlint // the sentinel itself
		not = ErrNotSent
	}
	require.ErrorIs(t, err, want)
	require.NotErrorIs(t, err, not)
	for _, c := range causes {
		require.ErrorIs(t, err, c)
	}
}

func TestNotSent(t *testing.T) {
	a, b := pair(t)
	_, err := a.Call(t.Context(), 77, methodEcho, nil)
	requireOutcome(t, err, ErrNotSent, ErrUnknownPeer)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = a.Call(ctx, 2, methodEcho, nil)
	requireOutcome(t, err, ErrNotSent, context.Canceled)

	past, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err = a.Call(past, 2, methodEcho, nil)
	requireOutcome(t, err, ErrNotSent, context.DeadlineExceeded)

	_, err = a.Call(t.Context(), 2, methodEcho, make([]byte, MaxFrame+1))
	require.ErrorIs(t, err, ErrTooLarge)

	// A node that is not ready yet.
	_, err = b.Call(t.Context(), 1, methodEcho, nil)
	requireOutcome(t, err, ErrNotSent)
	require.ErrorContains(t, err, "the node is not ready")

	// One that is gone. The calls that were cancelled may still be connecting before.
	_, err = a.Call(t.Context(), 2, methodEcho, nil)
	require.NoError(t, err)
	addr := b.Addr()
	closeAll(t, b)
	require.Eventually(t, func() bool { return !a.Stats()[0].Connected }, time.Minute, time.Millisecond)
	_, err = a.Call(t.Context(), 2, methodEcho, nil)
	requireOutcome(t, err, ErrNotSent)
	_, err = a.CallAddr(t.Context(), addr, methodOpen, nil)
	requireOutcome(t, err, ErrNotSent)

	a.RemovePeer(2)
	_, err = a.Call(t.Context(), 2, methodEcho, nil)
	requireOutcome(t, err, ErrNotSent, ErrUnknownPeer)
	a.SetPeer(2, "node-b", addr)
	closeAll(t, a)
	_, err = a.Call(t.Context(), 2, methodEcho, nil)
	requireOutcome(t, err, ErrNotSent, ErrClosed)
	require.False(t, a.Send(2, nil))
	_, err = a.Stream(t.Context(), 2, 1)
	require.ErrorIs(t, err, ErrClosed)
}

// A request that was handed to the network has an unknown outcome, however the
// waiting ends.
func TestUnknown(t *testing.T) {
	ends := map[string]func(cancel context.CancelFunc, a, b *Transport){
		"cancelled":          func(cancel context.CancelFunc, _, _ *Transport) { cancel() },
		"peer removed":       func(_ context.CancelFunc, a, _ *Transport) { a.RemovePeer(2) },
		"own side closes":    func(_ context.CancelFunc, a, _ *Transport) { _ = a.Close() },
		"connection breaks":  func(_ context.CancelFunc, a, _ *Transport) { _ = a.peer(2).call.Load().out.conn.Close() },
		"peer's side breaks": func(_ context.CancelFunc, _, b *Transport) { breakAll(b) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			entered := make(chan struct{})
			b.HandleCalls(func(ctx context.Context, _ uint64, _ uint8, _ []byte) ([]byte, error) {
				close(entered)
				<-ctx.Done()
				return nil, nil
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			failed := make(chan error)
			go func() {
				_, err := a.Call(ctx, 2, methodEcho, []byte("x"))
				failed <- err
			}()
			<-entered
			end(cancel, a, b)
			requireOutcome(t, <-failed, ErrUnknown)
		})
	}
}

// breakAll breaks the connections of a transport without closing it.
func breakAll(t *Transport) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.conns {
		_ = c.Close()
	}
}

// A handler that is at it when its node closes still answers; what comes later
// is certainly not handled.
func TestCloseAnswers(t *testing.T) {
	a, b := pair(t)
	entered := make(chan struct{})
	b.HandleCalls(func(ctx context.Context, _ uint64, _ uint8, _ []byte) ([]byte, error) {
		close(entered)
		<-ctx.Done()
		return []byte(context.Cause(ctx).Error()), nil
	})
	answer := make(chan string)
	go func() {
		b, err := a.Call(t.Context(), 2, methodEcho, nil)
		if err != nil {
			b = []byte(err.Error())
		}
		answer <- string(b)
	}()
	<-entered
	closeAll(t, b)
	require.Equal(t, ErrClosed.Error(), <-answer)
}

// stuck is a peer that accepts connections, and then reads only on demand.
type stuck struct {
	net.Listener
	conns chan net.Conn
}

func stuckPeer(t *testing.T) *stuck {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &stuck{l, make(chan net.Conn, 16)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
			hello, err := readPreamble(conn)
			if err != nil {
				_ = conn.Close()
				continue
			}
			a := answer{version: hello.version, minVersion: hello.minVersion, cluster: hello.cluster, from: 2, name: "stuck"}
			_, _ = conn.Write(a.encode())
			s.conns <- conn
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for {
			select {
			case c := <-s.conns:
				_ = c.Close()
			default:
				return
			}
		}
	})
	return s
}

// Requests behind what the writer has taken can be withdrawn, and those that
// never left this process whole were not sent, while what the writer has taken
// is unknown.
func TestOutcomesBehindAStuckPeer(t *testing.T) {
	peer := stuckPeer(t)
	a, _ := node(t, testOptions(1))
	a.SetCluster(testCluster)
	a.SetPeer(2, "stuck", peer.Addr().String())

	big := make([]byte, MaxFrame)
	first, withdrawn, behind := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	call := func(ctx context.Context, result chan error) {
		_, err := a.Call(ctx, 2, methodEcho, big)
		result <- err
	}
	queued := func(n int) func() bool {
		return func() bool {
			c := a.peer(2).call.Load()
			if c == nil {
				return false
			}
			c.out.mu.Lock()
			defer c.out.mu.Unlock()
			return c.out.taken > 0 && len(c.pending) == n && (n == 1) == (len(c.out.buf) == 0)
		}
	}
	go call(t.Context(), first)
	require.Eventually(t, queued(1), time.Minute, time.Millisecond)

	ctx, cancel := context.WithCancel(t.Context())
	go call(ctx, withdrawn)
	require.Eventually(t, queued(2), time.Minute, time.Millisecond)
	go call(t.Context(), behind)
	require.Eventually(t, queued(3), time.Minute, time.Millisecond)

	cancel()
	requireOutcome(t, <-withdrawn, ErrNotSent, context.Canceled)
	// Its bytes still count.
	c := a.peer(2).call.Load()
	c.out.mu.Lock()
	require.Equal(t, int64(MaxFrame+callOverhead), c.debt)
	c.out.mu.Unlock()

	require.NoError(t, (<-peer.conns).Close())
	// The first was being written: its last byte never left, so not even it can
	// be handled.
	requireOutcome(t, <-first, ErrNotSent)
	requireOutcome(t, <-behind, ErrNotSent)
}

// What the peer has received whole is unknown once the connection breaks, in
// the same breath in which what was cut off is not sent.
func TestOutcomesOfACutBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := newPipe(&net.TCPAddr{}, &net.TCPAddr{})
		o := testOptions(1)
		o.Addr = ""
		a, err := NewNetwork(nil).Listen(o)
		require.NoError(t, err)
		c := newCallConn(a, nil, "x", here)
		require.NoError(t, c.start())
		small, big := make(chan error, 1), make(chan error, 1)
		go func() {
			_, _, err := c.call(t.Context(), methodEcho, make([]byte, 10))
			small <- err
		}()
		synctest.Wait()
		go func() {
			_, _, err := c.call(t.Context(), methodEcho, make([]byte, 2*pipeBuffer))
			big <- err
		}()
		synctest.Wait() // the pipe is full now
		require.NoError(t, there.Close())
		requireOutcome(t, <-small, ErrUnknown)
		requireOutcome(t, <-big, ErrNotSent)
		closeAll(t, a)
	})
}

func TestBackpressure(t *testing.T) {
	a, b := pair(t, func(o *Options) { o.CallBytes = MaxFrame; o.MaxHandlers = 2 })
	release := make(chan struct{})
	var running, most atomic.Int32
	b.HandleCalls(func(context.Context, uint64, uint8, []byte) ([]byte, error) {
		most.Store(max(most.Load(), running.Add(1)))
		<-release
		running.Add(-1)
		return nil, nil
	})
	results := make(chan error, 8)
	for range 2 {
		go func() {
			_, err := a.Call(t.Context(), 2, methodEcho, make([]byte, MaxFrame/2))
			results <- err
		}()
	}
	require.Eventually(t, func() bool { return running.Load() == 1 || running.Load() == 2 }, time.Minute, time.Millisecond)
	// The next one waits for room, and was not sent if it does not get any.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := a.Call(ctx, 2, methodEcho, make([]byte, MaxFrame/2))
	requireOutcome(t, err, ErrNotSent, context.DeadlineExceeded)
	close(release)
	for range 2 {
		require.NoError(t, <-results)
	}
	// No more than two handlers at once, whatever the number of calls.
	for range 8 {
		go func() {
			_, err := a.Call(t.Context(), 2, methodEcho, nil)
			results <- err
		}()
	}
	for range 8 {
		require.NoError(t, <-results)
	}
	require.LessOrEqual(t, most.Load(), int32(2))
}

func TestSilentPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, faults := memoryPair(t)
		_, err := a.Call(t.Context(), 2, methodEcho, nil)
		require.NoError(t, err)
		require.NoError(t, faults.Set([]Rule{{From: "node-b", To: "node-a", Block: true}}))
		began := time.Now()
		_, err = a.Call(t.Context(), 2, methodEcho, nil)
		requireOutcome(t, err, ErrUnknown, errSilent)
		require.InDelta(t, 4, time.Since(began).Seconds(), 1)
		// Connecting is not possible either.
		_, err = a.Call(t.Context(), 2, methodEcho, nil)
		requireOutcome(t, err, ErrNotSent)
		require.NoError(t, faults.Set(nil))
		time.Sleep(3 * time.Second) //nolint:forbidigo // of the bubble's clock
		_, err = a.Call(t.Context(), 2, methodEcho, nil)
		require.NoError(t, err)
		closeAll(t, a, b)
	})
}

func TestReconnects(t *testing.T) {
	o := testOptions(2)
	a, b := pair(t)
	o.Addr = b.Addr()
	_, err := a.Call(t.Context(), 2, methodEcho, nil)
	require.NoError(t, err)
	closeAll(t, b)
	b, _ = node(t, o)
	b.HandleCalls(echoHandler)
	b.SetCluster(testCluster)
	require.Eventually(t, func() bool {
		got, err := a.Call(t.Context(), 2, methodEcho, []byte("again"))
		return err == nil && string(got) == "again"
	}, 5*time.Second, time.Millisecond)

	// A new address.
	other := testOptions(2)
	c, _ := node(t, other)
	c.HandleCalls(func(context.Context, uint64, uint8, []byte) ([]byte, error) { return []byte("moved"), nil })
	c.SetCluster(testCluster)
	a.SetPeer(2, "node-b", c.Addr())
	got, err := a.Call(t.Context(), 2, methodEcho, nil)
	require.NoError(t, err)
	require.Equal(t, "moved", string(got))
}

func TestIdleWorkersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, _ := memoryPair(t)
		results := make(chan error)
		gate := make(chan struct{})
		b.HandleCalls(func(context.Context, uint64, uint8, []byte) ([]byte, error) { <-gate; return nil, nil })
		for range 50 {
			go func() {
				_, err := a.Call(t.Context(), 2, methodEcho, nil)
				results <- err
			}()
		}
		synctest.Wait()
		close(gate)
		for range 50 {
			require.NoError(t, <-results)
		}
		idle := func() int {
			b.workers.mu.Lock()
			defer b.workers.mu.Unlock()
			return len(b.workers.idle)
		}
		synctest.Wait()
		require.Equal(t, 50, idle())
		time.Sleep(3 * time.Second) //nolint:forbidigo // of the bubble's clock
		require.Zero(t, idle())
		closeAll(t, a, b)
	})
}

// Handlers that are all busy for long are no sign of death, and what waits for
// them when their node closes has not been handled.
func TestBusyHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, _ := memoryPair(t, func(o *Options) { o.MaxHandlers = 1 })
		b.HandleCalls(func(ctx context.Context, _ uint64, _ uint8, request []byte) ([]byte, error) {
			select {
			case <-time.After(20 * time.Second):
			case <-ctx.Done():
			}
			return request, nil
		})
		call := func() <-chan error {
			result := make(chan error, 1)
			go func() {
				_, err := a.Call(t.Context(), 2, methodEcho, make([]byte, 1000))
				result <- err
			}()
			synctest.Wait()
			return result
		}
		began := time.Now()
		first, second := call(), call()
		require.NoError(t, <-first)
		require.NoError(t, <-second)
		require.Equal(t, 40*time.Second, time.Since(began))

		first, second = call(), call()
		closeAll(t, b)
		require.NoError(t, <-first)
		requireOutcome(t, <-second, ErrNotSent)
		closeAll(t, a)
	})
}

// TestPeerThatIsBackIsDialledAtOnce: a node that could not connect waits before it
// tries again, but not once the peer has connected to it.
func TestPeerThatIsBackIsDialledAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(nil)
		listen := func(id uint64, addr string) *Transport {
			o := testOptions(id)
			o.Addr = addr
			tr, err := n.Listen(o)
			require.NoError(t, err)
			tr.HandleCalls(echoHandler)
			return tr
		}
		a, b := listen(1, "10.0.0.1:7000"), listen(2, "10.0.0.2:7000")
		defer func() { require.NoError(t, a.Close()) }()
		join(a, b)
		require.NoError(t, b.Close())
		for range 10 { // until the pause between attempts is longest
			_, err := a.Call(t.Context(), 2, methodEcho, nil)
			require.ErrorIs(t, err, ErrNotSent)
			a.Send(2, []byte("lost"))
			<-time.After(maxBackoff)
		}
		_, err := a.Call(t.Context(), 2, methodEcho, nil)
		require.ErrorIs(t, err, ErrNotSent)
		require.True(t, a.Send(2, []byte("lost")))
		synctest.Wait()
		require.False(t, a.Send(2, []byte("lost")))

		b = listen(2, "10.0.0.2:7000")
		defer func() { require.NoError(t, b.Close()) }()
		join(a, b)
		_, err = a.Call(t.Context(), 2, methodEcho, nil)
		require.ErrorIs(t, err, ErrNotSent, "it does not know yet")
		_, err = b.Call(t.Context(), 1, methodEcho, nil)
		require.NoError(t, err)
		_, err = a.Call(t.Context(), 2, methodEcho, nil)
		require.NoError(t, err)
		require.True(t, a.Send(2, []byte("arrives")))
	})
}
