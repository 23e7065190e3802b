package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server"
	"github.com/stator-db/stator/server/internal/model"
)

// TestModel sends random requests to a server and wants the answers that package
// model gives, whatever the number of shards, in memory and across reopening a
// directory. In the end the directory verifies.
//
// A failure prints the requests and the seed: repeat it with -rapid.seed, or run
// more and longer sequences with -rapid.checks and -rapid.steps.
func TestModel(t *testing.T) {
	all := &sequences{servers: map[int]*server.Server{}, outcomes: map[string]int{}}
	defer func() {
		for _, s := range all.servers {
			require.NoError(t, s.Close())
		}
	}()
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{
			sequences: all,
			options:   server.Options{Shards: pick(rt, "shards", 1, 3, 8), InMemory: !oneIn(rt, 10, "on disk")},
		}
		if !m.options.InMemory {
			m.options.DataDir = t.TempDir()
		}
		m.open(rt)
		passed := false
		defer func() {
			if m.options.InMemory && passed {
				return
			}
			if m.options.InMemory {
				delete(all.servers, m.options.Shards)
			}
			require.NoError(rt, m.server.Close())
		}()
		m.createTable(rt)
		for range 2 {
			rt.Repeat(m.actions())
		}
		m.audit(rt)
		m.deleteTable(rt)
		if !m.options.InMemory {
			require.NoError(rt, m.server.Close())
			verifyDirectory(rt, m.options.DataDir)
		}
		passed = true
	})
	for _, outcome := range slices.Sorted(maps.Keys(all.outcomes)) {
		t.Logf("%6d %s", all.outcomes[outcome], outcome)
	}
	// A test that is answered with errors most of the time tests little.
	for _, operation := range []string{"PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "TransactGetItems"} {
		if refused := all.outcomes[operation+" ValidationException"]; refused > 100 {
			require.Greater(t, all.outcomes[operation+" 200"], refused, operation)
		}
	}
}

// sequences is what all random sequences of requests have in common. A server in
// memory serves many of them, each with a table of its own, since opening one takes
// as long as a hundred requests.
type sequences struct {
	servers  map[int]*server.Server // in memory, by number of shards
	tokens   int                    // of transactions, used so far
	outcomes map[string]int         // how often each operation was answered how
}

// verifyDirectory wants data that agrees with itself, of which a repair changes
// nothing.
func verifyDirectory(t require.TestingT, dir string) {
	var problems []string
	_, err := partition.Verify(context.Background(), partition.Options{Dir: dir}, func(p partition.Problem) {
		problems = append(problems, p.String())
	})
	require.NoError(t, err)
	require.Empty(t, problems)
	repaired, err := partition.Repair(context.Background(), partition.Options{Dir: dir}, func(string) {})
	require.NoError(t, err)
	require.Zero(t, repaired.EntriesAdded)
	require.Zero(t, repaired.EntriesRemoved)
}

// A machine is a server beside the model of what it should hold.
type machine struct {
	*sequences
	options server.Options
	server  *server.Server
	table   *model.Table
	repeat  object // the last transaction with a token
}

type object = map[string]any

// actions are what may happen, more often what is listed more often.
func (m *machine) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"BatchGetItem":   m.batchGet,
		"BatchWriteItem": m.batchWrite,
		"DeleteItem":     m.delete,
		"DescribeTable":  m.describe,
		"GetItem":        m.get,
		"recreate":       m.recreate,
		"reopen":         m.reopen,
		"UpdateTable":    m.updateTable,

		"TransactGetItems":         m.transactGet,
		"TransactWriteItems again": m.transactAgain,
	}
	for name, often := range map[string]func(*rapid.T){
		"PutItem": m.put, "Query": m.query, "Scan": m.scan, "TransactWriteItems": m.transactWrite, "UpdateItem": m.update,
	} {
		for i := range 5 {
			actions[fmt.Sprint(name, i)] = often
		}
	}
	return actions
}

func (m *machine) open(t *rapid.T) {
	if m.server = m.servers[m.options.Shards]; m.server != nil && m.options.InMemory {
		return
	}
	var err error
	m.server, err = server.Open(m.options)
	require.NoError(t, err)
	if m.options.InMemory {
		m.servers[m.options.Shards] = m.server
	}
}

// reopen closes the server and opens the directory again.
func (m *machine) reopen(t *rapid.T) {
	if m.options.InMemory {
		t.Skip("nothing to reopen")
	}
	require.NoError(t, m.server.Close())
	m.options.Shards = 0 // the directory knows
	m.open(t)
}

// send makes a request. It returns the answer, or the name of the exception with
// its other members.
func (m *machine) send(t *rapid.T, operation string, request object) (exception string, answer object) {
	body, err := json.Marshal(request, json.Deterministic(true))
	require.NoError(t, err)
	code, text := post(m.server, operation, body)
	t.Logf("%s %s\n\t%d %s", operation, body, code, text)
	require.NoError(t, json.Unmarshal([]byte(text), &answer))
	if code != http.StatusOK {
		require.Equal(t, http.StatusBadRequest, code)
		_, exception, _ = strings.Cut(answer["__type"].(string), "#")
	}
	if m.outcomes[operation+" 200"]++; exception != "" {
		m.outcomes[operation+" 200"]--
		m.outcomes[operation+" "+exception]++
	}
	return exception, answer
}

// post makes a signed request and returns status and body of the answer.
func post(h http.Handler, operation string, body []byte) (status int, answer string) {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Date", "20261001T000000Z")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261001/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// expect makes a request and wants the model's error, or exactly the answer.
func (m *machine) expect(t *rapid.T, operation string, request, want object, failure error) {
	exception, answer := m.send(t, operation, request)
	switch {
	case errors.Is(failure, model.ErrValidation):
		require.Equal(t, "ValidationException", exception)
		return
	case errors.Is(failure, model.ErrCondition):
		require.Equal(t, "ConditionalCheckFailedException", exception)
		delete(answer, "__type")
		delete(answer, "message")
	default:
		require.Empty(t, exception)
	}
	require.Equal(t, canonical(want), canonical(answer))
}

// canonical is JSON that is the same for the same attribute values: members of
// sets are sorted.
func canonical(v any) string {
	text, err := json.Marshal(sortSets(v), json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return string(text)
}

func sortSets(v any) any {
	switch v := v.(type) {
	case object:
		sorted := object{}
		for name, member := range v {
			if list, ok := member.([]any); ok && len(list) > 0 && reflect.TypeOf(list[0]).Kind() == reflect.String {
				list = slices.Clone(list)
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
				sorted[name] = list
			} else {
				sorted[name] = sortSets(member)
			}
		}
		return sorted
	case []any:
		sorted := make([]any, len(v))
		for i, element := range v {
			sorted[i] = sortSets(element)
		}
		return sorted
	}
	return v
}

// sortedItems lists the items of the table in an order that is always the same.
func sortedItems(table *model.Table) []model.Item {
	items := table.Items()
	texts := map[string]model.Item{}
	var order []string
	for _, it := range items {
		text := canonical(table.KeyOf(it).JSON())
		texts[text] = it
		order = append(order, text)
	}
	slices.Sort(order)
	for i, text := range order {
		items[i] = texts[text]
	}
	return items
}

// addExpressions adds the names and values that expressions of a request use.
func addExpressions(request object, w *model.Writer) {
	if w.Names != nil {
		request["ExpressionAttributeNames"] = w.Names
	}
	if w.Values != nil {
		request["ExpressionAttributeValues"] = w.Values
	}
}
