package placement

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage"
)

// BenchmarkShards is what the shards of a node cost before anything is written
// to them. Run one size at a time: memory is that of the process.
func BenchmarkShards(b *testing.B) {
	for _, n := range []int{16, 64, 256} {
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				goroutines, resident := runtime.NumGoroutine(), residentBytes()
				pool, err := storage.OpenPool(storage.PoolOptions{Dir: b.TempDir()})
				require.NoError(b, err)
				start := time.Now()
				for i := range n {
					_, err := pool.Create(uint64(i + 1))
					require.NoError(b, err)
				}
				b.ReportMetric(float64(time.Since(start).Milliseconds())/float64(n), "ms-to-create")
				b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(n), "goroutines/shard")
				b.ReportMetric(float64(residentBytes()-resident)/float64(n), "resident-B/shard")
				require.NoError(b, pool.Close())
				b.StartTimer()
			}
		})
	}
}

// residentBytes is the process's resident memory, or 0 where /proc does not say.
func residentBytes() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	var kB int
	fmt.Sscan(string(rest), &kB)
	return kB << 10
}
