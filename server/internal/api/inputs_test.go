package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// newInputs makes a request of each operation that is decoded.
var newInputs = map[string]func() Input{
	"BatchExecuteStatement": func() Input { return new(BatchExecuteStatementInput) },
	"BatchGetItem":          func() Input { return new(BatchGetItemInput) },
	"BatchWriteItem":        func() Input { return new(BatchWriteItemInput) },
	"CreateTable":           func() Input { return new(CreateTableInput) },
	"DeleteItem":            func() Input { return new(DeleteItemInput) },
	"DeleteTable":           func() Input { return new(DeleteTableInput) },
	"DescribeEndpoints":     func() Input { return new(DescribeEndpointsInput) },
	"DescribeLimits":        func() Input { return new(DescribeLimitsInput) },
	"DescribeStream":        func() Input { return new(DescribeStreamInput) },
	"DescribeTable":         func() Input { return new(DescribeTableInput) },
	"DescribeTimeToLive":    func() Input { return new(DescribeTimeToLiveInput) },
	"ExecuteStatement":      func() Input { return new(ExecuteStatementInput) },
	"ExecuteTransaction":    func() Input { return new(ExecuteTransactionInput) },
	"GetItem":               func() Input { return new(GetItemInput) },
	"GetRecords":            func() Input { return new(GetRecordsInput) },
	"GetShardIterator":      func() Input { return new(GetShardIteratorInput) },
	"ListStreams":           func() Input { return new(ListStreamsInput) },
	"ListTables":            func() Input { return new(ListTablesInput) },
	"ListTagsOfResource":    func() Input { return new(ListTagsOfResourceInput) },
	"PutItem":               func() Input { return new(PutItemInput) },
	"Query":                 func() Input { return new(QueryInput) },
	"Scan":                  func() Input { return new(ScanInput) },
	"TagResource":           func() Input { return new(TagResourceInput) },
	"TransactGetItems":      func() Input { return new(TransactGetItemsInput) },
	"TransactWriteItems":    func() Input { return new(TransactWriteItemsInput) },
	"UntagResource":         func() Input { return new(UntagResourceInput) },
	"UpdateItem":            func() Input { return new(UpdateItemInput) },
	"UpdateTable":           func() Input { return new(UpdateTableInput) },
	"UpdateTimeToLive":      func() Input { return new(UpdateTimeToLiveInput) },
}

func decode[T any, P interface {
	*T
	Input
}](t *testing.T, body string) *T {
	t.Helper()
	in := new(T)
	require.NoError(t, Unmarshal([]byte(body), P(in)))
	return in
}
