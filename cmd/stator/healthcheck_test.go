package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	s := start(t, "serve", "--port", "0", "--in-memory")
	status, _ := get(t, s.url+"/health")
	require.Equal(t, http.StatusOK, status)
	status, _ = get(t, s.url+"/ready")
	require.Equal(t, http.StatusOK, status)

	got := execute(t, "", "healthcheck", "--port", portOf(s.url))
	require.Equal(t, result{stdout: "ready\n"}, got)
	// The file that configures serve configures the check as well.
	config := writeConfig(t, "host: 0.0.0.0\nin-memory: true\nport: "+portOf(s.url)+"\n")
	require.Equal(t, result{stdout: "ready\n"}, execute(t, "", "healthcheck", "--config", config))

	s.kill()
	got = execute(t, "", "healthcheck", "--port", portOf(s.url))
	require.Equal(t, exitFailure, got.code)
	requireOneLine(t, got.stderr, "not ready", "refused")
}

func TestHealthcheckOfServerThatIsNotReady(t *testing.T) {
	t.Parallel()
	var path string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		http.Error(w, "closing", http.StatusServiceUnavailable)
	}))
	defer web.Close()
	address, err := url.Parse(web.URL)
	require.NoError(t, err)

	got := execute(t, "", "healthcheck", "--port", address.Port())
	require.Equal(t, exitFailure, got.code)
	requireOneLine(t, got.stderr, "503 Service Unavailable: closing")
	require.Equal(t, "/ready", path)
}

// A server that accepts and never answers must not hold the check.
func TestHealthcheckTimeout(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	got := execute(t, "", "healthcheck", "--port", portOf(listenURL(listener)), "--timeout", "50ms")
	require.Equal(t, exitFailure, got.code)
	requireOneLine(t, got.stderr, "deadline exceeded")
}

func TestReachableHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "127.0.0.1", "[::]": "127.0.0.1",
		"::1": "::1", "[::1]": "::1", "10.0.0.1": "10.0.0.1", "stator": "stator",
	} {
		require.Equal(t, want, reachableHost(host), host)
	}
}
