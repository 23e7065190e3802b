package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteTable prints the conditions and one line for each operation.
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
	fmt.Fprint(table, "items/s\tp50 ms\tp90\tp99\tp99.9\tmax\terrors\n")
	for _, s := range rows {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t", s.workload, s.connections, s.operation, grouped(s.perSecond.median))
		if r.Plan.Repeat > 1 {
			fmt.Fprintf(table, "%s-%s\t", grouped(s.perSecond.min), grouped(s.perSecond.max))
		}
		fmt.Fprintf(table, "%s\t", grouped(s.items.median))
		for _, latency := range []spread{s.p50, s.p90, s.p99, s.p999, s.max} {
			fmt.Fprintf(table, "%s\t", latencyText(latency.median))
		}
		fmt.Fprintf(table, "%s\n", s.errorText())
	}
	return table.Flush()
}
