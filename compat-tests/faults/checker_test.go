//go:build linux

package faults

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// TestCheckerCanSayNo: what a cluster must never answer is told from what it may.
func TestCheckerCanSayNo(t *testing.T) {
	type step struct {
		input, output any
		from, to      int64
	}
	const open = math.MaxInt64
	for name, test := range map[string]struct {
		model   porcupine.Model
		history []step
		want    porcupine.CheckResult
	}{
		"a read of an acknowledged write": {cellModel, []step{{swap{"k", 0, 1000}, true, 1, 2}, {read{"k"}, 1000, 3, 4}}, porcupine.Ok},
		"a lost write":                    {cellModel, []step{{swap{"k", 0, 1000}, true, 1, 2}, {read{"k"}, 0, 3, 4}}, porcupine.Illegal},
		"a stale read": {cellModel, []step{
			{swap{"k", 0, 1000}, true, 1, 2}, {swap{"k", 1000, 2000}, true, 3, 4}, {read{"k"}, 1000, 5, 6},
		}, porcupine.Illegal},
		"an undecided write that is seen later": {cellModel, []step{
			{swap{"k", 0, 1000}, undecided{}, 1, open}, {read{"k"}, 0, 2, 3}, {read{"k"}, 1000, 4, 5},
		}, porcupine.Ok},
		"an undecided write that is seen and gone again": {cellModel, []step{
			{swap{"k", 0, 1000}, undecided{}, 1, open}, {read{"k"}, 1000, 2, 3}, {read{"k"}, 0, 4, 5},
		}, porcupine.Illegal},
		"two conditions that held of the same": {cellModel, []step{
			{swap{"k", 0, 1000}, true, 1, 4}, {swap{"k", 0, 2000}, true, 2, 3},
		}, porcupine.Illegal},
		"a count twice":  {cellModel, []step{{count{"k"}, 1, 1, 2}, {read{"k"}, 2, 3, 4}}, porcupine.Illegal},
		"a count undone": {cellModel, []step{{count{"k"}, 1, 1, 2}, {count{"k"}, 1, 3, 4}}, porcupine.Illegal},
		"money moved": {bankModel, []step{
			{openBank{"b"}, true, 1, 2}, {transfer{"b", 0, 1, 10}, true, 3, 4}, {audit{"b"}, balances{true, [accounts]int{90, 110, 100}}, 5, 6},
		}, porcupine.Ok},
		"a torn audit": {bankModel, []step{
			{openBank{"b"}, true, 1, 2}, {transfer{"b", 0, 1, 10}, true, 3, 6}, {audit{"b"}, balances{true, [accounts]int{90, 100, 100}}, 4, 5},
		}, porcupine.Illegal},
		"half a transfer": {bankModel, []step{
			{openBank{"b"}, true, 1, 2}, {transfer{"b", 0, 1, 10}, undecided{}, 3, open}, {audit{"b"}, balances{true, [accounts]int{100, 110, 100}}, 4, 5},
		}, porcupine.Illegal},
		"more spent than there was": {bankModel, []step{
			{openBank{"b"}, true, 1, 2}, {transfer{"b", 0, 1, 60}, true, 3, 6}, {transfer{"b", 0, 2, 60}, true, 4, 5},
		}, porcupine.Illegal},
	} {
		var operations []porcupine.Operation
		for i, s := range test.history {
			operations = append(operations, porcupine.Operation{ClientId: i, Input: s.input, Output: s.output, Call: s.from, Return: s.to})
		}
		require.Equal(t, test.want, porcupine.CheckOperationsTimeout(test.model, operations, time.Minute), name)
	}
}

// TestEventualReadsShowWhatWasWritten: what nobody wrote is noticed.
func TestEventualReadsShowWhatWasWritten(t *testing.T) {
	h := newHistory()
	h.attempts("k", 1000)
	h.shown(glance{"k"}, 0, nil)
	h.shown(glance{"k"}, 1002, nil)
	h.shown(glance{"k"}, 7, nil)
	h.shown(glance{"k"}, 0, errors.New("no answer"))
	require.Empty(t, h.wrong)
	h.shown(glance{"k"}, 2000, nil)
	require.Len(t, h.wrong, 1)
}
