package server

import (
	"errors"
	"strings"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// maxTransactSize is how many bytes all items of a transaction may have together
// (Developer Guide, "Quotas": 4 MB).
const maxTransactSize = 4 << 20

// transactionTooLarge is the answer to more than maxTransactSize, or to more than
// one commit can hold once index entries are added.
func transactionTooLarge() *apiError {
	return validationText("Collection size of items exceeded, which can also be caused by the aggregate size of the items in the transaction exceeding the 4MB limit")
}

// sameItemTwice is the answer to two actions on one item.
func sameItemTwice() *apiError {
	return validationText("Transaction request cannot include multiple operations on one item")
}

// checkEmptyKey refuses an empty value of a table key. It is the one fault of a
// key that fails a transaction's request as such; the others cancel it, with a
// reason for the action.
func checkEmptyKey(k partition.KeySchema, it item.Item) error {
	for _, part := range [2][]partition.KeyAttribute{k.Hash, k.Range} {
		for _, a := range part {
			if v := it.Get(a.Name); v.Type() == a.Type && emptyKeyValue(v) {
				return emptyKey(a)
			}
		}
	}
	return nil
}

// transactKeys remembers which items a transaction has actions on.
type transactKeys struct {
	seen map[batchKey]struct{}
	buf  []byte
}

// add refuses the second action on an item. A key that no item of the table can
// have is no item's.
func (k *transactKeys) add(t *partition.Table, key item.Item) error {
	if !hasKeyTypes(t.Key, key) {
		return nil
	}
	k.buf = appendKeyIdentity(k.buf[:0], t, key)
	id := batchKey{t.ID, string(k.buf)}
	if _, again := k.seen[id]; again {
		return sameItemTwice()
	}
	if k.seen == nil {
		k.seen = make(map[batchKey]struct{})
	}
	k.seen[id] = struct{}{}
	return nil
}

// reasonCodes are the codes of cancellation reasons (API shape CancellationReason)
// by the exception that a write outside a transaction would have met.
var reasonCodes = map[string]string{
	"ConditionalCheckFailedException":          "ConditionalCheckFailed",
	"DuplicateItemException":                   "DuplicateItem",
	"ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
	"ProvisionedThroughputExceededException":   "ProvisionedThroughputExceeded",
	"ThrottlingException":                      "ThrottlingError",
	"TransactionConflictException":             "TransactionConflict",
	"ValidationException":                      "ValidationError",
}

// transactionCanceled is the TransactionCanceledException with one reason for
// each action, or the first of the reasons that is none of the client's concern.
func (c *call) transactionCanceled(canceled *partition.TransactionCanceled) *apiError {
	codes := make([]string, len(canceled.Reasons))
	list := []byte(`,"CancellationReasons":[`)
	for i, err := range canceled.Reasons {
		list = appendElement(list)
		if err == nil {
			codes[i] = "None"
			list = append(list, `{"Code":"None"}`...)
			continue
		}
		reason := c.toAPIError(err)
		if errors.Is(err, expression.ErrTooDeep) {
			reason = validationText("Nesting Levels have exceeded supported limits") // and no more, here
		}
		code, known := reasonCodes[reason.name()]
		if !known {
			return reason
		}
		codes[i] = code
		list = append(list, `{"Code":"`...)
		list = append(list, code...)
		list = append(list, `","Message":`...)
		list = appendString(list, reason.Message)
		if code == "ConditionalCheckFailed" {
			list = append(list, reason.Extra...) // the item, if the action wants it
		}
		list = append(list, '}')
	}
	return &apiError{
		Type:       modelPrefix + "TransactionCanceledException",
		Message:    "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]",
		MessageKey: "Message",
		Extra:      string(append(list, ']')),
	}
}

// transactionError translates what only transactions bring about, nil if err is
// not that.
func (c *call) transactionError(err error) *apiError {
	if canceled, ok := errors.AsType[*partition.TransactionCanceled](err); ok {
		return c.transactionCanceled(canceled)
	}
	switch {
	case errors.Is(err, partition.ErrTransactionConflict):
		return &apiError{Type: modelPrefix + "TransactionConflictException", Message: "Transaction is ongoing for the item"}
	case errors.Is(err, partition.ErrIdempotentMismatch):
		return &apiError{
			Type:       modelPrefix + "IdempotentParameterMismatchException",
			Message:    "DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used.",
			MessageKey: "Message",
		}
	case errors.Is(err, partition.ErrTransactionInProgress):
		return &apiError{
			Type:       modelPrefix + "TransactionInProgressException",
			Message:    "Transaction from previous request is still in progress",
			MessageKey: "Message",
		}
	}
	return nil
}
