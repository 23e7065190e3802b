package contact

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// minDigits is how many digits at the end of two numbers are worth comparing.
const minDigits = 4

// Digits returns the digits of a telephone number that tell it from others: without
// the international prefix (+ or 00), the trunk prefix 0, also as "(0)", and without
// everything that is not a digit. Zeros stay where fewer than four digits would be left:
// that is no number with a prefix, but the end of one, or one like 000. "+49 (0)30
// 1234", "0049 30 1234" give "49301234", and "030 1234" gives "301234".
func Digits(number string) string {
	number = strings.ReplaceAll(norm.NFKC.String(number), "(0)", "")
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
	if significant := strings.TrimLeft(digits, "0"); len(significant) >= minDigits {
		return significant
	}
	return digits
}

// SameNumber reports whether two results of Digits may be the same telephone: one is
// the end of the other. A national number so matches its international form. Fewer
// than four digits match only themselves.
func SameNumber(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < minDigits {
		return a == b
	}
	return strings.HasSuffix(b, a)
}
