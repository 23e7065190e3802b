package console_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/server/console"
)

func get(t *testing.T, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	console.Handler().ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		body, err = gzip.NewReader(body)
		require.NoError(t, err)
	}
	data, err := io.ReadAll(body)
	require.NoError(t, err)
	return string(data)
}

// version is the directory of the assets that the page names.
func version(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`src="([0-9a-f]{16})/app\.js"`).FindStringSubmatch(text(t, get(t, "/")))
	require.NotNil(t, m)
	return m[1]
}

// TestPage looks at how the page and its assets are kept and protected.
func TestPage(t *testing.T) {
	page := get(t, "/")
	require.Equal(t, http.StatusOK, page.StatusCode)
	require.Equal(t, "no-cache", page.Header.Get("Cache-Control"))
	require.NotContains(t, text(t, page), "{{")
	again := get(t, "/", "If-None-Match", page.Header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, again.StatusCode)

	policy := page.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'; script-src 'self'; style-src 'self';")
	require.Contains(t, policy, "require-trusted-types-for 'script'")
	require.NotContains(t, policy, "unsafe")

	v := version(t)
	for _, encoding := range []string{"", "gzip"} {
		app := get(t, "/"+v+"/app.js", "Accept-Encoding", encoding)
		require.Equal(t, encoding, app.Header.Get("Content-Encoding"))
		require.Equal(t, "public, max-age=31536000, immutable", app.Header.Get("Cache-Control"))
		require.Equal(t, "text/javascript; charset=utf-8", app.Header.Get("Content-Type"))
		require.Equal(t, "nosniff", app.Header.Get("X-Content-Type-Options"))
		require.Contains(t, text(t, app), "import ")
	}
	for _, missing := range []string{"/app.js", "/0123456789abcdef/app.js", "/" + v + "/", "/" + v + "/index.html", "/" + v + "/../handler.go", "/index.html"} {
		require.Equal(t, http.StatusNotFound, get(t, missing).StatusCode, missing)
	}
}

// TestAssets weighs the assets, and looks for everything that they name.
func TestAssets(t *testing.T) {
	v := version(t)
	total := 0
	root := os.DirFS("assets")
	imports := regexp.MustCompile(`(?:from|import)\s*\(?['"]([\w@./-]+)['"]`)
	require.NoError(t, fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		if entry.IsDir() {
			return nil
		}
		target := "/" + v + "/" + name
		if name == "index.html" {
			target = "/"
		}
		r := get(t, target, "Accept-Encoding", "gzip")
		require.Equal(t, http.StatusOK, r.StatusCode, name)
		var size int
		_, err = fmt.Sscan(r.Header.Get("Content-Length"), &size)
		require.NoError(t, err)
		total += size
		body := text(t, r)
		if strings.HasSuffix(name, ".js") && !strings.HasPrefix(name, "vendor/htm") {
			require.NotRegexp(t, `\beval\(|new Function|dangerouslySetInnerHTML=`, body, name)
			for _, m := range imports.FindAllStringSubmatch(body, -1) {
				if !strings.HasPrefix(m[1], ".") {
					require.NotContains(t, name, "vendor/", "%s imports %s", name, m[1])
					continue // in a snippet for users
				}
				_, err := fs.Stat(root, path.Join(path.Dir(name), m[1]))
				require.NoError(t, err, "%s imports %s", name, m[1])
			}
		}
		return nil
	}))
	for _, m := range regexp.MustCompile(`(?:href|src)="`+v+`/([^"]+)"`).FindAllStringSubmatch(text(t, get(t, "/")), -1) {
		require.Equal(t, http.StatusOK, get(t, "/"+v+"/"+m[1]).StatusCode, m[1])
	}
	t.Logf("%d bytes compressed", total)
	require.Less(t, total, 400<<10)
}
