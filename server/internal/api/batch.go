package api

import (
	"github.com/go-json-experiment/json/jsontext"
)

// The batch operations take a map from table to requests, whose keys and values
// are checked together: one item covers all tables and echoes the whole map.
const (
	maxBatchGetTables   = 100
	maxBatchGetKeys     = 100
	maxBatchWriteTables = 25
	maxBatchWrites      = 25

	ruleMapKeys = "Map keys must satisfy constraint: [Member must have length less than or equal to 255, " +
		"Member must have length greater than or equal to 3, " + ruleName + "]"
	ruleMapValues = "Map value must satisfy constraint: [Member must have length less than or equal to 25, " +
		"Member must have length greater than or equal to 1]"
)

// batchGetTables checks RequestItems of BatchGetItem, except inside its values.
func (vs *Violations) batchGetTables(m Map[KeysAndAttributes], p path) {
	vs.required(m != nil, p)
	if m == nil {
		return
	}
	if rule := sizeRule(len(m), 1, maxBatchGetTables); rule != "" {
		vs.addNew(p, rule)
	}
	if !tableKeys(m) && !vs.full() {
		vs.add(p, string(appendRequestJSON(nil, m)), ruleMapKeys)
	}
}

// batchWriteTables checks RequestItems of BatchWriteItem, except inside its
// requests.
func (vs *Violations) batchWriteTables(m Map[[]WriteRequest], p path) {
	vs.required(m != nil, p)
	if m == nil {
		return
	}
	if rule := sizeRule(len(m), 1, maxBatchWriteTables); rule != "" {
		vs.addNew(p, rule)
	}
	echo := func() string { return string(appendMap(nil, m, appendWriteRequests)) }
	if !tableKeys(m) && !vs.full() {
		vs.add(p, echo(), ruleMapKeys)
	}
	var empty bool
	for _, e := range m {
		switch {
		case len(e.Value) > maxBatchWrites:
			vs.addNew(atKey(&p, e.Key), sizeRule(len(e.Value), 1, maxBatchWrites))
		case len(e.Value) == 0:
			empty = true
		}
	}
	if empty && !vs.full() {
		vs.add(p, echo(), ruleMapValues)
	}
}

func appendWriteRequests(dst []byte, list []WriteRequest) []byte {
	return appendList(dst, list, appendWriteRequest)
}

// tableKeys reports whether every key can name a table.
func tableKeys[V any](m Map[V]) bool {
	for _, e := range m {
		if isARN(e.Key) {
			continue
		}
		if len(e.Key) < minNewTableName || len(e.Key) > maxTableName || !isName(e.Key) {
			return false
		}
	}
	return true
}

// appendRequestJSON prints RequestItems of BatchGetItem as it was sent, without
// white space and unknown members.
func appendRequestJSON(dst []byte, m Map[KeysAndAttributes]) []byte {
	dst = append(dst, '{')
	for i, e := range m {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, e.Key), ':')
		dst = AppendKeysAndAttributes(dst, e.Value)
	}
	return append(dst, '}')
}

// AppendKeysAndAttributes writes the API shape KeysAndAttributes as JSON.
func AppendKeysAndAttributes(dst []byte, v KeysAndAttributes) []byte {
	dst = append(dst, '{')
	start := len(dst)
	field := func(name string) {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, name), ':')
	}
	if v.Keys != nil {
		field("Keys")
		dst = append(dst, '[')
		for i, key := range v.Keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = key.Item.AppendJSON(dst)
		}
		dst = append(dst, ']')
	}
	if v.AttributesToGet != nil {
		field("AttributesToGet")
		dst = append(dst, '[')
		for i, name := range v.AttributesToGet {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendQuoted(dst, name)
		}
		dst = append(dst, ']')
	}
	if v.ConsistentRead.Present {
		field("ConsistentRead")
		dst = appendBool(dst, v.ConsistentRead)
	}
	if v.ProjectionExpression.Present {
		field("ProjectionExpression")
		dst = appendQuoted(dst, v.ProjectionExpression.Value)
	}
	if v.ExpressionAttributeNames != nil {
		field("ExpressionAttributeNames")
		dst = append(dst, '{')
		for i, e := range sorted(v.ExpressionAttributeNames) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendQuoted(append(appendQuoted(dst, e.Key), ':'), e.Value)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// appendQuoted prints a JSON string. Decoded strings are valid UTF-8, so there
// is no error to report.
func appendQuoted(dst []byte, s string) []byte {
	quoted, _ := jsontext.AppendQuote(dst, s)
	return quoted
}
