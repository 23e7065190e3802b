package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
)

// TestTransactions runs the scripts in testdata/transactions, which are written
// like those of TestItems, on one shard and on several: a client cannot tell. The
// command "advance d" moves the clock.
func TestTransactions(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprintf("shards=%d", shards), func(t *testing.T) {
			datadriven.Walk(t, "testdata/transactions", func(t *testing.T, path string) {
				client := newTimedClient(t, Options{Shards: shards})
				datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
					switch d.Cmd {
					case "table":
						return client.script("CreateTable", tableRequest(t, d), "created")
					case "advance":
						client.advance(d.CmdArgs[0].Key)
						return ""
					}
					return client.script(d.Cmd, expandRuns(d.Input), "")
				})
			})
		})
	}
}

// TestTransactionLimits sends transactions around the limits of 100 actions and 4 MB.
func TestTransactionLimits(t *testing.T) {
	client := &testClient{t, openTest(t, Options{Shards: 4})}
	client.must("CreateTable", createUsers)
	list := func(n int, action func(i int) string) string {
		actions := make([]string, n)
		for i := range actions {
			actions[i] = action(i)
		}
		return `{"TransactItems":[` + strings.Join(actions, ",") + `]}`
	}
	put := func(size int) func(i int) string {
		return func(i int) string {
			return fmt.Sprintf(`{"Put":{"TableName":"users","Item":{"pk":{"S":"%04d"},"v":{"S":"%s"}}}}`, i, strings.Repeat("x", size-7))
		}
	}
	get := func(i int) string { return fmt.Sprintf(`{"Get":{"TableName":"users","Key":{"pk":{"S":"%04d"}}}}`, i) }
	const tooMany = "ValidationException: 1 validation error detected: Value at 'TransactItems' failed to satisfy constraint: Member must have length less than or equal to 100"
	const tooLarge = "ValidationException: Collection size of items exceeded, which can also be caused by the aggregate size of the items in the transaction exceeding the 4MB limit"

	require.Equal(t, tooMany, client.script("TransactWriteItems", list(101, put(10)), ""))
	require.Equal(t, tooMany, client.script("TransactGetItems", list(101, get), ""))
	require.Equal(t, "{}", client.script("TransactWriteItems", list(100, put(10)), ""))
	require.Len(t, client.must("TransactGetItems", list(100, get))["Responses"], 100)

	require.Equal(t, tooLarge, client.script("TransactWriteItems", list(16, put(maxTransactSize/16+1)), ""))
	require.Equal(t, "{}", client.script("TransactWriteItems", list(16, put(maxTransactSize/16)), ""))
	require.Len(t, client.must("TransactGetItems", list(16, get))["Responses"], 16)
	require.Equal(t, tooLarge, client.script("TransactGetItems", list(17, get), ""), "17 items exceed 4 MB by one small one")
}

// TestTransactionErrors pins the bodies of exceptions that need a concurrent
// request or a throttled table to come about.
func TestTransactionErrors(t *testing.T) {
	c := &call{op: &operation{name: "TransactWriteItems"}, s: openTest(t, Options{})}
	held := fmt.Errorf("wrapped: %w", partition.ErrTransactionConflict)
	for _, tt := range []struct {
		err  error
		want string
	}{
		{held, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"Transaction is ongoing for the item"}`},
		{partition.ErrTransactionInProgress, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionInProgressException","Message":"Transaction from previous request is still in progress"}`},
		{partition.ErrIdempotentMismatch, `{"__type":"com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException","Message":"DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used."}`},
		{&partition.TransactionCanceled{Reasons: []error{nil, held, validationText("no")}}, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",` +
			`"Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [None, TransactionConflict, ValidationError]",` +
			`"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"},{"Code":"ValidationError","Message":"no"}]}`},
		{&partition.TransactionCanceled{Reasons: []error{nil, errUnavailable}}, `{"__type":"com.amazon.coral.service#ServiceUnavailable","message":"Service is unable to process request"}`},
	} {
		require.Equal(t, tt.want, string(c.toAPIError(tt.err).appendJSON(nil)))
	}
}

// TestBatchMeetsTransaction leaves unprocessed what a transaction holds: the
// exception for it is none of BatchWriteItem's.
func TestBatchMeetsTransaction(t *testing.T) {
	held := fmt.Errorf("wrapped: %w", partition.ErrTransactionConflict)
	throttled := &apiError{Type: modelPrefix + throttling}
	for _, tt := range []struct {
		errs string
		left []bool
		err  error
	}{
		{errs: "..", left: nil},
		{errs: ".h", left: []bool{false, true}},
		{errs: "hh", left: []bool{true, true}},
		{errs: "ht", left: []bool{true, true}},
		{errs: "tt", err: throttled},
		{errs: "hx", err: io.ErrUnexpectedEOF},
	} {
		var errs []error
		for _, kind := range tt.errs {
			errs = append(errs, map[rune]error{'h': held, 't': throttled, 'x': io.ErrUnexpectedEOF}[kind])
		}
		left, err := leftOver(errs)
		require.Equal(t, tt.left, left, tt.errs)
		require.Equal(t, tt.err, err, tt.errs)
	}
}

// TestConcurrentTransactions adds to two items in transactions and in single
// updates at once. Nobody waits for a lock: an attempt that meets another one fails
// with a conflict, and nothing of it remains.
func TestConcurrentTransactions(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", createUsers)
	update := func(pk string) string {
		return `{"TableName":"users","Key":{"pk":{"S":"` + pk + `"}},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}`
	}
	both := `{"TransactItems":[{"Update":` + update("a") + `},{"Update":` + update("b") + `}]}`
	var transactions, singles atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range 50 {
				if code, body := client.send("TransactWriteItems", both); code == http.StatusOK {
					transactions.Add(1)
				} else {
					assert.Contains(t, body, "TransactionConflict")
				}
			}
		})
		clients.Go(func() {
			for range 50 {
				if code, body := client.send("UpdateItem", update("a")); code == http.StatusOK {
					singles.Add(1)
				} else {
					assert.Contains(t, body, "#TransactionConflictException")
				}
				code, body := client.send("TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"users","Key":{"pk":{"S":"a"}}}},{"Get":{"TableName":"users","Key":{"pk":{"S":"b"}}}}]}`)
				if code != http.StatusOK {
					assert.Contains(t, body, "[TransactionConflict")
				}
			}
		})
	}
	clients.Wait()
	require.NotZero(t, transactions.Load())
	require.NotZero(t, singles.Load())
	get := func(pk string) string {
		return client.script("GetItem", `{"TableName":"users","Key":{"pk":{"S":"`+pk+`"}}}`, "")
	}
	require.Equal(t, fmt.Sprintf(`{"Item":{"n":{"N":"%d"},"pk":{"S":"a"}}}`, transactions.Load()+singles.Load()), get("a"))
	require.Equal(t, fmt.Sprintf(`{"Item":{"n":{"N":"%d"},"pk":{"S":"b"}}}`, transactions.Load()), get("b"))
}
