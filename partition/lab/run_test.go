package lab

import (
	"encoding/json"
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

// table is a result for the log of a test.
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

func TestSeedRepeatsHistory(t *testing.T) {
	history := func(seed uint64) string {
		body, err := json.Marshal(runBuiltin(t, "failover", seed))
		require.NoError(t, err)
		return string(body)
	}
	first := history(1)
	require.Equal(t, first, history(1))
	require.NotEqual(t, first, history(2))
}
