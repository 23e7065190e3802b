package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func follow(r Reporter) {
	plan := Plan{Warmup: time.Second, Duration: 2 * time.Second}
	r.Phase("loading")
	r.Begin("get, 8 connections", plan)
	r.Sample(Sample{Seconds: 1, PerSecond: 1000, P50: 0.5, P99: 12.34})
	r.Sample(Sample{Seconds: 2, PerSecond: 2000, ErrorsPerSecond: 3, P50: 0.5, P99: 12.34})
	r.End(Run{Seconds: 2, Operations: []Operation{{Name: "get", PerSecond: 1500, Latency: Latency{P50: 0.5, P99: 12.34},
		Errors: map[string]int64{FaultTimeout: 3}}}})
}

func TestPlainProgress(t *testing.T) {
	var out strings.Builder
	follow(NewReporter(&out, false))
	require.Equal(t, "loading\nget, 8 connections: 2.0s  get 1,500/s p50 0.500 p99 12.3 ms  ERRORS 3\n", out.String())
}

func TestLiveProgress(t *testing.T) {
	var out strings.Builder
	follow(NewReporter(&out, true))
	require.Equal(t, strings.Join([]string{
		"", "loading …", "get, 8 connections  warming up",
		"get, 8 connections  ██████████░░░░░░░░░░   1s      1,000/s  p50 0.500  p99 12.3 ms  █",
		"get, 8 connections  ████████████████████   2s      2,000/s  p50 0.500  p99 12.3 ms  ▄█  3 errors",
		"get, 8 connections: 2.0s  get 1,500/s p50 0.500 p99 12.3 ms  ERRORS 3\n",
	}, clearLine), out.String())
}
