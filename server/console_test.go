package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestConsoleAddress finds the console at its address and at that of DynamoDB Local's
// shell, also where GET has another meaning.
func TestConsoleAddress(t *testing.T) {
	for _, local := range []bool{false, true} {
		s := openTest(t, Options{Local: local})
		for _, path := range []string{"/console", "/shell"} {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			require.Equal(t, http.StatusMovedPermanently, w.Code)
			require.Equal(t, path+"/", w.Header().Get("Location"))
			code, body := admin(s, http.MethodGet, path+"/", "")
			require.Equal(t, http.StatusOK, code)
			require.Contains(t, body, "<title>Stator</title>")
			code, _ = admin(s, http.MethodGet, path+"/nothing", "")
			require.Equal(t, http.StatusNotFound, code)
		}
	}
}

// TestNamespaceReport tells which keys and regions have tables, on disk without --admin as well.
func TestNamespaceReport(t *testing.T) {
	s, err := Open(Options{DataDir: t.TempDir(), Shards: 1})
	require.NoError(t, err)
	defer s.Close()
	as(s, "bob", "eu-west-1", "CreateTable", createUsers)
	as(s, "alice", "us-east-1", "CreateTable", createUsers)
	as(s, "alice", "us-east-1", "CreateTable", strings.Replace(createUsers, "users", "others", 1))
	code, body := admin(s, http.MethodGet, "/_stator/namespaces", "")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"shared":false,"local":false,"shards":1,"namespaces":[{"account":"alice","region":"us-east-1","tables":2},{"account":"bob","region":"eu-west-1","tables":1}]}`, body)
}

// TestForeignOrigin refuses what pages of other origins want to write, unless they may.
func TestForeignOrigin(t *testing.T) {
	const friend = "https://friend.example"
	for _, tt := range []struct {
		name         string
		allowed      []string
		header       []string
		api, advance int
	}{
		{"no browser", []string{friend}, nil, 200, 200},
		{"own page", []string{friend}, []string{"Origin", "http://example.com"}, 200, 200},
		{"own page behind a proxy", []string{friend}, []string{"Origin", "https://outside.example", "Sec-Fetch-Site", "same-origin"}, 200, 200},
		{"named", []string{friend}, []string{"Origin", friend, "Sec-Fetch-Site", "cross-site"}, 200, 200},
		{"another", []string{friend}, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403, 403},
		{"another of an old browser", []string{friend}, []string{"Origin", "https://evil.example"}, 403, 403},
		{"sandboxed", []string{friend}, []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, 403, 403},
		{"sandboxed and named", []string{"null"}, []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, 200, 200},
		{"any for the API", nil, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 200, 403},
		{"any by a star", []string{"*"}, []string{"Origin", "https://evil.example"}, 200, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openTest(t, Options{CORSOrigins: tt.allowed})
			send := func(r *http.Request) (int, string) {
				for i := 0; i < len(tt.header); i += 2 {
					r.Header.Set(tt.header[i], tt.header[i+1])
				}
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				return w.Code, w.Body.String()
			}
			code, body := send(request("CreateTable", strings.NewReader(createUsers)))
			require.Equal(t, tt.api, code, body)
			if tt.api != http.StatusOK {
				require.Contains(t, body, `AccessDeniedException","message":"Pages of this origin may not call this server`)
				require.Empty(t, s.db.Namespaces())
			}
			code, body = send(httptest.NewRequest(http.MethodPost, "/_stator/clock", strings.NewReader(`{"advanceSeconds":1}`)))
			require.Equal(t, tt.advance, code, body)
		})
	}
}
