package bench

import (
	"math"
	"math/rand/v2"
)

// Distribution names how keys are chosen among the items.
type Distribution string

// The distributions of YCSB.
const (
	// Uniform chooses every item with the same probability.
	Uniform Distribution = "uniform"
	// Zipfian chooses few items very often; which ones they are is scrambled over
	// the key space, so that neighbours are not hot together.
	Zipfian Distribution = "zipfian"
	// Latest chooses the items inserted last most often.
	Latest Distribution = "latest"
)

func (d Distribution) known() bool {
	return d == Uniform || d == Zipfian || d == Latest
}

// keyChooser draws the index of one of the first n items.
type keyChooser interface {
	next(random *rand.Rand, n int64) int64
}

// newKeyChooser prepares the distribution for items indexes; n may grow later.
func newKeyChooser(d Distribution, items int64) keyChooser {
	switch d {
	case Zipfian:
		return scrambledKeys{}
	case Latest:
		return &latestKeys{newZipfian(items)}
	default:
		return uniformKeys{}
	}
}

type uniformKeys struct{}

func (uniformKeys) next(random *rand.Rand, n int64) int64 { return random.Int64N(n) }

// scrambledKeys is YCSB's ScrambledZipfianGenerator: ranks are drawn over ten
// billion items, whatever n is, and hashed onto the n that exist. So an insert does
// not move the hot items, and no constant depends on n.
type scrambledKeys struct{}

// scrambledRanks is YCSB's constant for ten billion items and exponent 0.99; its
// zeta takes minutes to compute.
var scrambledRanks = zipfianWithZeta(10_000_000_000, 26.46902820178302)

func (scrambledKeys) next(random *rand.Rand, n int64) int64 {
	return int64(fnvHash(uint64(scrambledRanks.next(random))) % uint64(n))
}

// fnvHash is FNV-1a over the bytes of v, lowest first.
func fnvHash(v uint64) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for range 8 {
		hash = (hash ^ v&0xff) * 0x100000001b3
		v >>= 8
	}
	return hash
}

// latestKeys is YCSB's SkewedLatestGenerator: rank 0 is the newest item.
type latestKeys struct{ ranks zipfian }

func (k *latestKeys) next(random *rand.Rand, n int64) int64 {
	k.ranks.grow(n)
	return n - 1 - min(k.ranks.next(random), n-1)
}

// zipfianExponent is YCSB's: the most popular of n items is about as popular as
// the next nine together.
const zipfianExponent = 0.99

// zipfian draws ranks from 0 with probabilities proportional to 1/(rank+1)^0.99, by
// the method of Gray et al., "Quickly Generating Billion-Record Synthetic
// Databases" (SIGMOD 1994).
type zipfian struct {
	n          int64
	zeta       float64 // the sum of 1/i^exponent for i from 1 to n
	alpha, eta float64
}

func newZipfian(n int64) zipfian {
	var z zipfian
	z.grow(n)
	return z
}

func zipfianWithZeta(n int64, zeta float64) zipfian {
	z := zipfian{n: n, zeta: zeta, alpha: 1 / (1 - zipfianExponent)}
	zeta2 := 1 + math.Pow(0.5, zipfianExponent)
	z.eta = (1 - math.Pow(2/float64(n), 1-zipfianExponent)) / (1 - zeta2/zeta)
	return z
}

// grow extends the range to n ranks, at the cost of one step for each new one.
func (z *zipfian) grow(n int64) {
	if n <= z.n {
		return
	}
	zeta := z.zeta
	for i := z.n + 1; i <= n; i++ {
		zeta += 1 / math.Pow(float64(i), zipfianExponent)
	}
	*z = zipfianWithZeta(n, zeta)
}

func (z *zipfian) next(random *rand.Rand) int64 {
	u := random.Float64()
	switch uz := u * z.zeta; {
	case uz < 1:
		return 0
	case uz < 1+math.Pow(0.5, zipfianExponent):
		return 1
	default:
		return int64(float64(z.n) * math.Pow(z.eta*u-z.eta+1, z.alpha))
	}
}
