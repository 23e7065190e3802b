package main

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// gcPercent lets the heap grow by half between collections instead of doubling.
// Throughput with values from 50 to 400 was measured equal within noise, since
// the hot paths allocate little; the heap target, and with it most of the resident
// memory, follows this number.
const gcPercent = 50

// memoryShare is the part of the machine's (or the container's) memory at which
// the collector starts to work harder. The rest is for memory that Go does not
// count: mapped table files, the kernel's socket and page buffers.
const memoryShare = 0.7

// setMemoryLimits configures the garbage collector once per process. GOGC and
// GOMEMLIMIT in the environment win.
//
// The limit is soft: it replaces an out-of-memory kill by more frequent
// collections as the heap of a busy server or a large in-memory database nears the
// memory of the container.
func setMemoryLimits() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		if total := availableMemory(os.ReadFile); total > 0 {
			debug.SetMemoryLimit(int64(float64(total) * memoryShare))
		}
	}
}

// trimInterval is how often trimMemory looks whether a burst is over.
const trimInterval = 30 * time.Second

// startTime is how long a start may take at most, roughly: what it needed of the
// binary is given back after it.
const startTime = 2 * time.Second

// trimMemory gives the memory that a burst took, such as a load, back to the system
// when it is over, until ctx ends. Left alone, Go collects an idle process after two
// minutes and needs two collections to return what they free. The first burst is the
// start.
func trimMemory(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(startTime):
		unmapBinary()
	}
	ticker := time.NewTicker(trimInterval)
	defer ticker.Stop()
	var b burst
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if b.over(collections()) {
			debug.FreeOSMemory() // collects, and so counts as one
			unmapBinary()
			b.before = collections()
		}
	}
}

// burst watches the number of collections. More than one in an interval are a burst;
// a single one may be that of an idle process.
type burst struct {
	before uint64 // collections at the last look
	seen   bool
}

// over reports, once for each burst, that there was no collection since the last look.
func (b *burst) over(collections uint64) bool {
	since := collections - b.before
	b.before = collections
	if since > 1 {
		b.seen = true
	}
	over := b.seen && since == 0
	b.seen = b.seen && !over
	return over
}

// collections counts the completed cycles of the collector.
func collections() uint64 {
	sample := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// availableMemory returns the bytes this process may use: the smallest of the
// machine's memory and the limits of the control group (versions 2 and 1), as
// Linux gives them in files; 0 when unknown.
func availableMemory(readFile func(string) ([]byte, error)) int64 {
	smallest := int64(math.MaxInt64)
	for _, file := range []string{
		"/sys/fs/cgroup/memory.max",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes",
	} {
		if data, err := readFile(file); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil && n > 0 {
				smallest = min(smallest, n)
			}
		}
	}
	if data, err := readFile("/proc/meminfo"); err == nil {
		smallest = min(smallest, memTotal(string(data)))
	}
	if smallest == math.MaxInt64 {
		return 0
	}
	return smallest
}

// memTotal reads the line "MemTotal:  16384 kB" of /proc/meminfo.
func memTotal(meminfo string) int64 {
	for line := range strings.Lines(meminfo) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			if n, err := strconv.ParseInt(fields[1], 10, 64); err == nil && n > 0 {
				return n << 10
			}
		}
	}
	return math.MaxInt64
}
