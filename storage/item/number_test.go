package item

import (
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseNumber(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for in, want := range map[string]string{
		// Accepted forms and canonical text, Developer Guide "Number".
		"5": "5", "+5": "5", "-7": "-7", "-0": "0", ".5": "0.5", "+.5": "0.5", "5.": "5",
		"0.50": "0.5", "00042": "42", "1e2": "100", "1E+3": "1000", "1.200": "1.2", "0.0": "0",
		"1.5E2": "150", "1E-3": "0.001", "-0015.789e6": "-15789000", "0e125": "0", "-0e-130": "0",
		"1E-130":                      "0." + strings.Repeat("0", 129) + "1",
		nines + "E88":                 nines + strings.Repeat("0", 88),
		nines:                         nines,
		"0." + nines:                  "0." + nines,
		"00" + nines + "000.000e-3":   nines,
		nines[:20] + "." + nines[:18]: nines[:20] + "." + nines[:18],
		"12345678901234567890.5":      "12345678901234567890.5",
		"100000000000000000000000000000000000000000":   "1" + strings.Repeat("0", 41),
		"9.9999999999999999999999999999999999999E+125": nines + strings.Repeat("0", 88),
		"0." + strings.Repeat("0", 129) + nines:        "0." + strings.Repeat("0", 129) + nines,
		"1e0000000000000000000000000000001":            "10",
		"1e-0":                                         "1",
	} {
		n, fault := ParseNumber([]byte(in))
		require.Nil(t, fault, in)
		require.Equal(t, want, n.String(), in)
		require.LessOrEqual(t, len(want), maxNumberText)
		canonical, fault := canonicalOf(in)
		require.Nil(t, fault, in)
		require.Equal(t, want, canonical, in)
	}
}

func canonicalOf(text string) (string, *ValueError) {
	v, fault, err := decodeValue(`{"N":"` + text + `"}`)
	if err != nil {
		return err.Error(), nil //nolint:nilerr // the text stands for it
	}
	return string(v.Bytes()), fault
}

func TestParseNumberFaults(t *testing.T) {
	digits39 := strings.Repeat("1", 39)
	for in, want := range map[string]ValueErrorKind{
		"": NumberSyntax, " 5": NumberSyntax, "5 ": NumberSyntax, ".": NumberSyntax, "1e": NumberSyntax,
		"+e2": NumberSyntax, "1+2": NumberSyntax, "1.2.3": NumberSyntax, "++5": NumberSyntax,
		"0x5": NumberSyntax, "1_000": NumberSyntax, "1,000": NumberSyntax, "NaN": NumberSyntax,
		"Infinity": NumberSyntax, "abc": NumberSyntax, "-": NumberSyntax, "1e+": NumberSyntax,
		"1e1.5": NumberSyntax, "٣": NumberSyntax, "1\x00": NumberSyntax, "e5": NumberSyntax, "-.": NumberSyntax,
		"1e9223372036854775808":  NumberSyntax,
		"1e-9223372036854775809": NumberSyntax,
		"1e9223372036854775807":  NumberOverflow,
		"1e-9223372036854775808": NumberUnderflow,
		"1e2147483648":           NumberOverflow,
		"1e-2147483649":          NumberUnderflow,
		"1e126":                  NumberOverflow,
		"-1e126":                 NumberOverflow,
		"0e126":                  NumberOverflow,
		"0.1e127":                NumberOverflow,
		"1e-131":                 NumberUnderflow,
		"-0.1e-130":              NumberUnderflow,
		"0e-131":                 NumberUnderflow,
		digits39:                 NumberPrecision,
		"-" + digits39:           NumberPrecision,
		"0.00" + digits39:        NumberPrecision,
		"1" + strings.Repeat("0", 20) + "." + strings.Repeat("0", 17) + "1": NumberPrecision,
	} {
		n, fault := ParseNumber([]byte(in))
		require.Equal(t, &ValueError{Kind: want, Type: N, Text: in}, fault, in)
		require.Zero(t, n)
	}
}

func TestNumberSize(t *testing.T) {
	for in, want := range map[string]int{
		"0": 1, "-0": 1, "1": 2, "12": 2, "0.15": 2, "0.001": 2, "100": 2, "1E125": 2, "123": 3, "1010": 3,
		"1.5": 3, "-42": 3, "100.5": 4, "3.14159": 5, strings.Repeat("9", 38): 20,
		"10.01": 3, "0.105": 3, "-0.1": 3, "100.001": 5, "1e-130": 2,
	} {
		n, fault := ParseNumber([]byte(in))
		require.Nil(t, fault)
		require.Equal(t, want, n.Size(), in)
		require.Equal(t, want, NumberValue(n).Size(), in)
	}
}

func TestNumberInt64(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "-1": -1, "1e3": 1000, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63,
	} {
		n, fault := ParseNumber([]byte(in))
		require.Nil(t, fault)
		got, ok := n.Int64()
		require.True(t, ok, in)
		require.Equal(t, want, got)
		require.Equal(t, n, NumberFromInt(want))
	}
	for _, in := range []string{"0.5", "1.5", "9223372036854775808", "-9223372036854775809", "1e19", "18446744073709551616", "1e125"} {
		n, fault := ParseNumber([]byte(in))
		require.Nil(t, fault)
		_, ok := n.Int64()
		require.False(t, ok, in)
	}
}

func TestNumberFloor(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "7": 7, "-7": -7, "1e3": 1000, "1.9": 1, "0.9": 0, "1e-130": 0, "-1e-130": -1, "-0.5": -1, "-1.5": -2,
		"-9.1": -10, "9223372036854775807.9": 1<<63 - 1, "-9223372036854775807.5": -1 << 63,
		"12345678901234567.890123456789012345678": 12345678901234567,
	} {
		n, fault := ParseNumber([]byte(in))
		require.Nil(t, fault)
		got, ok := n.Floor()
		require.True(t, ok, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"9223372036854775808", "9223372036854775808.5", "-9223372036854775808.5", "1e125", "99999999999999999999.5"} {
		n, fault := ParseNumber([]byte(in))
		require.Nil(t, fault)
		_, ok := n.Floor()
		require.False(t, ok, in)
	}
}

func TestNumberAdd(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for _, c := range []struct {
		a, b, sum string
		err       error
	}{
		{"1", "2", "3", nil},
		{"0.1", "0.2", "0.3", nil},
		{"5", "-5", "0", nil},
		{"0", "-5", "-5", nil},
		{"1e20", "-1", "99999999999999999999", nil},
		{nines, "1", "1" + strings.Repeat("0", 38), nil},
		{nines, nines, "", ErrNumberOverflow}, // ...98 needs 39 digits
		{nines, "-" + nines, "0", nil},
		{"1e38", "10", "1" + strings.Repeat("0", 36) + "10", nil}, // 39 digits, the last of them 0
		{"1e38", "5", "", ErrNumberOverflow},
		{"1e50", "-1", "", ErrNumberOverflow},
		{"1e39", "-10", strings.Repeat("9", 38) + "0", nil},
		{"1e39", "-4", "", ErrNumberOverflow},
		{"1e125", "1e-130", "", ErrNumberOverflow},                                     // as far apart as can be
		{"9.9999999999999999999999999999999999999e125", "1e88", "", ErrNumberOverflow}, // carries over the top
		{"9.9999999999999999999999999999999999999e125", "4e87", "", ErrNumberOverflow},
		{"-9e125", "-1e125", "", ErrNumberOverflow},
		{"1.1e-130", "-1e-130", "", ErrNumberUnderflow},
	} {
		a, fault := ParseNumber([]byte(c.a))
		require.Nil(t, fault)
		b, fault := ParseNumber([]byte(c.b))
		require.Nil(t, fault)
		for range 2 {
			sum, err := a.Add(b)
			require.ErrorIs(t, err, c.err, "%s + %s", c.a, c.b)
			if c.err == nil {
				want, fault := ParseNumber([]byte(c.sum))
				if fault == nil {
					require.Equal(t, want, sum, "%s + %s", c.a, c.b)
				}
			}
			a, b = b, a
		}
	}
}

// oracle has room for every sum and no range to speak of.
var oracle = apd.Context{Precision: 300, MaxExponent: 10_000, MinExponent: -10_000}

func apdOf(t require.TestingT, text string) *apd.Decimal {
	d, _, err := apd.NewFromString(strings.TrimSuffix(text, "."))
	require.NoError(t, err)
	return d
}

func apdText(d *apd.Decimal) string {
	reduced, _ := new(apd.Decimal).Reduce(d)
	if reduced.IsZero() {
		return "0"
	}
	return reduced.Text('f')
}

func TestNumberAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		aText, bText := anyNumberText.Draw(t, "a"), anyNumberText.Draw(t, "b")
		a, fault := ParseNumber([]byte(aText))
		require.Nil(t, fault)
		b, fault := ParseNumber([]byte(bText))
		require.Nil(t, fault)
		x, y := apdOf(t, a.String()), apdOf(t, b.String())
		require.Equal(t, apdText(apdOf(t, strings.Replace(aText, ".e", "e", 1))), a.String())
		require.Equal(t, x.Cmp(y), a.Cmp(b))
		require.Equal(t, x.Sign(), a.Sign())
		cmp, ok := Compare(NumberValue(a), NumberValue(b))
		require.True(t, ok)
		require.Equal(t, x.Cmp(y), cmp)

		check := func(want *apd.Decimal, got Number, err error) {
			magnitude := want.NumDigits() + int64(want.Exponent) - 1
			reduced, _ := new(apd.Decimal).Reduce(want)
			switch {
			case !want.IsZero() && magnitude > maxMagnitude, reduced.NumDigits() > maxDigits:
				require.ErrorIs(t, err, ErrNumberOverflow)
			case !want.IsZero() && magnitude < minMagnitude:
				require.ErrorIs(t, err, ErrNumberUnderflow)
			default:
				require.NoError(t, err)
				require.Equal(t, apdText(want), got.String())
			}
		}
		want := new(apd.Decimal)
		_, err := oracle.Add(want, x, y)
		require.NoError(t, err)
		got, err := a.Add(b)
		check(want, got, err)
		_, err = oracle.Sub(want, x, y)
		require.NoError(t, err)
		got, err = a.Sub(b)
		check(want, got, err)
	})
}

func TestNumberTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNumber.Draw(t, "n")
		again, fault := ParseNumber([]byte(n.String()))
		require.Nil(t, fault)
		require.Equal(t, n, again)
		require.Equal(t, n, NumberValue(n).Number())
		require.Equal(t, n.Size(), NumberValue(n).Size())
		if i, ok := n.Int64(); ok {
			require.Equal(t, n, NumberFromInt(i))
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"0", "-1.50e-3", "1e126", "1e9223372036854775808", ".", "00.00e-99", "123456789012345678901234567890.12345678", "0x1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, fault := ParseNumber(text)
		if fault != nil {
			require.Zero(t, n)
			return
		}
		canonical := n.AppendText(nil)
		require.LessOrEqual(t, len(canonical), maxNumberText)
		again, fault := ParseNumber(canonical)
		require.Nil(t, fault)
		require.Equal(t, n, again)
		if isCanonical(text) {
			require.Equal(t, string(text), string(canonical))
		}
	})
}
