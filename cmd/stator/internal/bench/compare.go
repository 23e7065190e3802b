package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// ratio is the quotient of two spreads: of the medians, with the bounds that the
// noise of both sides allows.
type ratio struct{ median, low, high float64 }

// ratioOf returns b relative to a; the zero ratio if a side was not measured.
func ratioOf(a, b spread) ratio {
	if a.min <= 0 || b.min <= 0 {
		return ratio{}
	}
	return ratio{median: b.median / a.median, low: b.min / a.max, high: b.max / a.min}
}

// verdict tells what can be said: with bounds on both sides of 1 nothing can.
func (r ratio) verdict(higher, lower string) string {
	switch {
	case r.median == 0:
		return "no figures"
	case r.low > 1:
		return higher
	case r.high < 1:
		return lower
	default:
		return "within noise"
	}
}

func (r ratio) String() string {
	if r.median == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f (%.2f-%.2f)", r.median, r.low, r.high)
}

// Compare prints the ratios of b to a for each operation that both measured: medians
// over the repeats, and bounds from the lowest and highest.
func Compare(w io.Writer, a, b *Report) error {
	before, err := a.summarize()
	if err != nil {
		return err
	}
	after, err := b.summarize()
	if err != nil {
		return err
	}
	for _, side := range []struct {
		name   string
		report *Report
	}{{"A", a}, {"B", b}} {
		for _, line := range side.report.conditions() {
			fmt.Fprintf(w, "%s  %s\n", side.name, line)
		}
	}
	for _, warning := range differences(a, b) {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	fmt.Fprintln(w)

	known := map[summaryKey]summary{}
	for _, s := range before {
		known[s.summaryKey] = s
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "workload\tconns\toperation\tops/s A\tops/s B\tB/A (bounds)\t\tp50 B/A\tp99 B/A\t\terrors A\terrors B\n")
	matched := 0
	for _, s := range after {
		old, ok := known[s.summaryKey]
		if !ok {
			continue
		}
		matched++
		rate, p99 := ratioOf(old.perSecond, s.perSecond), ratioOf(old.p99, s.p99)
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			s.workload, s.connections, s.operation, grouped(old.perSecond.median), grouped(s.perSecond.median),
			rate, rate.verdict("faster", "slower"),
			ratioOf(old.p50, s.p50), p99, p99.verdict("higher", "lower"),
			old.errorText(), s.errorText())
	}
	if matched == 0 {
		return fmt.Errorf("the files have no workload and number of connections in common")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%d of %d operations of A and %d of B are in both.\n", matched, len(before), len(after))
	return err
}

// differences lists what else differs between the reports than what was changed
// on purpose.
func differences(a, b *Report) []string {
	var list []string
	note := func(differs bool, what string, of, and any) {
		if differs {
			list = append(list, fmt.Sprintf("%s differs: %v and %v", what, of, and))
		}
	}
	note(a.Machine != b.Machine, "the machine", a.Machine, b.Machine)
	note(a.Plan.Items != b.Plan.Items, "the number of items", a.Plan.Items, b.Plan.Items)
	note(a.Plan.ItemSize != b.Plan.ItemSize, "the size of items", a.Plan.ItemSize, b.Plan.ItemSize)
	note(a.Plan.Rate != b.Plan.Rate, "the rate (0 is the closed loop)", a.Plan.Rate, b.Plan.Rate)
	note(a.Plan.Distribution != b.Plan.Distribution, "the distribution of keys",
		fmt.Sprintf("%q", a.Plan.Distribution), fmt.Sprintf("%q", b.Plan.Distribution))
	if a.Plan.Repeat == 1 || b.Plan.Repeat == 1 {
		list = append(list, "a single run has no bounds: repeat both sides at least three times to see the noise")
	}
	return list
}
