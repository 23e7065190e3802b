package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
)

// answerTo serves one request with extra headers.
func answerTo(s *Server, operation, body string, header map[string]string) *httptest.ResponseRecorder {
	r := request(operation, strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// told are the headers of an answer that tell of replicas.
func told(h http.Header) map[string]string {
	found := make(map[string]string)
	for name := range h {
		if rest, ok := strings.CutPrefix(name, "X-Stator-"); ok && rest != "Applied-Index" {
			found[rest] = h.Get(name)
		}
	}
	return found
}

func TestReplicaHeaders(t *testing.T) {
	t.Parallel()
	s := openNode(t, partition.ClusterOptions{})
	require.Equal(t, http.StatusOK, answerTo(s, "CreateTable", createUsers, nil).Code)
	require.Equal(t, http.StatusOK, answerTo(s, "PutItem", `{"TableName":"users","Item":{"pk":{"S":"a"}}}`, nil).Code)
	get := `{"TableName":"users","Key":{"pk":{"S":"a"}}}`
	strong := `{"TableName":"users","Key":{"pk":{"S":"a"}},"ConsistentRead":true}`
	on := map[string]string{"x-stator-headers": "on", "Origin": "http://example.org"}

	w := answerTo(s, "GetItem", get, on)
	shard := w.Header().Get(headerShard)
	require.Contains(t, []string{"0", "1"}, shard)
	require.Equal(t, map[string]string{"Shard": shard, "Node": "n1", "Role": "leader", "Consistency": "eventual", "Staleness-Ms": "0"}, told(w.Header()))
	require.Regexp(t, `^[1-9]\d*$`, w.Header().Get(headerApplied))
	require.Contains(t, w.Header().Get("Access-Control-Expose-Headers"), ", X-Stator-Staleness-Ms")
	require.Equal(t, "strong", answerTo(s, "GetItem", strong, on).Header().Get(headerConsistency))
	require.Equal(t, map[string]string{
		"Shard": "0,1", "Node": "n1,n1", "Role": "leader,leader", "Consistency": "eventual,eventual", "Staleness-Ms": "0,0",
	}, told(answerTo(s, "Scan", `{"TableName":"users"}`, on).Header()))

	require.Empty(t, told(answerTo(s, "GetItem", get, nil).Header()), "nobody asked")
	require.Empty(t, told(answerTo(s, "GetItem", get, map[string]string{"x-stator-headers": "off"}).Header()))
	require.Empty(t, told(answerTo(s, "ListTables", `{}`, on).Header()), "no shard was read")

	for _, policy := range []string{"nearest", "random", "round-robin", "pinned:n1", "pinned:n9"} {
		w := answerTo(s, "GetItem", get, map[string]string{"x-stator-headers": "on", "x-stator-read-policy": policy})
		require.Equal(t, "n1", w.Header().Get(headerNode), policy)
		require.Contains(t, w.Body.String(), `"a"`)
	}
	w = answerTo(s, "GetItem", get, map[string]string{"x-stator-read-policy": "100%s"})
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), `"X-Stator-Read-Policy: a read policy is nearest, random, round-robin or pinned:NODE, not \"100%s\""`)
}

// TestNoReplicaHeaders: a single node has nothing to choose and tells nothing.
func TestNoReplicaHeaders(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{SharedDB: true})
	require.Equal(t, http.StatusOK, answerTo(s, "CreateTable", createUsers, nil).Code)
	w := answerTo(s, "Scan", `{"TableName":"users"}`, map[string]string{"x-stator-headers": "on", "x-stator-read-policy": "random"})
	require.Equal(t, http.StatusOK, w.Code)
	require.Empty(t, told(w.Header()))
}
