package bench

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// NewReporter follows a measurement on w: with a line that redraws itself if live,
// which needs a terminal, otherwise with one line for each run.
func NewReporter(w io.Writer, live bool) Reporter {
	if live {
		return &liveReporter{w: w}
	}
	return &plainReporter{w: w}
}

type plainReporter struct {
	w     io.Writer
	title string
}

func (r *plainReporter) Phase(text string)          { fmt.Fprintln(r.w, text) }
func (r *plainReporter) Begin(title string, _ Plan) { r.title = title }
func (r *plainReporter) Sample(Sample)              {}
func (r *plainReporter) End(run Run)                { fmt.Fprintln(r.w, r.title+": "+resultLine(run)) }

// resultLine sums up a run.
func resultLine(run Run) string {
	text := fmt.Sprintf("%.1fs", run.Seconds)
	failed := int64(0)
	for _, o := range run.Operations {
		text += fmt.Sprintf("  %s %s/s p50 %s p99 %s ms", o.Name, grouped(o.PerSecond), latencyText(o.Latency.P50), latencyText(o.Latency.P99))
		failed += o.Failed()
	}
	if failed > 0 {
		text += fmt.Sprintf("  ERRORS %s", grouped(float64(failed)))
	}
	return text
}

const (
	clearLine = "\r\x1b[K"
	barWidth  = 20
	sparks    = 24 // samples of throughput shown
)

// liveReporter draws one line: title, progress, the last figures and the course of
// the throughput.
type liveReporter struct {
	w      io.Writer
	title  string
	plan   Plan
	rates  []float64
	errors float64
	last   float64 // seconds of the last sample
	issued float64
}

func (r *liveReporter) Phase(text string) { fmt.Fprint(r.w, clearLine+text+" …") }

func (r *liveReporter) Begin(title string, plan Plan) {
	*r = liveReporter{w: r.w, title: title, plan: plan}
	text := title
	if plan.Warmup > 0 {
		text += "  warming up"
	}
	fmt.Fprint(r.w, clearLine+text)
}

func (r *liveReporter) Sample(s Sample) {
	r.rates = append(r.rates, s.PerSecond)
	if len(r.rates) > sparks {
		r.rates = r.rates[1:]
	}
	r.errors += s.ErrorsPerSecond * (s.Seconds - r.last)
	r.issued += (s.PerSecond + s.ErrorsPerSecond) * (s.Seconds - r.last)
	r.last = s.Seconds
	done := s.Seconds / r.plan.Duration.Seconds()
	if r.plan.Requests > 0 {
		done = r.issued / float64(r.plan.Requests)
	}
	line := fmt.Sprintf("%s  %s %4s  %9s/s  p50 %s  p99 %s ms  %s", r.title, bar(done),
		time.Duration(s.Seconds*float64(time.Second)).Round(time.Second), grouped(s.PerSecond),
		latencyText(s.P50), latencyText(s.P99), sparkline(r.rates))
	if r.errors > 0 {
		line += fmt.Sprintf("  %s errors", grouped(r.errors))
	}
	fmt.Fprint(r.w, clearLine+line)
}

func (r *liveReporter) End(run Run) {
	fmt.Fprintln(r.w, clearLine+r.title+": "+resultLine(run))
}

func bar(done float64) string {
	full := int(min(max(done, 0), 1)*barWidth + 0.5)
	return strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
}

// sparkline draws values from 0 to the highest with eighths of a block.
func sparkline(values []float64) string {
	const blocks = "▁▂▃▄▅▆▇█"
	highest := 0.0
	for _, v := range values {
		highest = max(highest, v)
	}
	steps := []rune(blocks)
	var text strings.Builder
	for _, v := range values {
		level := 0
		if highest > 0 {
			level = int(v / highest * float64(len(steps)-1))
		}
		text.WriteRune(steps[level])
	}
	return text.String()
}
