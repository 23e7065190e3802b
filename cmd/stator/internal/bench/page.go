package bench

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"grouped": grouped,
	"ms":      latencyText,
	"svg":     func(p plot) template.HTML { return template.HTML(p.svg()) }, // made of numbers and our own words
}).Parse(pageText))

// page is what page.html shows.
type page struct {
	Title      string
	Started    string
	Conditions []string
	Repeated   bool
	Server     bool // whether its processor time is known
	Rows       []pageRow
	Sections   []pageSection
}

type pageRow struct {
	Workload, Operation, Errors string
	Connections                 int
	PerSecond, Lowest, Highest  float64
	Items                       float64
	Latencies                   []float64 // p50, p90, p99, p99.9, max
	Server                      string
	Failed                      bool
	Total                       bool // of a workload with several operations
}

type pageSection struct {
	Title, Description string
	Plots              []pagePlot
}

type pagePlot struct {
	Title  string
	Plot   plot
	Legend []pageLegend
}

type pageLegend struct {
	Name  string
	Color template.CSS
}

// WritePage writes one HTML page that needs nothing else: the conditions, the
// figures, and for each workload the throughput over time and the latencies by
// percentile.
func (r *Report) WritePage(w io.Writer) error {
	rows, err := r.summarize()
	if err != nil {
		return err
	}
	p := page{
		Title:      r.Target,
		Started:    r.Started.Format("2006-01-02 15:04 MST"),
		Conditions: r.conditions(),
		Repeated:   r.Plan.Repeat > 1,
		Server:     serverKnown(rows),
	}
	for _, s := range rows {
		p.Rows = append(p.Rows, pageRow{
			Workload: s.workload, Operation: s.operation, Connections: s.connections,
			PerSecond: s.perSecond.median, Lowest: s.perSecond.min, Highest: s.perSecond.max,
			Items:     s.items.median,
			Latencies: []float64{s.p50.median, s.p90.median, s.p99.median, s.p999.median, s.max.median},
			Server:    microsecondsText(s.server.median),
			Errors:    s.errorText(), Failed: s.failed > 0, Total: s.operation == allOperations,
		})
	}
	for _, name := range r.Plan.Workloads {
		if section := r.section(name, rows); len(section.Plots) > 0 {
			p.Sections = append(p.Sections, section)
		}
	}
	return pageTemplate.Execute(w, p)
}

// section has the plots of a workload.
func (r *Report) section(name string, rows []summary) pageSection {
	workload, _ := workloadNamed(name)
	section := pageSection{Title: name, Description: workload.Description}
	add := func(title string, p plot) {
		shown := pagePlot{Title: title, Plot: p}
		for _, s := range p.legend() {
			shown.Legend = append(shown.Legend, pageLegend{s.name, template.CSS(fmt.Sprintf("var(--c%d)", s.color%seriesColors))})
		}
		section.Plots = append(section.Plots, shown)
	}
	measured := r.connectionsOf(name)
	for _, connections := range measured {
		suffix := ", " + connectionsText(connections)
		if p, ok := r.timelinePlot(name, connections); ok {
			add("Throughput over time"+suffix, p)
		}
		if p, ok := percentilePlot(name, connections, rows); ok {
			add("Latency by percentile"+suffix, p)
		}
	}
	if len(measured) > 1 {
		add("Throughput by connections", connectionsPlot(name, measured, rows))
	}
	return section
}

// connectionsOf returns the numbers of connections a workload was measured with.
func (r *Report) connectionsOf(workload string) []int {
	var list []int
	for _, connections := range r.Plan.Connections {
		for _, run := range r.Runs {
			if run.Workload == workload && run.Connections == connections {
				list = append(list, connections)
				break
			}
		}
	}
	return list
}

func (r *Report) timelinePlot(workload string, connections int) (plot, bool) {
	p := plot{xLabel: "seconds", yLabel: "operations a second"}
	highest, seconds := 0.0, 0.0
	for _, run := range r.Runs {
		if run.Workload != workload || run.Connections != connections || len(run.Timeline) < 2 {
			continue
		}
		s := series{name: "run " + strconv.Itoa(run.Repeat), color: run.Repeat - 1}
		for _, sample := range run.Timeline {
			s.points = append(s.points, point{x: sample.Seconds, y: sample.PerSecond})
			highest, seconds = max(highest, sample.PerSecond), max(seconds, sample.Seconds)
		}
		p.series = append(p.series, s)
	}
	p.x, p.y = timeAxis(seconds), linearAxis(highest, shortNumber)
	return p, len(p.series) > 0
}

func percentilePlot(workload string, connections int, rows []summary) (plot, bool) {
	p := plot{xLabel: "percentile", yLabel: "latency in ms"}
	most := int64(0)
	for _, s := range rows {
		if s.workload == workload && s.connections == connections {
			most = max(most, s.merged.TotalCount())
		}
	}
	if most == 0 {
		return p, false
	}
	var last float64
	p.x, last = percentileAxis(most)
	lowest, highest := 0.0, 0.0
	for _, s := range rows {
		count := s.merged.TotalCount()
		if s.workload != workload || s.connections != connections || s.operation == allOperations || count == 0 {
			continue
		}
		line := series{name: s.operation, color: len(p.series)}
		const steps = 150
		_, own := percentileAxis(count) // what this operation's count can tell
		for i := range steps + 1 {
			// Steps of equal width on the axis.
			percentile := 100 - 100*math.Pow(1-last/100, float64(i)/steps)
			if percentile > own+1e-9 {
				break
			}
			y := milliseconds(s.merged.ValueAtPercentile(percentile))
			line.points = append(line.points, point{x: percentile, y: y})
			// The fastest few requests would take half of the plot.
			if percentile >= 10 && (lowest == 0 || y < lowest) {
				lowest = y
			}
			highest = max(highest, y)
		}
		p.series = append(p.series, line)
	}
	p.y = logAxis(lowest, highest, tickText)
	return p, true
}

func connectionsPlot(workload string, measured []int, rows []summary) plot {
	p := plot{xLabel: "connections", yLabel: "operations a second", x: connectionsAxis(measured)}
	highest := 0.0
	lines := map[string]int{}
	for _, s := range rows {
		if s.workload != workload {
			continue
		}
		at, known := lines[s.operation]
		if !known {
			at = len(p.series)
			lines[s.operation] = at
			p.series = append(p.series, series{name: s.operation, color: at, marks: true})
		}
		value := point{x: float64(s.connections), y: s.perSecond.median}
		if s.runs > 1 {
			value.low, value.high = s.perSecond.min, s.perSecond.max
		}
		p.series[at].points = append(p.series[at].points, value)
		highest = max(highest, s.perSecond.max)
	}
	p.y = linearAxis(highest, shortNumber)
	return p
}

// shortNumber writes 12000 as 12k.
func shortNumber(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 4, 64) + "M"
	case v >= 1e3:
		return strconv.FormatFloat(v/1e3, 'g', 4, 64) + "k"
	default:
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
}
