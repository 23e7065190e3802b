package bench

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func testRandom() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// frequencies draws keys and returns the share of each.
func frequencies(chooser keyChooser, n int64, draws int) []float64 {
	random := testRandom()
	shares := make([]float64, n)
	for range draws {
		shares[chooser.next(random, n)] += 1 / float64(draws)
	}
	return shares
}

func TestUniformKeys(t *testing.T) {
	for key, share := range frequencies(newKeyChooser(Uniform, 100), 100, 1_000_000) {
		require.InDelta(t, 0.01, share, 0.001, "key %d", key)
	}
}

func TestZipfianRanksFollowTheirDefinition(t *testing.T) {
	const n, draws = 1000, 2_000_000
	z := newZipfian(n)
	random := testRandom()
	shares := make([]float64, n)
	for range draws {
		shares[z.next(random)] += 1.0 / draws
	}
	zeta := 0.0
	for i := 1; i <= n; i++ {
		zeta += 1 / math.Pow(float64(i), zipfianExponent)
	}
	require.InEpsilon(t, zeta, z.zeta, 1e-12)
	// The method is exact for the first two ranks and an approximation after them.
	require.InEpsilon(t, 1/zeta, shares[0], 0.01)
	require.InEpsilon(t, math.Pow(0.5, zipfianExponent)/zeta, shares[1], 0.02)
	head, expected := 0.0, 0.0
	for i := range 100 {
		head += shares[i]
		expected += 1 / math.Pow(float64(i+1), zipfianExponent) / zeta
	}
	require.InEpsilon(t, expected, head, 0.03, "the first hundred of a thousand")
}

func TestZipfianGrowsAsIfMadeLarger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.Int64Range(3, 500).Draw(t, "from")
		to := rapid.Int64Range(from, 1000).Draw(t, "to")
		z := newZipfian(from)
		z.grow(to)
		require.Equal(t, newZipfian(to), z)
	})
}

// TestScrambledConstant checks YCSB's zeta of ten billion by summing a million terms
// and integrating the rest (Euler and Maclaurin).
func TestScrambledConstant(t *testing.T) {
	const summed, all = 1e6, 1e10
	rest := (math.Pow(all, 1-zipfianExponent) - math.Pow(summed, 1-zipfianExponent)) / (1 - zipfianExponent)
	rest += (math.Pow(all, -zipfianExponent) - math.Pow(summed, -zipfianExponent)) / 2
	require.InDelta(t, newZipfian(summed).zeta+rest, scrambledRanks.zeta, 1e-6)
}

func TestScrambledKeysAreHotButNotNeighbours(t *testing.T) {
	const n = 1000
	shares := frequencies(newKeyChooser(Zipfian, n), n, 1_000_000)
	hottest := 0
	for key, share := range shares {
		require.Positive(t, share, "key %d is never chosen", key)
		if share > shares[hottest] {
			hottest = key
		}
	}
	require.Equal(t, int(fnvHash(0)%n), hottest)
	require.InEpsilon(t, 1/scrambledRanks.zeta, shares[hottest], 0.1)
	require.Less(t, shares[(hottest+1)%n], shares[hottest]/4)
}

// TestFNVHash uses a published FNV-1a value: eight zero bytes.
func TestFNVHash(t *testing.T) {
	require.Equal(t, uint64(0xa8c7f832281a39c5), fnvHash(0))
}

func TestLatestKeysFollowTheEnd(t *testing.T) {
	chooser := newKeyChooser(Latest, 1000)
	random := testRandom()
	for _, n := range []int64{1000, 1500} {
		newest := 0
		for range 100_000 {
			key := chooser.next(random, n)
			require.GreaterOrEqual(t, key, int64(0))
			require.Less(t, key, n)
			if key == n-1 {
				newest++
			}
		}
		require.InEpsilon(t, 1/newZipfian(n).zeta, float64(newest)/100_000, 0.05)
	}
}

func TestChooseDistinct(t *testing.T) {
	for _, d := range []Distribution{Uniform, Zipfian, Latest} {
		w := worker{inserts: newInserts(150), keys: newKeyChooser(d, 150), random: testRandom()}
		for range 100 {
			seen := map[int64]bool{}
			for _, index := range w.chooseDistinct(100) {
				require.False(t, seen[index], "%s: %d twice", d, index)
				require.True(t, index >= 0 && index < 150)
				seen[index] = true
			}
		}
	}
}

func TestInserts(t *testing.T) {
	s := newInserts(10)
	require.Equal(t, []int64{10, 11, 12}, []int64{s.reserve(), s.reserve(), s.reserve()})
	s.finish(11, true)
	require.Equal(t, int64(10), s.existing(), "10 may not exist yet")
	s.finish(10, false)
	require.Equal(t, int64(10), s.existing())
	require.Equal(t, int64(10), s.reserve(), "an index that failed is used again")
	s.finish(10, true)
	require.Equal(t, int64(12), s.existing())
	require.Equal(t, int64(13), s.reserve())
}
