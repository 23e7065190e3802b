package item

import "bytes"

// Equal reports whether a and b are the same value in DynamoDB's sense: same
// type, numbers and sets by value, lists and maps deeply. Two nil values are
// equal.
func Equal(a, b Value) bool { return bytes.Equal(a, b) }

// Compare orders two values of the same scalar type: S and B by bytes, N
// numerically. It returns -1, 0 or 1; ok is false for values that have no
// order (different types, or a type other than S, N and B).
func Compare(a, b Value) (cmp int, ok bool) {
	t := a.Type()
	if t != b.Type() || t < S || t > B {
		return 0, false
	}
	return compareScalars(a, b), true
}

// compareScalars compares two values that are both S, both N or both B.
func compareScalars(a, b Value) int {
	if a.Type() == N {
		return compareNumberText(a.Bytes(), b.Bytes())
	}
	return bytes.Compare(a.Bytes(), b.Bytes())
}

// compareNumberText compares canonical decimal texts without parsing them: of
// two numbers of the same sign, the one with more digits before the point is
// larger, and with equally many, the order of the texts is that of the values.
func compareNumberText(a, b []byte) int {
	aNegative, bNegative := isNegative(a), isNegative(b)
	switch {
	case aNegative && bNegative:
		return compareMagnitudes(b[1:], a[1:])
	case aNegative:
		return -1
	case bNegative:
		return 1
	}
	return compareMagnitudes(a, b)
}

func compareMagnitudes(a, b []byte) int {
	if d := integerLen(a) - integerLen(b); d < 0 {
		return -1
	} else if d > 0 {
		return 1
	}
	return bytes.Compare(a, b)
}

func isNegative(text []byte) bool { return len(text) > 0 && text[0] == '-' }

// integerLen returns the number of bytes before the decimal point.
func integerLen(text []byte) int {
	for i, c := range text {
		if c == '.' {
			return i
		}
	}
	return len(text)
}
