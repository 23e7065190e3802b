package bench

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// spread is a figure measured several times.
type spread struct{ median, min, max float64 }

// spreadOf returns the zero spread for no values. The median of an even number of
// values is the lower one in the middle: a value that was measured.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return spread{median: sorted[(len(sorted)-1)/2], min: sorted[0], max: sorted[len(sorted)-1]}
}

// allOperations names the summary of a workload with several operations.
const allOperations = "all"

// summaryKey identifies what can be compared between reports.
type summaryKey struct {
	workload    string
	connections int
	operation   string
}

// summary is an operation over all repeats.
type summary struct {
	summaryKey
	runs                     int
	perSecond, items         spread
	p50, p90, p99, p999, max spread // milliseconds
	server                   spread // microseconds of the server's processor; of a whole workload only
	requests, failed         int64
	errors                   map[string]int64
	merged                   *hdrhistogram.Histogram // of all repeats
}

// summarize groups the runs, in the order of their first appearance.
func (r *Report) summarize() ([]summary, error) {
	var keys []summaryKey
	groups := map[summaryKey][]Operation{}
	histograms := map[summaryKey]*hdrhistogram.Histogram{}
	server := map[summaryKey][]float64{}
	add := func(key summaryKey, o Operation, h *hdrhistogram.Histogram) {
		if groups[key] == nil {
			keys = append(keys, key)
			histograms[key] = newHistogram()
		}
		groups[key] = append(groups[key], o)
		histograms[key].Merge(h)
	}
	for _, run := range r.Runs {
		all := Operation{Name: allOperations, Errors: map[string]int64{}}
		merged := newHistogram()
		for _, o := range run.Operations {
			h, err := o.latencies()
			if err != nil {
				return nil, err
			}
			add(summaryKey{run.Workload, run.Connections, o.Name}, o, h)
			merged.Merge(h)
			all.Succeeded += o.Succeeded
			all.PerSecond += o.PerSecond
			all.ItemsPerSecond += o.ItemsPerSecond
			for fault, n := range o.Errors {
				all.Errors[fault] += n
			}
		}
		if len(run.Operations) > 1 {
			all.Latency = latencyOf(merged)
			add(summaryKey{run.Workload, run.Connections, allOperations}, all, merged)
		}
		whole := summaryKey{run.Workload, run.Connections, allOperations}
		if len(run.Operations) == 1 {
			whole.operation = run.Operations[0].Name
		}
		server[whole] = append(server[whole], run.ServerMicroseconds)
	}
	var rows []summary
	for _, key := range keys {
		row := summarizeGroup(key, groups[key], histograms[key])
		row.server = spreadOf(server[key])
		rows = append(rows, row)
	}
	return rows, nil
}

func summarizeGroup(key summaryKey, group []Operation, merged *hdrhistogram.Histogram) summary {
	over := func(figure func(Operation) float64) spread {
		var values []float64
		for _, o := range group {
			values = append(values, figure(o))
		}
		return spreadOf(values)
	}
	s := summary{
		summaryKey: key,
		runs:       len(group),
		perSecond:  over(func(o Operation) float64 { return o.PerSecond }),
		items:      over(func(o Operation) float64 { return o.ItemsPerSecond }),
		p50:        over(func(o Operation) float64 { return o.Latency.P50 }),
		p90:        over(func(o Operation) float64 { return o.Latency.P90 }),
		p99:        over(func(o Operation) float64 { return o.Latency.P99 }),
		p999:       over(func(o Operation) float64 { return o.Latency.P999 }),
		max:        over(func(o Operation) float64 { return o.Latency.Max }),
		errors:     map[string]int64{},
		merged:     merged,
	}
	for _, o := range group {
		s.requests += o.Succeeded + o.Failed()
		s.failed += o.Failed()
		for fault, n := range o.Errors {
			s.errors[fault] += n
		}
	}
	return s
}

// errorText is "0", or the number, share and kinds of errors, the most frequent
// first.
func (s summary) errorText() string {
	if s.failed == 0 {
		return "0"
	}
	kinds := slices.SortedFunc(maps.Keys(s.errors), func(a, b string) int {
		if s.errors[a] != s.errors[b] {
			return int(s.errors[b] - s.errors[a])
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, kind := range kinds {
		parts = append(parts, fmt.Sprintf("%s %s", kind, grouped(float64(s.errors[kind]))))
	}
	return fmt.Sprintf("%s (%.2g %%): %s", grouped(float64(s.failed)), 100*float64(s.failed)/float64(s.requests), strings.Join(parts, ", "))
}

// grouped writes a whole number with commas.
func grouped(v float64) string {
	text := strconv.FormatFloat(v, 'f', 0, 64)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// microsecondsText writes a whole number, or nothing if it is unknown.
func microsecondsText(v float64) string {
	if v <= 0 {
		return ""
	}
	return grouped(v)
}

// latencyText writes milliseconds with three significant digits.
func latencyText(ms float64) string {
	switch {
	case ms >= 100:
		return strconv.FormatFloat(ms, 'f', 0, 64)
	case ms >= 10:
		return strconv.FormatFloat(ms, 'f', 1, 64)
	case ms >= 1:
		return strconv.FormatFloat(ms, 'f', 2, 64)
	default:
		return strconv.FormatFloat(ms, 'f', 3, 64)
	}
}
