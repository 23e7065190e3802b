package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/partition/lab/internal/virtual"
	"github.com/stator-db/stator/storage/item"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = time.Millisecond

func testOptions(nodes, shards int) Options {
	o := Options{
		Shards: shards, Replicas: min(nodes, 3),
		Within: Distribution{ms / 4, ms}, Between: Distribution{2 * ms, 10 * ms}, Client: Distribution{ms / 4, ms},
		Sync: Distribution{ms, 4 * ms}, Apply: Distribution{ms / 20, ms / 2},
		Table: partition.Table{
			Name: "lab", Billing: partition.PayPerRequest,
			Key:        partition.KeySchema{Hash: []partition.KeyAttribute{{Name: "id", Type: item.S}}},
			Attributes: []partition.KeyAttribute{{Name: "id", Type: item.S}, {Name: "tag", Type: item.S}},
			Global: []*partition.Index{{
				Name: "byTag", Projection: partition.ProjectAll,
				Key: partition.KeySchema{Hash: []partition.KeyAttribute{{Name: "tag", Type: item.S}}},
			}},
		},
	}
	for i := range nodes {
		o.Nodes = append(o.Nodes, Node{fmt.Sprint("n", i+1), string(rune('a' + i%3))})
	}
	return o
}

// bench is a cluster with a client that keeps a journal.
type bench struct {
	*Cluster
	t       *testing.T
	client  *Client
	journal []string
}

func newBench(t *testing.T, seed uint64, o Options) *bench {
	c, err := New(virtual.New(seed), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return &bench{Cluster: c, t: t, client: c.NewClient("1")}
}

func (b *bench) note(format string, args ...any) {
	b.journal = append(b.journal, fmt.Sprintf("%v ", b.World.Now())+fmt.Sprintf(format, args...))
}

// run has a client do something and lets time pass until it is done.
func (b *bench) run(do func()) {
	b.t.Helper()
	done := false
	b.World.Go(b.client.Host, func() { do(); done = true })
	for limit := b.World.Now() + 10*time.Minute; !done && b.World.Now() < limit; {
		b.World.Run(b.World.Now() + 10*ms)
	}
	require.True(b.t, done, "still not done")
	require.NoError(b.t, b.Failure())
}

func object(id string, value int) item.Item {
	b := item.NewBuilder()
	b.Set("id", item.String(id))
	b.Set("tag", item.String("t-"+id))
	b.Set("value", item.NumberValue(item.NumberFromInt(int64(value))))
	return b.Item()
}

func (b *bench) put(node int, id string, value int, condition *expression.Condition) error {
	err := errors.New("no answer")
	end := b.client.Request(node, 10*time.Second, func(db *partition.SimulatedNode) {
		_, err = db.Write((&Trace{}).Context(), &partition.Write{Table: b.Table, Kind: partition.Put, Item: object(id, value), Condition: condition})
	})
	if end != Answered {
		return fmt.Errorf("end %d", end)
	}
	return err
}

func (b *bench) get(node int, id string, c partition.Consistency, t *Trace) (value string, err error) {
	end := b.client.Request(node, 10*time.Second, func(db *partition.SimulatedNode) {
		key := item.NewBuilder()
		key.Set("id", item.String(id))
		value = "none"
		_, err = db.Get(t.Context(), b.Table, key.Item(), c, func(it item.Item) error {
			value = string(it.Get("value").Bytes())
			return nil
		})
	})
	if end != Answered {
		return "", fmt.Errorf("end %d", end)
	}
	return value, err
}

// workload writes and reads while leaders come and go, and returns what was seen.
func workload(t *testing.T, seed uint64, rounds int) string {
	b := newBench(t, seed, testOptions(3, 2))
	b.run(func() {
		for i := range rounds {
			if i == rounds/3 {
				restart := b.Crash(b.Leader(0))
				b.World.After(b.outside, 3*time.Second, restart)
			}
			id := fmt.Sprint("k", i%5)
			b.note("put %v", b.put(i%3, id, i, nil))
			for _, c := range []partition.Consistency{partition.Eventual, partition.Strong} {
				trace := Trace{}
				v, err := b.get((i+1)%3, id, c, &trace)
				b.note("get %s %v at %d %v %d", v, err, trace.Served, trace.Leader, trace.Applied)
			}
			b.World.Sleep(20 * ms)
		}
	})
	for _, l := range b.Leaderships() {
		b.note("%+v", l)
	}
	return strings.Join(b.journal, "\n")
}

func TestSeedRepeatsHistory(t *testing.T) {
	first := workload(t, 1, 100)
	require.Equal(t, first, workload(t, 1, 100))
	require.NotEqual(t, first, workload(t, 2, 100))
	require.Contains(t, first, "put <nil>")
}

// await lets time pass until something is so.
func (b *bench) await(what string, is func() bool) {
	b.t.Helper()
	for limit := b.World.Now() + 5*time.Minute; !is(); b.World.Run(b.World.Now() + 10*ms) {
		require.Less(b.t, b.World.Now(), limit, what)
		require.NoError(b.t, b.Failure())
	}
}

// agree waits until all replicas of all shards hold the same.
func (b *bench) agree() {
	b.t.Helper()
	b.await("replicas agree", func() bool {
		for s := range b.o.Shards {
			sums, err := b.Digests(s)
			if err != nil || len(slices.Compact(sums)) > 1 {
				return false
			}
			for _, i := range b.Replicas(s) {
				if b.Lag(s, i).Entries > 0 {
					return false
				}
			}
		}
		return true
	})
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	o := testOptions(3, 1)
	o.Sync = Distribution{Median: 50 * ms}
	b := newBench(t, 1, o)
	b.run(func() { require.NoError(t, b.put(0, "kept", 1, nil)) })
	leader := b.Leader(0)
	others := slices.DeleteFunc([]int{0, 1, 2}, func(i int) bool { return i == leader })
	last := func(node int) uint64 {
		index, err := b.nodes[node].logs[0].LastIndex()
		require.NoError(t, err)
		return index
	}
	before := last(leader)
	// A write reaches the disks of all and is synced on none of them.
	b.World.Go(b.client.Host, func() { _ = b.put(leader, "lost", 2, nil) })
	b.World.Run(b.World.Now() + 30*ms)
	status := b.nodes[leader].members[0].raft.Status()
	require.Equal(t, before+1, status.Progress[uint64(others[0]+1)].Next-1, "it was sent")
	restart := []func(){b.Crash(0), b.Crash(1), b.Crash(2)}
	for i := range 3 {
		require.Equal(t, before, last(i))
		restart[i]()
	}
	b.run(func() {
		kept, err := b.get(0, "kept", partition.Strong, &Trace{})
		require.NoError(t, err)
		require.Equal(t, "1", kept)
		lost, err := b.get(0, "lost", partition.Strong, &Trace{})
		require.NoError(t, err)
		require.Equal(t, "none", lost)
	})
	b.agree()
}

func TestElection(t *testing.T) {
	for seed := range uint64(5) {
		b := newBench(t, seed, testOptions(3, 1))
		old := b.Leader(0)
		term := b.nodes[old].members[0].term
		restart := b.Crash(old)
		began := b.World.Now()
		b.await("another leader", func() bool { return b.Leader(0) >= 0 })
		require.NotEqual(t, old, b.Leader(0))
		// Followers wait for 10 to 20 ticks; an election takes a moment, and may have to
		// be repeated.
		require.Greater(t, b.World.Now()-began, 700*ms)
		require.Less(t, b.World.Now()-began, 6*time.Second)
		restart()
		b.await("the old one follows", func() bool {
			m := b.nodes[old].member(0)
			return m.lead != 0 && m.term > term
		})
		b.agree()
	}
}

func TestMinorityCannotLead(t *testing.T) {
	b := newBench(t, 3, testOptions(3, 1))
	old := b.Leader(0)
	var heal []func()
	for i := range 3 {
		if i != old {
			heal = append(heal, b.Cut(old, i), b.Cut(i, old))
		}
	}
	b.run(func() {
		require.ErrorIs(t, b.put(old, "a", 1, nil), partition.ErrOutcomeUnknown)
		_, err := b.get(old, "a", partition.Strong, &Trace{})
		require.ErrorIs(t, err, partition.ErrUnavailable)
		trace := Trace{}
		_, err = b.get(old, "a", partition.Eventual, &trace)
		require.NoError(t, err)
		require.Equal(t, old, trace.Served)
		require.NoError(t, b.put((old+1)%3, "a", 2, nil))
	})
	for _, undo := range heal {
		undo()
	}
	b.agree()
	b.run(func() {
		v, err := b.get(old, "a", partition.Strong, &Trace{})
		require.NoError(t, err)
		require.Equal(t, "2", v, "what the old leader could not commit is gone")
	})
}

// transfer sets two items on different shards to the same value.
func (b *bench) transfer(node int, value int) error {
	err := errors.New("no answer")
	end := b.client.Request(node, 20*time.Second, func(db *partition.SimulatedNode) {
		var writes []*partition.Write
		for _, id := range []string{"x", "y"} {
			writes = append(writes, &partition.Write{Table: b.Table, Kind: partition.Put, Item: object(id, value)})
		}
		_, err = db.TransactWrite((&Trace{}).Context(), writes, nil)
	})
	if end != Answered {
		return fmt.Errorf("end %d", end)
	}
	return err
}

// TestTransactionsOutliveTheirCoordinator crashes the node that runs a transaction
// at every moment of it.
func TestTransactionsOutliveTheirCoordinator(t *testing.T) {
	b := newBench(t, 5, testOptions(3, 4))
	var shards []int
	for _, id := range []string{"x", "y"} {
		shards = append(shards, b.ShardOf(object(id, 0)))
	}
	require.NotEqual(t, shards[0], shards[1], "the items are on different shards")
	for i := range 30 {
		at := time.Duration(i) * ms
		b.World.Go(b.client.Host, func() { _ = b.transfer(0, i+1) })
		b.World.Run(b.World.Now() + at)
		restart := b.Crash(0)
		b.World.Run(b.World.Now() + 3*time.Second)
		restart()
		b.agree()
		b.run(func() {
			// Recovery takes over what has waited for 10 seconds.
			for limit := b.World.Now() + time.Minute; ; b.World.Sleep(time.Second) {
				require.Less(t, b.World.Now(), limit)
				if b.transfer(1, 1000+i) == nil {
					break
				}
			}
			x, err := b.get(2, "x", partition.Strong, &Trace{})
			require.NoError(t, err)
			y, err := b.get(2, "y", partition.Strong, &Trace{})
			require.NoError(t, err)
			require.Equal(t, []string{fmt.Sprint(1000 + i), fmt.Sprint(1000 + i)}, []string{x, y})
		})
	}
}

func TestIndexFollowsItsItems(t *testing.T) {
	for _, gsi := range []partition.GSIMode{partition.GSISync, partition.GSIEventual} {
		o := testOptions(3, 4)
		o.GSI = gsi
		b := newBench(t, 8, o)
		query := func(id string) (value string) {
			b.client.Request(1, 10*time.Second, func(db *partition.SimulatedNode) {
				read := &partition.Read{Table: b.Table, Index: b.Table.Index("byTag"), Hash: []item.Value{item.String("t-" + id)}, Consistency: partition.Strong}
				require.NoError(t, db.Read((&Trace{}).Context(), read, func(e *partition.Entry) (bool, error) {
					value = string(e.Item.Get("value").Bytes())
					return true, nil
				}))
			})
			return value
		}
		behind := 0
		b.run(func() {
			for i := range 40 {
				if i == 20 {
					b.World.After(b.outside, time.Second, b.Crash(b.Leader(0)))
				}
				id := fmt.Sprint("k", i%8)
				if b.put(1, id, i, nil) != nil || query(id) == fmt.Sprint(i) {
					continue
				}
				behind++
				limit := b.World.Now() + time.Minute
				for query(id) != fmt.Sprint(i) {
					require.Less(t, b.World.Now(), limit)
					b.World.Sleep(ms)
				}
			}
		})
		if gsi == partition.GSISync {
			require.Zero(t, behind)
		} else {
			require.NotZero(t, behind)
		}
		b.agree()
	}
}

func TestPausedLeaderIsReplaced(t *testing.T) {
	b := newBench(t, 2, testOptions(3, 1))
	old := b.Leader(0)
	resume := b.Pause(old)
	b.await("another leader", func() bool { l := b.Leader(0); return l >= 0 && l != old })
	b.run(func() { require.NoError(t, b.put((old+1)%3, "a", 1, nil)) })
	resume()
	b.run(func() {
		v, err := b.get(old, "a", partition.Strong, &Trace{})
		require.NoError(t, err)
		require.Equal(t, "1", v)
	})
	b.agree()
}
