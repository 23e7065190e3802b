package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

func TestRatios(t *testing.T) {
	stator, gin := &contender{name: "Stator"}, &contender{name: "gin", role: limit}
	fast, slow := &contender{name: "fast", role: rival}, &contender{name: "slow", role: rival}
	figure := func(perSecond, p99 float64) map[point]bench.Figure {
		return map[point]bench.Figure{{"put", 32}: {PerSecond: perSecond, Lowest: perSecond * 0.9, Highest: perSecond * 1.1, P99: p99}}
	}
	measured := figures{
		stator: figure(20_000, 4), gin: figure(40_000, 1), fast: figure(10_000, 20), slow: figure(5_000, 10),
	}
	var b strings.Builder
	ratios(&b, []*contender{stator, gin, fast, slow}, measured, options{workloads: []string{"put", "scan"}, connections: 32})
	require.Equal(t, `| workload | best rival | Stator / best rival | p99 of Stator / of the lowest rival | Stator / gin |
|---|---|---|---|---|
| put | fast, 10000/s | **2.00** (1.64-2.44) | 4.00 / 10.00 ms | **0.50** (0.41-0.61) |
| scan | - | - | 0.00 / 0.00 ms | - |
`, b.String())
}

func TestContenderTakes(t *testing.T) {
	o := options{connections: 32}
	require.True(t, (&contender{}).takes(point{"scan", 32}, o))
	require.False(t, (&contender{}).takes(point{"scan", 1}, o))
	require.True(t, (&contender{connections: []int{1, 8}}).takes(point{"scan", 8}, o))
	require.False(t, (&contender{connections: []int{1, 8}}).takes(point{"scan", 32}, o))
	require.False(t, (&contender{only: []string{"put"}}).takes(point{"scan", 32}, o))
}
