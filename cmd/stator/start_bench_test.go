package main

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// BenchmarkStart measures the time from the start of the process on an empty
// directory to its first answer, and its memory at rest.
func BenchmarkStart(b *testing.B) {
	var memory bench.Memory
	for b.Loop() {
		b.StopTimer()
		port, err := bench.FreePort()
		require.NoError(b, err)
		dir := b.TempDir()
		b.StartTimer()
		s, err := bench.StartServer(b.Context(), fmt.Sprintf("http://127.0.0.1:%d", port),
			binary, "serve", "--port", strconv.Itoa(port), "--data-dir", dir, "--log-level", "warn")
		b.StopTimer()
		require.NoError(b, err)
		memory = s.Memory()
		require.NoError(b, s.Stop())
		b.StartTimer()
	}
	b.ReportMetric(float64(memory.Resident)/(1<<20), "resident-MB")
	b.ReportMetric(float64(memory.Anonymous)/(1<<20), "anonymous-MB")
}
