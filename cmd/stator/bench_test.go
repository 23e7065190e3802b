package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

func TestBench(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"--json", "a.json", "--html", "a.html"},
		{"--in-memory", "--json", "b.json"},
		{"--sync", "--json", "c.json"},
	} {
		r := execute(t, dir, append([]string{"bench", "--workload", "get,update", "--items", "1000", "--requests", "200",
			"--warmup", "0s", "--repeat", "2", "--connections", "1,4"}, args...)...)
		require.Zero(t, r.code, r.stderr)
		require.Regexp(t, `(?m)^workload +conns +operation +ops/s`, r.stdout)
		require.Regexp(t, `(?m)^update +4 +update +.* 0$`, r.stdout)
	}
	report, err := bench.Load(filepath.Join(dir, "a.json"))
	require.NoError(t, err)
	require.Len(t, report.Runs, 2*2*2)
	require.Positive(t, report.Server.StartMilliseconds)
	page, err := os.ReadFile(filepath.Join(dir, "a.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "</html>")

	r := execute(t, dir, "bench", "compare", "a.json", "b.json")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "4 of 4 operations of A and 4 of B are in both.")
	r = execute(t, dir, "bench", "compare", "a.json", "missing.json")
	require.Equal(t, exitFailure, r.code)
}

func TestBenchOfAnEndpoint(t *testing.T) {
	s := start(t, "serve", "--port", "0", "--in-memory", "--log-level", "warn")
	r := execute(t, "", "bench", "--endpoint", s.url, "--workload", "ycsb-a", "--items", "1000", "--duration", "200ms",
		"--warmup", "0s", "--rate", "500", "--item-size", "1KB")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "1,000 items of 1024 bytes, open loop at 500/s")
	// What a busy machine does not get sent in time is no failure of the server.
	require.Regexp(t, `(?m)^ycsb-a +32 +all +.* (0|\d+ \(\d+ %\): unsent \d+)$`, r.stdout)
}

func TestBenchUsage(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	for _, test := range []struct {
		args   []string
		stderr string
	}{
		{[]string{"--workload", "x"}, `unknown workload "x"`},
		{[]string{"--item-size", "1MB"}, "--item-size 1MB: expected a number of bytes"},
		{[]string{"--endpoint", "http://127.0.0.1:1", "--in-memory"}, "leave out --endpoint"},
		{[]string{"--sync", "--in-memory"}, "--sync has no meaning with --in-memory"},
		{[]string{"--sign"}, "--sign needs AWS_ACCESS_KEY_ID"},
		{[]string{"--connections", "0"}, "connections 0: from 1 to 10000"},
	} {
		r := execute(t, "", append([]string{"bench"}, test.args...)...)
		require.Equal(t, exitUsage, r.code)
		require.Contains(t, r.stderr, test.stderr)
	}
	r := execute(t, "", "bench", "--endpoint", "http://127.0.0.1:1")
	require.Equal(t, exitFailure, r.code)
	require.Contains(t, r.stderr, "connection refused")
}

func TestWorkloadNames(t *testing.T) {
	require.Equal(t, []string{"ycsb-a", "ycsb-b", "ycsb-c", "ycsb-d", "ycsb-e", "ycsb-f", "get"}, workloadNames([]string{"ycsb", "get"}))
	require.Len(t, workloadNames([]string{"all"}), len(bench.Workloads()))
	require.Equal(t, "put", workloadNames([]string{"operations"})[0])
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int{"250": 250, "4KB": 4096, "4 kb": 4096} {
		n, err := parseSize(text)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	for _, text := range []string{"", "-1", "1.5KB", "99999999999"} {
		_, err := parseSize(text)
		require.Error(t, err, text)
	}
}
