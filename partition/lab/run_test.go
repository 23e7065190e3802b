package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func runBuiltin(t *testing.T, name string, seed uint64) *Result {
	t.Helper()
	e, found, err := Builtin(name)
	require.NoError(t, err)
	require.True(t, found)
	r, err := Run(t.Context(), e, Options{Seed: seed})
	require.NoError(t, err)
	return r
}

// describe is a result for the log of a test.
func describe(r *Result) string {
	text := fmt.Sprintf("%s, seed %d: %s\n", r.Experiment, r.Seed, r.Verdict)
	for _, c := range r.Checks {
		text += fmt.Sprintf("  %-10s %-16s %-18s expected %-5s observed %s\n", c.Verdict, c.Name, c.Group, c.Expected, c.Observed)
		if c.Verdict != Passed {
			text += "    " + c.Explanation + "\n"
		}
	}
	return text
}

// TestBuiltins runs every built-in experiment with STATOR_LAB_SEEDS seeds, one if it
// is not set.
func TestBuiltins(t *testing.T) {
	seeds := 1
	if n, err := strconv.Atoi(os.Getenv("STATOR_LAB_SEEDS")); err == nil {
		seeds = n
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			for seed := range uint64(seeds) {
				r := runBuiltin(t, name, seed+1)
				require.Equal(t, Passed, r.Verdict, describe(r))
				if seed == 0 {
					t.Log(describe(r), len(r.Operations), "operations")
				}
			}
			t.Log(seeds, "seeds in", time.Since(began))
		})
	}
}

// everything has all tasks and all faults in a few seconds.
const everything = `
title: All tasks, all faults
duration: 8s
cluster: {shards: 3, indexes: eventual}
clients:
  - {group: write, task: write, keys: 2, rate: 20}
  - {group: read, task: read, of: write, policy: random, balanced: true, rate: 20}
  - {group: probe, task: probe, policy: round-robin, rate: 20, delay: {from: 1ms, to: 50ms}}
  - {group: follow, task: follow, read: index, policy: nearest, rate: 5}
  - {group: counter, task: counter, count: 2, rate: 20}
  - {group: register, task: register, count: 2, rate: 20}
  - {group: pair, task: write-pair, rate: 20}
  - {group: pairs, task: read-pair, of: pair, read: together, rate: 20}
  - {group: duty, task: duty, guard: transaction, count: 2, rate: 20}
faults:
  - {at: 1s, for: 1s, kind: delay, nodes: [n1], by: 20ms}
  - {at: 2s, for: 1s, kind: loss, nodes: [n2], probability: 0.3}
  - {at: 3s, for: 2s, kind: crash, nodes: [leader]}
  - {at: 5s, for: 1s, kind: pause, nodes: [leader 1]}
  - {at: 5s, for: 1s, kind: clock, nodes: [n3], by: 1h}
  - {at: 6s, for: 1s, kind: cut, nodes: [follower 2]}
  - {at: 7s, for: 1s, kind: one-way, nodes: [n1], peers: [n2]}
checks:
  - {check: linearizable, group: register, expect: yes}
  - {check: write-skew, group: duty, expect: none}
  - {check: torn-reads, group: pairs, expect: none}
  - {check: lost-writes, expect: none}
  - {check: one-leader, expect: yes}
  - {check: replicas-agree, expect: yes}
`

func TestSeedRepeatsHistory(t *testing.T) {
	e, err := Parse("everything", []byte(everything))
	require.NoError(t, err)
	history := func(seed uint64) string {
		r, err := Run(t.Context(), e, Options{Seed: seed})
		require.NoError(t, err)
		require.Equal(t, Passed, r.Verdict, describe(r))
		body, err := json.Marshal(r)
		require.NoError(t, err)
		return string(body)
	}
	for seed := uint64(1); seed <= 3; seed++ {
		require.Equal(t, history(seed), history(seed), "seed %d", seed)
	}
	require.NotEqual(t, history(1), history(2))
}

func TestRunEndsWithItsContext(t *testing.T) {
	e, found, err := Builtin("failover")
	require.NoError(t, err)
	require.True(t, found)
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	_, err = Run(ctx, e, Options{Seed: 1, Progress: func(part float64, _ int) {
		if part > 0.2 {
			cancel(interrupted)
		}
	}})
	require.ErrorIs(t, err, interrupted)
}
