package api

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// text returns what a JSON string value holds. raw has passed the decoder, so
// it is well formed; without escapes the result costs its bytes only.
func text(raw jsontext.Value) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	plain, err := jsontext.AppendUnquote(nil, raw)
	return string(plain), err
}

// isDecimal reports whether a JSON number has a fraction or an exponent.
func isDecimal(raw jsontext.Value) bool {
	return bytes.ContainsAny(raw, ".eE")
}

// skipFault consumes the value at d, which is not what was expected, and reports
// whether it is a decimal number. Its error is a syntax error in that value.
func skipFault(d *jsontext.Decoder, kind jsontext.Kind) (decimal bool, err error) {
	if kind == '{' || kind == '[' {
		return false, nil // the body is checked to its end by CheckSyntax
	}
	raw, err := d.ReadValue()
	return err == nil && kind == '0' && isDecimal(raw), err
}

// null consumes a null and reports whether there was one. Null is absent.
func null(d *jsontext.Decoder, kind jsontext.Kind) (bool, error) {
	if kind != 'n' {
		return false, nil
	}
	_, err := d.ReadToken()
	return true, err
}

// decodeString reads a string.
func decodeString(d *jsontext.Decoder) (Optional[string], error) {
	return decodeEnum(d, nil)
}

// decodeEnum reads a string that is probably one of known, whose memory is then
// shared. Other strings are kept too: Constraints reports them.
func decodeEnum(d *jsontext.Decoder, known []string) (Optional[string], error) {
	switch kind := d.PeekKind(); kind {
	case '"':
		raw, err := d.ReadValue()
		if err != nil {
			return Optional[string]{}, err
		}
		for _, k := range known {
			if string(raw[1:len(raw)-1]) == k {
				return Some(k), nil
			}
		}
		s, err := text(raw)
		return Some(s), err
	case 'n':
		_, err := d.ReadToken()
		return Optional[string]{}, err
	default:
		decimal, err := skipFault(d, kind)
		if err != nil {
			return Optional[string]{}, err
		}
		return Optional[string]{}, scalarFault("String", kind, decimal)
	}
}

// decodeNumber reads an integer. Fractions are cut off, values beyond int64
// become the nearest int64. class, Integer or Long, is for the fault.
func decodeNumber(d *jsontext.Decoder, class string) (Optional[int64], error) {
	switch kind := d.PeekKind(); kind {
	case '0':
		raw, err := d.ReadValue()
		if err != nil {
			return Optional[int64]{}, err
		}
		return Some(integer(raw)), nil
	case 'n':
		_, err := d.ReadToken()
		return Optional[int64]{}, err
	default:
		if _, err := skipFault(d, kind); err != nil {
			return Optional[int64]{}, err
		}
		return Optional[int64]{}, scalarFault(class, kind, false)
	}
}

// integer cuts a JSON number down to an int64.
func integer(raw jsontext.Value) int64 {
	if bytes.ContainsAny(raw, "eE") {
		// Exact up to 2^53, far beyond every limit of the API.
		f, _ := strconv.ParseFloat(string(raw), 64)
		switch {
		case f >= math.MaxInt64:
			return math.MaxInt64
		case f <= math.MinInt64:
			return math.MinInt64
		}
		return int64(f)
	}
	whole, _, _ := bytes.Cut(raw, []byte("."))
	n, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0 // not a JSON number: the decoder lets none through
	}
	return n
}

// decodeBool reads a boolean or one of the strings the service takes for one.
func decodeBool(d *jsontext.Decoder) (Optional[bool], error) {
	kind := d.PeekKind()
	switch kind {
	case 't', 'f':
		_, err := d.ReadToken()
		return Some(kind == 't'), err
	case 'n':
		_, err := d.ReadToken()
		return Optional[bool]{}, err
	case '"':
		raw, err := d.ReadValue()
		if err != nil {
			return Optional[bool]{}, err
		}
		switch string(bytes.ToLower(raw)) {
		case `"true"`, `"1"`, `"yes"`:
			return Some(true), nil
		case `"false"`, `"0"`, `"no"`:
			return Some(false), nil
		}
		return Optional[bool]{}, booleanFault(kind, false)
	default:
		decimal, err := skipFault(d, kind)
		if err != nil {
			return Optional[bool]{}, err
		}
		return Optional[bool]{}, booleanFault(kind, decimal)
	}
}
