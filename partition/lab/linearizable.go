package lab

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// registerInput is an operation on one item, as the model sees it.
type registerInput struct {
	key   string
	write bool
	value int64
	want  *int64 // the value that a conditional write asks for
}

// registerOutput is what came of it.
type registerOutput struct {
	value   int64 // read
	refused bool  // the condition was false
	unknown bool  // it may have taken effect, or may yet
}

// registerModel is one copy of an item that serves one operation after the other.
var registerModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		var keys []string
		byKey := make(map[string][]porcupine.Operation)
		for _, op := range history {
			key := op.Input.(registerInput).key
			if byKey[key] == nil {
				keys = append(keys, key)
			}
			byKey[key] = append(byKey[key], op)
		}
		slices.Sort(keys)
		var parts [][]porcupine.Operation
		for _, key := range keys {
			parts = append(parts, byKey[key])
		}
		return parts
	},
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(int64), input.(registerInput), output.(registerOutput)
		holds := in.want == nil || *in.want == now
		switch {
		case !in.write:
			return out.value == now, now
		case out.refused:
			return !holds, now
		case holds:
			return true, in.value
		}
		return out.unknown, now
	},
	DescribeOperation: func(input, output any) string {
		in, out := input.(registerInput), output.(registerOutput)
		if !in.write {
			return fmt.Sprintf("get %s: %d", in.key, out.value)
		}
		text := fmt.Sprintf("put %s = %d", in.key, in.value)
		if in.want != nil {
			text += fmt.Sprintf(" if %d", *in.want)
		}
		switch {
		case out.refused:
			text += ": refused"
		case out.unknown:
			text += ": unknown"
		}
		return text
	},
	DescribeState: func(state any) string { return fmt.Sprint(state) },
}

// judgeTimeout bounds the search for an order. It is of this machine's time: that it
// was too short is no verdict.
const judgeTimeout = time.Minute

func askLinearizable(f *findings, q *Question) finding {
	a := finding{question: fmt.Sprintf("Is there an order of the reads and writes of %s in which each happens at one moment between its beginning and its end?", q.Group)}
	history, ids := f.registerHistory(q.Group)
	if len(history) == 0 {
		a.observed = "no operations"
		return a
	}
	verdict, info := porcupine.CheckOperationsVerbose(registerModel, history, judgeTimeout)
	switch verdict {
	case porcupine.Ok:
		a.answer, a.observed = "yes", fmt.Sprintf("yes, %d operations", len(history))
	case porcupine.Illegal:
		a.answer, a.observed = "no", fmt.Sprintf("no, %d operations", len(history))
		var page bytes.Buffer
		if err := porcupine.Visualize(registerModel, info, &page); err == nil {
			a.picture = page.String()
		}
		a.evidence = firstContradiction(history, ids)
		if len(a.evidence) > 0 {
			a.because = "There is an order up to, but not including: " + f.tell(a.evidence[len(a.evidence)-1])
		}
	default:
		a.observed = "not found out in time"
	}
	return a
}

// registerHistory are the operations of a group, and the auditor's on its keys, that
// had an effect or may have had one.
func (f *findings) registerHistory(group string) (history []porcupine.Operation, ids []int) {
	keys := make(map[string]bool)
	for i := range f.r.result.Operations {
		op := &f.r.result.Operations[i]
		if f.groupOf(op) == group {
			keys[op.Actions[0].Key] = true
		}
	}
	for i := range f.r.result.Operations {
		op := &f.r.result.Operations[i]
		if op.Kind != getItem && op.Kind != putItem || !keys[op.Actions[0].Key] ||
			op.Outcome == Unavailable || op.Outcome == Canceled || !op.writes() && op.Outcome != OK {
			continue
		}
		a := &op.Actions[0]
		in := registerInput{key: a.Key, write: a.Write}
		out := registerOutput{refused: op.Outcome == ConditionFailed, unknown: op.Outcome == Unknown}
		if a.Write {
			in.value, in.want = a.value(), f.r.history.wants[op.ID]
		} else {
			out.value = a.value()
		}
		end := int64(op.Return)
		if out.unknown {
			end = math.MaxInt64
		}
		history = append(history, porcupine.Operation{ClientId: op.Client, Input: in, Call: int64(op.Invoke), Output: out, Return: end})
		ids = append(ids, op.ID)
	}
	return history, ids
}

// firstContradiction finds the operation by whose return there is no order any more,
// by halving, and returns the ones on its key shortly before it, and it.
func firstContradiction(history []porcupine.Operation, ids []int) []int {
	type numbered struct {
		op porcupine.Operation
		id int
	}
	all := make([]numbered, len(history))
	for i := range history {
		all[i] = numbered{history[i], ids[i]}
	}
	slices.SortStableFunc(all, func(a, b numbered) int {
		switch {
		case a.op.Return < b.op.Return:
			return -1
		case a.op.Return > b.op.Return:
			return 1
		}
		return 0
	})
	// Those that have not returned by then may still be under way.
	upTo := func(n int) bool {
		var part []porcupine.Operation
		for i, x := range all {
			op := x.op
			if i >= n {
				if !op.Input.(registerInput).write || op.Call >= all[n-1].op.Return {
					continue
				}
				op.Return, op.Output = math.MaxInt64, registerOutput{unknown: true}
			}
			part = append(part, op)
		}
		return porcupine.CheckOperationsTimeout(registerModel, part, judgeTimeout) == porcupine.Ok
	}
	low, high := 0, len(all) // low has an order, high has none
	for high-low > 1 {
		if middle := (low + high) / 2; upTo(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	last := all[high-1]
	var evidence []int
	for _, x := range all[:high-1] {
		if x.op.Input.(registerInput).key == last.op.Input.(registerInput).key {
			evidence = append(evidence, x.id)
		}
	}
	const context = 5
	return append(evidence[max(0, len(evidence)-context):], last.id)
}
