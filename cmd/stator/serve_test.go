package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// manifestName is the file that every data directory has; see package storage.
const manifestName = "MANIFEST.stator"

// TestServe starts on an empty directory, stops on a signal and finds everything
// again.
func TestServe(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "new", "data")
			s := start(t, "serve", "--port", "0", "--data-dir", dir, "--log-format", "json")
			require.Regexp(t, `^stator is listening on (http://127\.0\.0\.1:\d+)\nthe console is at http://127\.0\.0\.1:\d+/console/\n$`, s.stdout.String())
			require.NotNil(t, s.stderr.waitFor(t, regexp.MustCompile(`"msg":"serving"`)))
			status, body := get(t, s.url+"/")
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, "healthy: dynamodb.us-east-1.amazonaws.com ", body)
			createTable(t, s.client(), "Music")
			require.NoError(t, putItem(t.Context(), s.client(), "Music", "a", "b"))

			s.signal(signal)
			require.Zero(t, s.wait())

			s = start(t, "--port", "0", "--data-dir", dir)
			value, found := getItem(t, s.client(), "Music", "a")
			require.True(t, found)
			require.Equal(t, "b", value)
		})
	}
}

func TestServeInMemoryLeavesNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startIn(t, dir, "serve", "--port", "0", "--in-memory")
	createTable(t, s.client(), "Music")
	require.NoError(t, putItem(t.Context(), s.client(), "Music", "a", "b"))
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// TestServeSharedDB checks that the flag reaches the server: another access key
// sees the same tables only with it.
func TestServeSharedDB(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		s := start(t, "serve", "--port", "0", "--in-memory", fmt.Sprintf("--shared-db=%t", shared))
		createTable(t, s.client(), "Music")
		other := s.client().Options()
		other.Region = "us-west-2"
		out, err := dynamodb.New(other).ListTables(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, shared, len(out.TableNames) == 1)
	}
}

// TestServeEnforceThroughput checks that the flag reaches the server: without it one
// partition key takes any number of write units.
func TestServeEnforceThroughput(t *testing.T) {
	t.Parallel()
	for _, enforced := range []bool{false, true} {
		s := start(t, "serve", "--port", "0", "--in-memory", fmt.Sprintf("--enforce-throughput=%t", enforced))
		options := s.client().Options()
		options.RetryMaxAttempts = 1
		client := dynamodb.New(options)
		createTable(t, client, "Music")
		var err error
		for range 10 {
			if err = putItem(t.Context(), client, "Music", "a", strings.Repeat("x", 390<<10)); err != nil {
				break
			}
		}
		var throttled *types.ThrottlingException
		require.Equal(t, enforced, errors.As(err, &throttled), "%v", err)
	}
}

// TestServeAdmin checks that the flag reaches the server, and that the endpoints are
// there without it only in memory.
func TestServeAdmin(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		want int
	}{
		{[]string{"--data-dir", t.TempDir()}, http.StatusNotFound},
		{[]string{"--data-dir", t.TempDir(), "--admin"}, http.StatusOK},
		{[]string{"--in-memory"}, http.StatusOK},
	} {
		s := start(t, append([]string{"serve", "--port", "0"}, tc.args...)...)
		response, err := http.Post(s.url+"/_stator/clock", "application/json", strings.NewReader(`{"advance":"1h"}`))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, tc.want, response.StatusCode, tc.args)
	}
}

func TestServeSync(t *testing.T) {
	t.Parallel()
	s := start(t, "serve", "--port", "0", "--data-dir", t.TempDir(), "--sync")
	createTable(t, s.client(), "Music")
	require.NoError(t, putItem(t.Context(), s.client(), "Music", "a", "b"))
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait())
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	port := portOf(listenURL(listener))
	dir := filepath.Join(t.TempDir(), "data")

	got := execute(t, "", "serve", "--port", port, "--data-dir", dir)
	require.Equal(t, exitFailure, got.code)
	require.Empty(t, got.stdout)
	requireOneLine(t, got.stderr, "port "+port+" is in use by another process", "--port")
	require.NoDirExists(t, dir, "a start that failed on its port must leave the data alone")

	got = execute(t, "", "-inMemory", "-port", port)
	require.Equal(t, exitFailure, got.code)
	requireOneLine(t, got.stderr, "port "+port+" is in use by another process", "another port with -port")
}

func TestAddressOfAnotherMachine(t *testing.T) {
	t.Parallel()
	got := execute(t, "", "serve", "--host", "192.0.2.1", "--port", "0", "--in-memory")
	require.Equal(t, exitFailure, got.code)
	requireOneLine(t, got.stderr, "cannot listen on 192.0.2.1:0", "--host")
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, "serve", "--port", "0", "--data-dir", dir)
	createTable(t, s.client(), "Music")
	for _, args := range [][]string{
		{"serve", "--port", "0", "--data-dir", dir},
		{"verify", "--data-dir", dir},
		{"repair", "--data-dir", dir},
	} {
		got := execute(t, "", args...)
		require.Equal(t, exitFailure, got.code)
		require.Empty(t, got.stdout)
		requireOneLine(t, got.stderr, dir+" is in use by another process", "--data-dir")
	}
	require.NoError(t, putItem(t.Context(), s.client(), "Music", "a", "b"), "the first process must not notice")
}

func TestUnusableDirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("precious"), 0o600))
	for _, dir := range []string{file, filepath.Join(file, "data")} {
		got := execute(t, "", "serve", "--port", "0", "--data-dir", dir)
		require.Equal(t, exitFailure, got.code)
		require.Empty(t, got.stdout)
		requireOneLine(t, got.stderr, dir, "a file is in the way", "--data-dir")
	}
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "precious", string(content))
}

func TestUnwritableDirectory(t *testing.T) {
	t.Parallel()
	// Outside t.TempDir, which only its owner may enter.
	parent, err := os.MkdirTemp("", "stator-unwritable")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	require.NoError(t, os.Chmod(parent, 0o555))

	for _, dir := range []string{parent, filepath.Join(parent, "data")} {
		ctx, cancel := context.WithTimeout(t.Context(), processTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, "serve", "--port", "0", "--data-dir", dir)
		runAsOrdinaryUser(cmd)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Run(), &exit)
		require.Equal(t, exitFailure, exit.ExitCode())
		requireOneLine(t, stderr.String(), dir, "permission denied", "make it writable", "--data-dir")
	}
}

// runAsOrdinaryUser drops the privileges of root, which no permission bits stop.
func runAsOrdinaryUser(cmd *exec.Cmd) {
	const nobody = 65534
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// TestUnreadableData damages a directory in several ways: every start must say
// what is wrong, and change nothing.
func TestUnreadableData(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		damage func(t *testing.T, dir string)
		args   []string
		want   []string
	}{
		"manifest of garbage": {
			damage: func(t *testing.T, dir string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, manifestName), []byte("garbage"), 0o600))
			},
			want: []string{"MANIFEST.stator", "nothing was changed or deleted"},
		},
		"empty manifest": {
			damage: func(t *testing.T, dir string) {
				require.NoError(t, os.Truncate(filepath.Join(dir, manifestName), 0))
			},
			want: []string{"MANIFEST.stator", "nothing was changed or deleted"},
		},
		"manifest of a later version": {
			damage: func(t *testing.T, dir string) {
				path := filepath.Join(dir, manifestName)
				text, err := os.ReadFile(path)
				require.NoError(t, err)
				changed := regexp.MustCompile(`"format": *\d+`).ReplaceAll(text, []byte(`"format": 999`))
				require.NotEqual(t, text, changed)
				require.NoError(t, os.WriteFile(path, changed, 0o600))
			},
			want: []string{"MANIFEST.stator", "format 999", "nothing was changed or deleted"},
		},
		"no manifest": {
			damage: func(t *testing.T, dir string) {
				require.NoError(t, os.Remove(filepath.Join(dir, manifestName)))
			},
			want: []string{"MANIFEST.stator", "nothing was changed or deleted"},
		},
		"missing shard": {
			damage: func(t *testing.T, dir string) {
				require.NoError(t, os.RemoveAll(filepath.Join(dir, "shard-0001")))
			},
			want: []string{"shard-0001", "nothing was changed or deleted"},
		},
		"other number of shards": {
			damage: func(*testing.T, string) {},
			args:   []string{"--shards", "3"},
			want:   []string{"2 shards", "3 were asked for", "--shards"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			s := start(t, "serve", "--port", "0", "--data-dir", dir, "--shards", "2")
			createTable(t, s.client(), "Music")
			require.NoError(t, putItem(t.Context(), s.client(), "Music", "a", "b"))
			s.signal(syscall.SIGTERM)
			require.Zero(t, s.wait())
			tc.damage(t, dir)
			before := files(t, dir)

			got := execute(t, "", append([]string{"serve", "--port", "0", "--data-dir", dir}, tc.args...)...)
			require.Equal(t, exitFailure, got.code)
			require.Empty(t, got.stdout)
			requireOneLine(t, got.stderr, append(tc.want, dir, "--data-dir")...)
			require.Equal(t, before, files(t, dir))
		})
	}
}

// files maps the paths under dir to their content. Lock files mean nothing.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	content := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "LOCK" {
			return err
		}
		data, err := os.ReadFile(path)
		content[path] = string(data)
		return err
	}))
	return content
}

// TestDrain signals the server while a request is half sent: the request is
// answered, new connections are refused.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := start(t, "serve", "--port", "0", "--in-memory")
	conn := halfRequest(t, s)
	s.signal(syscall.SIGTERM)
	waitUntilRefused(t, s)

	_, err := io.WriteString(conn, "}")
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, string(body))
	require.JSONEq(t, `{"TableNames":[]}`, string(body))
	require.Zero(t, s.wait())
}

// TestDrainEnds leaves the request unfinished: the server does not wait for it.
func TestDrainEnds(t *testing.T) {
	t.Parallel()
	s := start(t, "serve", "--port", "0", "--data-dir", t.TempDir())
	halfRequest(t, s)
	started := time.Now()
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait())
	require.GreaterOrEqual(t, time.Since(started), drainTimeout)
}

// TestSecondSignal ends the process at once, although a request is unfinished.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	s := start(t, "serve", "--port", "0", "--in-memory")
	halfRequest(t, s)
	s.signal(syscall.SIGTERM)
	require.NotNil(t, s.stderr.waitFor(t, regexp.MustCompile(`stopping`)))
	s.signal(syscall.SIGTERM)
	require.Equal(t, -1, s.wait(), "ended by the signal")
}

// halfRequest sends a ListTables request without the last byte of its body and
// waits until the server reads it.
func halfRequest(t *testing.T, s *instance) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"+
		"X-Amz-Target: DynamoDB_20120810.ListTables\r\nX-Amz-Date: 20260101T000000Z\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=stator/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00\r\n"+
		"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	require.NoError(t, err)
	// The answer to the expectation says that the handler has begun to read.
	line := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	_, err = io.ReadFull(conn, line)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n\r\n", string(line))
	_, err = io.WriteString(conn, "{")
	require.NoError(t, err)
	return conn
}

// waitUntilRefused returns when the server no longer accepts connections.
func waitUntilRefused(t *testing.T, s *instance) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	}, processTimeout, time.Millisecond)
}

// TestReadyWhenAnnounced: the first request after the announcement is served. How
// soon that is, BenchmarkStart measures.
func TestReadyWhenAnnounced(t *testing.T) {
	s := start(t, "serve", "--port", "0", "--data-dir", t.TempDir())
	status, _ := get(t, s.url+"/ready")
	require.Equal(t, http.StatusOK, status)
}
