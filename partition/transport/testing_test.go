package transport

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	testCluster  = [16]byte{1, 2, 3}
	otherCluster = [16]byte{9, 9, 9}
)

// methodEcho and so on are what echoHandler understands.
const (
	methodEcho = iota + 1
	methodError
	methodCoded
	methodHang  // until the context ends
	methodPanic // the handler does
	methodOpen  // echoes, also without a cluster
	methodFrom  // answers who called
)

type codedError struct{}

func (codedError) Error() string { return "coded" }
func (codedError) Code() uint8   { return 42 }

func echoHandler(ctx context.Context, from uint64, method uint8, request []byte) ([]byte, error) {
	switch method {
	case methodError:
		return nil, errors.New("no luck")
	case methodCoded:
		return nil, codedError{}
	case methodHang:
		<-ctx.Done()
		return nil, ctx.Err()
	case methodPanic:
		panic("oops")
	case methodFrom:
		return []byte{byte(from)}, nil
	}
	return request, nil
}

// logBuffer collects a node's log.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// awaitLog waits until a log has a text.
func awaitLog(t *testing.T, l *logBuffer, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return bytes.Contains([]byte(l.String()), []byte(text)) },
		5*time.Second, time.Millisecond, "no %q in the log", text)
}

func testOptions(id uint64) Options {
	return Options{
		Addr: "127.0.0.1:0", NodeID: id, Name: "node-" + string(rune('a'+id-1)),
		Version: 3, MinVersion: 2,
		OpenMethods: []uint8{methodOpen},
	}
}

// node starts a transport over TCP with a log, closed with the test. On a busy machine
// its peers may be silent for a while and are not given up for it.
func node(t testing.TB, o Options) (*Transport, *logBuffer) {
	t.Helper()
	if o.PingInterval == 0 {
		o.PingInterval = 20 * time.Second
	}
	log := &logBuffer{}
	o.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	tr, err := Listen(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tr.Close()) })
	return tr, log
}

// join makes nodes members of the test cluster who know each other.
func join(nodes ...*Transport) {
	for _, a := range nodes {
		a.SetCluster(testCluster)
		for _, b := range nodes {
			a.SetPeer(b.ID(), b.o.Name, b.Addr())
		}
	}
}

// pair returns two nodes of one cluster, of which the second echoes calls.
func pair(t testing.TB, change ...func(o *Options)) (*Transport, *Transport) {
	t.Helper()
	oa, ob := testOptions(1), testOptions(2)
	for _, c := range change {
		c(&oa)
		c(&ob)
	}
	a, _ := node(t, oa)
	b, _ := node(t, ob)
	b.HandleCalls(echoHandler)
	join(a, b)
	return a, b
}
