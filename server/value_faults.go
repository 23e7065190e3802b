package server

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

// A layer is one generation of the service's wording for faulty attribute values.
type layer uint8

const (
	// currentLayer serves PutItem, GetItem, UpdateItem, DeleteItem, BatchGetItem and Query.
	currentLayer layer = iota
	// olderLayer serves BatchWriteItem, the transactions and Scan.
	olderLayer
)

// Texts that other checks use too.
const (
	textNumberOverflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	textNumberUnderflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	textNesting         = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	textNoType          = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	textTwoTypes        = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)

// valueFault is the message for a faulty attribute value. Whether it stands behind
// "1 validation error detected: " is the operation's to say: see valueEnveloped.
func valueFault(f *item.ValueError, l layer) string {
	switch f.Kind {
	case item.NoType:
		return textNoType
	case item.MoreThanOneType:
		return textTwoTypes
	case item.NullFalse:
		return invalidParameter + "Null attribute value types must have the value of true"
	case item.EmptySet:
		return emptySetFault(f.Type)
	case item.DuplicateMembers:
		return duplicateFault(f, l)
	case item.NumberSyntax:
		if f.Text == "" && l == olderLayer {
			return "The parameter cannot be converted to a numeric value"
		}
		return "The parameter cannot be converted to a numeric value: " + f.Text
	case item.NumberPrecision:
		return "Attempting to store more than 38 significant digits in a Number"
	case item.NumberOverflow:
		return textNumberOverflow
	case item.NumberUnderflow:
		return textNumberUnderflow
	case item.TooDeep:
		return textNesting
	case item.EmptyName:
		return expression.EmptyName
	case item.LongName:
		return expression.LongName
	}
	return "Supplied AttributeValue is invalid: " + f.Kind.String()
}

// valueEnveloped reports whether PutItem, UpdateItem and DeleteItem put the fault
// behind "1 validation error detected: ". The two about datatypes
// stay bare.
func valueEnveloped(f *item.ValueError) bool {
	return f.Kind != item.NoType && f.Kind != item.MoreThanOneType
}

// invalidValue is the ValidationException for a faulty value in an item or a key;
// envelope is set by PutItem, UpdateItem and DeleteItem.
func invalidValue(f *item.ValueError, l layer, envelope bool) *apiError {
	text := valueFault(f, l)
	if envelope && valueEnveloped(f) {
		text = enveloped(text)
	}
	return validationText(text)
}

// invalidExpressionValue is the same for a value in ExpressionAttributeValues, where
// the older layer says which placeholder it means.
func invalidExpressionValue(f *item.ValueError, key string, l layer, envelope bool) *apiError {
	if l == olderLayer {
		return validationText("ExpressionAttributeValues contains invalid value: " + valueFault(f, l) + " for key " + key)
	}
	return invalidValue(f, l, envelope)
}

func emptySetFault(t item.Type) string {
	switch t {
	case item.SS:
		return invalidParameter + "An string set  may not be empty"
	case item.NS:
		return invalidParameter + "An number set  may not be empty"
	}
	return invalidParameter + "Binary sets should not be empty"
}

func duplicateFault(f *item.ValueError, l layer) string {
	switch {
	case f.Type == item.NS && l == olderLayer:
		return "Input collection contains duplicates"
	case f.Type == item.NS:
		return invalidParameter + "Input collection contains duplicates."
	case f.Type == item.SS && l == olderLayer:
		return invalidParameter + "Input collection [" + joinMembers(f.Members, ", ", false) + "] contains duplicates."
	case f.Type == item.SS:
		return invalidParameter + "Input collection [" + joinMembers(sortedUpToRepeat(f.Members), ", ", true) + "] contains duplicates."
	case l == olderLayer:
		return invalidParameter + "Input collection [" + joinMembers(f.Members, ", ", false) + "]of type BS contains duplicates."
	}
	return invalidParameter + "Input collection [" + joinMembers(sortedUpToRepeat(f.Members), ",", true) + "]of type BS contains duplicates."
}

// sortedUpToRepeat gives the members in the order the service prints them: those
// before the first repeat in byte order, the repeated one next to its twin at the
// end of that run, then the rest as sent.
func sortedUpToRepeat(members []item.Value) []item.Value {
	for i := range members {
		repeat := slices.ContainsFunc(members[:i], func(v item.Value) bool { return item.Equal(v, members[i]) })
		if !repeat {
			continue
		}
		out := slices.Clone(members)
		slices.SortFunc(out[:i], func(a, b item.Value) int { return strings.Compare(string(a.Bytes()), string(b.Bytes())) })
		return out
	}
	return members
}

// joinMembers prints set members: strings as they are, binaries in base64.
func joinMembers(members []item.Value, separator string, quoted bool) string {
	var b strings.Builder
	for i, v := range members {
		if i > 0 {
			b.WriteString(separator)
		}
		if quoted {
			b.WriteByte('"')
		}
		if v.Type() == item.B {
			b.WriteString(base64.StdEncoding.EncodeToString(v.Bytes()))
		} else {
			b.Write(v.Bytes())
		}
		if quoted {
			b.WriteByte('"')
		}
	}
	return b.String()
}
