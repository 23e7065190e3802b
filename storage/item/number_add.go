package item

import (
	"errors"
	"math/big"
)

// Faults of arithmetic: the result's magnitude is 10^126 or more or it has more
// than 38 significant digits, or it is not zero and less than 10^-130. That the
// service calls too many digits an overflow, too, was seen there.
var (
	ErrNumberOverflow  = errors.New("number overflow")
	ErrNumberUnderflow = errors.New("number underflow")
)

// Add returns n + m, which is exact. The error is ErrNumberOverflow or
// ErrNumberUnderflow.
func (n Number) Add(m Number) (Number, error) {
	switch {
	case m.coef.isZero():
		return n, nil
	case n.coef.isZero():
		return m, nil
	}
	if n.exp < m.exp {
		n, m = m, n
	}
	shift := int(n.exp) - int(m.exp)
	if n.coef.digits()+shift <= maxDigits {
		return addAligned(n.negative, n.coef.mulPow10(shift), m.negative, m.coef, int(m.exp))
	}
	if n.magnitude()-m.magnitude() > maxDigits {
		// All of m lies beyond the 38th digit of the sum.
		return Number{}, ErrNumberOverflow
	}
	return addWide(n, m, shift)
}

// Sub returns n - m, like [Number.Add].
func (n Number) Sub(m Number) (Number, error) {
	if !m.coef.isZero() {
		m.negative = !m.negative
	}
	return n.Add(m)
}

// addAligned adds two coefficients of at most 38 digits that count units of
// 10^exp.
func addAligned(aNegative bool, a uint128, bNegative bool, b uint128, exp int) (Number, error) {
	if aNegative != bNegative {
		if a.cmp(b) < 0 {
			return inRange(makeNumber(bNegative, b.sub(a), exp))
		}
		return inRange(makeNumber(aNegative, a.sub(b), exp))
	}
	sum := a.add(b)
	if sum.cmp(powersOfTen[maxDigits]) >= 0 { // 39 digits, of which the last must be 0
		q, r := sum.div10()
		if r != 0 {
			return Number{}, ErrNumberOverflow
		}
		sum, exp = q, exp+1
	}
	return inRange(makeNumber(aNegative, sum, exp))
}

// addWide adds numbers that do not fit 38 digits when aligned; n's exponent is
// the larger one, by shift.
func addWide(n, m Number, shift int) (Number, error) {
	ten := big.NewInt(10)
	sum := new(big.Int).Exp(ten, big.NewInt(int64(shift)), nil)
	sum.Mul(sum, n.signed())
	sum.Add(sum, m.signed())
	negative := sum.Sign() < 0
	sum.Abs(sum)
	exp := int(m.exp)
	if excess := len(sum.Text(10)) - maxDigits; excess > 0 {
		unit := new(big.Int).Exp(ten, big.NewInt(int64(excess)), nil)
		rest := new(big.Int)
		if sum.QuoRem(sum, unit, rest); rest.Sign() != 0 {
			return Number{}, ErrNumberOverflow
		}
		exp += excess
	}
	coef := uint128{hi: new(big.Int).Rsh(sum, 64).Uint64(), lo: sum.Uint64()} // Uint64 keeps the low bits
	return inRange(makeNumber(negative, coef, exp))
}

func (n Number) signed() *big.Int {
	i := new(big.Int).SetUint64(n.coef.hi)
	i.Lsh(i, 64).Or(i, new(big.Int).SetUint64(n.coef.lo))
	if n.negative {
		i.Neg(i)
	}
	return i
}

func inRange(n Number) (Number, error) {
	if n.coef.isZero() {
		return n, nil
	}
	switch magnitude := n.magnitude(); {
	case magnitude > maxMagnitude:
		return Number{}, ErrNumberOverflow
	case magnitude < minMagnitude:
		return Number{}, ErrNumberUnderflow
	}
	return n, nil
}
