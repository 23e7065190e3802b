package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// table writes the ratios, the figures behind them and the conditions, as Markdown.
func table(all []*contender, f figures, o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\nAll servers and the generator on one machine: %s.\n\n", o.plan(), bench.ThisMachine())
	ratios(&b, all, f, o)
	b.WriteString("\nThe figures: operations a second, with the lowest and highest run; p50 and p99 in ms; processor time of the server for an operation.\n\n")
	b.WriteString("| workload | connections | server | durability | ops/s | lowest-highest | p50 | p99 | cpu µs | errors |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range o.schedule() {
		for _, c := range all {
			if f, ok := f[c][p]; ok {
				fmt.Fprintf(&b, "| %s | %d | %s | %s | %.0f | %.0f-%.0f | %.2f | %.2f | %.0f | %s |\n", p.workload, p.connections, c.name, c.durability,
					f.PerSecond, f.Lowest, f.Highest, f.P50, f.P99, f.ServerMicroseconds, f.Errors)
			}
		}
	}
	b.WriteString("\nMemory after the run, resident (anonymous):")
	for i, c := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %s %s", c.name, c.server.Memory())
	}
	b.WriteString(".\n")
	return b.String()
}

// ratios writes a line for each workload at saturation: each Stator against the best
// rival and against each limit.
func ratios(b *strings.Builder, all []*contender, f figures, o options) {
	var mine, limits, rivals []*contender
	for _, c := range all {
		switch c.role {
		case ours:
			mine = append(mine, c)
		case limit:
			limits = append(limits, c)
		case rival:
			rivals = append(rivals, c)
		}
	}
	head := []string{"workload"}
	if len(rivals) > 0 {
		head = append(head, "best rival")
	}
	for _, c := range mine {
		if len(rivals) > 0 {
			head = append(head, c.name+" / best rival", "p99 of "+c.name+" / of the lowest rival")
		}
		for _, l := range limits {
			head = append(head, c.name+" / "+l.name)
		}
	}
	fmt.Fprintf(b, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, workload := range o.workloads {
		row := []string{workload}
		p := point{workload, o.connections}
		best, lowest := bestRival(rivals, f, p)
		if len(rivals) > 0 {
			row = append(row, best.String())
		}
		for _, c := range mine {
			figure := f[c][p]
			if len(rivals) > 0 {
				row = append(row, ratio(figure, best.figure), fmt.Sprintf("%.2f / %.2f ms", figure.P99, lowest))
			}
			for _, l := range limits {
				row = append(row, ratio(figure, f[l][p]))
			}
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}

// named is a figure with the name of its server; the zero value stands for none.
type named struct {
	name   string
	figure bench.Figure
}

func (n named) String() string {
	if n.name == "" {
		return "-"
	}
	return fmt.Sprintf("%s, %.0f/s", n.name, n.figure.PerSecond)
}

// bestRival returns the rival with the highest throughput at a point, and the lowest
// p99 of any.
func bestRival(rivals []*contender, all figures, p point) (named, float64) {
	var measured []named
	lowest := math.Inf(1)
	for _, c := range rivals {
		if f, ok := all.at(c, p.workload, p.connections); ok {
			measured = append(measured, named{c.name, f})
			lowest = min(lowest, f.P99)
		}
	}
	if len(measured) == 0 {
		return named{}, 0
	}
	return slices.MaxFunc(measured, func(a, b named) int { return int(a.figure.PerSecond) - int(b.figure.PerSecond) }), lowest
}

// ratio of medians, with the bounds that the noise of both allows.
func ratio(a, b bench.Figure) string {
	if b.Lowest <= 0 || b.Highest <= 0 {
		return "-"
	}
	return fmt.Sprintf("**%.2f** (%.2f-%.2f)", a.PerSecond/b.PerSecond, a.Lowest/b.Highest, a.Highest/b.Lowest)
}
