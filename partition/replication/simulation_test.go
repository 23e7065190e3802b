package replication

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSimulation lets clusters live through random faults, each run from a seed,
// which is the name of the subtest. There is one run for 20 of -rapid.checks.
// STATOR_SIMULATION_SEED repeats one seed; not exactly, since goroutines are
// scheduled freely.
//
// What must hold, checked by checker and machine at every step:
//   - all machines of a group apply the same entries in the same order;
//   - what was applied by its proposer in its term is never lost;
//   - a term has one leader;
//   - a proposal for which an entry of a higher term was applied is never applied;
//   - after ReadIndex, everything acknowledged before it has been applied.
func TestSimulation(t *testing.T) {
	if s := os.Getenv("STATOR_SIMULATION_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 0, 64)
		require.NoError(t, err)
		synctest.Test(t, func(t *testing.T) { simulate(t, seed) })
		return
	}
	for range max(rapidChecks(t)/20, 1) {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("%#x", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { simulate(t, seed) })
		})
	}
}

// rapidChecks is how many cases a property is to be tried with.
func rapidChecks(t *testing.T) int {
	n, err := strconv.Atoi(flag.Lookup("rapid.checks").Value.String())
	require.NoError(t, err)
	return n
}

// world is one run.
type world struct {
	*cluster
	random *rand.Rand
	groups []Group
	// stalled holds up the disk of a node.
	stalled [8]atomic.Bool
	stop    chan struct{}
	wg      sync.WaitGroup
	acked   atomic.Int64
	reads   atomic.Int64
	left    atomic.Int64
	// power is held by those who crash and restart nodes, or stop a group: a
	// channel, because virtual time stands still while anybody waits for a mutex.
	power chan struct{}
}

func simulate(t *testing.T, seed uint64) {
	w := &world{random: rand.New(rand.NewPCG(seed, 0)), stop: make(chan struct{}), power: make(chan struct{}, 1)}
	config := Config{
		LogEntries: uint64(20 + w.random.IntN(200)),
		LogBytes:   int64(2000 + w.random.IntN(50_000)),
		LeaseReads: w.random.IntN(2) == 0,
	}
	w.cluster = newCluster(t, seed, config, 0)
	defer w.close()
	size := 3 + 2*w.random.IntN(2)
	for i := range size {
		w.addNode(Node(i + 1))
	}
	ids := w.ids()
	for g := range Group(1 + w.random.IntN(3)) {
		w.startAll(g, ids[:3]...)
		w.groups = append(w.groups, g)
		for _, id := range ids[3:] {
			require.NoError(t, w.nodes[id].start(g))
		}
	}
	for _, g := range w.groups {
		for i := range 4 {
			random := rand.New(rand.NewPCG(seed, uint64(100*int(g)+i)))
			w.wg.Go(func() { w.propose(g, i, random) })
		}
		w.wg.Go(func() { w.read(g, rand.New(rand.NewPCG(seed, uint64(1000+g)))) })
		w.wg.Go(func() { w.change(g, rand.New(rand.NewPCG(seed, uint64(2000+g)))) })
	}
	for range 15 {
		w.fault()
	}
	w.heal()
	close(w.stop)
	w.wg.Wait()
	for _, g := range w.groups {
		l := w.leader(g)
		w.converge(g, l.runtime().Status(g).Voters...)
		w.complete(g, l)
	}
	require.Positive(t, w.acked.Load())
	t.Logf("%d proposals acknowledged, %d overtaken, %d terms, %d reads, %d snapshots, %d replicas thrown away",
		w.acked.Load(), len(w.checker.lost), len(w.checker.leaders), w.reads.Load(), w.checker.restores, w.left.Load())
}

func (w *world) addNode(id Node) {
	c := w.cluster
	c.config.beforeAppend = func() {
		for w.stalled[id].Load() {
			pause(20 * time.Millisecond)
		}
	}
	c.add(id)
}

// complete checks that a machine holds all that was acknowledged.
func (w *world) complete(g Group, m *member) {
	sm := m.machine(g)
	have := map[string]bool{}
	sm.mu.Lock()
	for _, e := range sm.entries {
		have[string(e.Data)] = true
	}
	sm.mu.Unlock()
	w.checker.mu.Lock()
	defer w.checker.mu.Unlock()
	prefix := fmt.Sprintf("%d/", g)
	for id := range w.checker.acks {
		if len(id) > len(prefix) && id[:len(prefix)] == prefix && !have[id] {
			w.checker.failLocked("group %d: %q was acknowledged and is lost", g, id)
		}
	}
}

func (w *world) done() bool {
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

// propose proposes on random nodes.
func (w *world) propose(g Group, i int, random *rand.Rand) {
	ids := w.ids()
	for n := 0; !w.done(); n++ {
		m := w.nodes[ids[random.IntN(len(ids))]]
		if rt := m.runtime(); rt != nil && random.IntN(5) > 0 {
			if l := rt.Leader(g); l != 0 {
				m = w.nodes[l]
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		data := fmt.Sprintf("%d/%d/%d", g, i, n)
		if random.IntN(10) == 0 {
			data += string(make([]byte, random.IntN(3000)))
		}
		if index, err := m.put(ctx, g, data); err == nil && index > 0 {
			w.acked.Add(1)
		}
		cancel()
		pause(time.Duration(random.IntN(30)) * time.Millisecond)
	}
}

// read reads on whoever believes to lead.
func (w *world) read(g Group, random *rand.Rand) {
	ids := w.ids()
	for !w.done() {
		m := w.nodes[ids[random.IntN(len(ids))]]
		if rt, sm := m.runtime(), m.machine(g); rt != nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			before := w.checker.latest(g)
			index, err := rt.ReadIndex(ctx, g)
			if err == nil {
				w.reads.Add(1)
				if applied := sm.Applied(); index < before || applied < before {
					w.checker.failf("group %d: read at %d, applied %d, after %d was acknowledged", g, index, applied, before)
				}
			}
			cancel()
		}
		pause(time.Duration(random.IntN(20)) * time.Millisecond)
	}
}

// change moves replicas and leaderships around.
func (w *world) change(g Group, random *rand.Rand) {
	ids := w.ids()
	for !w.done() {
		pause(time.Duration(random.IntN(1000)) * time.Millisecond)
		m := w.nodes[ids[random.IntN(len(ids))]]
		rt := m.runtime()
		if rt == nil {
			continue
		}
		if l := rt.Leader(g); l != 0 {
			if rt = w.nodes[l].runtime(); rt == nil {
				continue
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		s := rt.Status(g)
		target := ids[random.IntN(len(ids))]
		switch k := random.IntN(7); {
		case k == 0:
			rt.Transfer(ctx, g, target)
		case k == 1:
			w.leave(ctx, g, w.nodes[target], rt)
		case len(s.Learners) > 0:
			if err := rt.ChangeMembers(ctx, g, Change{Kind: Promote, Node: s.Learners[0]}); errors.Is(err, ErrNotCaughtUp) && k == 2 {
				rt.ChangeMembers(ctx, g, Change{Kind: RemoveMember, Node: s.Learners[0]})
			}
		case k == 3 && len(s.Voters) > 1:
			rt.ChangeMembers(ctx, g, Change{Kind: Demote, Node: target, At: s.ConfIndex})
		case len(s.Voters) <= 3:
			rt.ChangeMembers(ctx, g, Change{Kind: AddLearner, Node: target})
		default:
			rt.ChangeMembers(ctx, g, Change{Kind: RemoveMember, Node: s.Voters[random.IntN(len(s.Voters))]})
		}
		cancel()
	}
}

// leave has a node that is no member of a group lose its replica, and begin again
// with an empty one: it stops first, so that it takes part in nothing while the
// leader makes sure that it is no member.
func (w *world) leave(ctx context.Context, g Group, m *member, leader *Runtime) {
	w.power <- struct{}{}
	defer func() { <-w.power }()
	rt := m.runtime()
	if rt == nil {
		return
	}
	rt.Stop(g)
	_, err := leader.ReadIndex(ctx, g)
	s := leader.Status(g)
	if err == nil && !slices.Contains(s.Voters, m.id) && !slices.Contains(s.Learners, m.id) && rt.Remove(g) == nil {
		m.mu.Lock()
		delete(m.machines, g)
		m.mu.Unlock()
		w.left.Add(1)
	}
	if err := m.start(g); err != nil && rt.failure() == nil {
		w.checker.failf("node %x: group %d: %v", m.id, g, err)
	}
}

// fault changes the weather for a while.
func (w *world) fault() {
	r := w.random
	ids := w.ids()
	id := ids[r.IntN(len(ids))]
	others := func() []Node {
		var o []Node
		for _, n := range ids {
			if n != id {
				o = append(o, n)
			}
		}
		return o
	}()
	switch r.IntN(8) {
	case 0: // a node is alone
		w.net.cutOff(id, others...)
		for _, o := range others {
			w.net.cutOff(o, id)
		}
	case 1: // a node is not heard
		w.net.cutOff(id, others...)
	case 2: // a node does not hear
		for _, o := range others {
			w.net.cutOff(o, id)
		}
	case 3: // one direction between two nodes
		w.net.cutOff(id, others[r.IntN(len(others))])
	case 4:
		w.net.faults(r.Float64()*0.3, time.Duration(r.IntN(300))*time.Millisecond)
	case 5: // power cut
		w.power <- struct{}{}
		defer func() { <-w.power }()
		w.nodes[id].crash(r)
		pause(time.Duration(r.IntN(3000)) * time.Millisecond)
		w.nodes[id].restart()
		return
	case 6: // power cut for all
		w.power <- struct{}{}
		for _, n := range ids {
			w.nodes[n].crash(r)
		}
		for _, n := range ids {
			w.nodes[n].restart()
		}
		<-w.power
	case 7:
		w.stalled[id].Store(true)
	}
	pause(time.Duration(r.IntN(4000)) * time.Millisecond)
	w.stalled[id].Store(false)
	if r.IntN(4) > 0 {
		w.net.heal()
	}
}

// heal ends all faults.
func (w *world) heal() {
	w.net.heal()
	for i := range w.stalled {
		w.stalled[i].Store(false)
	}
	pause(3 * time.Second)
}
