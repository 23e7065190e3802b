package server

import "github.com/stator-db/stator/storage/item"

// A phrasing is how an operation words the faults found by request checks. The
// service moved to a new validator operation by operation, so that the same fault
// reads differently depending on where it is made.
type phrasing struct {
	values   layer // wording of faulty attribute values
	envelope bool  // "1 validation error detected: " goes before request faults
}

var (
	// readPhrasing serves GetItem, BatchGetItem and Query.
	readPhrasing = phrasing{values: currentLayer}
	// writePhrasing serves PutItem, UpdateItem and DeleteItem.
	writePhrasing = phrasing{values: currentLayer, envelope: true}
	// olderPhrasing serves Scan, BatchWriteItem and the transactions.
	olderPhrasing = phrasing{values: olderLayer}
)

// fault is a ValidationException of a request check.
func (p phrasing) fault(text string) *apiError {
	if p.envelope {
		text = enveloped(text)
	}
	return validationText(text)
}

// parameter is a fault that opens with "One or more parameter values were invalid: ".
func (p phrasing) parameter(text string) *apiError {
	return p.fault(invalidParameter + text)
}

// value is the fault of an attribute value in an item, a key or a legacy condition.
func (p phrasing) value(f *item.ValueError) *apiError {
	return invalidValue(f, p.values, p.envelope)
}

// placeholderValue is the fault of a value in ExpressionAttributeValues.
func (p phrasing) placeholderValue(key string, f *item.ValueError) *apiError {
	return invalidExpressionValue(f, key, p.values, p.envelope)
}
