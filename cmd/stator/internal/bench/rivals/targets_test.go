package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// TestTargets measures put only, fast enough for some targets and not for others.
func TestTargets(t *testing.T) {
	o := options{workloads: []string{"put"}, connections: 32, install: true}
	figure := func(perSecond, p50, p99 float64) bench.Figure {
		return bench.Figure{PerSecond: perSecond, Lowest: perSecond, Highest: perSecond, P50: p50, P99: p99}
	}
	stator, memory := &contender{name: "Stator", durability: processOK}, &contender{name: "Stator --in-memory"}
	limit := &contender{name: "gin + Badger", durability: processOK, role: limit}
	fast, slow := &contender{name: "fast", role: rival}, &contender{name: "slow", role: rival}
	synced, syncLimit := &contender{name: "Stator --sync", role: durable}, &contender{name: "gin", role: durable}
	measured := figures{
		stator: {
			{"put", 32}: figure(20_000, 1, 4), {"put", 1}: figure(2000, 0.2, 1),
			{"put", 8}: figure(16_000, 1, 1), {"put", 128}: figure(18_000, 1, 1), {"put", 512}: figure(15_000, 1, 1),
		},
		limit:     {{"put", 32}: figure(25_000, 1, 1)},
		fast:      {{"put", 32}: figure(10_000, 1, 3), {"put", 1}: figure(2000, 0.3, 1)},
		slow:      {{"put", 32}: figure(5000, 1, 20)},
		synced:    {{"put", syncConnections}: figure(9000, 1, 1)},
		syncLimit: {{"put", syncConnections}: figure(3000, 1, 1)},
	}
	all := []*contender{stator, memory, limit, fast, slow, synced, syncLimit}
	got := map[string]targetRow{}
	rows := newResults(all, measured, o).rows(footprint{
		emptyStart: 50 * time.Millisecond, fullStart: 501 * time.Millisecond,
		idle: bench.Memory{Resident: 25 << 20}, million: bench.Memory{Anonymous: 151 << 20},
	})
	for _, row := range rows {
		got[row.what] = row
	}
	require.Len(t, got, len(rows), "a row stands twice")
	for what, want := range map[string]targetRow{
		"PutItem vs the best rival":                                            {measured: "**2.00** (2.00-2.00) x (fast, 10000/s)", outcome: missed},
		"PutItem vs gin + Badger":                                              {measured: "80 %", outcome: met},
		"GetItem, eventual vs the best rival":                                  {},
		"one client, p50 of PutItem":                                           {measured: "0.200 / 0.300 ms", outcome: met},
		"p99 at 32 connections, put":                                           {measured: "4.00 / 3.00 ms", outcome: missed},
		"PutItem, from 8 to 512 connections":                                   {measured: "75 % (32: 20000/s, 8: 16000/s, 128: 18000/s, 512: 15000/s)", outcome: missed},
		"GetItem, from 8 to 512 connections":                                   {},
		"start to the first answer, empty directory":                           {measured: "50 ms", outcome: met},
		"start to the first answer, 1 GB directory":                            {measured: "501 ms", outcome: missed},
		"resident memory, idle on an empty directory":                          {measured: "25.0 MB", outcome: met},
		"anonymous memory, idle after 1 million items of 300 bytes":            {measured: "151.0 MB", outcome: missed},
		"--sync PutItem, 64 connections, vs gin + a synced Badger transaction": {measured: "**3.00** (3.00-3.00) x (9000/s and 3000/s)", outcome: met},
	} {
		require.Contains(t, got, what)
		require.Equal(t, want.measured, got[what].measured, what)
		require.Equal(t, want.outcome, got[what].outcome, what)
	}
	require.Contains(t, targetTable(rows), "| PutItem vs gin + Badger | ≥ 75 % | 80 % | met |\n")
}

func TestGrowth(t *testing.T) {
	small, large := &contender{name: "small"}, &contender{name: "large"}
	f := figures{
		small: {{"put", 32}: bench.Figure{PerSecond: 100, Lowest: 100, Highest: 100}},
		large: {{"put", 32}: bench.Figure{PerSecond: 74, Lowest: 74, Highest: 74}},
	}
	require.Equal(t, missed, growthRow(f, small, large, "put", 32).outcome)
	require.Equal(t, met, growthRow(f, small, small, "put", 32).outcome)
}

func TestReplaceBlock(t *testing.T) {
	const document = "by hand\n<!-- begin a -->\nold\n<!-- end a -->\nby hand too\n<!-- begin b -->\n<!-- end b -->\n"
	got, err := replaceBlock(document, "a", "new")
	require.NoError(t, err)
	require.Equal(t, "by hand\n<!-- begin a -->\n\nnew\n<!-- end a -->\nby hand too\n<!-- begin b -->\n<!-- end b -->\n", got)
	again, err := replaceBlock(got, "a", "new")
	require.NoError(t, err)
	require.Equal(t, got, again)
	_, err = replaceBlock(document, "c", "new")
	require.Error(t, err)
}
