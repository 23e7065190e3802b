package report

import (
	"fmt"
	"html/template"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var functions = template.FuncMap{
	"duration":   duration,
	"grouped":    grouped,
	"percent":    percent,
	"counted":    counted,
	"paragraphs": paragraphs,
	"colour":     func(i int) int { return i % colours },
}

// colours is how many colours the style sheet has for groups, and for nodes.
const colours = 8

// duration is a length of time for people, in three digits.
func duration(d time.Duration) string {
	switch size := d.Abs(); {
	case size == 0:
		return "0"
	case size < time.Microsecond:
		return threeDigits(float64(d)) + " ns"
	case size < time.Millisecond:
		return threeDigits(float64(d)/1e3) + " µs"
	case size < time.Second:
		return threeDigits(float64(d)/1e6) + " ms"
	default:
		return threeDigits(float64(d)/1e9) + " s"
	}
}

func threeDigits(v float64) string {
	if math.Abs(v) >= 999.5 {
		return grouped(int(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// grouped is a number with a comma between thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// percent is a share of a whole. Little is not nothing, and almost all not all.
func percent(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	switch v := 100 * float64(part) / float64(whole); {
	case part == 0 || part == whole:
		return fmt.Sprintf("%.0f %%", v)
	case v < 0.01:
		return "< 0.01 %"
	case v > 99.99:
		return "> 99.99 %"
	case v < 1:
		return fmt.Sprintf("%.2f %%", v)
	case v < 10 || v > 99:
		return fmt.Sprintf("%.1f %%", v)
	default:
		return fmt.Sprintf("%.0f %%", v)
	}
}

// counted is a number and the name of what is counted.
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + one + "s"
}

// paragraphs are the parts of a text that empty lines separate.
func paragraphs(text string) []string {
	var list []string
	for p := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			list = append(list, p)
		}
	}
	return list
}

// A piece of a text may name an operation.
type piece struct {
	Text      string
	Operation bool
}

var (
	namedOperations = regexp.MustCompile(`\b[Oo]perations? \d+(?:(?:, | and |, and )\d+)*`)
	digits          = regexp.MustCompile(`\d+`)
)

// pieces cuts a text where it names operations by their IDs, below count.
func pieces(text string, count int) []piece {
	var list []piece
	done := 0
	for _, named := range namedOperations.FindAllStringIndex(text, -1) {
		for _, number := range digits.FindAllStringIndex(text[named[0]:named[1]], -1) {
			from, until := named[0]+number[0], named[0]+number[1]
			if id, err := strconv.Atoi(text[from:until]); err != nil || id >= count {
				continue
			}
			list = append(list, piece{Text: text[done:from]}, piece{Text: text[from:until], Operation: true})
			done = until
		}
	}
	return append(list, piece{Text: text[done:]})
}
