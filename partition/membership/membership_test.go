package membership

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stator-db/stator/partition/transport"
)

// patience is how long a test waits for what must happen: longer than any machine
// is busy.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	oneCluster   = [16]byte{1}
	otherCluster = [16]byte{2}
)

// testNode is a node with its log and the events it was told.
type testNode struct {
	*Membership
	transport *transport.Transport
	log       *lockedBuffer

	mu     sync.Mutex
	events []string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (n *testNode) seen() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.events...)
}

// start runs a node on loopback. change may alter its options.
func start(t testing.TB, id uint64, seeds []*testNode, change ...func(*transport.Options, *Options)) *testNode {
	t.Helper()
	n := &testNode{log: &lockedBuffer{}}
	logger := slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	name := fmt.Sprintf("node-%d", id)
	to := transport.Options{Addr: "127.0.0.1:0", NodeID: id, Name: name, Version: 2, MinVersion: 1, Logger: logger}
	mo := Options{
		Name: name, ID: id, Fast: true, Logger: logger,
		Meta: Meta{HTTPAddr: "127.0.0.1:8000", Zone: "z1", Version: "1.0", ClusterID: oneCluster, Protocol: 2, MinProtocol: 1, Capacity: 10, PID: 7},
		Events: func(e Event) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.events = append(n.events, e.Type.String()+" "+e.Member.Name)
		},
	}
	for _, s := range seeds {
		mo.Join = append(mo.Join, s.transport.Addr())
	}
	for _, c := range change {
		c(&to, &mo)
	}
	var err error
	n.transport, err = transport.Listen(to)
	require.NoError(t, err)
	n.transport.SetCluster(mo.Meta.ClusterID)
	mo.Transport, mo.ID, mo.Name = n.transport, n.transport.ID(), to.Name
	n.Membership, err = Join(mo)
	require.NoError(t, err)
	t.Cleanup(n.stop(t))
	return n
}

func (n *testNode) stop(t testing.TB) func() {
	return func() {
		require.NoError(t, n.Close())
		require.NoError(t, n.transport.Close())
	}
}

// sees waits until a node has members in the states given, "node-1 alive" and
// so on, and no others.
func (n *testNode) sees(t testing.TB, want ...string) {
	t.Helper()
	ok := func() bool {
		var list []string
		for _, m := range n.Members() {
			list = append(list, m.Name+" "+m.State.String())
		}
		return slices.Equal(list, want)
	}
	require.Eventually(t, ok, patience, 5*time.Millisecond, "want %v", want)
}

func (n *testNode) logs(t testing.TB, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(n.log.String(), text) },
		patience, 5*time.Millisecond, "no %q in the log of %s:\n%s", text, n.o.Name, n.log)
}

func TestFiveNodes(t *testing.T) {
	first := start(t, 1, nil)
	nodes := []*testNode{first}
	for id := uint64(2); id <= 5; id++ {
		nodes = append(nodes, start(t, id, []*testNode{first}))
	}
	for _, n := range nodes {
		n.sees(t, "node-1 alive", "node-2 alive", "node-3 alive", "node-4 alive", "node-5 alive")
		require.True(t, n.Joined())
	}
	for i, m := range nodes[4].Members() {
		require.Equal(t, uint64(i+1), m.ID)
		require.Equal(t, nodes[i].transport.Addr(), m.ClusterAddr)
		require.Equal(t, nodes[i].o.Meta, m.Meta)
	}

	// News spread.
	meta := nodes[1].o.Meta
	meta.Load, meta.Draining, meta.Zone = 77, true, "z2"
	require.NoError(t, nodes[1].Update(meta))
	for _, n := range nodes {
		require.Eventually(t, func() bool { return n.Members()[1].Meta == meta }, patience, 5*time.Millisecond)
	}

	// One leaves in order.
	require.NoError(t, nodes[3].Leave(patience))
	nodes[3].stop(t)()
	for _, i := range []int{0, 1, 2, 4} {
		nodes[i].sees(t, "node-1 alive", "node-2 alive", "node-3 alive", "node-4 left", "node-5 alive")
		require.Eventually(t, func() bool { return slices.Contains(nodes[i].seen(), "left node-4") }, patience, time.Millisecond)
	}
	// One fails.
	began := time.Now()
	nodes[4].stop(t)()
	for _, n := range nodes[:3] {
		n.sees(t, "node-1 alive", "node-2 alive", "node-3 alive", "node-4 left", "node-5 failed")
		require.Eventually(t, func() bool { return strings.Contains(strings.Join(n.seen(), ","), "failed node-5") },
			patience, time.Millisecond)
	}
	t.Logf("failure noticed by all after %s", time.Since(began).Round(time.Millisecond))
	// And comes back, at another port, with an empty disk.
	back := start(t, 6, []*testNode{first}, func(to *transport.Options, _ *Options) { to.Name = "node-5" })
	for _, n := range append(nodes[:3:3], back) {
		require.Eventually(t, func() bool {
			for _, m := range n.Members() {
				if m.Name == "node-5" {
					return m.ID == 6 && m.State == Alive
				}
			}
			return false
		}, patience, 5*time.Millisecond)
	}
}

// A member whose farewell is overtaken by the news that it is gone still counts as
// one that left.
func TestFarewellComesLate(t *testing.T) {
	a := start(t, 1, nil)
	b := start(t, 2, []*testNode{a})
	a.sees(t, "node-1 alive", "node-2 alive")
	for _, message := range [][]byte{nil, {farewellFormat}, {9, 1, 0, 0, 0, 0, 0, 0, 0}, farewell(7)} {
		delegate{a.Membership}.NotifyMsg(message) // says nothing of node-2
	}
	a.lose("node-2")
	a.sees(t, "node-1 alive", "node-2 failed")
	delegate{a.Membership}.NotifyMsg(farewell(b.o.ID))
	a.sees(t, "node-1 alive", "node-2 left")
	require.Eventually(t, func() bool {
		return slices.Equal(a.seen(), []string{"joined node-2", "failed node-2", "left node-2"})
	}, patience, time.Millisecond)
	require.Equal(t, []byte{1, 2, 0, 0, 0, 0, 0, 0, 0}, farewell(2))
}

func TestKeepsTryingToJoin(t *testing.T) {
	// The address of a node that is not there yet.
	late, err := transport.Listen(transport.Options{Addr: "127.0.0.1:0", NodeID: 9, Name: "x"})
	require.NoError(t, err)
	addr := late.Addr()
	require.NoError(t, late.Close())

	early := start(t, 1, nil, func(_ *transport.Options, o *Options) { o.Join = []string{addr} })
	early.logs(t, "cannot join yet")
	require.False(t, early.Joined())
	second := start(t, 2, nil, func(o *transport.Options, _ *Options) { o.Addr = addr })
	for _, n := range []*testNode{early, second} {
		n.sees(t, "node-1 alive", "node-2 alive")
	}
}

func TestEncryptedGossip(t *testing.T) {
	key := bytes.Repeat([]byte{5}, 32)
	with := func(_ *transport.Options, o *Options) { o.Key = key }
	a := start(t, 1, nil, with)
	b := start(t, 2, []*testNode{a}, with)
	a.sees(t, "node-1 alive", "node-2 alive")
	b.sees(t, "node-1 alive", "node-2 alive")
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name         string
		change       func(*transport.Options, *Options)
		first, other string // what they log
	}{
		{"wrong key", func(_ *transport.Options, o *Options) { o.Key = bytes.Repeat([]byte{6}, 16) },
			"failed to receive", "cannot join yet"},
		{"no key", func(_ *transport.Options, o *Options) { o.Key = nil },
			"encryption is configured but remote state is not encrypted", "cannot join yet"},
		{"other cluster", func(_ *transport.Options, o *Options) { o.Meta.ClusterID = otherCluster },
			"node of another cluster", "node of another cluster"},
		{"protocol too old", func(to *transport.Options, o *Options) {
			to.Version, to.MinVersion = 0, 0
			o.Meta.Protocol, o.Meta.MinProtocol = 0, 0
		}, "protocol version 0 is too old", "protocol version 0 is too old"},
		{"gossip says another protocol", func(_ *transport.Options, o *Options) { o.Meta.Protocol, o.Meta.MinProtocol = 9, 9 },
			"incompatible protocol", "incompatible protocol"},
		{"duplicate name", func(to *transport.Options, _ *Options) { to.Name = "node-1" },
			"name node-1 is used by two nodes", "name node-1 is used by two nodes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			withKey := func(_ *transport.Options, o *Options) { o.Key = bytes.Repeat([]byte{5}, 16) }
			a := start(t, 1, nil, withKey)
			b := start(t, 2, []*testNode{a}, withKey, c.change)
			a.logs(t, c.first)
			b.logs(t, c.other)
			b.logs(t, "cannot join yet")
			require.Len(t, a.Members(), 1)
			require.Len(t, b.Members(), 1)
		})
	}
}

// A third node takes the name of a member that is not the one it joins through.
func TestDuplicateNameOfAnother(t *testing.T) {
	a := start(t, 1, nil)
	b := start(t, 2, []*testNode{a})
	b.sees(t, "node-1 alive", "node-2 alive")
	thief := start(t, 3, []*testNode{a}, func(to *transport.Options, _ *Options) { to.Name = "node-2" })
	a.logs(t, "name node-2 is used by two nodes")
	thief.logs(t, "name node-2 is used by two nodes")
	require.Len(t, thief.Members(), 1)
	require.Equal(t, uint64(2), a.Members()[1].ID)
}

func TestRestartInPlace(t *testing.T) {
	a := start(t, 1, nil)
	b := start(t, 2, []*testNode{a})
	a.sees(t, "node-1 alive", "node-2 alive")
	addr := b.transport.Addr()
	b.stop(t)()
	b = start(t, 3, []*testNode{a}, func(to *transport.Options, _ *Options) { to.Addr, to.Name = addr, "node-2" })
	require.Eventually(t, func() bool {
		for _, m := range a.Members() {
			if m.Name == "node-2" && m.ID == 3 && m.State == Alive {
				return true
			}
		}
		return false
	}, patience, 5*time.Millisecond)
	require.Eventually(t, func() bool {
		all := strings.Join(a.seen(), ",")
		return strings.HasPrefix(all, "joined node-2,failed node-2,joined node-2")
	}, patience, time.Millisecond)
	b.sees(t, "node-1 alive", "node-2 alive")
}

func TestOptions(t *testing.T) {
	_, err := Join(Options{Key: []byte("short")})
	require.EqualError(t, err, `membership: the node's name "" must have 1 to 128 bytes
membership: the gossip key has 5 bytes instead of 16, 24 or 32
membership: no transport`)
	a := start(t, 1, nil)
	bad := a.o.Meta
	bad.Zone = strings.Repeat("z", 65)
	require.ErrorContains(t, a.Update(bad), "longer than 64 bytes")
	require.NoError(t, a.Close())
	require.NoError(t, a.Update(a.o.Meta))
	require.NoError(t, a.Leave(patience))
}
