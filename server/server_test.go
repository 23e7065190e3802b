package server

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stator-db/stator/server/internal/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestOperations compares the table with the API models.
func TestOperations(t *testing.T) {
	var have, want []string
	for _, op := range operations {
		have = append(have, targetPrefix+op.name)
	}
	for _, op := range streamsOperations {
		have = append(have, streamsTargetPrefix+op.name)
	}
	for _, op := range api.Operations() {
		want = append(want, string(op.Service)+"."+op.Name)
	}
	require.Len(t, want, 62+4)
	require.ElementsMatch(t, want, have)
}

func TestOptions(t *testing.T) {
	_, err := Open(Options{InMemory: true, DataDir: "x", GSIConsistency: "none", GSILag: -1, Shards: -1})
	require.EqualError(t, err, strings.Join([]string{
		"server options: a data directory cannot be combined with in-memory mode",
		`GSI consistency "none" is neither sync nor eventual`,
		"GSI lag -1ns is negative",
		"shard count -1 is negative",
	}, "\n"))
	_, err = Open(Options{})
	require.EqualError(t, err, "server options: a data directory is required unless in-memory mode is chosen")
	_, err = Open(Options{InMemory: true, GSILag: 1})
	require.EqualError(t, err, "server options: a GSI lag needs eventual GSI consistency")
}

// as makes a request under an access key and region.
func as(s *Server, key, region, operation, body string) (int, string) {
	r := request(operation, strings.NewReader(body))
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20261001/%s/dynamodb/aws4_request, SignedHeaders=host, Signature=0", key, region))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

const createUsers = `{"TableName":"users","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}`

// TestNamespaces keeps tables of access keys and regions apart, and tells the
// operator where a table lives that was not found.
func TestNamespaces(t *testing.T) {
	var log bytes.Buffer
	s := openTest(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	code, body := as(s, "alice", "eu-west-1", "CreateTable", createUsers)
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, body, "arn:aws:dynamodb:eu-west-1:111122223333:table/users")

	for range 3 {
		code, body = as(s, "bob", "eu-west-1", "GetItem", `{"TableName":"users","Key":{"pk":{"S":"x"}}}`)
		require.Equal(t, http.StatusBadRequest, code)
		require.Contains(t, body, `"Requested resource not found"`)
	}
	require.Equal(t, 1, strings.Count(log.String(), "table=users accessKey=bob region=eu-west-1 existsUnderAccessKey=alice existsInRegion=eu-west-1"), log.String())
	code, _ = as(s, "alice", "us-east-1", "DescribeTable", `{"TableName":"users"}`)
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, log.String(), "accessKey=alice region=us-east-1 existsUnderAccessKey=alice existsInRegion=eu-west-1")

	code, body = as(s, "bob", "eu-west-1", "CreateTable", createUsers)
	require.Equal(t, http.StatusOK, code, body)
}

func TestSharedDB(t *testing.T) {
	s := openTest(t, Options{SharedDB: true})
	code, body := as(s, "alice", "eu-west-1", "CreateTable", createUsers)
	require.Equal(t, http.StatusOK, code, body)
	code, body = as(s, "bob", "us-east-1", "ListTables", `{}`)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, `{"TableNames":["users"]}`, body)
}

// TestPanic has an operation fail in the worst way: the client hears of an internal
// error, the log of the cause, and the next request is served.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	s := openTest(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	fails := &operation{"Fails", func(c *call) error {
		c.out = append(c.out, "half an answer"...)
		panic("out of cheese")
	}}
	c := newCall(t.Context(), s)
	c.op = fails
	err := c.run()
	require.EqualError(t, err, "panic: out of cheese")
	require.Equal(t, errInternal, c.toAPIError(err))
	require.Contains(t, log.String(), "out of cheese")
	require.Contains(t, log.String(), "operation=Fails")
	require.Contains(t, log.String(), "TestPanic")
	c.release()
	code, body := as(s, "alice", "eu-west-1", "ListTables", `{}`)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, `{"TableNames":[]}`, body)
}

// TestUnknownError has an error that nothing translates.
func TestUnknownError(t *testing.T) {
	var log bytes.Buffer
	s := openTest(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	c := newCall(t.Context(), s)
	c.op = &operation{name: "PutItem"}
	e := c.toAPIError(fmt.Errorf("writing: %w", errors.New("disk on fire")))
	require.Equal(t, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"Internal server error"}`, string(e.appendJSON(nil)))
	require.Equal(t, http.StatusInternalServerError, e.status())
	require.Contains(t, log.String(), "disk on fire")
}

// TestClosed answers requests after Close with an error that clients retry.
func TestClosed(t *testing.T) {
	s, err := Open(Options{InMemory: true, Shards: 1})
	require.NoError(t, err)
	code, body := as(s, "a", "r", "CreateTable", createUsers)
	require.Equal(t, http.StatusOK, code, body)
	require.NoError(t, s.Close())
	code, body = as(s, "a", "r", "PutItem", `{"TableName":"users","Item":{"pk":{"S":"x"}}}`)
	require.Equal(t, http.StatusServiceUnavailable, code, body)
	require.Contains(t, body, "com.amazon.coral.service#ServiceUnavailable")
}

// FuzzServer feeds the whole server arbitrary targets and bodies. Every answer is
// JSON with a status the API knows, and nothing is an internal error.
func FuzzServer(f *testing.F) {
	for _, op := range append(append([]operation{}, operations...), streamsOperations...) {
		f.Add(op.name, `{}`)
		f.Add(op.name, `{"TableName":"users"}`)
	}
	f.Add("CreateTable", createUsers)
	f.Add("PutItem", `{"TableName":"users","Item":{"pk":{"S":"a"},"n":{"N":"1"},"m":{"M":{"l":{"L":[{"SS":["x"]}]}}}},"ReturnConsumedCapacity":"INDEXES"}`)
	f.Add("UpdateItem", `{"TableName":"users","Key":{"pk":{"S":"a"}},"UpdateExpression":"SET n = n + :one REMOVE m.l[0]","ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":"UPDATED_NEW"}`)
	f.Add("UpdateTable", `{"TableName":"users","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"gsi","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`)
	f.Add("UpdateTable", `{"TableName":"users","GlobalSecondaryIndexUpdates":[{}]}`)
	f.Add("TagResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:111122223333:table/users","Tags":[{"Key":"a","Value":"b"}]}`)
	f.Add("Query", `{"TableName":"users","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}}}`)
	f.Add("Scan", `{"TableName":"users","FilterExpression":"contains(m.l, :p)","ExpressionAttributeValues":{":p":{"S":"a"}}}`)
	f.Add("BatchWriteItem", `{"RequestItems":{"users":[{"PutRequest":{"Item":{"pk":{"S":"b"}}}}]}}`)
	f.Add("ListTables", `{"Limit":`+strings.Repeat("[", 1000)+`}`)
	f.Add("\x00", "\xff\xfe")
	s := openTest(f, Options{})
	code, body := as(s, "test", "us-east-1", "CreateTable", createUsers)
	require.Equal(f, http.StatusOK, code, body)
	f.Fuzz(func(t *testing.T, operation, body string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, request(operation, strings.NewReader(body)))
		requireFramed(t, w.Header(), w.Body.Bytes())
		answer := w.Body.String()
		switch w.Code {
		case http.StatusOK:
			require.True(t, answer == "" || jsontext.Value(answer).IsValid(), answer)
		case http.StatusBadRequest:
			require.True(t, jsontext.Value(answer).IsValid(), answer)
			require.Contains(t, answer, `{"__type":"com.amazon`)
		default: // UpdateTable answers an empty setting so, as the service does
			require.Contains(t, answer, "InternalFailure")
			require.Equal(t, "UpdateTable", operation)
		}
	})
}

// discard is a response nobody reads.
type discard struct {
	header http.Header
	code   int
}

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) WriteHeader(code int)        { w.code = code }
func (w *discard) Write(p []byte) (int, error) { return len(p), nil }
