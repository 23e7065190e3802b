package bench

import (
	"errors"
	"fmt"
	"time"
)

// Plan says what to measure. All fields are required unless stated otherwise.
type Plan struct {
	// Workloads are names from [Workloads].
	Workloads []string `json:"workloads"`
	// Connections are the numbers of connections to measure with, one run each.
	Connections []int `json:"connections"`
	// Rate is the number of operations a second of the open loop; 0 is the closed loop.
	Rate float64 `json:"rate,omitempty"`
	// Items is the number of items loaded before the first run.
	Items int64 `json:"items"`
	// ItemSize is the size of an item in bytes, by DynamoDB's measure.
	ItemSize int `json:"itemSizeBytes"`
	// Distribution overrides how workloads choose keys; empty leaves each its own.
	Distribution Distribution `json:"distribution,omitempty"`
	// Warmup is how long each run goes on before its figures count. It may be 0.
	Warmup time.Duration `json:"warmupNanoseconds"`
	// Duration is how long each run is measured.
	Duration time.Duration `json:"durationNanoseconds"`
	// Requests, if not 0, ends a run after that many operations instead of Duration.
	Requests int64 `json:"requests,omitempty"`
	// Repeat is the number of runs of each combination.
	Repeat int `json:"repeat"`
	// Seed makes the sequence of keys and values of each connection repeatable.
	Seed uint64 `json:"seed"`
	// Timeout is how long to wait for one answer.
	Timeout time.Duration `json:"timeoutNanoseconds"`
	// Table is the name of the table, which must not exist.
	Table string `json:"table"`
	// KeepTable leaves the table after the last run, and uses it without loading if
	// it exists already.
	KeepTable bool `json:"keepTable,omitempty"`
}

const (
	minItems       = 1000
	maxItems       = 1e11 // what the digits of a partition key hold
	maxConnections = 10_000
	maxItemSize    = 390 << 10 // the API takes 400 KB
)

// Validate reports every value out of range.
func (p Plan) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(len(p.Workloads) > 0, "no workload")
	for _, name := range p.Workloads {
		_, known := workloadNamed(name)
		check(known, "unknown workload %q", name)
	}
	check(len(p.Connections) > 0, "no number of connections")
	for _, n := range p.Connections {
		check(n >= 1 && n <= maxConnections, "connections %d: from 1 to %d", n, maxConnections)
	}
	check(p.Rate >= 0 && p.Rate <= 1e7, "rate %g: from 0 (closed loop) to 10 million a second", p.Rate)
	check(p.Items >= minItems && p.Items <= maxItems, "items %d: from %d to %d", p.Items, minItems, int64(maxItems))
	check(p.ItemSize >= minItemSize && p.ItemSize <= maxItemSize, "item size %d: from %d to %d bytes", p.ItemSize, minItemSize, maxItemSize)
	check(p.Distribution == "" || p.Distribution.known(), "unknown distribution %q", p.Distribution)
	check(p.Warmup >= 0, "warm-up %s is negative", p.Warmup)
	check(p.Duration > 0, "duration %s: above 0", p.Duration)
	check(p.Requests >= 0, "requests %d is negative", p.Requests)
	check(p.Repeat >= 1, "repeat %d: at least 1", p.Repeat)
	check(p.Timeout > 0, "timeout %s: above 0", p.Timeout)
	check(p.Table != "", "no table name")
	return errors.Join(errs...)
}
