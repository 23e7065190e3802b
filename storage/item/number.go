package item

import (
	"cmp"
	"math"
	"math/bits"
)

// Limits of a number (Developer Guide, "Data types: Number").
const (
	maxDigits    = 38
	maxMagnitude = 125  // power of ten of the leading digit
	minMagnitude = -130 // power of ten of the leading digit

	// maxNumberText is the longest canonical text: a minus sign, "0.", the
	// zeros down to the leading digit at 10^-130, and 38 digits.
	maxNumberText = 3 + (-minMagnitude - 1) + maxDigits
)

// Number is an exact decimal number of up to 38 significant digits, the value
// of an N. Its zero value is 0. Each value has one representation, so Numbers
// may be compared with ==.
type Number struct {
	// The magnitude is coef × 10^exp, with coef < 10^38 and not divisible by
	// ten. Zero has all fields zero.
	coef     uint128
	exp      int16
	negative bool
}

// ParseNumber reads a number as a request spells it: optional sign, digits with
// at most one decimal point, optional exponent, no white space. The fault is
// one of the kinds NumberSyntax, NumberPrecision, NumberOverflow and
// NumberUnderflow.
func ParseNumber(text []byte) (Number, *ValueError) {
	l, ok := scanLiteral(text)
	if !ok {
		return Number{}, &ValueError{Kind: NumberSyntax, Type: N, Text: string(text)}
	}
	if magnitude := l.magnitude(); magnitude > maxMagnitude {
		return Number{}, &ValueError{Kind: NumberOverflow, Type: N, Text: string(text)}
	} else if magnitude < minMagnitude {
		return Number{}, &ValueError{Kind: NumberUnderflow, Type: N, Text: string(text)}
	}
	if l.significant > maxDigits {
		return Number{}, &ValueError{Kind: NumberPrecision, Type: N, Text: string(text)}
	}
	if l.significant == 0 {
		return Number{}, nil
	}
	return Number{coef: l.coefficient(), exp: int16(l.unit), negative: l.negative}, nil
}

// literal is a number's text taken apart.
type literal struct {
	negative    bool
	digits      []byte // from the first nonzero digit to the last one, maybe with the point
	significant int    // number of digits in digits
	unit        int64  // power of ten of the last of digits; for zero, of the last digit written
}

// magnitude is the power of ten of the leading digit. A zero has one too: the
// service refuses 0e126 for its magnitude.
func (l *literal) magnitude() int64 {
	return l.unit + int64(max(l.significant, 1)-1)
}

func (l *literal) coefficient() uint128 {
	const chunk = 19 // digits that fit 64 bits
	var high, low uint64
	n := 0
	for _, c := range l.digits {
		if c == '.' {
			continue
		}
		if n < chunk {
			high = high*10 + uint64(c-'0')
		} else {
			low = low*10 + uint64(c-'0')
		}
		n++
	}
	if n <= chunk {
		return uint128{lo: high}
	}
	return uint128{lo: high}.mul64(pow10(n - chunk).lo).add(uint128{lo: low})
}

func scanLiteral(text []byte) (l literal, ok bool) {
	i := 0
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		l.negative = text[i] == '-'
		i++
	}
	start := i
	first, last, point := -1, -1, -1 // offsets of nonzero digits, and of the point
	for ; i < len(text); i++ {
		if c := text[i]; '0' <= c && c <= '9' {
			if c != '0' {
				if first < 0 {
					first = i
				}
				last = i
			}
		} else if c == '.' && point < 0 {
			point = i
		} else {
			break
		}
	}
	end := i // of the coefficient
	digits := end - start
	if point >= 0 {
		digits--
	} else {
		point = end
	}
	if digits == 0 {
		return l, false
	}
	exp, ok := scanExponent(text[end:])
	if !ok {
		return l, false
	}
	if first < 0 {
		l.unit = exp - int64(max(0, end-point-1))
		return l, true
	}
	l.digits = text[first : last+1]
	l.significant = len(l.digits)
	switch {
	case last < point:
		l.unit = exp + int64(point-last-1)
	default:
		l.unit = exp - int64(last-point)
		if first < point {
			l.significant-- // the point is among digits
		}
	}
	return l, true
}

// scanExponent reads the rest of a number after its coefficient. An exponent
// beyond int64 is no number to the service; within it, but beyond int32, it is
// an overflow or underflow, so it is clamped to where that is certain.
func scanExponent(text []byte) (exp int64, ok bool) {
	if len(text) == 0 {
		return 0, true
	}
	if text[0] != 'e' && text[0] != 'E' {
		return 0, false
	}
	text = text[1:]
	negative := false
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		negative = text[0] == '-'
		text = text[1:]
	}
	if len(text) == 0 {
		return 0, false
	}
	var magnitude uint64
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		d := uint64(c - '0')
		if magnitude > (limit-d)/10 {
			return 0, false
		}
		magnitude = magnitude*10 + d
	}
	exp = int64(min(magnitude, 1<<40)) // far beyond int32 and any text length
	if negative {
		exp = -exp
	}
	return exp, true
}

// NumberFromInt returns i as a Number.
func NumberFromInt(i int64) Number {
	magnitude := uint64(i)
	if i < 0 {
		magnitude = -magnitude
	}
	return makeNumber(i < 0, uint128{lo: magnitude}, 0)
}

// makeNumber removes trailing zeros. The caller has checked the range.
func makeNumber(negative bool, coef uint128, exp int) Number {
	if coef.isZero() {
		return Number{}
	}
	for {
		q, r := coef.div10()
		if r != 0 {
			return Number{coef: coef, exp: int16(exp), negative: negative}
		}
		coef, exp = q, exp+1
	}
}

// magnitude is the power of ten of the leading digit; n is not zero.
func (n Number) magnitude() int { return int(n.exp) + n.coef.digits() - 1 }

// Sign returns -1, 0 or 1.
func (n Number) Sign() int {
	switch {
	case n.coef.isZero():
		return 0
	case n.negative:
		return -1
	}
	return 1
}

// Cmp returns -1, 0 or 1 as n is less than, equal to or greater than m.
func (n Number) Cmp(m Number) int {
	sign := n.Sign()
	if c := cmp.Compare(sign, m.Sign()); c != 0 || sign == 0 {
		return c
	}
	if c := cmp.Compare(n.magnitude(), m.magnitude()); c != 0 {
		return c * sign
	}
	// With the leading digits aligned, scaling the one with the larger
	// exponent never exceeds 38 digits.
	a, b := n.coef, m.coef
	if d := int(n.exp) - int(m.exp); d > 0 {
		a = a.mulPow10(d)
	} else if d < 0 {
		b = b.mulPow10(-d)
	}
	return a.cmp(b) * sign
}

// Int64 returns n as an int64 if it is a whole number in that range.
func (n Number) Int64() (i int64, ok bool) {
	if n.coef.isZero() {
		return 0, true
	}
	if n.exp < 0 || n.magnitude() > 18 {
		return 0, false
	}
	c := n.coef.mulPow10(int(n.exp))
	if n.negative {
		if c.hi != 0 || c.lo > 1<<63 {
			return 0, false
		}
		return -int64(c.lo), true
	}
	if c.hi != 0 || c.lo > math.MaxInt64 {
		return 0, false
	}
	return int64(c.lo), true
}

// Floor returns the largest whole number that is not above n, if it is in the
// range of an int64.
func (n Number) Floor() (i int64, ok bool) {
	if n.coef.isZero() || n.exp >= 0 {
		return n.Int64()
	}
	whole := n.coef
	for e := n.exp; e < 0 && !whole.isZero(); e++ {
		whole, _ = whole.div10()
	}
	if n.negative { // below the truncated value, as n is not whole
		whole = whole.add(uint128{lo: 1})
	}
	return makeNumber(n.negative, whole, 0).Int64()
}

// Size returns the size of n as an attribute value, see [Value.Size].
func (n Number) Size() int {
	if n.coef.isZero() {
		return 1
	}
	digits, exp := n.coef.digits(), int(n.exp)
	before := min(max(digits+exp, 0), digits)
	size := 1 + (before+1)/2 + (digits-before+1)/2
	if n.negative {
		size++
	}
	return size
}

// uint128 is an unsigned integer; all coefficients are below 10^38 < 2^127.
type uint128 struct{ hi, lo uint64 }

func (u uint128) isZero() bool { return u.hi|u.lo == 0 }

func (u uint128) cmp(v uint128) int {
	if c := cmp.Compare(u.hi, v.hi); c != 0 {
		return c
	}
	return cmp.Compare(u.lo, v.lo)
}

func (u uint128) add(v uint128) uint128 {
	lo, carry := bits.Add64(u.lo, v.lo, 0)
	hi, _ := bits.Add64(u.hi, v.hi, carry)
	return uint128{hi, lo}
}

func (u uint128) sub(v uint128) uint128 {
	lo, borrow := bits.Sub64(u.lo, v.lo, 0)
	hi, _ := bits.Sub64(u.hi, v.hi, borrow)
	return uint128{hi, lo}
}

// mul64 returns u × m; the caller knows that it fits.
func (u uint128) mul64(m uint64) uint128 {
	hi, lo := bits.Mul64(u.lo, m)
	return uint128{hi + u.hi*m, lo}
}

// mulPow10 returns u × 10^n; the caller knows that it fits.
func (u uint128) mulPow10(n int) uint128 {
	for n > 19 {
		u, n = u.mul64(powersOfTen[19].lo), n-19
	}
	return u.mul64(powersOfTen[n].lo)
}

func (u uint128) div10() (q uint128, r uint64) {
	q.hi, r = u.hi/10, u.hi%10
	q.lo, r = bits.Div64(r, u.lo, 10)
	return q, r
}

// digits returns the number of decimal digits; u is not zero.
func (u uint128) digits() int {
	length := 64 + bits.Len64(u.hi)
	if u.hi == 0 {
		length = bits.Len64(u.lo)
	}
	n := length * 1233 >> 12 // floor(length × log10 2), exact up to 128
	if u.cmp(powersOfTen[n]) >= 0 {
		n++
	}
	return n
}

func pow10(n int) uint128 { return powersOfTen[n] }

// powersOfTen holds 10^0 to 10^38.
var powersOfTen = func() (p [maxDigits + 1]uint128) {
	p[0] = uint128{lo: 1}
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1].mul64(10)
	}
	return p
}()
