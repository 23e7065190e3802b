package api

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/stator-db/stator/storage/item"
)

// The texts of a SerializationException name the classes of the service's own
// implementation; clients and test suites compare them literally.
const (
	textObject     = "Start of structure or map found where not expected"
	textField      = "Unexpected field type"
	textElement    = "Unexpected value type in payload"
	textCollection = "Unrecognized collection type "
	textParser     = "Unexpected token received from parser"
	textBase64     = "only base-64-encoded strings are convertible to bytes"
	textGeneric    = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class " +
		"(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader 'bootstrap')"

	classPrefix         = "com.amazonaws.dynamodb.v20120810."
	classString         = "java.lang.String"
	classAttributeValue = classPrefix + "AttributeValue"
)

// place is where a value stands; a scalar in the place of a structure is
// reported differently for each.
type place byte

const (
	member  place = iota // of a structure
	element              // of a list, or a value of a map
)

func fault(text string) error { return &SerializationError{Message: text} }

// scalarFault reports a value of another kind where class, a simple name in
// java.lang, is expected.
func scalarFault(class string, kind jsontext.Kind, decimal bool) error {
	switch kind {
	case '{':
		return fault(textObject)
	case '[':
		return fault(textCollection + "class java.lang." + class)
	}
	return fault(tokenName(kind, decimal) + " cannot be converted to " + class)
}

// tokenName is what the service's parser calls a scalar.
func tokenName(kind jsontext.Kind, decimal bool) string {
	switch {
	case kind == 't':
		return "TRUE_VALUE"
	case kind == 'f':
		return "FALSE_VALUE"
	case kind == '"':
		return "STRING_VALUE"
	case decimal:
		return "DECIMAL_VALUE"
	}
	return "NUMBER_VALUE"
}

// booleanFault is scalarFault for a boolean, where strings that mean nothing
// are reported by the parser.
func booleanFault(kind jsontext.Kind, decimal bool) error {
	if kind == '"' {
		return fault(textParser)
	}
	return scalarFault("Boolean", kind, decimal)
}

// listFault reports a value of another kind where a list is expected.
func listFault(kind jsontext.Kind, at place) error {
	switch {
	case kind == '{':
		return fault(textObject)
	case at == element:
		return fault(textGeneric)
	}
	return fault(textField)
}

// mapFault reports a value of another kind where a map is expected whose values
// are of class, a full name.
func mapFault(class string, kind jsontext.Kind, at place) error {
	switch {
	case kind == '[':
		return fault(textCollection + "java.util.Map<java.lang.String, " + class + ">")
	case at == element:
		return fault(textGeneric)
	}
	return fault(textField)
}

// structFault reports a value of another kind where a structure is expected.
func structFault(class string, kind jsontext.Kind, at place) error {
	switch {
	case kind == '[':
		return fault(textCollection + "class " + classPrefix + class)
	case at == element:
		return fault(textElement)
	}
	return fault(textField)
}

// blobFault reports a string that is no base64, or a value of another kind.
func blobFault(f *item.TypeError) error {
	switch {
	case f.Base64 == item.Base64Length:
		return fault("Base64 encoded length is expected a multiple of 4 bytes but found: " + strconv.Itoa(f.Length))
	case f.Base64 == item.Base64Character:
		return fault("Invalid last non-pad Base64 character dectected")
	case f.Got == '{':
		return fault(textObject)
	case f.Got == '[':
		return fault(textCollection + "class java.nio.ByteBuffer")
	}
	return fault(textBase64)
}

// itemFault reports a fault that package item found inside an attribute value.
func itemFault(f *item.TypeError) error {
	at := member
	if f.Element {
		at = element
	}
	switch f.Expected {
	case item.ShapeString:
		return scalarFault("String", f.Got, f.Decimal)
	case item.ShapeBoolean:
		return booleanFault(f.Got, f.Decimal)
	case item.ShapeBlob:
		return blobFault(f)
	case item.ShapeList:
		return listFault(f.Got, at)
	case item.ShapeMap:
		return mapFault(classAttributeValue, f.Got, at)
	}
	return structFault("AttributeValue", f.Got, at)
}
