package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

// FuzzFaults puts arbitrary rules into force and makes an arbitrary request under
// them. Rules are refused or listed, and answers are well formed.
func FuzzFaults(f *testing.F) {
	const put = `{"TableName":"users","Item":{"pk":{"S":"a"}}}`
	for _, seed := range []struct{ rules, operation, body string }{
		{`{"kind":"throttling","key":"a*?"}`, "PutItem", put},
		{`[{"kind":"conflict","table":"users"}]`, "TransactWriteItems", `{"TransactItems":[{"Put":` + put + `}]}`},
		{`{"kind":"partialBatch","fraction":0.3}`, "BatchWriteItem", `{"RequestItems":{"users":[{"PutRequest":{"Item":{"pk":{"S":"a"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"b"}}}}]}}`},
		{`{"kind":"partialBatch","first":2}`, "BatchGetItem", `{"RequestItems":{"users":{"Keys":[{"pk":{"S":"a"}}]}}}`},
		{`{"kind":"drop","after":true,"every":2}`, "UpdateItem", `{"TableName":"users","Key":{"pk":{"S":"a"}}}`},
		{`{"kind":"latency","delay":"1ns-2ns","probability":0.5,"seed":1}`, "ListTables", `{}`},
		{`{"kind":"InternalServerError","key":"a"}`, "Query", `{"TableName":"users","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}}}`},
		{`{"kind":"ServiceUnavailable","key":"a"}`, "ExecuteStatement", `{"Statement":"SELECT * FROM users WHERE pk = ?","Parameters":[{"S":"a"}]}`},
		{`{"id":"x","kind":"throttling","exception":"RequestLimitExceeded"}`, "TransactGetItems", `{"TransactItems":[{}]}`},
	} {
		f.Add(seed.rules, seed.operation, seed.body)
	}
	s := openTest(f, Options{})
	code, body := as(s, "test", "us-east-1", "CreateTable", createUsers)
	require.Equal(f, http.StatusOK, code, body)
	f.Fuzz(func(t *testing.T, rules, operation, body string) {
		code, answer := admin(s, http.MethodPost, "/_stator/faults", rules)
		require.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, code)
		require.True(t, jsontext.Value(answer).IsValid(), answer)
		defer s.faults.remove("")
		for _, f := range s.faults.list() {
			if f.most > time.Millisecond {
				t.Skip("a test that waits finds nothing more")
			}
		}

		w := httptest.NewRecorder()
		defer func() {
			if p := recover(); p != nil {
				require.Equal(t, http.ErrAbortHandler, p)
			}
		}()
		s.ServeHTTP(w, request(operation, strings.NewReader(body)))
		requireFramed(t, w.Header(), w.Body.Bytes())
		require.True(t, w.Body.Len() == 0 || jsontext.Value(w.Body.String()).IsValid(), w.Body)
	})
}
