package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// reportFormat is the version of the JSON form of a Report.
const reportFormat = 1

// Report is what was measured, where and how.
type Report struct {
	Format  int       `json:"format"`
	Started time.Time `json:"started"`
	// Target says in words which server with which durability was measured.
	Target   string  `json:"target"`
	Endpoint string  `json:"endpoint"`
	Machine  Machine `json:"machine"` // of the generator
	Plan     Plan    `json:"plan"`
	// Server is present if the benchmark started the server itself.
	Server *ServerFigures `json:"server,omitempty"`
	// Runs are in the order in which they were made.
	Runs []Run `json:"runs"`
}

// ServerFigures are what only the one who starts a server can see.
type ServerFigures struct {
	// StartMilliseconds is the time from the start of the process to its first answer.
	StartMilliseconds float64 `json:"startMilliseconds"`
	// Memory is the memory at rest before the first request, and after the last.
	MemoryAtRest Memory `json:"memoryAtRest"`
	MemoryAtEnd  Memory `json:"memoryAtEnd"`
}

// Memory is the resident memory of a process in bytes; zero if unknown.
type Memory struct {
	Resident  int64 `json:"residentBytes"`
	Anonymous int64 `json:"anonymousBytes"`
}

// Run is one run of a workload.
type Run struct {
	Workload    string  `json:"workload"`
	Connections int     `json:"connections"`
	Repeat      int     `json:"repeat"` // from 1
	Seconds     float64 `json:"seconds"`
	// ServerMicroseconds is the processor time of the server for an operation, 0 if
	// unknown.
	ServerMicroseconds float64     `json:"serverMicroseconds,omitempty"`
	Operations         []Operation `json:"operations"`
	Timeline           []Sample    `json:"timeline"`
}

// Operation is what a run counted of one kind of operation.
type Operation struct {
	Name      string  `json:"name"`
	Succeeded int64   `json:"succeeded"`
	PerSecond float64 `json:"perSecond"` // of Succeeded
	// ItemsPerSecond counts the items that were read or written.
	ItemsPerSecond float64 `json:"itemsPerSecond"`
	// Errors counts by exception name, or Fault… constant.
	Errors  map[string]int64 `json:"errors,omitempty"`
	Latency Latency          `json:"latencyMilliseconds"`
	// Histogram holds all latencies in nanoseconds: an HdrHistogram in its
	// compressed V2 encoding, in base64.
	Histogram string `json:"histogram"`
}

// Latency are percentiles in milliseconds.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

// Sample is a point of a run's timeline: the rates since the point before, and
// the percentiles in milliseconds.
type Sample struct {
	Seconds         float64 `json:"seconds"` // since the end of the warm-up
	PerSecond       float64 `json:"perSecond"`
	ErrorsPerSecond float64 `json:"errorsPerSecond,omitempty"`
	P50             float64 `json:"p50"`
	P99             float64 `json:"p99"`
}

func (m measurement) run(workload Workload, connections, repeat int) (Run, error) {
	r := Run{Workload: workload.Name, Connections: connections, Repeat: repeat, Seconds: m.elapsed.Seconds(), Timeline: m.timeline}
	operations := int64(0)
	for _, t := range m.tallies {
		operations += t.succeeded + t.failed()
	}
	if operations > 0 {
		r.ServerMicroseconds = float64(m.busy.Microseconds()) / float64(operations)
	}
	for i, t := range m.tallies {
		encoded, err := t.latencies.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return Run{}, fmt.Errorf("encoding the histogram of %s: %w", workload.Name, err)
		}
		r.Operations = append(r.Operations, Operation{
			Name:           workload.operations[i].name,
			Succeeded:      t.succeeded,
			PerSecond:      float64(t.succeeded) / r.Seconds,
			ItemsPerSecond: float64(t.items) / r.Seconds,
			Errors:         t.faults,
			Latency:        latencyOf(t.latencies),
			Histogram:      string(encoded),
		})
	}
	return r, nil
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	return Latency{
		P50:  milliseconds(h.ValueAtPercentile(50)),
		P90:  milliseconds(h.ValueAtPercentile(90)),
		P99:  milliseconds(h.ValueAtPercentile(99)),
		P999: milliseconds(h.ValueAtPercentile(99.9)),
		Max:  milliseconds(h.Max()),
	}
}

// Failed is the number of operations that did not succeed.
func (o Operation) Failed() int64 { return (&tally{faults: o.Errors}).failed() }

// AnySucceeded tells whether there is anything to look at.
func (r *Report) AnySucceeded() bool {
	for _, run := range r.Runs {
		for _, o := range run.Operations {
			if o.Succeeded > 0 {
				return true
			}
		}
	}
	return false
}

// latencies decodes Histogram.
func (o Operation) latencies() (*hdrhistogram.Histogram, error) {
	h, err := hdrhistogram.Decode([]byte(o.Histogram))
	if err != nil {
		return nil, fmt.Errorf("histogram of %s: %w", o.Name, err)
	}
	return h, nil
}

// Save writes the report as JSON.
func (r *Report) Save(file string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

// Load reads a file that Save wrote.
func Load(file string) (*Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if r.Format != reportFormat {
		return nil, fmt.Errorf("%s: format %d, this version reads %d", file, r.Format, reportFormat)
	}
	return &r, nil
}
