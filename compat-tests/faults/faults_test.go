//go:build linux

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fault is one line of the matrix.
type fault struct {
	name     string
	duration time.Duration
	leads    bool // strikes the node that leads the catalog, else one that does not; each leads some shards
	fixed    int  // strikes this node whatever it leads
	// strike makes things go wrong for a node, heal ends that. between are the other nodes.
	strike, heal func(c *cluster, victim int, others []int)
	// spared tells which nodes serve as if nothing was wrong; nil: the others.
	spared func(victim int, others []int) []int
}

// matrix is every fault, each for as long as it takes to show what it does.
var matrix = []fault{
	{
		name: "partition of a leader", duration: 6 * time.Second, leads: true,
		strike: func(c *cluster, victim int, others []int) { c.isolate(victim, others, true, true) },
		heal:   func(c *cluster, victim int, others []int) { c.rejoin(victim, others, true, true) },
	},
	{
		name: "partition of a follower", duration: 6 * time.Second,
		strike: func(c *cluster, victim int, others []int) { c.isolate(victim, others, true, true) },
		heal:   func(c *cluster, victim int, others []int) { c.rejoin(victim, others, true, true) },
	},
	{
		name: "a leader hears nobody", duration: 6 * time.Second, leads: true,
		strike: func(c *cluster, victim int, others []int) { c.isolate(victim, others, true, false) },
		heal:   func(c *cluster, victim int, others []int) { c.rejoin(victim, others, true, false) },
	},
	{
		name: "nobody hears a leader", duration: 6 * time.Second, leads: true,
		strike: func(c *cluster, victim int, others []int) { c.isolate(victim, others, false, true) },
		heal:   func(c *cluster, victim int, others []int) { c.rejoin(victim, others, false, true) },
	},
	{
		name: "one link of a leader", duration: 6 * time.Second, leads: true,
		strike: func(c *cluster, victim int, others []int) { c.isolate(victim, others[:1], true, true) },
		heal:   func(c *cluster, victim int, others []int) { c.rejoin(victim, others[:1], true, true) },
		spared: func(_ int, others []int) []int { return others[1:] },
	},
	{
		name: "kill -9 of a leader", duration: 4 * time.Second, leads: true,
		strike: func(c *cluster, victim int, _ []int) { c.kill(victim) },
		heal:   func(c *cluster, victim int, _ []int) { c.start(victim) },
	},
	{
		name: "kill -9 of a follower", duration: 4 * time.Second,
		strike: func(c *cluster, victim int, _ []int) { c.kill(victim) },
		heal:   func(c *cluster, victim int, _ []int) { c.start(victim) },
	},
	{
		name: "SIGSTOP of a leader", duration: 30 * time.Second, leads: true,
		strike: func(c *cluster, victim int, _ []int) { c.signal(victim, syscall.SIGSTOP) },
		heal:   func(c *cluster, victim int, _ []int) { c.signal(victim, syscall.SIGCONT) },
	},
	{
		name: "full disk", duration: 6 * time.Second, fixed: clusterSize,
		strike: func(c *cluster, victim int, _ []int) { c.fillDisk(victim) },
		heal:   func(c *cluster, victim int, _ []int) { c.freeDisk(victim) },
	},
	{
		name: "slow disk of a leader", duration: 8 * time.Second, leads: true,
		strike: func(c *cluster, victim int, _ []int) { c.lab(victim, "disk", object{"syncDelayMs": 500}) },
		heal:   func(c *cluster, victim int, _ []int) { c.lab(victim, "disk", object{"syncDelayMs": 0}) },
	},
	{
		name: "clock jumps ahead", duration: 6 * time.Second, leads: true, spared: everybody,
		strike: func(c *cluster, victim int, _ []int) {
			c.lab(victim, "clock", object{"offsetMs": clockJump.Milliseconds()})
		},
		heal: func(c *cluster, victim int, _ []int) { c.lab(victim, "clock", object{"offsetMs": 0}) },
	},
	{
		name: "clock jumps back", duration: 6 * time.Second, leads: true, spared: everybody,
		strike: func(c *cluster, victim int, _ []int) {
			c.lab(victim, "clock", object{"offsetMs": -clockJump.Milliseconds()})
		},
		heal: func(c *cluster, victim int, _ []int) { c.lab(victim, "clock", object{"offsetMs": 0}) },
	},
}

// clockJump is beyond anything that depends on the time of day, such as the ten minutes of idempotency tokens.
const clockJump = 15 * time.Minute

func everybody(victim int, others []int) []int { return append([]int{victim}, others...) }

// choose picks the node to strike.
func (f *fault) choose(c *cluster, random *rand.Rand) (victim int, others []int) {
	leader := c.leaders()[catalog]
	victim = f.fixed
	for victim == 0 || f.fixed == 0 && (victim == leader) != f.leads {
		victim = 1 + random.IntN(clusterSize)
	}
	for _, i := range random.Perm(clusterSize) {
		if i+1 != victim {
			others = append(others, i+1)
		}
	}
	return victim, others
}

// catalog is the number of the shard that holds the catalog.
const catalog = -1

// isolate cuts what a node would hear from others, what they would hear from it, or both.
func (c *cluster) isolate(node int, others []int, hearing, heard bool) {
	c.links(node, others, hearing, heard, c.net.cut)
}

// rejoin undoes isolate.
func (c *cluster) rejoin(node int, others []int, hearing, heard bool) {
	c.links(node, others, hearing, heard, c.net.mend)
}

func (c *cluster) links(node int, others []int, hearing, heard bool, do func(from, to int)) {
	for _, other := range others {
		if hearing {
			do(other, node)
		}
		if heard {
			do(node, other)
		}
	}
}

// lab has a node misbehave by one of the endpoints of --lab.
func (c *cluster) lab(node int, what string, how object) {
	c.t.Helper()
	body, err := json.Marshal(how)
	require.NoError(c.t, err)
	response, err := http.Post(endpointOf(node)+"/_stator/lab/"+what, "application/json", bytes.NewReader(body))
	require.NoError(c.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, response.StatusCode, "%s", answer)
}

// fillDisk leaves no room on the disk of the last node.
func (c *cluster) fillDisk(node int) {
	c.t.Helper()
	f, err := os.Create(c.filler(node))
	require.NoError(c.t, err)
	defer f.Close()
	block := make([]byte, 1<<20)
	for size := len(block); size > 0; {
		if _, err = f.Write(block[:size]); err != nil {
			size /= 2
		}
	}
	require.ErrorIs(c.t, err, syscall.ENOSPC)
}

// freeDisk makes room again. A node that has given up is started again.
func (c *cluster) freeDisk(node int) {
	c.t.Helper()
	require.NoError(c.t, os.Remove(c.filler(node)))
	if c.ended(node) {
		c.t.Logf("%s ended when its disk was full", namespaceOf(node))
		c.kill(node)
		c.start(node)
	}
}

func (c *cluster) filler(node int) string { return filepath.Join(c.dataDir(node), "filler") }

// pass waits while a fault lasts.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		require.NoError(t, t.Context().Err())
	}
}

func (f *fault) String() string { return fmt.Sprintf("%s, %s", f.name, f.duration) }
