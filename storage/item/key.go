package item

import (
	"bytes"
	"errors"
	"slices"
)

// ErrKey is bytes that are no ordered key of the wanted type.
var ErrKey = errors.New("malformed key")

// In an S or B key, a zero byte is followed by escapedZero if it belongs to the
// value and by endOfText if the value ends here, so that a value sorts before
// those that extend it.
const (
	escapedZero = 0xFF
	endOfText   = 0x01
)

// An N key starts with the number's sign. All bytes after negativeKey are
// inverted.
const (
	negativeKey = 0x7F
	zeroKey     = 0x80
	positiveKey = 0x81

	exponentBias = -minMagnitude
	maxPairs     = maxDigits / 2
)

// AppendKey appends the ordered form of an S, N or B, as drawn in the package
// documentation: bytewise order is the order of the values, and no key is a
// prefix of another key of the same type, so keys can be followed by anything.
// It appends nothing for other types.
func AppendKey(dst []byte, v Value) []byte {
	switch v.Type() {
	case S, B:
		return append(appendEscaped(dst, v.Bytes()), 0, endOfText)
	case N:
		return appendNumberKey(dst, v.Bytes())
	}
	return dst
}

// AppendKeyPrefix appends the ordered form of an S or B without its end: what
// the keys of all values that begin with v begin with. It appends nothing for
// other types.
func AppendKeyPrefix(dst []byte, v Value) []byte {
	if t := v.Type(); t != S && t != B {
		return dst
	}
	return appendEscaped(dst, v.Bytes())
}

func appendEscaped(dst, text []byte) []byte {
	for {
		zero := bytes.IndexByte(text, 0)
		if zero < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:zero+1]...), escapedZero)
		text = text[zero+1:]
	}
}

// appendNumberKey works on the canonical text, without parsing it.
func appendNumberKey(dst, text []byte) []byte {
	sign, invert := byte(positiveKey), byte(0)
	if isNegative(text) {
		sign, invert, text = negativeKey, 0xFF, text[1:]
	}
	magnitude := integerLen(text) - 1
	for len(text) > 0 && (text[0] == '0' || text[0] == '.') {
		if text[0] == '0' {
			magnitude--
		}
		text = text[1:]
	}
	if len(text) == 0 {
		return append(dst, zeroKey)
	}
	dst = append(dst, sign, byte(magnitude+exponentBias)^invert)
	end := len(dst) // of the pairs up to the last one that is not zero
	pair, half := byte(0), false
	for _, c := range text {
		if c == '.' {
			continue
		}
		if half = !half; half {
			pair = (c - '0') * 10
			continue
		}
		pair += c - '0'
		dst = append(dst, (pair+1)^invert)
		if pair != 0 {
			end = len(dst)
		}
	}
	if half {
		dst = append(dst, (pair+1)^invert)
		if pair != 0 {
			end = len(dst)
		}
	}
	return append(dst[:end], invert)
}

// DecodeKey reads the key of a value of type t (S, N or B) at the start of src
// and returns the value, which shares no memory with src, and what follows the
// key. The error is ErrKey.
func DecodeKey(src []byte, t Type) (v Value, rest []byte, err error) {
	switch t {
	case S, B:
		return decodeTextKey(src, t)
	case N:
		return decodeNumberKey(src)
	}
	return nil, nil, ErrKey
}

func decodeTextKey(src []byte, t Type) (v Value, rest []byte, err error) {
	length := 0 // of the value
	for end := 0; ; {
		zero := bytes.IndexByte(src[end:], 0)
		if zero < 0 || end+zero+1 == len(src) {
			return nil, nil, ErrKey
		}
		length += zero
		end += zero + 2
		switch src[end-1] {
		case escapedZero:
			length++
			continue
		case endOfText:
			rest, src = src[end:], src[:end-2]
		default:
			return nil, nil, ErrKey
		}
		break
	}
	v = make([]byte, 0, 1+uvarintWidth(length)+length)
	v = appendUvarint(append(v, byte(t)), length)
	for {
		zero := bytes.IndexByte(src, 0)
		if zero < 0 {
			return append(v, src...), rest, nil
		}
		v = append(v, src[:zero+1]...)
		src = src[zero+2:]
	}
}

func decodeNumberKey(src []byte) (v Value, rest []byte, err error) {
	if len(src) == 0 {
		return nil, nil, ErrKey
	}
	var text [maxNumberText]byte
	t := text[:0]
	invert := byte(0)
	switch src[0] {
	case zeroKey:
		return Value{byte(N), 1, '0'}, src[1:], nil
	case positiveKey:
	case negativeKey:
		t, invert = append(t, '-'), 0xFF
	default:
		return nil, nil, ErrKey
	}
	end := bytes.IndexByte(src[1:], invert)
	if end == 0 && len(src) > 1 { // the exponent of 10^-130 looks like the end
		end = 1 + bytes.IndexByte(src[2:], invert)
	}
	if end < 2 || end-1 > maxPairs {
		return nil, nil, ErrKey
	}
	magnitude := int(src[1]^invert) - exponentBias
	pairs := src[2 : 1+end]
	var buf [maxDigits]byte
	digits := buf[:0]
	for _, p := range pairs {
		p = (p ^ invert) - 1
		if p > 99 {
			return nil, nil, ErrKey
		}
		digits = append(digits, '0'+p/10, '0'+p%10)
	}
	if digits[0] == '0' || (pairs[len(pairs)-1]^invert) == 1 {
		return nil, nil, ErrKey // not what AppendKey writes
	}
	digits = bytes.TrimRight(digits, "0")
	t = appendPlain(t, digits, magnitude-len(digits)+1)
	v = make([]byte, 0, 1+uvarintWidth(len(t))+len(t))
	return appendScalar(v, N, t), src[2+end:], nil
}

// PrefixEnd returns the smallest byte string that is greater than every string
// with the given prefix, nil if there is none (the prefix is empty or all 0xFF).
func PrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xFF {
			end := slices.Clone(prefix[:i+1])
			end[i]++
			return end
		}
	}
	return nil
}
