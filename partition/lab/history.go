package lab

import (
	"fmt"
	"strconv"
	"sync"
	"time"
)

// history records operations. On a real system clients do so side by side.
type history struct {
	mu         sync.Mutex
	start      time.Duration // when the workload began, on the system's clock
	operations []Operation
	done       []bool
	// wants are the values that conditional writes of one item ask for.
	wants map[int]*int64
}

// begin notes an invocation.
func (h *history) begin(client, node, shard int, r *Request, now time.Duration) (id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id = len(h.operations)
	op := Operation{ID: id, Client: client, Kind: r.Kind, Invoke: now - h.start, Node: node, Served: -1, Shard: shard, Actions: []Action{}}
	for _, it := range r.Items {
		a := Action{Key: it.Key, Write: r.writes() && !it.Check}
		if a.Write {
			a.Value = strconv.FormatInt(it.Value, 10)
		}
		if it.If != nil {
			if h.wants == nil {
				h.wants = make(map[int]*int64)
			}
			h.wants[id] = it.If
			a.Condition = fmt.Sprintf("value = %d", *it.If)
			if *it.If == 0 {
				a.Condition = "no item"
			}
		}
		op.Actions = append(op.Actions, a)
	}
	h.operations = append(h.operations, op)
	h.done = append(h.done, false)
	return id
}

// end notes a return.
func (h *history) end(id int, r *Response, now time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	op := &h.operations[id]
	h.done[id] = true
	op.Return, op.Outcome, op.Error = now-h.start, r.Outcome, r.Error
	op.Node, op.Served, op.Leader, op.Applied = r.Node, r.Served, r.Leader, r.Applied
	if r.Outcome != OK {
		return
	}
	for i, v := range r.Values {
		if v != 0 && !op.Actions[i].Write {
			op.Actions[i].Value = strconv.FormatInt(v, 10)
		}
	}
}

// close ends the record: what has not returned has an unknown outcome.
func (h *history) close(now time.Duration) []Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.operations {
		if !h.done[i] {
			op := &h.operations[i]
			op.Return, op.Outcome, op.Error = now-h.start, Unknown, "no answer until the end"
		}
	}
	return h.operations
}

// value is what an action read or wrote, 0 for no item.
func (a *Action) value() int64 {
	v, _ := strconv.ParseInt(a.Value, 10, 64) // written by this package
	return v
}

// writes reports whether an operation changes something.
func (op *Operation) writes() bool { return op.Kind == putItem || op.Kind == transactWrite }
