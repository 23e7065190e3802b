package server

import (
	"errors"

	"github.com/stator-db/stator/partition"
)

// The exceptions of throttling, and their texts.
const (
	throughputExceeded = "ProvisionedThroughputExceededException"
	throttling         = "ThrottlingException"
	requestLimit       = "RequestLimitExceeded"

	textTableThroughput   = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
	textIndexThroughput   = "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API."
	textTableScaling      = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly. If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html."
	textIndexScaling      = "Throughput exceeds the current capacity for one or more global secondary indexes. DynamoDB is automatically scaling your index so please try again shortly."
	textMaximumThroughput = "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
	textRate              = "Rate exceeded" // of the control plane
	textAccountLimit      = "Throughput exceeds the current throughput limit for your account. To request a limit increase, contact AWS Support at https://aws.amazon.com/support"
)

// Causes, the last part of a throttling reason (API Reference, ThrottlingReason).
const (
	causeProvisioned = "ProvisionedThroughputExceeded"
	causeKeyRange    = "KeyRangeThroughputExceeded"
	causeMaximum     = "MaxOnDemandThroughputExceeded"
	causeAccount     = "AccountLimitExceeded"
)

// throttled is the exception for exhausted limits of one table and its indexes, of
// which there is at least one. Its message is about the table if one of the
// limits is, and its reasons are all of them.
func (c *call) throttled(exhausted []limit) *apiError {
	exception, onTable, onMaximum := throttling, false, false
	if exhausted[0].resource.table.Billing == partition.Provisioned {
		exception = throughputExceeded
	}
	var reasons []byte
	for i := range exhausted {
		l := &exhausted[i]
		cause := causeKeyRange
		if !l.bucket.keyed {
			cause = causeProvisioned
			if exception == throttling {
				cause, onMaximum = causeMaximum, true
			}
		}
		onTable = onTable || l.resource.index == nil
		reasons = c.appendReason(reasons, l.resource, direction(l.bucket.write), cause)
	}
	text := textIndexScaling
	switch {
	case exception == throughputExceeded && onTable:
		text = textTableThroughput
	case exception == throughputExceeded:
		text = textIndexThroughput
	case onMaximum:
		text = textMaximumThroughput
	case onTable:
		text = textTableScaling
	}
	return throttlingError(exception, text, reasons)
}

// appendReason appends an element of the API shape ThrottlingReasonList.
func (c *call) appendReason(dst []byte, r resource, d direction, cause string) []byte {
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	dst = append(dst, `{"reason":"`...)
	if r.index != nil {
		dst = append(dst, "Index"...)
	} else {
		dst = append(dst, "Table"...)
	}
	if d == writing {
		dst = append(dst, "Write"...)
	} else {
		dst = append(dst, "Read"...)
	}
	dst = append(dst, cause...)
	dst = append(dst, `","resource":`...)
	dst = appendString(dst, r.arn(c))
	return append(dst, '}')
}

// throttlingError is one of the three exceptions; reasons are the elements of its
// list, which ThrottlingException alone spells in lower case.
func throttlingError(exception, text string, reasons []byte) *apiError {
	e := &apiError{Type: modelPrefix + exception, Message: text}
	switch {
	case len(reasons) == 0:
	case exception == throttling:
		e.Extra = `,"throttlingReasons":[` + string(reasons) + `]`
	default:
		e.Extra = `,"ThrottlingReasons":[` + string(reasons) + `]`
	}
	return e
}

// isThrottled reports whether a request was turned away for its throughput.
func isThrottled(err error) bool {
	e, ok := errors.AsType[*apiError](err)
	if !ok {
		return false
	}
	name := e.name()
	return name == throughputExceeded || name == throttling || name == requestLimit
}
