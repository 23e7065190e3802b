//go:build linux

package faults

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// probeEvery is how often each shard is written to. Requests overlap: one that hangs does not keep the next from
// showing that writes go through again.
const probeEvery = 50 * time.Millisecond

// probes write to every shard, through nodes that no fault strikes, to tell how long a shard was without writes.
type probes struct {
	client *client
	keys   map[int]string // by shard

	mu      sync.Mutex
	through []int // the nodes
	shards  map[int]*probed

	working sync.WaitGroup
	cancel  context.CancelFunc
}

// probed is what became of the probes of a shard since reset.
type probed struct {
	last    time.Time     // the latest acknowledgement
	longest time.Duration // the longest time without one
	ended   time.Time     // when that was
	errors  int
}

// startProbes finds a key of each shard of a cluster that does nothing else, and begins to write.
func startProbes(t *testing.T, c *cluster, cl *client) *probes {
	ctx, cancel := context.WithCancel(context.Background())
	p := &probes{client: cl, keys: map[int]string{}, cancel: cancel}
	for i := 0; len(p.keys) < clusterShards; i++ {
		key := fmt.Sprint("p", i)
		if shard := shardOf(t, c, cl, key); p.keys[shard] == "" {
			p.keys[shard] = key
		}
	}
	p.reset(1, 2, 3)
	for shard := range p.keys {
		p.working.Go(func() { p.run(ctx, shard) })
	}
	return p
}

// shardOf finds the shard of a key from outside: the one whose log grows with writes to it.
func shardOf(t *testing.T, c *cluster, cl *client, key string) int {
	t.Helper()
	const writes = 5
	commits := func() map[int]uint64 {
		s, err := c.status(1)
		require.NoError(t, err)
		commits := map[int]uint64{}
		for _, shard := range s.Shards {
			commits[shard.ID] = shard.Commit
		}
		return commits
	}
	for range 100 {
		before := commits()
		for range writes {
			require.NoError(t, cl.call(t.Context(), 1, "PutItem", probeItem(key), &object{}))
		}
		var grown []int
		for shard, commit := range commits() {
			if commit >= before[shard]+writes {
				grown = append(grown, shard)
			}
		}
		if len(grown) == 1 {
			return grown[0]
		}
	}
	t.Fatalf("no shard could be found for %s", key)
	return 0
}

func probeItem(key string) object {
	return object{"TableName": "Probes", "Item": object{"pk": text(key)}}
}

// reset forgets what was and writes through these nodes from now on.
func (p *probes) reset(through ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.through, p.shards = through, map[int]*probed{}
	for shard := range p.keys {
		p.shards[shard] = &probed{last: time.Now()}
	}
}

func (p *probes) run(ctx context.Context, shard int) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		p.mu.Lock()
		state, node := p.shards[shard], p.through[i%len(p.through)]
		p.mu.Unlock()
		p.working.Go(func() {
			err := p.client.call(context.Background(), node, "PutItem", probeItem(p.keys[shard]), &object{})
			p.mu.Lock()
			defer p.mu.Unlock()
			state.note(err)
		})
	}
}

func (s *probed) note(err error) {
	if err != nil {
		s.errors++
		return
	}
	s.passed(time.Now())
}

// passed notes that the time since the last acknowledgement ends now.
func (s *probed) passed(now time.Time) {
	if waited := now.Sub(s.last); waited > s.longest {
		s.longest, s.ended = waited, now
	}
	s.last = now
}

// report is, by shard, what became of the probes since reset.
func (p *probes) report() map[int]probed {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[int]probed{}
	for shard, state := range p.shards {
		s := *state
		s.passed(time.Now())
		all[shard] = s
	}
	return all
}

// longest is how long the shard that had to wait the longest was without an acknowledged write since reset.
func (p *probes) longest(t *testing.T) time.Duration {
	t.Helper()
	worst, shard := probed{}, 0
	for i, s := range p.report() {
		if s.longest > worst.longest {
			worst, shard = s, i
		}
	}
	t.Logf("shard %d waited the longest for a write: %.2f s, until %s", shard, worst.longest.Seconds(), worst.ended.UTC().Format("15:04:05.000"))
	return worst.longest
}

func (p *probes) stop() {
	p.cancel()
	p.working.Wait()
}
