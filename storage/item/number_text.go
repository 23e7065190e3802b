package item

import "strconv"

// AppendText appends n in canonical form, which is how numbers are stored and
// returned: plain decimal without exponent, plus sign, leading or trailing
// zeros. It is at most 170 bytes long.
func (n Number) AppendText(dst []byte) []byte {
	if n.coef.isZero() {
		return append(dst, '0')
	}
	if n.negative {
		dst = append(dst, '-')
	}
	var buf [maxDigits + 2]byte
	return appendPlain(dst, n.coef.appendDigits(buf[:0]), int(n.exp))
}

// String returns n in canonical form.
func (n Number) String() string { return string(n.AppendText(nil)) }

func (u uint128) appendDigits(dst []byte) []byte {
	if u.hi == 0 {
		return strconv.AppendUint(dst, u.lo, 10)
	}
	var buf [maxDigits + 1]byte
	i := len(buf)
	for !u.isZero() {
		var r uint64
		u, r = u.div10()
		i--
		buf[i] = '0' + byte(r)
	}
	return append(dst, buf[i:]...)
}

const zeros = "00000000000000000000000000000000000000000000000000000000000000000000000000000000" +
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"

// appendPlain writes digits × 10^exp without an exponent. The digits have
// neither leading nor trailing zeros, and the range is that of a Number.
func appendPlain(dst, digits []byte, exp int) []byte {
	switch point := len(digits) + exp; {
	case exp >= 0:
		return append(append(dst, digits...), zeros[:exp]...)
	case point > 0:
		dst = append(append(dst, digits[:point]...), '.')
		return append(dst, digits[point:]...)
	default:
		dst = append(append(dst, "0."...), zeros[:-point]...)
		return append(dst, digits...)
	}
}

// isCanonical reports whether text is certainly a number in canonical form, as
// nearly all are: an integer or a decimal fraction that need not be parsed. It
// gives up on long ones.
func isCanonical(text []byte) bool {
	if isNegative(text) {
		if text = text[1:]; len(text) == 1 && text[0] == '0' {
			return false
		}
	}
	if len(text) == 0 || len(text) > maxDigits {
		return false
	}
	point := -1
	for i, c := range text {
		if c == '.' && point < 0 {
			point = i
		} else if c < '0' || c > '9' {
			return false
		}
	}
	if point < 0 {
		return text[0] != '0' || len(text) == 1
	}
	last := text[len(text)-1]
	return point > 0 && (text[0] != '0' || point == 1) && last != '0' && last != '.'
}
