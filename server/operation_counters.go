package server

import (
	"math/bits"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/stator-db/stator/partition"
)

// latencySteps is the number of steps in each doubling of a latency: buckets are an
// eighth of a power of two wide, which places a percentile within some 6 %.
const latencySteps = 8

// latencyDoublings covers latencies from 1 µs to over a minute.
const latencyDoublings = 27

// A readLevel is the consistency of what a request reads.
type readLevel uint8

const (
	readsNone readLevel = iota // it reads nothing, or only what its writes need
	readsEventual
	readsStrong // some of it strongly
	readLevels
)

func (l readLevel) String() string { return [...]string{"none", "eventual", "strong"}[l] }

// reads notes a read of a request.
func (c *call) reads(consistency partition.Consistency) {
	if consistency == partition.Strong {
		c.level = readsStrong
	} else if c.level == readsNone {
		c.level = readsEventual
	}
}

// operationCounters counts the requests of one operation at one level since the
// server started.
type operationCounters struct {
	requests, errors, micros atomic.Uint64
	latency                  [latencyDoublings * latencySteps]atomic.Uint64
}

// count adds one request.
func (n *operationCounters) count(took time.Duration, failed bool) {
	micros := uint64(max(took.Microseconds(), 0))
	n.requests.Add(1)
	if failed {
		n.errors.Add(1)
	}
	n.micros.Add(micros)
	n.latency[latencyBucket(micros)].Add(1)
}

// latencyBucket finds the bucket of a latency. Below latencySteps microseconds each
// one has its own.
func latencyBucket(micros uint64) int {
	doubling := bits.Len64(micros / latencySteps)
	if doubling == 0 {
		return int(micros)
	}
	step := int(micros>>(doubling-1)) - latencySteps
	return min(doubling*latencySteps+step, latencyDoublings*latencySteps-1)
}

// latencyFloor is the smallest latency in a bucket, in microseconds.
func latencyFloor(bucket int) uint64 {
	doubling, step := bucket/latencySteps, uint64(bucket%latencySteps)
	if doubling == 0 {
		return step
	}
	return (latencySteps + step) << (doubling - 1)
}

// newOperationCounters has counters for every operation that is built. The map does
// not change any more.
func newOperationCounters() map[*operation]*[readLevels]operationCounters {
	m := make(map[*operation]*[readLevels]operationCounters)
	for _, op := range targets {
		if op.serve != nil {
			m[op] = new([readLevels]operationCounters)
		}
	}
	return m
}

// An operationReport is what GET /_stator/operations says about one operation. All
// numbers count from the start of the server: rates and percentiles of a time come
// from the difference between two reports.
type operationReport struct {
	Operation string `json:"operation"`
	Requests  uint64 `json:"requests"`
	Errors    uint64 `json:"errors"`
	Micros    uint64 `json:"micros"` // sum of all latencies
	// Latency pairs the smallest latency of a bucket, in microseconds, with its
	// requests; a bucket ends where the next one of the scale begins, at most an
	// eighth above. Empty buckets are left out.
	Latency [][2]uint64 `json:"latency"`
}

// report sums up the levels of an operation; requests under way may be counted in some
// and not yet in others.
func report(name string, levels *[readLevels]operationCounters) operationReport {
	r := operationReport{Operation: name, Latency: [][2]uint64{}}
	for i := range levels {
		n := &levels[i]
		r.Requests, r.Errors, r.Micros = r.Requests+n.requests.Load(), r.Errors+n.errors.Load(), r.Micros+n.micros.Load()
	}
	for bucket := range levels[0].latency {
		var count uint64
		for i := range levels {
			count += levels[i].latency[bucket].Load()
		}
		if count > 0 {
			r.Latency = append(r.Latency, [2]uint64{latencyFloor(bucket), count})
		}
	}
	return r
}

// serveOperations answers GET /_stator/operations: a report of every operation that
// was asked for, in the order of the API.
func (s *Server) serveOperations(g *gin.Context) {
	reports := []operationReport{}
	for _, list := range [][]operation{operations, streamsOperations} {
		for i := range list {
			levels := s.counters[&list[i]]
			if levels == nil {
				continue
			}
			if r := report(list[i].name, levels); r.Requests > 0 {
				reports = append(reports, r)
			}
		}
	}
	g.Header("Cache-Control", "no-store")
	g.JSON(http.StatusOK, gin.H{"time": time.Now().UTC().Format(time.RFC3339Nano), "operations": reports})
}
