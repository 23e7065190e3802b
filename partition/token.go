package partition

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// Token places an item collection on the ring: a 64-bit hash of the ordered
// encoding of its partition key. All items of one partition key share a token,
// so they live on one shard, side by side.
type Token uint64

func tokenOf(partitionKey []byte) Token { return Token(xxhash.Sum64(partitionKey)) }

// shardOf maps a token to one of n contiguous, equal token ranges.
func shardOf(t Token, n int) int {
	hi, _ := bits.Mul64(uint64(t), uint64(n))
	return int(hi)
}

// A tokenRange holds the tokens from first to last, both included.
type tokenRange struct{ first, last Token }

// splitRing returns part i of the ring divided into n contiguous ranges. The
// ranges of one n cover every token exactly once.
func splitRing(i, n int) tokenRange {
	return tokenRange{first: ringBound(i, n), last: ringBound(i+1, n) - 1}
}

// ringBound is the smallest token t with shardOf(t, n) >= i: ceil(i * 2^64 / n).
// For i = n it wraps to 0, whose predecessor is the largest token.
func ringBound(i, n int) Token {
	if i == 0 || i == n {
		return 0
	}
	q, r := bits.Div64(uint64(i), 0, uint64(n))
	if r != 0 {
		q++
	}
	return Token(q)
}

func (r tokenRange) contains(t Token) bool { return r.first <= t && t <= r.last }

// intersect returns the tokens in both ranges; ok is false if there are none.
func (r tokenRange) intersect(o tokenRange) (both tokenRange, ok bool) {
	both = tokenRange{max(r.first, o.first), min(r.last, o.last)}
	return both, both.first <= both.last
}

var wholeRing = tokenRange{0, math.MaxUint64}

func hexToken(t Token) string { return fmt.Sprintf("%016x", uint64(t)) }
