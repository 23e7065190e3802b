//go:build linux

package faults

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFailover kills a node that leads shards, again and again. Shards that it did not lead notice nothing; in
// those that it led, writes go through again within seconds.
func TestFailover(t *testing.T) {
	needNamespaces(t)
	c := newCluster(t, 0)
	cl := newClient()
	createTables(t, cl)
	p := startProbes(t, c, cl)
	defer p.stop()
	var resumed []time.Duration
	for range 5 * rounds(t) {
		leaders := c.leaders()
		victim := leaders[rand.IntN(clusterShards)]
		var others []int
		for node := 1; node <= clusterSize; node++ {
			if node != victim {
				others = append(others, node)
			}
		}
		p.reset(others...)
		pass(t, time.Second)
		c.kill(victim)
		pass(t, failoverLimit+time.Second)
		for shard, probed := range p.report() {
			if leaders[shard] == victim {
				resumed = append(resumed, probed.longest)
			} else {
				require.Zero(t, probed.errors, "in shard %d, which %s did not lead", shard, namespaceOf(victim))
			}
		}
		c.start(victim)
		c.settle()
	}
	slices.Sort(resumed)
	t.Logf("writes to %d shards resumed after %.2f s in the median, %.2f s at worst", len(resumed), resumed[len(resumed)/2].Seconds(), resumed[len(resumed)-1].Seconds())
	require.LessOrEqual(t, resumed[len(resumed)-1], failoverLimit)
}

// failoverLimit is how long writes to a shard may wait after its leader was killed, on a machine that is not
// busy with something else.
const failoverLimit = 3 * time.Second
