package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

// TestValueFaults has a row for each: fault, current wording, wording of
// the older layer.
func TestValueFaults(t *testing.T) {
	const opv = "One or more parameter values were invalid: "
	strs := func(list ...string) []item.Value {
		var out []item.Value
		for _, s := range list {
			out = append(out, item.String(s))
		}
		return out
	}
	bins := func(list ...byte) []item.Value {
		var out []item.Value
		for _, b := range list {
			out = append(out, item.Binary([]byte{b}))
		}
		return out
	}
	for _, tt := range []struct {
		fault          item.ValueError
		current, older string
		enveloped      bool
	}{
		{item.ValueError{Kind: item.NoType}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes", "=", false},
		{item.ValueError{Kind: item.MoreThanOneType}, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes", "=", false},
		{item.ValueError{Kind: item.NullFalse}, opv + "Null attribute value types must have the value of true", "=", true},
		{item.ValueError{Kind: item.EmptySet, Type: item.SS}, opv + "An string set  may not be empty", "=", true},
		{item.ValueError{Kind: item.EmptySet, Type: item.NS}, opv + "An number set  may not be empty", "=", true},
		{item.ValueError{Kind: item.EmptySet, Type: item.BS}, opv + "Binary sets should not be empty", "=", true},
		{item.ValueError{Kind: item.DuplicateMembers, Type: item.SS, Members: strs("b", "a", "b")},
			opv + `Input collection ["a", "b", "b"] contains duplicates.`, opv + "Input collection [b, a, b] contains duplicates.", true},
		{item.ValueError{Kind: item.DuplicateMembers, Type: item.SS, Members: strs("c", "a", "a", "b")},
			opv + `Input collection ["a", "c", "a", "b"] contains duplicates.`, opv + "Input collection [c, a, a, b] contains duplicates.", true},
		{item.ValueError{Kind: item.DuplicateMembers, Type: item.BS, Members: bins(255, 0, 0)},
			opv + `Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.`, opv + "Input collection [/w==, AA==, AA==]of type BS contains duplicates.", true},
		{item.ValueError{Kind: item.DuplicateMembers, Type: item.NS}, opv + "Input collection contains duplicates.", "Input collection contains duplicates", true},
		{item.ValueError{Kind: item.NumberSyntax, Text: "abc"}, "The parameter cannot be converted to a numeric value: abc", "=", true},
		{item.ValueError{Kind: item.NumberSyntax}, "The parameter cannot be converted to a numeric value: ", "The parameter cannot be converted to a numeric value", true},
		{item.ValueError{Kind: item.NumberPrecision}, "Attempting to store more than 38 significant digits in a Number", "=", true},
		{item.ValueError{Kind: item.NumberOverflow}, "Number overflow. Attempting to store a number with magnitude larger than supported range", "=", true},
		{item.ValueError{Kind: item.NumberUnderflow}, "Number underflow. Attempting to store a number with magnitude smaller than supported range", "=", true},
		{item.ValueError{Kind: item.TooDeep}, "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit", "=", true},
		{item.ValueError{Kind: item.EmptyName}, "Empty attribute name", "=", true},
		{item.ValueError{Kind: item.LongName}, "Attribute name is too large, must be less than 65536 bytes", "=", true},
	} {
		older := tt.older
		if older == "=" {
			older = tt.current
		}
		require.Equal(t, tt.current, valueFault(&tt.fault, currentLayer))
		require.Equal(t, older, valueFault(&tt.fault, olderLayer))
		inItem := tt.current
		if tt.enveloped {
			inItem = "1 validation error detected: " + inItem
		}
		require.Equal(t, inItem, invalidValue(&tt.fault, currentLayer, true).Message)
		require.Equal(t, "ExpressionAttributeValues contains invalid value: "+older+" for key :v", invalidExpressionValue(&tt.fault, ":v", olderLayer, false).Message)
	}
}

// TestJavaSet has the orders that messages of the service were seen to use.
func TestJavaSet(t *testing.T) {
	require.Equal(t, []string{"sk", "a", "b", "pk", "c"}, javaSet([]string{"sk", "a", "b", "pk", "c"}, javaSizeFor(5)))
	require.Equal(t, []string{"a", "sk", "pk"}, javaSet([]string{"pk", "sk", "a"}, javaDefaultSize))
	require.Equal(t, []string{"sk", "pk"}, javaSet([]string{"pk", "sk"}, javaSizeFor(2)))
	require.Equal(t, []int{2, 4, 8, 8, 8, 16}, []int{javaSizeFor(1), javaSizeFor(2), javaSizeFor(3), javaSizeFor(4), javaSizeFor(5), javaSizeFor(6)})
}

func TestRequestID(t *testing.T) {
	seen := make(map[string]bool)
	for range 10_000 {
		id := string(appendRequestID(nil))
		require.Len(t, id, requestIDLength)
		require.False(t, seen[id])
		seen[id] = true
	}
}
