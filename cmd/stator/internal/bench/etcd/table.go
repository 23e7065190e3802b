package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// writeTable writes the figures, the ratios that matter and the conditions, as Markdown.
func writeTable(w io.Writer, o options, all []contender, reports []bench.Report, idle []idleFigures) error {
	figures := map[string]map[string]bench.Figure{}
	for i, c := range all {
		list, err := reports[i].Figures()
		if err != nil {
			return err
		}
		figures[c.name()] = map[string]bench.Figure{}
		for _, f := range list {
			figures[c.name()][f.Workload] = f
		}
	}
	ours, theirs, single := all[0].name(), all[1].name(), all[2].name()
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\nAll processes and the clients on one machine: %s. %d clients; those of etcd share %d connections. %d shards.\n\n",
		o.plan(), bench.ThisMachine(), o.connections, o.etcdConnections, o.shards)
	b.WriteString("| workload | server | ops/s | lowest-highest | p50 ms | p99 ms | cpu µs | errors |\n|---|---|---|---|---|---|---|---|\n")
	for _, workload := range []string{put, getStrong, get} {
		for _, c := range all {
			if f, ok := figures[c.name()][workload]; ok {
				fmt.Fprintf(&b, "| %s | %s | %.0f | %.0f-%.0f | %.2f | %.2f | %.0f | %s |\n", workload, c.name(),
					f.PerSecond, f.Lowest, f.Highest, f.P50, f.P99, f.ServerMicroseconds, f.Errors)
			}
		}
	}
	b.WriteString("\n| of medians | ratio | bounds |\n|---|---|---|\n")
	for _, workload := range []string{put, getStrong, get} {
		fmt.Fprintf(&b, "| %s, %s / %s | %s |\n", workload, ours, theirs, ratio(figures[ours][workload], figures[theirs][workload]))
	}
	fmt.Fprintf(&b, "| %s, %s / %s | %s |\n", get, ours, single, ratio(figures[ours][get], figures[single][get]))
	b.WriteString("\n| doing nothing | processor of a process, of a core | resident memory of a process |\n|---|---|---|\n")
	for i, c := range all {
		fmt.Fprintf(&b, "| %s | %.1f %% | %.0f MB |\n", c.name(), 100*idle[i].processor, float64(idle[i].resident)/(1<<20))
	}
	b.WriteString("\nResident memory of the processes after the runs:")
	for i, c := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %s", c.name())
		for _, s := range c.servers() {
			fmt.Fprintf(&b, " %.0f", float64(s.Memory().Resident)/(1<<20))
		}
		b.WriteString(" MB")
	}
	b.WriteString(".\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func ratio(a, b bench.Figure) string {
	if b.Lowest <= 0 {
		return "- | -"
	}
	return fmt.Sprintf("%.2f | %.2f-%.2f", a.PerSecond/b.PerSecond, a.Lowest/b.Highest, a.Highest/b.Lowest)
}
