package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPageStandsAlone(t *testing.T) {
	r := madeUpReport(t, "get", 1000, 1100, 900)
	r.Target = `<b>"made up"</b>`
	r.Runs[0].Operations[0].Errors = map[string]int64{"<i>": 1}
	var out strings.Builder
	require.NoError(t, r.WritePage(&out))
	text := out.String()
	require.NotContains(t, text, "<b>", "a description is text")
	require.NotContains(t, text, "<i>", "an error is text")
	require.NotContains(t, text, "ZgotmplZ")
	require.NotContains(t, text, "NaN")
	require.NotRegexp(t, `(src|href)=|@import|url\(`, text)
	require.Contains(t, text, "default-src 'none'")
	require.Equal(t, 1, strings.Count(text, "Throughput over time, 8 connections"))
	require.Equal(t, 1, strings.Count(text, "Latency by percentile, 8 connections"))

	plots := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1)
	require.Len(t, plots, 2)
	for _, svg := range plots {
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else {
				require.NoError(t, err)
			}
		}
	}
	require.Equal(t, 3, strings.Count(plots[0], "<polyline"), "a line for each run")
	require.Equal(t, 1, strings.Count(plots[1], "<polyline"), "a line for the operation")
}

func TestTicksAreNumbersForPeople(t *testing.T) {
	for text, v := range map[string]float64{"0.05": 5 * 0.01, "0.3": 3 * 0.1, "100": 100, "1,000": 1000, "20,000": 20000} {
		require.Equal(t, text, tickText(v))
	}
}

func TestPageComparesConnections(t *testing.T) {
	r := madeUpReport(t, "get", 1000, 1100)
	r.Plan.Connections = []int{8, 64}
	for i, run := range madeUpReport(t, "get", 5000, 5500).Runs {
		run.Connections, run.Repeat = 64, i+1
		r.Runs = append(r.Runs, run)
	}
	var out strings.Builder
	require.NoError(t, r.WritePage(&out))
	require.Contains(t, out.String(), "Throughput by connections")
	require.Equal(t, 2, strings.Count(out.String(), `class="whisker"`))
}

// TestAxes: whatever the values, the ticks ascend and everything lies on the axis.
func TestAxes(t *testing.T) {
	label := func(float64) string { return "" }
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(1e-3, 1e6).Draw(t, "low")
		high := low * rapid.Float64Range(1, 1e6).Draw(t, "factor")
		for name, a := range map[string]axis{
			"linear": linearAxis(high, label), "log": logAxis(low, high, label), "time": timeAxis(high),
		} {
			require.NotEmpty(t, a.ticks, name)
			require.LessOrEqual(t, len(a.ticks), 14, name)
			last := math.Inf(-1)
			for _, tick := range a.ticks {
				require.Greater(t, tick.value, last, name)
				last = tick.value
			}
			for _, v := range []float64{low, high} {
				require.GreaterOrEqual(t, a.place(v), -1e-9, name)
				require.LessOrEqual(t, a.place(v), 1+1e-9, name)
			}
		}
	})
}

func TestPercentileAxis(t *testing.T) {
	a, highest := percentileAxis(100_000)
	require.InDelta(t, 99.999, highest, 1e-9)
	require.Zero(t, a.place(0))
	require.InDelta(t, 0.2, a.place(90), 1e-9)
	require.InDelta(t, 0.4, a.place(99), 1e-9)
	require.InDelta(t, 1, a.place(100), 1e-9)
	require.Equal(t, "99.999%", a.ticks[len(a.ticks)-1].label)
	_, highest = percentileAxis(0)
	require.InDelta(t, 99, highest, 1e-9)
}
