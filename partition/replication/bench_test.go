package replication

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// counter is a state machine that only counts.
type counter struct {
	mu      sync.Mutex
	applied uint64
}

func (c *counter) Apply(entries []Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.applied = entries[len(entries)-1].Index
	return nil
}
func (c *counter) Applied() uint64                         { return 0 }
func (c *counter) Sync() error                             { return nil }
func (c *counter) Snapshot() (Snapshot, error)             { return nil, errors.ErrUnsupported }
func (c *counter) Restore(uint64, uint64, io.Reader) error { return errors.ErrUnsupported }

// direct is a Transport to runtimes of the same process, with a goroutine for
// each pair of nodes.
type direct struct {
	from  Node
	peers map[Node]chan []byte
}

func (d *direct) Send(to Node, b []byte) bool {
	select {
	case d.peers[to] <- append([]byte(nil), b...):
		return true
	default:
		return false
	}
}

func (d *direct) SendSnapshot(context.Context, Node, func(io.Writer) error) error {
	return errors.ErrUnsupported
}

// threeNodes starts groups on three nodes of this process with logs on disk.
func threeNodes(b testing.TB, groups int) []*Runtime {
	transports := make([]*direct, 3)
	for i := range transports {
		transports[i] = &direct{from: Node(i + 1), peers: map[Node]chan []byte{}}
	}
	rts := make([]*Runtime, 3)
	for i := range rts {
		rt, err := Open(Config{Node: Node(i + 1), Dir: b.TempDir(), Transport: transports[i]})
		require.NoError(b, err)
		rts[i] = rt
		b.Cleanup(func() { require.NoError(b, rt.Close()) })
	}
	for i, t := range transports {
		for j, rt := range rts {
			if i == j {
				continue
			}
			batches := make(chan []byte, 1000)
			t.peers[Node(j+1)] = batches
			go func() {
				for batch := range batches {
					rt.Receive(Node(i+1), batch)
				}
			}()
		}
	}
	for g := range Group(groups) {
		for _, rt := range rts {
			require.NoError(b, rt.Start(g, &counter{}, []Node{1, 2, 3}))
		}
	}
	for g := range Group(groups) {
		want := int(g) % 3
		require.Eventually(b, func() bool {
			for i, rt := range rts {
				if _, ok := rt.IsLeader(g); ok {
					if i != want {
						ctx, cancel := context.WithTimeout(context.Background(), time.Second)
						rt.Transfer(ctx, g, Node(want+1))
						cancel()
					}
					return i == want
				}
			}
			return false
		}, 20*time.Second, 10*time.Millisecond)
	}
	return rts
}

// BenchmarkPropose has 64 clients propose 300 bytes on the leaders of some groups
// and wait until it is applied there: three nodes in one process, logs on disk.
func BenchmarkPropose(b *testing.B) {
	for _, groups := range []int{1, 16} {
		b.Run(fmt.Sprintf("groups=%d", groups), func(b *testing.B) {
			rts := threeNodes(b, groups)
			data := make([]byte, 300)
			ctx := context.Background()
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range 64 {
				wg.Go(func() {
					g := Group(i % groups)
					rt := rts[int(g)%3]
					gr, _ := rt.group(g)
					for left.Add(-1) >= 0 {
						if _, err := rt.Propose(g, data); err != nil {
							b.Error(err)
							return
						}
						// All that was proposed before is applied, too.
						if err := rt.WaitApplied(ctx, g, gr.lastIndex()); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "proposals/s")
		})
	}
}

// lastIndex is the last index that raft has given away.
func (g *group) lastIndex() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.node.Status().Progress[uint64(g.rt.config.Node)].Next - 1
}

// BenchmarkReadIndex has 64 clients read on the leaders of 16 groups.
func BenchmarkReadIndex(b *testing.B) {
	const groups = 16
	rts := threeNodes(b, groups)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			g := Group(i % groups)
			for left.Add(-1) >= 0 {
				if _, err := rts[int(g)%3].ReadIndex(context.Background(), g); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
}
