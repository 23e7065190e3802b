package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// serverKnown tells whether the processor time of the server was measured.
func serverKnown(rows []summary) bool {
	return slices.ContainsFunc(rows, func(s summary) bool { return s.server.median > 0 })
}

// WriteTable prints the conditions and one line for each operation. The column "cpu
// us" is the processor time of the server for an operation, in microseconds.
func (r *Report) WriteTable(w io.Writer) error {
	rows, err := r.summarize()
	if err != nil {
		return err
	}
	for _, line := range r.conditions() {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "workload\tconns\toperation\tops/s\t")
	if r.Plan.Repeat > 1 {
		fmt.Fprint(table, "lowest-highest\t")
	}
	fmt.Fprint(table, "items/s\tp50 ms\tp90\tp99\tp99.9\tmax\t")
	if serverKnown(rows) {
		fmt.Fprint(table, "cpu us\t")
	}
	fmt.Fprint(table, "errors\n")
	for _, s := range rows {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t", s.workload, s.connections, s.operation, grouped(s.perSecond.median))
		if r.Plan.Repeat > 1 {
			fmt.Fprintf(table, "%s-%s\t", grouped(s.perSecond.min), grouped(s.perSecond.max))
		}
		fmt.Fprintf(table, "%s\t", grouped(s.items.median))
		for _, latency := range []spread{s.p50, s.p90, s.p99, s.p999, s.max} {
			fmt.Fprintf(table, "%s\t", latencyText(latency.median))
		}
		if serverKnown(rows) {
			fmt.Fprintf(table, "%s\t", microsecondsText(s.server.median))
		}
		fmt.Fprintf(table, "%s\n", s.errorText())
	}
	return table.Flush()
}
