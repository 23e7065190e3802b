package partition

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRingIsCoveredOnce(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 7, 8, 16, 255, 1000} {
		next := Token(0)
		for i := range n {
			r := splitRing(i, n)
			require.Equal(t, next, r.first, "part %d of %d", i, n)
			require.LessOrEqual(t, r.first, r.last)
			require.Equal(t, i, shardOf(r.first, n))
			require.Equal(t, i, shardOf(r.last, n))
			next = r.last + 1
		}
		require.Zero(t, next, "the last of %d parts ends at the largest token", n)
	}
}

func TestTokenIsInItsPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1_000_000).Draw(t, "n")
		token := Token(rapid.Uint64().Draw(t, "token"))
		i := shardOf(token, n)
		require.True(t, splitRing(i, n).contains(token))
	})
}

func TestIntersect(t *testing.T) {
	both, ok := splitRing(0, 2).intersect(splitRing(1, 4))
	require.True(t, ok)
	require.Equal(t, splitRing(1, 4), both)
	_, ok = splitRing(0, 2).intersect(splitRing(2, 4))
	require.False(t, ok)
	both, ok = wholeRing.intersect(tokenRange{5, math.MaxUint64})
	require.True(t, ok)
	require.Equal(t, tokenRange{5, math.MaxUint64}, both)
}
