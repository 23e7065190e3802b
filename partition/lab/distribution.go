package lab

import (
	"math"
	"slices"
	"time"
)

// firstBound is the upper bound of the first bucket of distributions and curves.
const firstBound = 125 * time.Microsecond

// distribution summarises lengths of time, which it sorts.
func distribution(lengths []time.Duration) Distribution {
	d := Distribution{Count: len(lengths), Buckets: []Bucket{}}
	if len(lengths) == 0 {
		return d
	}
	slices.Sort(lengths)
	at := func(p float64) time.Duration { return lengths[int(p*float64(len(lengths)-1))] }
	d.Min, d.P50, d.P90, d.P99, d.Max = lengths[0], at(.5), at(.9), at(.99), lengths[len(lengths)-1]
	for from, until := time.Duration(0), firstBound; ; from, until = until, 2*until {
		n := 0
		for len(lengths) > n && lengths[n] < until {
			n++
		}
		lengths = lengths[n:]
		if n > 0 || len(d.Buckets) > 0 {
			d.Buckets = append(d.Buckets, Bucket{from, until, n})
		}
		if len(lengths) == 0 {
			return d
		}
	}
}

// wilson is the 95 % confidence interval of a probability of which k in n were seen
// (Wilson, "Probable inference, the law of succession, and statistical inference",
// 1927).
func wilson(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	p, size := float64(k)/float64(n), float64(n)
	center := (p + z*z/(2*size)) / (1 + z*z/size)
	width := z / (1 + z*z/size) * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	return max(0, center-width), min(1, center+width)
}

// exceeds reports whether a probability of which k in n were seen is higher than one
// of which l in m were, with 95 % confidence (z-test of two proportions, one-sided).
func exceeds(k, n, l, m int) bool {
	const z = 1.6448536269514722
	p, q := float64(k)/float64(n), float64(l)/float64(m)
	pooled := float64(k+l) / float64(n+m)
	deviation := math.Sqrt(pooled * (1 - pooled) * (1/float64(n) + 1/float64(m)))
	return p-q > z*deviation
}
