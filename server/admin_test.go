package server

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClock(t *testing.T) {
	s := newTimedClient(t, Options{Shards: 1}).server
	for _, tt := range []struct {
		method, body string
		code         int
		want         string
	}{
		{http.MethodGet, "", http.StatusOK, `{"now":"2026-10-01T12:00:00.5Z","offsetSeconds":0}`},
		{http.MethodPost, `{"advanceSeconds":90}`, http.StatusOK, `{"now":"2026-10-01T12:01:30.5Z","offsetSeconds":90}`},
		{http.MethodPost, `{"advance":"1h30m0.5s"}`, http.StatusOK, `{"now":"2026-10-01T13:31:31Z","offsetSeconds":5490.5}`},
		{http.MethodPost, `{"advanceSeconds":0}`, http.StatusOK, `{"now":"2026-10-01T13:31:31Z","offsetSeconds":5490.5}`},
		{http.MethodPost, ``, http.StatusBadRequest, "EOF"},
		{http.MethodPost, `[]`, http.StatusBadRequest, `"/ cannot be a JSON [`},
		{http.MethodPost, `{}`, http.StatusBadRequest, "give either advanceSeconds or advance"},
		{http.MethodPost, `{"advanceSeconds":1,"advance":"1s"}`, http.StatusBadRequest, "give either advanceSeconds or advance"},
		{http.MethodPost, `{"seconds":1}`, http.StatusBadRequest, `unknown member \"seconds\"`},
		{http.MethodPost, `{"advanceSeconds":1.5}`, http.StatusBadRequest, "/advanceSeconds"},
		{http.MethodPost, `{"advance":"soon"}`, http.StatusBadRequest, "invalid duration"},
		{http.MethodPost, `{"advanceSeconds":-1}`, http.StatusBadRequest, "the clock cannot be turned back"},
		{http.MethodPost, `{"advance":"-1ns"}`, http.StatusBadRequest, "the clock cannot be turned back"},
		{http.MethodPost, `{"advanceSeconds":9223372036854775807}`, http.StatusBadRequest, "cannot be advanced by more than 87600h0m0s at once"},
		{http.MethodPost, `{"advance":"87601h"}`, http.StatusBadRequest, "cannot be advanced by more than 87600h0m0s at once"},
		{http.MethodPost, strings.Repeat(" ", maxAdminBody) + `{"advanceSeconds":1}`, http.StatusBadRequest, "too large"},
		{http.MethodGet, "", http.StatusOK, `{"now":"2026-10-01T13:31:31Z","offsetSeconds":5490.5}`},
	} {
		code, body := admin(s, tt.method, "/_stator/clock", tt.body)
		require.Equal(t, tt.code, code, body)
		if code == http.StatusOK {
			require.JSONEq(t, tt.want, body)
		} else {
			require.Contains(t, body, tt.want)
			require.True(t, strings.HasPrefix(body, `{"error":"`), body)
		}
	}
}

// TestAdmin looks for the endpoints where they are to be had, and where not.
func TestAdmin(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		code int
	}{
		{"in memory", Options{InMemory: true}, http.StatusOK},
		{"on disk", Options{DataDir: t.TempDir()}, http.StatusNotFound},
		{"asked for", Options{DataDir: t.TempDir(), Admin: true}, http.StatusOK},
	} {
		tt.o.Shards = 1
		s, err := Open(tt.o)
		require.NoError(t, err, tt.name)
		code, body := admin(s, http.MethodPost, "/_stator/clock", `{"advanceSeconds":3600}`)
		require.Equal(t, tt.code, code, "%s: %s", tt.name, body)
		if code != http.StatusOK {
			require.JSONEq(t, `{"error":"these endpoints are served in memory or with --admin"}`, body)
		}
		ahead := time.Until(s.db.Now())
		require.Equal(t, tt.code == http.StatusOK, ahead > 59*time.Minute, tt.name)
		require.NoError(t, s.Close())
	}
}

// TestProfiles looks for Go's profiles: only where they were asked for.
func TestProfiles(t *testing.T) {
	for _, asked := range []bool{false, true} {
		s := openTest(t, Options{Shards: 1, Admin: asked})
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
			code, body := admin(s, http.MethodGet, path, "")
			if asked {
				require.Equal(t, http.StatusOK, code, path)
				require.NotEmpty(t, body)
			} else {
				require.Equal(t, http.StatusNotFound, code, path)
			}
		}
	}
}
