package expression

import (
	"errors"
	"fmt"
)

// Error says why an expression or its placeholders are not acceptable. Its
// text is the whole sentence DynamoDB puts into a ValidationException, without
// the "1 validation error detected: " some operations add.
type Error struct {
	Text string

	// Structure marks a fault in the shape of a key condition. DynamoDB reports
	// those only after every expression of the request has been bound and the
	// unused placeholders have been reported.
	Structure bool
}

func (e *Error) Error() string { return e.Text }

// What can go wrong when an [Update] is applied to an item. The texts are
// DynamoDB's.
var (
	// ErrPathInvalid means that a target lies below something that is missing,
	// or that is not the map or list the path takes it for.
	ErrPathInvalid = errors.New("The document path provided in the update expression is invalid for update")

	// ErrAttributeMissing means that an operand's path leads to nothing.
	ErrAttributeMissing = errors.New("The provided expression refers to an attribute that does not exist in the item")

	// ErrOperandType means that a stored value has the wrong type for an
	// operator, a function, ADD or DELETE.
	ErrOperandType = errors.New("An operand in the update expression has an incorrect data type")

	// ErrTypeMismatch is what ErrOperandType is called for AttributeUpdates.
	ErrTypeMismatch = errors.New("Type mismatch for attribute to update")

	// ErrTooDeep means that the item would be nested more than 32 levels deep.
	ErrTooDeep = errors.New("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
)

// invalid makes the error for a fault in an expression of the given kind.
func invalid(kind Kind, fault string) *Error {
	return &Error{Text: "Invalid " + kind.String() + ": " + fault}
}

// faultClass names a rule that an expression can break. An expression can
// break several; which one is reported is a matter of rank, not of position,
// and the ranks differ between conditions and updates.
type faultClass int

const (
	tooManyOperators faultClass = iota
	tooManyInOperands
	redundantParentheses
	unknownFunction
	misusedFunction
	reservedWord
	pathTooDeep
	indexOutOfRange
	sectionTwice
	undefinedName
	undefinedValue
	operandCount
	operandsNotDistinct
	pathsOverlap
	pathsConflict
	clauseOperandType
	operandType
	faultClasses
)

// The ranks of the faults, most important first.
var (
	conditionTextFaults = []faultClass{tooManyOperators, tooManyInOperands, redundantParentheses, unknownFunction,
		misusedFunction, reservedWord, pathTooDeep, indexOutOfRange}
	conditionBindFaults = []faultClass{undefinedName, undefinedValue, operandCount, operandsNotDistinct, operandType}

	updateTextFaults = []faultClass{tooManyOperators, redundantParentheses, reservedWord, unknownFunction,
		misusedFunction, pathTooDeep, indexOutOfRange, sectionTwice}
	updateBindFaults = []faultClass{undefinedName, undefinedValue, pathsOverlap, pathsConflict, clauseOperandType,
		operandCount, operandType}

	projectionTextFaults = []faultClass{reservedWord, pathTooDeep, indexOutOfRange}
	projectionBindFaults = []faultClass{undefinedName, pathsOverlap, pathsConflict}
)

// faults keeps the first fault found of each class.
type faults [faultClasses]string

func (f *faults) note(class faultClass, format string, args ...any) {
	if f[class] == "" {
		f[class] = fmt.Sprintf(format, args...)
	}
}

// first returns the fault that ranks highest, "" if there is none.
func (f *faults) first(ranks []faultClass) string {
	for _, class := range ranks {
		if f[class] != "" {
			return f[class]
		}
	}
	return ""
}
