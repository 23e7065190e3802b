//go:build linux

package faults

import (
	"fmt"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// history is what clients did while a fault lasted, and what they were answered.
type history struct {
	start time.Time

	mu         sync.Mutex
	operations []porcupine.Operation
	count      int
	errors     map[string]int          // by labelOf
	made       map[string]map[int]bool // what somebody tried to write, by key; see shown
	wrong      []string                // answers that no order could explain
}

func newHistory() *history {
	return &history{start: time.Now(), errors: map[string]int{}, made: map[string]map[int]bool{}}
}

func (h *history) now() int64 { return int64(time.Since(h.start)) }

// add records an operation that was called at a time and has returned with err just now.
func (h *history) add(client int, input any, called int64, output any, err error) {
	returned := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.countLocked(input, err)
	_, reads := input.(read)
	_, audits := input.(audit)
	switch {
	case o == undone, o == unknown && (reads || audits):
		return // nothing was done, nothing was learnt
	case o == unknown:
		returned = math.MaxInt64
	}
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: input, Call: called, Output: output, Return: returned})
}

// countLocked counts an operation and tells what is known of its effect. The caller holds mu.
func (h *history) countLocked(input any, err error) outcome {
	h.count++
	o := outcomeOf(err)
	switch {
	case o == done, o == refused && refusal(err) == "ConditionalCheckFailed":
	case o == refused && refusal(err) == "TransactionConflict": // another transaction was in the way
		h.errors["conflict"]++
		return undone
	case o == refused:
		h.wrong = append(h.wrong, fmt.Sprintf("%+v: %v", input, err))
		return undone
	default:
		h.errors[labelOf(err)]++
	}
	return o
}

// attempts records what a write is about to make of a key.
func (h *history) attempts(key string, value int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.made[key] == nil {
		h.made[key] = map[int]bool{}
	}
	h.made[key][value] = true
}

// glance is an eventually consistent read.
type glance struct{ key string }

// shown checks what an eventual read showed: nothing, or something that somebody wrote. Counters go on from
// there, so only what they started from is known.
func (h *history) shown(op glance, value int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	start := value - value%step
	if o := h.countLocked(op, err); o == done && start != 0 && !h.made[op.key][start] {
		h.wrong = append(h.wrong, fmt.Sprintf("%s was shown as %d", op.key, value))
	}
}

// checkTimeout is how long porcupine may look for an order in each half of the history.
const checkTimeout = 2 * time.Minute

// check requires that a single correct machine could have answered so.
func (h *history) check(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	require.Empty(t, h.wrong, "what nobody wrote, and errors that no client deserves")
	cells, banks := h.split()
	requireOrder(t, cellModel, cells, "reads, conditions and counters are linearizable")
	requireOrder(t, bankModel, banks, "transactions are serializable")
}

// split separates what the two models are about.
func (h *history) split() (cells, banks []porcupine.Operation) {
	for _, op := range h.operations {
		switch op.Input.(type) {
		case transfer, openBank, audit:
			banks = append(banks, op)
		default:
			cells = append(cells, op)
		}
	}
	return cells, banks
}

// requireOrder has porcupine look for an order; if there is none, a picture of the history is kept.
func requireOrder(t *testing.T, model porcupine.Model, operations []porcupine.Operation, promise string) {
	t.Helper()
	verdict, info := porcupine.CheckOperationsVerbose(model, operations, checkTimeout)
	if verdict == porcupine.Illegal {
		file, err := os.CreateTemp("/var/tmp", "stator-faults-*.html") // outlives the run
		require.NoError(t, err)
		defer file.Close()
		require.NoError(t, porcupine.Visualize(model, info, file))
		t.Logf("the history is drawn in %s", file.Name())
	}
	require.Equal(t, porcupine.Ok, verdict, promise)
}
