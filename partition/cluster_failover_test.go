package partition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

// cellOp is one operation on one number that a key holds, 0 for no item.
type cellOp struct {
	kind cellKind
	key  string
	want int // what a cellSwap expects
	next int // what a cellPut or cellSwap writes, or what a cellAdd adds
}

type cellKind string

const (
	cellRead cellKind = "read"
	cellPut  cellKind = "put"
	cellSwap cellKind = "swap"
	cellAdd  cellKind = "add"
)

// cellResult is its outcome. A write of unknown outcome has no end: whether it
// takes effect at some time or after everything else is open.
type cellResult struct {
	value   int // of a read, and of an add
	refused bool
	unknown bool
}

// cellModel is a linearizable number for each key.
var cellModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := make(map[string][]porcupine.Operation)
		for _, o := range history {
			k := o.Input.(cellOp).key
			byKey[k] = append(byKey[k], o)
		}
		return slices.Collect(maps.Values(byKey))
	},
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		s, op, res := state.(int), input.(cellOp), output.(cellResult)
		switch op.kind {
		case cellRead:
			return res.value == s, s
		case cellPut:
			return true, op.next
		case cellAdd:
			return res.unknown || res.value == s+op.next, s + op.next
		}
		if s == op.want {
			return res.unknown || !res.refused, op.next
		}
		return res.unknown || res.refused, s
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%+v -> %+v", input, output)
	},
}

// cellHistory is what clients saw.
type cellHistory struct {
	start time.Time
	sync.Mutex
	operations []porcupine.Operation
}

func (h *cellHistory) now() int64 { return int64(time.Since(h.start)) }

func (h *cellHistory) add(client int, op cellOp, called int64, res cellResult) {
	returned := h.now()
	if res.unknown {
		returned = math.MaxInt64
	}
	h.Lock()
	defer h.Unlock()
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: op, Call: called, Output: res, Return: returned})
}

func (h *cellHistory) verdict() porcupine.CheckResult {
	h.Lock()
	defer h.Unlock()
	return porcupine.CheckOperationsTimeout(cellModel, h.operations, 20*time.Second)
}

// runCellOp runs an operation. ErrUnavailable, which promises that nothing was
// written, is returned.
func runCellOp(t *testing.T, db *DB, table *Table, op cellOp) (res cellResult, err error) {
	ctx := context.Background()
	key := object("pk", op.key)
	var w *Write
	switch op.kind {
	case cellRead:
		_, err := db.Get(ctx, table, key, Strong, func(it item.Item) error {
			res.value = cellValue(it)
			return nil
		})
		return res, err
	case cellPut:
		w = &Write{Table: table, Kind: Put, Item: object("pk", op.key, "v", op.next)}
	case cellSwap:
		w = &Write{Table: table, Kind: Put, Item: object("pk", op.key, "v", op.next)}
		if op.want == 0 {
			w.Condition = condition(t, "attribute_not_exists(pk)", nil)
		} else {
			w.Condition = condition(t, "v = :v", map[string]item.Value{":v": num(op.want)})
		}
	case cellAdd:
		w = &Write{Table: table, Kind: Update, Item: key, WantNew: true,
			Update: update(t, "ADD v :n", map[string]item.Value{":n": num(op.next)})}
	}
	result, err := db.Write(ctx, w)
	var failed *ConditionFailed
	switch {
	case errors.As(err, &failed):
		res.refused, err = true, nil
	case errors.Is(err, ErrOutcomeUnknown):
		res.unknown, err = true, nil
	case err == nil && op.kind == cellAdd:
		res.value = cellValue(result.New)
	}
	return res, err
}

func cellValue(it item.Item) int {
	if it == nil {
		return 0
	}
	n, _ := it.Get("v").Number().Int64()
	return int(n)
}

// cellLoad is clients that work on a few keys, each by way of one node.
type cellLoad struct {
	c       *faultyCluster
	table   *Table
	keys    []string
	history *cellHistory
	seed    uint64
	rounds  int
	values  atomic.Int64
	// pace is the time a client waits before each operation.
	pace time.Duration
}

// run has two clients on each of the nodes work while fail changes the cluster.
// fail is given a function that waits until every client has completed some more
// operations.
func (l *cellLoad) run(through []string, fail func(progress func())) {
	l.rounds++
	var clients sync.WaitGroup
	var stop atomic.Bool
	done := make([]atomic.Int64, 2*len(through))
	for n := range done {
		db := l.c.nodes[through[n/2]]
		r := rand.New(rand.NewPCG(l.seed, uint64(l.rounds*100+n)))
		clients.Go(func() {
			last := make(map[string]int)
			for !stop.Load() {
				if l.pace > 0 {
					<-time.After(l.pace)
				}
				op := cellOp{key: l.keys[r.IntN(len(l.keys))]}
				switch op.kind = []cellKind{cellRead, cellRead, cellPut, cellSwap, cellSwap, cellAdd}[r.IntN(6)]; op.kind {
				case cellPut:
					op.next = int(l.values.Add(1000))
				case cellSwap:
					op.want, op.next = last[op.key], int(l.values.Add(1000))
				case cellAdd:
					op.next = 1
				}
				called := l.history.now()
				res, err := runCellOp(l.c.t, db, l.table, op)
				if err != nil {
					if !errors.Is(err, ErrUnavailable) {
						l.c.t.Errorf("%+v: %v", op, err)
						return
					}
					continue
				}
				l.history.add(l.rounds*100+n, op, called, res)
				switch {
				case op.kind == cellRead, op.kind == cellAdd && !res.unknown:
					last[op.key] = res.value
				case !res.refused && !res.unknown:
					last[op.key] = op.next
				}
				done[n].Add(1)
			}
		})
	}
	fail(func() {
		for n := range done {
			from := done[n].Load()
			l.c.eventually("clients get on", func() bool { return done[n].Load() >= from+20 || l.c.t.Failed() })
		}
	})
	stop.Store(true)
	clients.Wait()
}

// final reads all keys through every node.
func (l *cellLoad) final() map[string]int {
	values := make(map[string]int)
	for _, name := range slices.Sorted(maps.Keys(l.c.nodes)) {
		for _, k := range l.keys {
			called := l.history.now()
			var res cellResult
			l.c.eventually("the shard can be read", func() (ok bool) {
				var err error
				res, err = runCellOp(l.c.t, l.c.nodes[name], l.table, cellOp{kind: cellRead, key: k})
				return err == nil
			})
			l.history.add(0, cellOp{kind: cellRead, key: k}, called, res)
			values[k] = res.value
		}
	}
	return values
}

// TestFailoverIsLinearizable cuts off and closes nodes that lead while clients
// read and write through all others. Every key must have behaved as one number,
// no replica may differ, and everything must still be there after restarts.
func TestFailoverIsLinearizable(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	c := newFaultyCluster(t, seed, 3)
	table := createTest(t, c.leader(), plainTable("Cells"))
	l := &cellLoad{c: c, table: table, seed: seed, history: &cellHistory{start: time.Now()}}
	l.keys = append(acrossShards(c.nodes["n1"], table, 3), "another", "one more")
	all := []string{"n1", "n2", "n3"}
	others := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == name })
	}

	// Cut off: its own clients go on asking it, and must not be told what is old.
	victim := c.leaderOf(0)
	isolated := c.nodes[victim]
	l.run(all, func(progress func()) {
		progress()
		c.isolate(victim)
		c.eventually("another leads", func() bool {
			return slices.ContainsFunc(others(victim), func(name string) bool { return c.nodes[name].acts(0) })
		})
		require.ErrorIs(t, readCell(isolated, table, l.keys[0]), ErrUnavailable)
		c.heal()
		progress()
	})
	l.final()
	c.requireSameReplicas()

	victim = c.leaderOf(1)
	l.run(others(victim), func(progress func()) {
		progress()
		c.close(victim)
		progress()
		c.open(0, victim)
		progress()
	})
	values := l.final()
	require.Equal(t, porcupine.Ok, l.history.verdict(), "%d operations, seed %d", len(l.history.operations), seed)
	t.Log(len(l.history.operations), "operations")
	c.requireSameReplicas()

	c.reopen()
	require.Equal(t, values, l.final(), "after a restart of all nodes")
	l.run(all, func(progress func()) { progress() })
	l.final()
	require.Equal(t, porcupine.Ok, l.history.verdict(), "after a restart of all nodes, seed %d", seed)
	c.requireSameReplicas()
}

func readCell(db *DB, table *Table, key string) error {
	_, err := db.Get(context.Background(), table, object("pk", key), Strong, ignoreItem)
	return err
}
