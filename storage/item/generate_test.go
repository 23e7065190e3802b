package item

import (
	"strings"

	"pgregory.net/rapid"
)

// anyNumberText draws a number in one of its many spellings, within range.
var anyNumberText = rapid.Custom(func(t *rapid.T) string {
	digits := rapid.StringMatching(`[0-9]{1,38}`).Draw(t, "digits")
	point := rapid.IntRange(0, len(digits)).Draw(t, "point")
	exp := rapid.OneOf(rapid.IntRange(-3, 3), rapid.IntRange(-90, 85)).Draw(t, "exp")
	text := rapid.SampledFrom([]string{"", "-", "+", "00", "-0"}).Draw(t, "lead") + digits[:point]
	if point < len(digits) || rapid.Bool().Draw(t, "bare point") {
		text += "." + digits[point:]
	}
	if exp != 0 {
		text += rapid.SampledFrom([]string{"e", "E"}).Draw(t, "e") + NumberFromInt(int64(exp)).String()
	}
	return text
})

var anyNumber = rapid.Custom(func(t *rapid.T) Number {
	n, fault := ParseNumber([]byte(anyNumberText.Draw(t, "number")))
	if fault != nil {
		t.Fatalf("generated an invalid number: %v", fault)
	}
	return n
})

// anyName draws an attribute name. Few letters make collisions likely.
var anyName = rapid.OneOf(rapid.StringMatching(`[a-c]{1,3}`), rapid.StringN(1, 10, -1))

var anyBinary = rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.SliceOf(rapid.SampledFrom([]byte{0, 1, 0xFE, 0xFF})))

var anyText = rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune{0, 1, 'a', '"', '\\', 0x7F, 'é', 0xFFFF, 0x10FFFF})))

func anyScalar(t Type) *rapid.Generator[Value] {
	switch t {
	case S:
		return rapid.Map(anyText, String)
	case N:
		return rapid.Map(anyNumber, NumberValue)
	default:
		return rapid.Map(anyBinary, Binary)
	}
}

func anyValue(depth int) *rapid.Generator[Value] {
	return rapid.Custom(func(t *rapid.T) Value {
		types := []Type{S, N, B, BOOL, NULL, SS, NS, BS, M, L}
		if depth <= 1 {
			types = types[:8] // no containers
		}
		switch k := rapid.SampledFrom(types).Draw(t, "type"); k {
		case S, N, B:
			return anyScalar(k).Draw(t, "scalar")
		case BOOL:
			return Bool(rapid.Bool().Draw(t, "bool"))
		case NULL:
			return Null()
		case M:
			return Map(rapid.MapOfN(anyName, anyValue(depth-1), 0, 5).Draw(t, "fields"))
		case L:
			return List(rapid.SliceOfN(anyValue(depth-1), 0, 5).Draw(t, "elements")...)
		default:
			return Set(k, rapid.SliceOfN(anyScalar(k.member()), 1, 6).Draw(t, "members")...)
		}
	})
}

var anyFields = rapid.MapOfN(anyName, anyValue(4), 0, 8)

func build(fields map[string]Value) Item {
	b := NewBuilder()
	for name, v := range fields {
		b.Set(name, v)
	}
	return b.Item()
}

// nested returns levels maps around a scalar.
func nested(levels int) string {
	return strings.Repeat(`{"M":{"a":`, levels) + `{"S":"x"}` + strings.Repeat(`}}`, levels)
}
