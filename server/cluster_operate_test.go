package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
)

// TestOrders: what is wrong with an order is told, and pages of other origins give
// none, although they may read and write data.
func TestOrders(t *testing.T) {
	t.Parallel()
	s := openNode(t, partition.ClusterOptions{})
	post := func(path, body, origin string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/_stator/cluster/"+path, strings.NewReader(body))
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	name := s.options.Cluster.Name
	for _, c := range []struct {
		path, body, origin string
		status             int
		text               string
	}{
		{"nodes/" + name, `{"state":"up"}`, "", 200, "{}"},
		{"nodes/" + name, `{"state":"draining"}`, "", 409, "no other node that is up"},
		{"nodes/" + name, `{"state":"asleep"}`, "", 409, "cannot be made"},
		{"nodes/other", `{"state":"draining"}`, "", 409, "no node named"},
		{"nodes/" + name, `{"stat":"up"}`, "", 400, "unknown member"},
		{"nodes/" + name, `{"state":"up"}`, "https://example.org", 403, "pages of this origin"},
		{"shards/x/move", `{}`, "", 400, "by its number"},
		{"shards/0/move", `{"from":"` + name + `","to":"other"}`, "", 409, "no node named"},
		{"shards/99/move", `{"from":"a","to":"b"}`, "", 409, "no shard 99"},
		{"shards/0/release", "", "", 200, "{}"},
	} {
		status, text := post(c.path, c.body, c.origin)
		require.Equal(t, c.status, status, "%+v: %s", c, text)
		require.Contains(t, text, c.text)
	}

	s = openTest(t, Options{InMemory: true})
	status, text := post("nodes/n1", `{"state":"up"}`, "")
	require.Equal(t, 409, status)
	require.Contains(t, text, "not a node of a cluster")
}
