//go:build unix

package replication

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkIdle measures what 17 groups cost when nothing happens, on all three
// nodes together.
func BenchmarkIdle(b *testing.B) {
	threeNodes(b, 17)
	b.ResetTimer()
	before := cpuTime(b)
	for range b.N {
		<-time.After(time.Second)
	}
	b.ReportMetric(100*(cpuTime(b)-before).Seconds()/b.Elapsed().Seconds(), "%cpu")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
