package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A timedClient is a testClient of a server whose clock only moves when it is told
// to.
type timedClient struct{ testClient }

func newTimedClient(t *testing.T, o Options) *timedClient {
	t.Helper()
	o.InMemory = true
	s, err := open(o, func() time.Time { return scriptTime })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &timedClient{testClient{t, s}}
}

// advance moves the clock by a duration, the way users do.
func (c *timedClient) advance(duration string) {
	c.t.Helper()
	code, body := admin(c.server, http.MethodPost, "/_stator/clock", `{"advance":"`+duration+`"}`)
	require.Equal(c.t, http.StatusOK, code, body)
}

// admin makes a request of an admin endpoint.
func admin(s *Server, method, path, body string) (int, string) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}
