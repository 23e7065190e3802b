package partition

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/storage/item"
)

const registers = 4

// registerOp is one operation on a few registers that lie on different shards.
type registerOp struct {
	read  bool
	keys  []int
	sets  map[int]int // what a write sets its keys to
	wants map[int]int // what some of its keys must hold, 0 for absent
	alone bool        // a plain PutItem instead of a transaction
}

// registerResult is its outcome.
type registerResult struct {
	values   [registers]int // of a read
	done     bool           // a write took effect, or a read succeeded
	refused  map[int]bool   // keys whose condition was reported false
	conflict bool
}

// registerModel is the sequential behaviour that transactions promise: each
// happens at one moment between its call and its return.
var registerModel = porcupine.Model{
	Init: func() any { return [registers]int{} },
	Step: func(state, input, output any) (bool, any) {
		s, op, res := state.([registers]int), input.(registerOp), output.(registerResult)
		if op.read {
			if !res.done {
				return res.conflict, s
			}
			for _, k := range op.keys {
				if res.values[k] != s[k] {
					return false, s
				}
			}
			return true, s
		}
		fulfilled, reported := true, false
		for k, want := range op.wants {
			if s[k] != want {
				fulfilled = false
				reported = reported || res.refused[k]
			}
		}
		switch {
		case res.done:
			for k, v := range op.sets {
				s[k] = v
			}
			return fulfilled, s
		case len(res.refused) > 0:
			// Shards judge conditions one after another, so only one of the
			// reasons needs to hold at the moment of the transaction.
			return reported, s
		}
		return res.conflict, s
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%+v -> %+v", input, output)
	},
}

func drawRegisterOp(t *rapid.T, next func() int) registerOp {
	op := registerOp{sets: map[int]int{}, wants: map[int]int{}}
	op.keys = rapid.SliceOfNDistinct(rapid.IntRange(0, registers-1), 1, registers, rapid.ID[int]).Draw(t, "keys")
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0, 1:
		op.read = true
	case 2:
		op.alone = true
		op.keys = op.keys[:1]
		op.sets[op.keys[0]] = next()
	default:
		for _, k := range op.keys {
			op.sets[k] = next()
			if rapid.Bool().Draw(t, "conditional") {
				op.wants[k] = rapid.IntRange(0, 12).Draw(t, "want")
			}
		}
	}
	return op
}

// TestTransactionsAreSerializable runs random transactions over few items from
// several goroutines and has the history checked: there must be an order, which
// agrees with real time, in which each of them happened at once.
func TestTransactionsAreSerializable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		db, err := Open(Options{InMemory: true, Shards: rapid.SampledFrom([]int{1, 3}).Draw(rt, "shards")})
		require.NoError(rt, err)
		defer func() { require.NoError(rt, db.Close()) }()
		table, err := db.CreateTable(context.Background(), plainTable("Registers"))
		require.NoError(rt, err)
		names := acrossShards(db, table, min(db.Shards(), registers))
		for i := 0; len(names) < registers; i++ {
			names = append(names, "more"+strconv.Itoa(i))
		}

		last := 0
		next := func() int { last++; return last }
		plans := make([][]registerOp, 4)
		for c := range plans {
			for range 12 {
				plans[c] = append(plans[c], drawRegisterOp(rt, next))
			}
		}
		var history []porcupine.Operation
		var mu sync.Mutex
		var clients sync.WaitGroup
		start := time.Now()
		for c, plan := range plans {
			clients.Go(func() {
				for _, op := range plan {
					called := time.Since(start)
					res, err := runRegisterOp(t, db, table, names, op)
					returned := time.Since(start)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					history = append(history, porcupine.Operation{ClientId: c, Input: op, Call: int64(called), Output: res, Return: int64(returned)})
					mu.Unlock()
				}
			})
		}
		clients.Wait()
		verdict := porcupine.CheckOperationsTimeout(registerModel, history, 20*time.Second)
		require.Equal(rt, porcupine.Ok, verdict, "%v", history)
	})
}

func runRegisterOp(t *testing.T, db *DB, table *Table, names []string, op registerOp) (res registerResult, err error) {
	ctx := context.Background()
	var canceled *TransactionCanceled
	if op.read {
		reads := make([]KeyRead, len(op.keys))
		for i, k := range op.keys {
			reads[i] = KeyRead{table, object("pk", names[k])}
		}
		err = db.TransactGet(ctx, reads, func(i int, it item.Item) error {
			if it != nil {
				n, _ := it.Get("v").Number().Int64()
				res.values[op.keys[i]] = int(n)
			}
			return nil
		})
		res.done = err == nil
		if errors.As(err, &canceled) {
			res.conflict, err = true, nil
		}
		return res, err
	}
	if op.alone {
		k := op.keys[0]
		_, err = db.Write(ctx, &Write{Table: table, Kind: Put, Item: object("pk", names[k], "v", op.sets[k])})
		res.done = err == nil
		if errors.Is(err, ErrTransactionConflict) {
			res.conflict, err = true, nil
		}
		return res, err
	}
	var ws []*Write
	for _, k := range op.keys {
		w := &Write{Table: table, Kind: Put, Item: object("pk", names[k], "v", op.sets[k])}
		switch want, conditional := op.wants[k]; {
		case conditional && want == 0:
			w.Condition = condition(t, "attribute_not_exists(pk)", nil)
		case conditional:
			w.Condition = condition(t, "v = :v", map[string]item.Value{":v": num(want)})
		}
		ws = append(ws, w)
	}
	_, err = db.TransactWrite(ctx, ws, nil)
	res.done = err == nil
	if errors.As(err, &canceled) {
		err = nil
		res.refused = map[int]bool{}
		for i, reason := range canceled.Reasons {
			var failed *ConditionFailed
			switch {
			case errors.As(reason, &failed):
				res.refused[op.keys[i]] = true
			case errors.Is(reason, ErrTransactionConflict):
				res.conflict = true
			}
		}
	}
	return res, err
}

// TestCheckerRejectsWriteSkew makes sure that the checker can say no: of two
// transactions that each look at what the other writes, both succeeded.
func TestCheckerRejectsWriteSkew(t *testing.T) {
	skew := func(own, other int) porcupine.Operation {
		return porcupine.Operation{ClientId: own, Call: 1, Return: 10,
			Input:  registerOp{keys: []int{own, other}, sets: map[int]int{own: 1}, wants: map[int]int{other: 0}},
			Output: registerResult{done: true}}
	}
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(registerModel, []porcupine.Operation{skew(0, 1), skew(1, 0)}, time.Second))
	torn := porcupine.Operation{ClientId: 2, Call: 2, Return: 9, Input: registerOp{read: true, keys: []int{0, 1}}, Output: registerResult{done: true, values: [registers]int{1, 0}}}
	both := porcupine.Operation{ClientId: 0, Call: 1, Return: 10, Input: registerOp{keys: []int{0, 1}, sets: map[int]int{0: 1, 1: 2}}, Output: registerResult{done: true}}
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(registerModel, []porcupine.Operation{both, torn}, time.Second))
}
