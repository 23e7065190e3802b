package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"
)

// madeUpReport has runs of one workload with the given throughputs, and latencies
// that follow from them.
func madeUpReport(t *testing.T, workload string, rates ...float64) *Report {
	t.Helper()
	r := &Report{
		Format: reportFormat, Target: "made up", Endpoint: "http://127.0.0.1:8000",
		Machine: Machine{Cores: 2, System: "linux/amd64"},
		Plan: Plan{Workloads: []string{workload}, Connections: []int{8}, Items: 1000, ItemSize: 250,
			Duration: 10 * time.Second, Repeat: len(rates), Seed: 1},
	}
	for i, rate := range rates {
		h := newHistogram()
		require.NoError(t, h.RecordValues(int64(8e9/rate), int64(rate)))
		encoded, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		require.NoError(t, err)
		r.Runs = append(r.Runs, Run{Workload: workload, Connections: 8, Repeat: i + 1, Seconds: 1,
			Timeline: []Sample{{Seconds: 0.5, PerSecond: rate}, {Seconds: 1, PerSecond: rate}},
			Operations: []Operation{{Name: "get", Succeeded: int64(rate), PerSecond: rate, ItemsPerSecond: rate,
				Latency: latencyOf(h), Histogram: string(encoded)}}})
	}
	return r
}

func TestSpread(t *testing.T) {
	require.Equal(t, spread{median: 2, min: 1, max: 9}, spreadOf([]float64{9, 2, 1}))
	require.Equal(t, spread{median: 2, min: 1, max: 9}, spreadOf([]float64{9, 3, 2, 1}))
	require.Zero(t, spreadOf(nil))
}

func TestRatioBounds(t *testing.T) {
	base := spread{median: 100, min: 90, max: 110}
	for _, test := range []struct {
		b       spread
		want    string
		verdict string
	}{
		{spread{median: 200, min: 180, max: 220}, "2.00 (1.64-2.44)", "faster"},
		{spread{median: 50, min: 45, max: 55}, "0.50 (0.41-0.61)", "slower"},
		{spread{median: 110, min: 100, max: 120}, "1.10 (0.91-1.33)", "within noise"},
		{spread{}, "-", "no figures"},
	} {
		r := ratioOf(base, test.b)
		require.Equal(t, test.want, r.String())
		require.Equal(t, test.verdict, r.verdict("faster", "slower"))
	}
}

func TestCompare(t *testing.T) {
	a, b := madeUpReport(t, "get", 1000, 1100, 900), madeUpReport(t, "get", 2000, 2200, 1800)
	b.Runs[0].Operations[0].Errors = map[string]int64{FaultTimeout: 20}
	b.Plan.ItemSize = 500
	var out strings.Builder
	require.NoError(t, Compare(&out, a, b))
	text := out.String()
	require.Contains(t, text, "note: the size of items differs: 250 and 500\n")
	require.Regexp(t, `(?m)^get +8 +get +1,000 +2,000 +2\.00 \(1\.64-2\.44\) +faster +0\.50 \(0\.41-0\.61\) +0\.50 \(0\.41-0\.61\) +lower +0 +20 \(0\.33 %\): timeout 20$`, text)
	require.Contains(t, text, "1 of 1 operations of A and 1 of B are in both.")
	require.NotContains(t, text, "single run")

	out.Reset()
	require.NoError(t, Compare(&out, madeUpReport(t, "get", 1000), madeUpReport(t, "get", 1010)))
	require.Contains(t, out.String(), "note: a single run has no bounds")

	require.EqualError(t, Compare(&out, a, madeUpReport(t, "put", 1)), "the files have no workload and number of connections in common")
}

func TestCompareRejectsDamagedHistograms(t *testing.T) {
	a := madeUpReport(t, "get", 1000)
	for _, damaged := range []string{"", "!", "aGVsbG8=", a.Runs[0].Operations[0].Histogram[:20]} {
		b := madeUpReport(t, "get", 1000)
		b.Runs[0].Operations[0].Histogram = damaged
		require.ErrorContains(t, Compare(&strings.Builder{}, a, b), "histogram of get")
	}
}

func TestWriteTable(t *testing.T) {
	var out strings.Builder
	r := madeUpReport(t, "get", 1000, 1100, 12345)
	r.Runs[0].Operations[0].Errors = map[string]int64{"ThrottlingException": 3, FaultTimeout: 12}
	require.NoError(t, r.WriteTable(&out))
	require.Equal(t, `server: made up, http://127.0.0.1:8000
generator: 2 cores, linux/amd64; server on the same machine
load: 1,000 items of 250 bytes, closed loop, 10s after 0s of warm-up, seed 1; medians of 3 runs (lowest-highest)

workload  conns  operation  ops/s  lowest-highest  items/s  p50 ms  p90   p99   p99.9  max   errors
get       8      get        1,100  1,000-12,345    1,100    7.27    7.27  7.27  7.27   7.27  15 (0.1 %): timeout 12, ThrottlingException 3
`, out.String())
}

func TestMixedWorkloadHasTotals(t *testing.T) {
	r := madeUpReport(t, "ycsb-a", 1000)
	second := r.Runs[0].Operations[0]
	second.Name = "update"
	r.Runs[0].Operations = append(r.Runs[0].Operations, second)
	rows, err := r.summarize()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Equal(t, allOperations, rows[2].operation)
	require.Equal(t, 2000.0, rows[2].perSecond.median)
	require.Equal(t, int64(2000), rows[2].merged.TotalCount())
}
