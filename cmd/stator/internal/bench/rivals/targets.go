package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// targetRow is a goal with what was measured.
type targetRow struct {
	what, goal, measured string
	outcome              outcome
}

type outcome int

const (
	unmeasured outcome = iota
	met
	missed
)

func (o outcome) String() string { return [...]string{"not measured", "met", "**missed**"}[o] }

func outcomeOf(ok bool) outcome {
	if ok {
		return met
	}
	return missed
}

// results answer the questions of the targets.
type results struct {
	stator, synced, limit, syncLimit *contender
	rivals                           []*contender
	figures                          figures
	o                                options
}

// newResults finds the contenders by their roles. Stator on disk is the one that has
// to reach the targets.
func newResults(all []*contender, f figures, o options) results {
	r := results{figures: f, o: o}
	for _, c := range all {
		switch {
		case c.role == ours && r.stator == nil:
			r.stator = c
		case c.role == limit && c.durability == processOK:
			r.limit = c
		case c.role == durable && strings.HasPrefix(c.name, "Stator"):
			r.synced = c
		case c.role == durable:
			r.syncLimit = c
		case c.role == rival:
			r.rivals = append(r.rivals, c)
		}
	}
	return r
}

// rows are the targets in their order.
func (r results) rows(f footprint) []targetRow {
	rows := []targetRow{
		r.againstRivals("PutItem", "put", 2.5),
		r.againstLimit("PutItem", "put", 0.75),
		r.againstRivals("GetItem, eventual", "get", 2.3),
		r.againstLimit("GetItem, eventual", "get", 0.85),
		r.againstRivals("GetItem, strong", "get-strong", 2.3),
		r.againstLimit("GetItem, strong", "get-strong", 0.85),
		r.againstRivals("UpdateItem with condition and arithmetic", "update", 4),
		r.againstRivals("Query of 10 items", "query10", 4),
		r.againstRivals("Query of 100 items", "query100", 5),
		r.againstRivals("Scan", "scan", 5),
		r.againstRivals("BatchWriteItem of 25", "batch-write-25", 3),
		r.oneClient("GetItem", "get"),
		r.oneClient("PutItem", "put"),
	}
	for _, workload := range r.o.workloads {
		rows = append(rows, r.latency(workload))
	}
	return append(rows,
		r.sync(),
		duration("start to the first answer, empty directory", f.emptyStart, 50*time.Millisecond),
		duration("start to the first answer, 1 GB directory", f.fullStart, 500*time.Millisecond),
		memory("resident memory, idle on an empty directory", f.idle.Resident, 25),
		memory("anonymous memory, idle after 1 million items of 300 bytes", f.million.Anonymous, 150),
		r.steady("PutItem", "put"),
		r.steady("GetItem", "get"),
	)
}

// againstRivals compares throughput with that of the best rival.
func (r results) againstRivals(what, workload string, goal float64) targetRow {
	row := targetRow{what: what + " vs the best rival", goal: fmt.Sprintf("≥ %g x", goal)}
	mine, ok := r.figures.at(r.stator, workload, r.o.connections)
	best, _ := bestRival(r.rivals, r.figures, point{workload, r.o.connections})
	if !ok || best.name == "" {
		return row
	}
	row.measured = fmt.Sprintf("%s x (%s)", ratio(mine, best.figure), best)
	row.outcome = outcomeOf(mine.PerSecond >= goal*best.figure.PerSecond)
	return row
}

// againstLimit compares throughput with that of gin and one Badger transaction. The
// limit has one kind of read.
func (r results) againstLimit(what, workload string, goal float64) targetRow {
	row := targetRow{what: what + " vs gin + Badger", goal: fmt.Sprintf("≥ %.0f %%", 100*goal)}
	mine, ok := r.figures.at(r.stator, workload, r.o.connections)
	bound, known := r.figures.at(r.limit, strings.TrimSuffix(workload, "-strong"), r.o.connections)
	if !ok || !known {
		return row
	}
	row.measured = fmt.Sprintf("%.0f %%", 100*mine.PerSecond/bound.PerSecond)
	row.outcome = outcomeOf(mine.PerSecond >= goal*bound.PerSecond)
	return row
}

// oneClient compares the median latency of requests one after the other with that of
// the faster Dynoxide.
func (r results) oneClient(what, workload string) targetRow {
	row := targetRow{what: "one client, p50 of " + what, goal: "≤ Dynoxide's"}
	mine, ok := r.figures.at(r.stator, workload, oneClient)
	lowest := math.Inf(1)
	for _, c := range r.rivals {
		if f, ok := r.figures.at(c, workload, oneClient); ok {
			lowest = min(lowest, f.P50)
		}
	}
	if !ok || math.IsInf(lowest, 1) {
		return row
	}
	row.measured = fmt.Sprintf("%.3f / %.3f ms", mine.P50, lowest)
	row.outcome = outcomeOf(mine.P50 <= lowest)
	return row
}

// manyItems are the workloads whose requests are about many items; a page of a scan
// is a megabyte. Their p99 only has to be below every rival's.
var manyItems = []string{"query100", "scan", "batch-write-25"}

// latency looks at p99 at saturation, alone and against the lowest rival.
func (r results) latency(workload string) targetRow {
	bound, goal := 10.0, "< 10 ms and below every rival's"
	if slices.Contains(manyItems, workload) {
		bound, goal = math.Inf(1), "below every rival's"
	}
	row := targetRow{what: fmt.Sprintf("p99 at %d connections, %s", r.o.connections, workload), goal: goal}
	mine, ok := r.figures.at(r.stator, workload, r.o.connections)
	best, lowest := bestRival(r.rivals, r.figures, point{workload, r.o.connections})
	if !ok || best.name == "" {
		return row
	}
	row.measured = fmt.Sprintf("%.2f / %.2f ms", mine.P99, lowest)
	row.outcome = outcomeOf(mine.P99 < bound && mine.P99 < lowest)
	return row
}

func (r results) sync() targetRow {
	row := targetRow{what: fmt.Sprintf("--sync PutItem, %d connections, vs gin + a synced Badger transaction", syncConnections), goal: "≥ 3 x"}
	mine, ok := r.figures.at(r.synced, "put", syncConnections)
	bound, known := r.figures.at(r.syncLimit, "put", syncConnections)
	if !ok || !known {
		return row
	}
	row.measured = fmt.Sprintf("%s x (%.0f/s and %.0f/s)", ratio(mine, bound), mine.PerSecond, bound.PerSecond)
	row.outcome = outcomeOf(mine.PerSecond >= 3*bound.PerSecond)
	return row
}

// steady compares the throughput at each number of connections with the highest.
func (r results) steady(what, workload string) targetRow {
	row := targetRow{what: what + ", from 8 to 512 connections", goal: "≥ 80 % of its peak"}
	lowest, peak := math.Inf(1), 0.0
	var each []string
	for _, connections := range append([]int{r.o.connections}, sweep...) {
		f, ok := r.figures.at(r.stator, workload, connections)
		if !ok {
			return row
		}
		lowest, peak = min(lowest, f.PerSecond), max(peak, f.PerSecond)
		each = append(each, fmt.Sprintf("%d: %.0f/s", connections, f.PerSecond))
	}
	row.measured = fmt.Sprintf("%.0f %% (%s)", 100*lowest/peak, strings.Join(each, ", "))
	row.outcome = outcomeOf(lowest >= 0.8*peak)
	return row
}

func duration(what string, took, goal time.Duration) targetRow {
	return targetRow{
		what: what, goal: fmt.Sprintf("≤ %d ms", goal.Milliseconds()),
		measured: fmt.Sprintf("%.0f ms", took.Seconds()*1000), outcome: outcomeOf(took <= goal),
	}
}

func memory(what string, bytes, goalMB int64) targetRow {
	return targetRow{
		what: what, goal: fmt.Sprintf("≤ %d MB", goalMB),
		measured: fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20)), outcome: outcomeOf(bytes <= goalMB<<20),
	}
}

// targetTable writes rows as Markdown.
func targetTable(rows []targetRow) string {
	var b strings.Builder
	b.WriteString("| what | target | measured | |\n|---|---|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.what, row.goal, row.measured, row.outcome)
	}
	return b.String()
}

// figures are those of each contender.
type figures map[*contender]map[point]bench.Figure

// at returns a figure; ok is false if there is none, or the contender is nil.
func (f figures) at(c *contender, workload string, connections int) (figure bench.Figure, ok bool) {
	figure, ok = f[c][point{workload, connections}]
	return figure, ok && figure.PerSecond > 0
}

func figuresOf(all []*contender) (figures, error) {
	f := figures{}
	for _, c := range all {
		list, err := c.report.Figures()
		if err != nil {
			return nil, err
		}
		f[c] = map[point]bench.Figure{}
		for _, figure := range list {
			f[c][point{figure.Workload, figure.Connections}] = figure
		}
	}
	return f, nil
}
