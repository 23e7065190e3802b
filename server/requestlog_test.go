package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requestsSince reads the log as a client does.
func requestsSince(t *testing.T, s *Server, query string) requestPage {
	t.Helper()
	code, body := admin(s, http.MethodGet, "/_stator/requests"+query, "")
	require.Equal(t, http.StatusOK, code, body)
	var page requestPage
	require.NoError(t, json.Unmarshal([]byte(body), &page))
	return page
}

const createEvents = `{"TableName":"events","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"},{"AttributeName":"kind","AttributeType":"S"}],
	"GlobalSecondaryIndexes":[{"IndexName":"byKind","KeySchema":[{"AttributeName":"kind","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`

// TestRequestLog compares what is logged of requests of every kind.
func TestRequestLog(t *testing.T) {
	s := openTest(t, Options{})
	post := func(operation, body string) { as(s, "alice", "eu-west-1", operation, body) }
	post("CreateTable", createEvents)
	require.Empty(t, requestsSince(t, s, "").Requests, "nobody looked when the table was created")

	big := strings.Repeat("secret", 400)
	for _, request := range []struct{ operation, body, want string }{
		{"PutItem", `{"TableName":"events","Item":{"pk":{"S":"a"},"n":{"N":"1.0"},"kind":{"S":"x"},"text":{"S":"` + big + `"}}}`, `events [a 1] keys=1 units=6 0→0 200`},
		{"PutItem", `{"TableName":"events","Item":{"pk":{"S":"a"},"n":{"N":"2"}},"ConditionExpression":"attribute_exists(pk)"}`, `events [a 2] keys=1 units=0 0→0 400 ConditionalCheckFailedException`},
		{"GetItem", `{"TableName":"events","Key":{"pk":{"S":"a"},"n":{"N":"1"}},"ConsistentRead":true}`, `events [a 1] keys=1 units=1 1→1 200`},
		{"GetItem", `{"TableName":"events","Key":{"pk":{"S":"b"},"n":{"N":"1"}}}`, `events [b 1] keys=1 units=0.5 0→0 200`},
		{"Query", `{"TableName":"events","IndexName":"byKind","KeyConditionExpression":"kind = :k","ExpressionAttributeValues":{":k":{"S":"x"}}}`, `events/byKind [x] keys=1 units=0.5 1→1 200`},
		{"Scan", `{"TableName":"events","FilterExpression":"kind = :k","ExpressionAttributeValues":{":k":{"S":"y"}}}`, `events [] keys=1 units=0.5 1→0 200 scan`},
		{"ExecuteStatement", `{"Statement":"SELECT * FROM \"events\" WHERE kind = 'y'"}`, `events [] keys=1 units=0.5 1→0 200 scan`},
		{"ExecuteStatement", `{"Statement":"SELECT * FROM \"events\" WHERE pk = 'a'"}`, `events [a] keys=1 units=0.5 1→1 200`},
		{"BatchWriteItem", `{"RequestItems":{"events":[{"PutRequest":{"Item":{"pk":{"S":"c"},"n":{"N":"1"}}}},{"PutRequest":{"Item":{"pk":{"S":"c"},"n":{"N":"2"}}}}]}}`, `events [c 1] keys=2 units=2 0→0 200`},
		{"BatchGetItem", `{"RequestItems":{"events":{"Keys":[{"pk":{"S":"c"},"n":{"N":"1"}},{"pk":{"S":"z"},"n":{"N":"1"}}]}}}`, `events [c 1] keys=2 units=1 1→1 200`},
		{"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"events","Item":{"pk":{"S":"d"},"n":{"N":"1"}}}}]}`, `events [d 1] keys=1 units=2 0→0 200`},
		{"TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"events","Key":{"pk":{"S":"d"},"n":{"N":"1"}}}},{"Get":{"TableName":"events","Key":{"pk":{"S":"q"},"n":{"N":"1"}}}}]}`, `events [d 1] keys=2 units=4 1→1 200`},
		{"DescribeTable", `{"TableName":"nothing"}`, `nothing [] keys=1 units=0 0→0 400 ResourceNotFoundException`},
		{"PutItem", `{"TableName":"events","Item":`, ` [] keys=0 units=0 0→0 400 SerializationException`},
		{"GetItem", `{"TableName":"` + strings.Repeat("é", 300) + `"}`, strings.Repeat("é", 100) + `… [] keys=1 units=0 0→0 400 ValidationException`},
	} {
		from := requestsSince(t, s, "").Next
		post(request.operation, request.body)
		page := requestsSince(t, s, fmt.Sprintf("?since=%d", from))
		require.Len(t, page.Requests, 1, request.body)
		r := page.Requests[0]
		require.Equal(t, from, r.ID)
		require.Equal(t, [3]string{request.operation, "alice", "eu-west-1"}, [3]string{r.Operation, r.Account, r.Region})
		got := r.Table
		if r.Index != "" {
			got += "/" + r.Index
		}
		got += fmt.Sprintf(" %v keys=%d units=%v %d→%d %d", r.Key, r.Keys, r.Consumed, r.Read, r.Returned, r.Status)
		if r.Error != "" {
			got += " " + r.Error
		}
		if r.Scan {
			got += " scan"
		}
		require.Equal(t, request.want, got, "%s %s", request.operation, request.body)
	}
	_, all := admin(s, http.MethodGet, "/_stator/requests", "")
	require.NotContains(t, all, "secret", "of an item the log holds its key only")
	code, body := admin(s, http.MethodGet, "/_stator/requests?since=x", "")
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, body, "is no number")
}

// TestRequestLogBounds fills the log beyond its size and its rate.
func TestRequestLogBounds(t *testing.T) {
	var l requestLog
	now := time.Unix(1000, 0)
	require.False(t, l.watched(now))
	l.watch(now)
	require.True(t, l.watched(now))
	require.False(t, l.watched(now.Add(requestLogPatience)))

	for range requestLogRate {
		require.True(t, l.admit(now))
	}
	require.False(t, l.admit(now))
	require.True(t, l.admit(now.Add(time.Second)))

	for i := range requestLogSize + 10 {
		l.add(requestRecord{Keys: i})
	}
	page := l.since(0)
	require.Len(t, page.Requests, requestLogSize)
	require.Equal(t, uint64(10), page.Requests[0].ID)
	require.Equal(t, 10, page.Requests[0].Keys)
	require.Equal(t, uint64(requestLogSize+10), page.Next)
	require.Equal(t, uint64(1), page.Skipped)
	require.Empty(t, l.since(page.Next).Requests)
	require.Empty(t, l.since(page.Next+1000).Requests, "of a server that was replaced")
	require.Len(t, l.since(page.Next-1).Requests, 1)
}

// TestRequestStream follows the log as server-sent events, and comes back to it.
func TestRequestStream(t *testing.T) {
	s := openTest(t, Options{})
	web := httptest.NewServer(s)
	defer web.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	follow := func(last string) (*bufio.Scanner, func()) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL+"/_stator/requests", nil)
		require.NoError(t, err)
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Last-Event-ID", last)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
		return bufio.NewScanner(answer.Body), func() { answer.Body.Close() }
	}
	next := func(lines *bufio.Scanner) (id string, page requestPage) {
		for lines.Scan() {
			if v, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				id = v
			} else if v, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				require.NoError(t, json.Unmarshal([]byte(v), &page))
				return id, page
			}
		}
		require.Fail(t, "the stream ended", lines.Err())
		return "", page
	}
	lines, done := follow("")
	_, page := next(lines)
	require.Empty(t, page.Requests)
	as(s, "alice", "eu-west-1", "ListTables", `{}`)
	id, page := next(lines)
	require.Len(t, page.Requests, 1)
	require.Equal(t, "ListTables", page.Requests[0].Operation)
	done()

	as(s, "bob", "eu-west-1", "DescribeLimits", `{}`)
	lines, done = follow(id)
	defer done()
	_, page = next(lines)
	require.Len(t, page.Requests, 1)
	require.Equal(t, "bob", page.Requests[0].Account)
}

// TestRequestStreamEnds stops the HTTP server while two clients follow the log: it
// waits for neither.
func TestRequestStreamEnds(t *testing.T) {
	s := openTest(t, Options{})
	web := httptest.NewServer(s)
	defer web.Close()
	for range 2 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/_stator/requests", nil)
		require.NoError(t, err)
		r.Header.Set("Accept", "text/event-stream")
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, web.Config.Shutdown(ctx))
	require.NoError(t, web.Config.Shutdown(ctx))
}

// TestOperationCounters compares counters and buckets with the requests that were made.
func TestOperationCounters(t *testing.T) {
	s := openTest(t, Options{})
	_, body := admin(s, http.MethodGet, "/_stator/operations", "")
	require.Contains(t, body, `"operations":[]`)
	as(s, "a", "b", "CreateTable", createUsers)
	for range 3 {
		as(s, "a", "b", "GetItem", `{"TableName":"users","Key":{"pk":{"S":"x"}}}`)
	}
	as(s, "a", "b", "GetItem", `{}`)
	as(s, "a", "b", "Nonsense", `{}`)
	_, body = admin(s, http.MethodGet, "/_stator/operations", "")
	var got struct{ Operations []operationReport }
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Len(t, got.Operations, 2)
	require.Equal(t, "CreateTable", got.Operations[0].Operation)
	gets := got.Operations[1]
	require.Equal(t, uint64(4), gets.Requests)
	require.Equal(t, uint64(1), gets.Errors)
	var sum uint64
	for _, bucket := range gets.Latency {
		sum += bucket[1]
	}
	require.Equal(t, uint64(4), sum)
}

// TestLatencyBuckets finds every latency in a bucket that begins at most an eighth below.
func TestLatencyBuckets(t *testing.T) {
	for i := range latencyDoublings * latencySteps {
		require.Equal(t, i, latencyBucket(latencyFloor(i)))
	}
	for micros := uint64(0); micros < 100_000_000; micros += 1 + micros/97 {
		floor := latencyFloor(latencyBucket(micros))
		require.LessOrEqual(t, floor, micros)
		require.LessOrEqual(t, micros-floor, micros/latencySteps, micros)
	}
	require.Equal(t, latencyDoublings*latencySteps-1, latencyBucket(1<<62))
}

// BenchmarkUnwatched is what counting, and asking whether to log, adds to a request.
func BenchmarkUnwatched(b *testing.B) {
	var l requestLog
	var n operationCounters
	for b.Loop() {
		start := time.Now()
		if l.watched(start) {
			b.Fatal("nobody watches")
		}
		n.count(time.Since(start), false)
	}
}
