package item

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrNestingLimit is a request's JSON nested so deeply that it is not even read
// to its end. Values that are too deep for DynamoDB but still readable are
// reported as TooDeep instead.
var ErrNestingLimit = errors.New("attribute value is nested too deeply to be read")

// ErrCorrupt marks stored bytes that are not what this package writes.
var ErrCorrupt = errors.New("corrupt item")

// ValueErrorKind says what is wrong with an attribute value that is well-formed
// JSON of the right shape.
type ValueErrorKind byte

// The faults of attribute values, each a ValidationException of its own.
const (
	NoType           ValueErrorKind = iota + 1 // no type member, or only unknown ones
	MoreThanOneType                            // several type members
	NullFalse                                  // {"NULL":false}
	EmptySet                                   // Type says which
	DuplicateMembers                           // Type says which; Members as sent
	NumberSyntax                               // Text is the number as sent
	NumberPrecision                            // more than 38 significant digits
	NumberOverflow                             // magnitude of 10^126 or more
	NumberUnderflow                            // magnitude below 10^-130
	TooDeep                                    // more than MaxDepth levels
	EmptyName                                  // an attribute of an item without a name
	LongName                                   // an attribute of an item with a name of more than MaxNameSize bytes
)

var valueErrorTexts = [...]string{
	NoType:           "no type",
	MoreThanOneType:  "more than one type",
	NullFalse:        "null must be true",
	EmptySet:         "empty set",
	DuplicateMembers: "duplicate set members",
	NumberSyntax:     "not a number",
	NumberPrecision:  "more than 38 significant digits",
	NumberOverflow:   "number too large",
	NumberUnderflow:  "number too small",
	TooDeep:          "nested too deeply",
	EmptyName:        "empty attribute name",
	LongName:         "attribute name too long",
}

// String describes the kind.
func (k ValueErrorKind) String() string {
	if int(k) >= len(valueErrorTexts) {
		return ""
	}
	return valueErrorTexts[k]
}

// ValueError is an attribute value that DynamoDB refuses with a
// ValidationException. Its data is what the exception's message needs.
type ValueError struct {
	Kind    ValueErrorKind
	Type    Type    // of the set for EmptySet and DuplicateMembers, N for number faults
	Text    string  // the number as sent, for number faults
	Members []Value // for DuplicateMembers: S, N or B values in the order sent
}

// Error leaves out the value itself.
func (e *ValueError) Error() string { return "invalid attribute value: " + e.Kind.String() }

// Shape is what the API model says a JSON value must be.
type Shape byte

// The shapes that occur in attribute values.
const (
	ShapeString         Shape = iota + 1
	ShapeBoolean              // accepts the strings true, false, yes, no, 1 and 0 too
	ShapeBlob                 // a base64 string
	ShapeList                 // SS, NS, BS and L
	ShapeMap                  // Map<String,AttributeValue>: M and a whole item
	ShapeAttributeValue       // the structure with one member per type
)

var shapeNames = [...]string{
	ShapeString: "string", ShapeBoolean: "boolean", ShapeBlob: "blob", ShapeList: "list",
	ShapeMap: "map", ShapeAttributeValue: "attribute value",
}

// String names the shape.
func (s Shape) String() string {
	if int(s) >= len(shapeNames) {
		return ""
	}
	return shapeNames[s]
}

// TypeError is JSON of the wrong kind for the API model, which DynamoDB answers
// with a SerializationException. Its data is what the exception's message needs.
type TypeError struct {
	Expected Shape
	Got      jsontext.Kind // never null: that counts as absent
	Decimal  bool          // Got is a number with a fraction or an exponent
	Element  bool          // found as a list element or a map value, not as a member of a structure
	Base64   Base64Fault   // for a blob that is a string
	Length   int           // of the text, for Base64Length
}

// Base64Fault says why a string is no base64.
type Base64Fault byte

// What can be wrong with base64. The service wants standard base64 with padding.
const (
	Base64Length    Base64Fault = iota + 1 // the length is no multiple of four
	Base64Character                        // a character that does not belong, or is misplaced
)

// Error leaves out the value itself.
func (e *TypeError) Error() string {
	switch e.Base64 {
	case Base64Length:
		return fmt.Sprintf("base64 text of %d bytes, not a multiple of 4", e.Length)
	case Base64Character:
		return "bad base64 character"
	}
	return fmt.Sprintf("JSON %v where a %v is expected", e.Got, e.Expected)
}
