package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// call runs the command line to its end.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(&process{ctx: t.Context(), stdout: &out, stderr: &errs}, args)
	return code, out.String(), errs.String()
}

// buffer may be written to and read at the same time.
type buffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
	line  chan struct{} // closed after the first line
	once  sync.Once
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.bytes.Write(p)
	if bytes.ContainsRune(p, '\n') {
		b.once.Do(func() { close(b.line) })
	}
	return n, err
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}

var addresses = regexp.MustCompile(`^The phonebook is open at (http://\S+) \(table phonebook at (http://\S+) in`)

// serve starts the phonebook and returns its address and that of its store. stop ends it
// and waits.
func serve(t *testing.T, args ...string) (page, store string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, errs := &buffer{line: make(chan struct{})}, &buffer{line: make(chan struct{})}
	code := make(chan int, 1)
	go func() {
		code <- run(&process{ctx: ctx, stdout: out, stderr: errs}, append([]string{"serve", "--port", "0"}, args...))
	}()
	select {
	case <-out.line:
	case c := <-code:
		require.FailNow(t, "the phonebook did not start", "exit code %d: %s", c, errs)
	}
	m := addresses.FindStringSubmatch(out.String())
	require.NotNil(t, m, out.String())
	return m[1], m[2], func() {
		cancel()
		require.Zero(t, <-code, errs.String())
		http.DefaultClient.CloseIdleConnections()
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

// The way of a newcomer: fill, serve, look, export, import elsewhere.
func TestFillServeExportImport(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	code, out, errs := call(t, "generate", "120", "--data-dir", data)
	require.Zero(t, code, errs)
	require.True(t, strings.HasPrefix(out, "120 contacts added, 0 were there, 0 brought back, 0 refused, in "), out)
	_, out, _ = call(t, "generate", "121", "--data-dir", data)
	require.True(t, strings.HasPrefix(out, "1 contacts added, 120 were there, "), out)

	page, store, stop := serve(t, "--data-dir", data)
	status, body := get(t, page+"/")
	require.Equal(t, 200, status)
	require.Contains(t, body, "<title>Phonebook</title>")
	status, body = get(t, page+"/api/contacts?limit=1")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"name":"`)

	// Another process uses the same store over --endpoint.
	file := filepath.Join(dir, "all.vcf")
	code, out, errs = call(t, "export", file, "--endpoint", store)
	require.Zero(t, code, errs)
	require.Equal(t, "121 contacts in "+file+"\n", out)
	stop()

	code, out, errs = call(t, "import", file, "--data-dir", filepath.Join(dir, "other"))
	require.Zero(t, code, errs)
	require.True(t, strings.HasPrefix(out, "121 contacts added, 0 were there, "), out)
	csv := filepath.Join(dir, "all.csv")
	_, out, _ = call(t, "export", csv, "--data-dir", filepath.Join(dir, "other"))
	require.Equal(t, "121 contacts in "+csv+"\n", out)
	written, err := os.ReadFile(csv)
	require.NoError(t, err)
	require.Equal(t, 122, bytes.Count(written, []byte("\n")))
	left, err := filepath.Glob(filepath.Join(dir, ".phonebook-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// What was saved is there after a restart, and in memory it is not.
func TestServeKeepsItsData(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	for _, want := range []string{`{"contacts":[]}`, `"name":"Ada"`} {
		page, _, stop := serve(t, "--data-dir", data)
		_, body := get(t, page+"/api/contacts")
		require.Contains(t, body, want)
		response, err := http.Post(page+"/api/contacts", "application/json", strings.NewReader(`{"name":"Ada"}`))
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, 201, response.StatusCode)
		stop()
	}
	page, _, stop := serve(t, "--in-memory")
	defer stop()
	_, body := get(t, page+"/api/contacts")
	require.Equal(t, "{\"contacts\":[]}\n", body)
}

// A web page of another origin cannot use the port of the store either.
func TestStoreRefusesPages(t *testing.T) {
	_, store, stop := serve(t, "--in-memory")
	defer stop()
	request, err := http.NewRequestWithContext(t.Context(), "OPTIONS", store, nil)
	require.NoError(t, err)
	request.Header.Set("Origin", "https://evil.example")
	request.Header.Set("Access-Control-Request-Method", "POST")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	require.NotEqual(t, "*", response.Header.Get("Access-Control-Allow-Origin"))
	require.NotEqual(t, "https://evil.example", response.Header.Get("Access-Control-Allow-Origin"))
}

func TestUsageErrors(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--port", "70000"}, "--port 70000: a port is a number from 0 to 65535"},
		{[]string{"serve", "--port", "0", "--store-port=-1"}, "--store-port -1: a port is a number from 0 to 65535"},
		{[]string{"serve", "--port", "0", "--endpoint", "localhost:8000"}, "--endpoint localhost:8000: expected a URL such as http://127.0.0.1:8000, or aws"},
		{[]string{"serve", "--in-memory", "--endpoint", "http://127.0.0.1:1"}, "--in-memory is for the store of its own: leave --endpoint away"},
		{[]string{"import", "contacts.xls"}, "contacts.xls: the name ends with neither .vcf nor .csv"},
		{[]string{"generate", "--", "-1"}, "-1 contacts: the number cannot be negative"},
		{[]string{"dial"}, "unexpected argument dial"},
	} {
		code, _, stderr := call(t, tt.args...)
		require.Equal(t, exitUsage, code, "%v: %s", tt.args, stderr)
		require.Contains(t, stderr, "phonebook: "+tt.want)
	}
	code, _, stderr := call(t, "import", filepath.Join(t.TempDir(), "missing.csv"))
	require.Equal(t, exitFailure, code)
	require.Contains(t, stderr, "no such file")
}
