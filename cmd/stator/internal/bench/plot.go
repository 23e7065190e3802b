package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Plots are drawn into a box of this size; the page scales it.
const (
	plotWidth, plotHeight                            = 560.0, 310.0
	marginLeft, marginRight, marginTop, marginBottom = 58.0, 28.0, 28.0, 42.0
)

// seriesColors is the number of colours that the page defines as --c0, --c1, ...
const seriesColors = 8

// plot is a line chart.
type plot struct {
	xLabel, yLabel string
	x, y           axis
	series         []series
}

// series is one line.
type series struct {
	name   string
	color  int
	marks  bool // points are drawn
	points []point
}

// point is a value, optionally with whiskers from low to high (both 0 for none).
type point struct{ x, y, low, high float64 }

// axis maps values to the interval from 0 to 1.
type axis struct {
	ticks []tick
	place func(v float64) float64
}

type tick struct {
	value float64
	label string
}

// linearAxis goes from 0 to a round number not below highest.
func linearAxis(highest float64, label func(float64) string) axis {
	if highest <= 0 {
		highest = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(highest)))
	for _, factor := range []float64{0.1, 0.2, 0.25, 0.5, 1, 2} {
		if highest/(step*factor) <= 6 {
			step *= factor
			break
		}
	}
	end := math.Ceil(highest/step-1e-9) * step
	a := axis{place: func(v float64) float64 { return v / end }}
	for i := 0; float64(i)*step <= end*(1+1e-9); i++ {
		a.ticks = append(a.ticks, tick{float64(i) * step, label(float64(i) * step)})
	}
	return a
}

// timeAxis goes from 0 to exactly highest seconds.
func timeAxis(highest float64) axis {
	a := linearAxis(highest, tickText)
	highest = max(highest, 1e-3)
	a.place = func(v float64) float64 { return v / highest }
	for len(a.ticks) > 1 && a.ticks[len(a.ticks)-1].value > highest*1.001 {
		a.ticks = a.ticks[:len(a.ticks)-1]
	}
	return a
}

// logAxis covers the values from lowest to highest with ticks at 1, 2 and 5.
func logAxis(lowest, highest float64, label func(float64) string) axis {
	if lowest <= 0 || highest <= 0 {
		lowest, highest = 0.1, 10
	}
	steps := []float64{1, 2, 5}
	if highest/lowest > 2000 {
		steps = []float64{1}
	}
	var values []float64
	for exponent := math.Floor(math.Log10(lowest)); exponent <= math.Ceil(math.Log10(highest)); exponent++ {
		for _, step := range steps {
			values = append(values, step*math.Pow(10, exponent))
		}
	}
	for len(values) > 2 && values[1] <= lowest {
		values = values[1:]
	}
	for len(values) > 2 && values[len(values)-2] >= highest {
		values = values[:len(values)-1]
	}
	low, high := math.Log(values[0]), math.Log(values[len(values)-1])
	a := axis{place: func(v float64) float64 { return (math.Log(max(v, values[0])) - low) / (high - low) }}
	for _, v := range values {
		a.ticks = append(a.ticks, tick{v, label(v)})
	}
	return a
}

// percentileAxis gives each further nine the same room, up to as many as count
// values can tell: the tail is what matters.
func percentileAxis(count int64) (a axis, highest float64) {
	nines := min(max(math.Floor(math.Log10(float64(max(count, 1)))), 2), 6)
	highest = 100 - 100*math.Pow(10, -nines)
	a.place = func(v float64) float64 { return -math.Log10(1-min(v, highest)/100) / nines }
	a.ticks = append(a.ticks, tick{0, "0"})
	for _, v := range []float64{50, 90, 99, 99.9, 99.99, 99.999, 99.9999} {
		if v <= highest+1e-9 {
			a.ticks = append(a.ticks, tick{v, strconv.FormatFloat(v, 'f', -1, 64) + "%"})
		}
	}
	return a, highest
}

// connectionsAxis has a tick for each number of connections, on a logarithmic scale.
func connectionsAxis(values []int) axis {
	low, high := math.Inf(1), math.Inf(-1)
	var a axis
	for _, v := range values {
		low, high = min(low, math.Log(float64(v))), max(high, math.Log(float64(v)))
		a.ticks = append(a.ticks, tick{float64(v), strconv.Itoa(v)})
	}
	a.place = func(v float64) float64 { return 0.03 + 0.94*(math.Log(v)-low)/max(high-low, 1e-9) }
	return a
}

// tickText is a value of an axis in full.
func tickText(v float64) string {
	if v >= 1000 {
		return grouped(v)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// svg draws the plot.
func (p plot) svg() string {
	var b strings.Builder
	right, bottom := plotWidth-marginRight, plotHeight-marginBottom
	px := func(v float64) float64 { return marginLeft + p.x.place(v)*(right-marginLeft) }
	py := func(v float64) float64 { return bottom - p.y.place(v)*(bottom-marginTop) }

	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s by %s">`, plotWidth, plotHeight, p.yLabel, p.xLabel)
	for _, t := range p.y.ticks {
		y := py(t.value)
		fmt.Fprintf(&b, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, marginLeft, right, y, y)
		fmt.Fprintf(&b, `<text x="%g" y="%.1f" text-anchor="end">%s</text>`, marginLeft-7, y+3.5, t.label)
	}
	for _, t := range p.x.ticks {
		x := px(t.value)
		fmt.Fprintf(&b, `<line class="tick" x1="%.1f" x2="%.1f" y1="%g" y2="%g"/>`, x, x, bottom, bottom+4)
		fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`, x, bottom+16, t.label)
	}
	fmt.Fprintf(&b, `<line class="axis" x1="%g" x2="%g" y1="%g" y2="%g"/>`, marginLeft, right, bottom, bottom)
	fmt.Fprintf(&b, `<text class="label" x="%g" y="%g" text-anchor="middle">%s</text>`, (marginLeft+right)/2, plotHeight-8, p.xLabel)
	fmt.Fprintf(&b, `<text class="label" x="0" y="12">%s</text>`, p.yLabel)

	for _, s := range p.series {
		s.draw(&b, px, py)
	}
	b.WriteString(`</svg>`)
	return b.String()
}

func (s series) draw(b *strings.Builder, px, py func(float64) float64) {
	fmt.Fprintf(b, `<g style="--c:var(--c%d)"><polyline class="line" points="`, s.color%seriesColors)
	for _, pt := range s.points {
		fmt.Fprintf(b, "%.1f,%.1f ", px(pt.x), py(pt.y))
	}
	b.WriteString(`"/>`)
	for _, pt := range s.points {
		if pt.high > 0 {
			fmt.Fprintf(b, `<line class="whisker" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, px(pt.x), px(pt.x), py(pt.low), py(pt.high))
		}
		if s.marks {
			fmt.Fprintf(b, `<circle class="mark" cx="%.1f" cy="%.1f" r="3.5"/>`, px(pt.x), py(pt.y))
		}
	}
	b.WriteString(`</g>`)
}

// legend lists the lines; a single one needs none.
func (p plot) legend() []series {
	if len(p.series) < 2 {
		return nil
	}
	return p.series
}
