package model

import (
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Number is the N that a text in the API's number syntax stands for, and keeps
// that spelling for requests. It panics on text that is no number.
func Number(text string) *Value {
	d, _, err := apd.NewFromString(text)
	if err != nil {
		panic(err)
	}
	return &Value{Kind: "N", Number: d, Text: text}
}

// arithmetic is exact: the first digits of two numbers are at most 256 places apart.
var arithmetic = apd.Context{Precision: 300, MaxExponent: 1000, MinExponent: -1000}

// add returns v + w, or v - w; ok is false if that is out of the range of numbers
// or takes more than 38 digits.
func add(v, w *Value, subtract bool) (result *Value, ok bool) {
	d := new(apd.Decimal)
	var err error
	if subtract {
		_, err = arithmetic.Sub(d, v.Number, w.Number)
	} else {
		_, err = arithmetic.Add(d, v.Number, w.Number)
	}
	if err != nil {
		panic(err)
	}
	if !d.IsZero() {
		leading := int64(d.Exponent) + d.NumDigits() - 1 // power of ten of the first digit
		reduced, _ := new(apd.Decimal).Reduce(d)
		if leading > 125 || leading < -130 || reduced.NumDigits() > 38 {
			return nil, false
		}
	}
	return &Value{Kind: "N", Number: d}, true
}

// numberText is the canonical form: plain decimal, nothing that could be left out.
func numberText(d *apd.Decimal) string {
	if d.IsZero() {
		return "0"
	}
	reduced, _ := new(apd.Decimal).Reduce(d)
	return reduced.Text('f')
}

// numberSize counts a byte, one for the sign of a negative number, and one for
// every two significant digits on either side of the point.
func numberSize(d *apd.Decimal) int {
	text := numberText(d)
	if text == "0" {
		return 1
	}
	size := 1
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		size, text = 2, rest
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if fraction == "" {
		whole = strings.TrimRight(whole, "0")
	}
	if whole == "0" {
		whole, fraction = "", strings.TrimLeft(fraction, "0")
	}
	return size + (len(whole)+1)/2 + (len(fraction)+1)/2
}

func integer(n int) *Value { return &Value{Kind: "N", Number: apd.New(int64(n), 0)} }
