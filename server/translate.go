package server

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// toAPIError is the one place where errors of the packages below become answers of
// the API. What it does not know is a bug or a failing disk: the client gets
// InternalServerError, the log gets the cause.
func (c *call) toAPIError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if e := c.requestError(err); e != nil {
		return e
	}
	if e := c.transactionError(err); e != nil {
		return e
	}
	if e := c.writeError(err); e != nil {
		return e
	}
	switch {
	case errors.Is(err, partition.ErrTableNotFound): // dropped while the request was under way
		return resourceNotFound()
	case errors.Is(err, partition.ErrClosed), errors.Is(err, storage.ErrClosed), errors.Is(err, partition.ErrUnavailable),
		errors.Is(err, partition.ErrRemoved):
		return errUnavailable // nothing was done: SDKs try again
	case errors.Is(err, partition.ErrOutcomeUnknown):
		return errInternal // as the service answers then
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errInternal // the client is gone: nobody reads this
	}
	c.logInternal(err)
	return errInternal
}

// requestError translates what is wrong with the request itself, nil if it is not that.
func (c *call) requestError(err error) *apiError {
	if errors.Is(err, api.ErrNotJSON) {
		return errNotJSON
	}
	if e, ok := errors.AsType[*api.SerializationError](err); ok {
		return serialization(e.Message)
	}
	if e, ok := errors.AsType[*expression.Error](err); ok {
		if c.envelopes() {
			return validationText(enveloped(e.Text))
		}
		return validationText(e.Text)
	}
	if e, ok := errors.AsType[*item.ValueError](err); ok {
		return invalidValue(e, currentLayer, c.envelopes())
	}
	return nil
}

// envelopes reports whether the operation is one of those that put "1 validation
// error detected: " before expression and value faults.
func (c *call) envelopes() bool {
	switch c.op.name {
	case "PutItem", "UpdateItem", "DeleteItem":
		return true
	}
	return false
}

// updateFaults are what an update can run into when it meets the stored item; their
// texts are the service's.
var updateFaults = []error{
	expression.ErrPathInvalid,
	expression.ErrAttributeMissing,
	expression.ErrOperandType,
	expression.ErrTypeMismatch,
	expression.ErrTooDeep,
}

// writeError translates the outcomes of a write that found the item, nil if it is
// not one of them.
func (c *call) writeError(err error) *apiError {
	if e, ok := errors.AsType[*partition.ConditionFailed](err); ok {
		if e.Item == nil {
			return conditionalCheckFailed(nil)
		}
		return conditionalCheckFailed(e.Item.AppendJSON(nil))
	}
	if e, ok := errors.AsType[*partition.IndexKeyError](err); ok {
		return validationText(indexKeyFault(e))
	}
	for _, fault := range updateFaults {
		if errors.Is(err, fault) {
			return validationText(fault.Error())
		}
	}
	switch {
	case errors.Is(err, item.ErrNumberOverflow):
		return validationText(textNumberOverflow)
	case errors.Is(err, item.ErrNumberUnderflow):
		return validationText(textNumberUnderflow)
	case errors.Is(err, partition.ErrTransactionConflict):
		return &apiError{Type: modelPrefix + "TransactionConflictException", Message: "Transaction is ongoing for the item"}
	case errors.Is(err, partition.ErrItemTooLarge): // an update's: an item sent whole is measured before
		return validationText("Item size to update has exceeded the maximum allowed size")
	case errors.Is(err, partition.ErrWriteTooLarge):
		if c.op.name == "UpdateItem" {
			return validationText("Item size to update has exceeded the maximum allowed size")
		}
		return itemTooLarge()
	}
	return nil
}

// indexKeyFault is the message for a value that no index key may have.
func indexKeyFault(e *partition.IndexKeyError) string {
	switch e.Fault {
	case partition.KeyWrongType:
		return invalidParameter + "Type mismatch for Index Key " + e.Attribute + " Expected: " + e.Want.String() +
			" Actual: " + e.Got.String() + " IndexName: " + e.Index.Name
	case partition.KeyTooLong:
		if !e.FromUpdate {
			return tooLongIndexKey(e)
		}
		return "The update expression attempted to update the secondary index key beyond allowed size limits"
	}
	kind := "string"
	if e.Got == item.B {
		kind = "binary"
	}
	if e.FromUpdate {
		return "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty " + kind + " value."
	}
	return "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty " + kind + " value. IndexName: " +
		e.Index.Name + ", IndexKey: " + e.Attribute
}

// tooLongIndexKey says of an item what hashKeyTooLong and rangeKeyTooLong say of a
// table's key.
func tooLongIndexKey(e *partition.IndexKeyError) string {
	isHash := func(a partition.KeyAttribute) bool { return a.Name == e.Attribute }
	if slices.ContainsFunc(e.Index.Key.Hash, isHash) {
		return hashKeyTooLong().Message
	}
	return rangeKeyTooLong().Message
}

// errUnavailable tells clients to retry, here or elsewhere.
var errUnavailable = &apiError{
	Status:  http.StatusServiceUnavailable,
	Type:    coralPrefix + "ServiceUnavailable",
	Message: "Service is unable to process request",
}
