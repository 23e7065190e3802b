package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// processTimeout bounds every wait for a process; a healthy one needs far less.
const processTimeout = 2 * time.Minute

// binary is the stator under test, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "STATOR_") && name != killsVariable {
			_ = os.Unsetenv(name)
		}
	}
	dir, err := os.MkdirTemp("", "stator-cmd")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// Another user runs it in one of the tests.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "stator")
	build := exec.Command("go", "build", "-ldflags", "-X main.version=v0-test", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building stator: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// result is what a finished process left.
type result struct {
	code           int
	stdout, stderr string
}

// execute runs the binary to its end, in dir if not empty.
func execute(t *testing.T, dir string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), processTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	require.NoError(t, ctx.Err(), "%v hangs; stderr: %s", args, stderr.String())
	return result{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

// instance is a running server process.
type instance struct {
	t      testing.TB
	cmd    *exec.Cmd
	url    string
	done   chan struct{} // closed when the process has ended
	stdout *output
	stderr *output
}

var listeningLine = regexp.MustCompile(`(?m)^stator is listening on (http://\S+:[1-9][0-9]*)$`)

// start runs the binary and waits for the line with its address.
func start(t testing.TB, args ...string) *instance {
	t.Helper()
	return startIn(t, "", args...)
}

func startIn(t testing.TB, dir string, args ...string) *instance {
	t.Helper()
	s := launch(t, dir, args...)
	match := s.stdout.waitFor(t, listeningLine)
	require.NotNil(t, match, "%v ended before it listened; stderr:\n%s", args, s.stderr)
	s.url = match[1]
	return s
}

// launch runs the binary.
func launch(t testing.TB, dir string, args ...string) *instance {
	t.Helper()
	s := &instance{t: t, cmd: exec.Command(binary, args...), done: make(chan struct{}), stdout: newOutput(), stderr: newOutput()}
	s.cmd.Dir = dir
	s.cmd.Stdout, s.cmd.Stderr = s.stdout, s.stderr
	require.NoError(t, s.cmd.Start())
	go func() {
		_ = s.cmd.Wait()
		s.stdout.close()
		s.stderr.close()
		close(s.done)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
		if t.Failed() {
			t.Logf("stderr of %v:\n%s", args, s.stderr)
		}
	})
	return s
}

func (s *instance) signal(signal os.Signal) {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(signal))
}

// wait returns the exit code, -1 if a signal ended the process.
func (s *instance) wait() int {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(processTimeout):
		s.t.Fatalf("the process does not end; stderr:\n%s", s.stderr)
	}
	return s.cmd.ProcessState.ExitCode()
}

// kill ends the process as kill -9 does.
func (s *instance) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// client is an SDK client with the SDK's retries. It needs them also when the server
// is well: the SDK closes a request's body as soon as the answer begins, and when
// that is before Go's HTTP client has seen the end of the body, as happens with a
// fast server, that client drops the connection.
func (s *instance) client() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "eu-central-1",
		BaseEndpoint: aws.String(s.url),
		Credentials:  credentials.NewStaticCredentialsProvider("stator", "secret", ""),
	})
}

// ended reports whether the process is gone.
func (s *instance) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// createTable creates a table with partition key "id" and waits for nothing: a new
// table can be written at once.
func createTable(t *testing.T, client *dynamodb.Client, name string) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	require.NoError(t, err)
}

func putItem(ctx context.Context, client *dynamodb.Client, table, id, value string) error {
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(table),
		Item: map[string]types.AttributeValue{
			"id":    &types.AttributeValueMemberS{Value: id},
			"value": &types.AttributeValueMemberS{Value: value},
		},
	})
	return err
}

// getItem returns the value of an item written by putItem.
func getItem(t *testing.T, client *dynamodb.Client, table, id string) (string, bool) {
	t.Helper()
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName:      aws.String(table),
		ConsistentRead: aws.Bool(true),
		Key:            map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}},
	})
	require.NoError(t, err)
	if out.Item == nil {
		return "", false
	}
	return out.Item["value"].(*types.AttributeValueMemberS).Value, true
}

// get fetches a path and returns status and body.
func get(t testing.TB, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

// output collects what a process writes and lets tests wait for a line.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed and replaced at every write
	ended   bool
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	close(o.changed)
	o.changed = make(chan struct{})
	return len(b), nil
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// waitFor waits for a match and returns its groups, nil if the output ended first.
func (o *output) waitFor(t testing.TB, pattern *regexp.Regexp) []string {
	t.Helper()
	deadline := time.After(processTimeout)
	for {
		o.mu.Lock()
		match := pattern.FindStringSubmatch(o.text.String())
		changed, ended := o.changed, o.ended
		o.mu.Unlock()
		if match != nil || ended {
			return match
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("no line matches %s in:\n%s", pattern, o)
		}
	}
}

// requireOneLine checks that text is one line and contains every part.
func requireOneLine(t *testing.T, text string, parts ...string) {
	t.Helper()
	lines := 0
	for scanner := bufio.NewScanner(strings.NewReader(text)); scanner.Scan(); {
		lines++
	}
	require.Equal(t, 1, lines, "expected one line: %s", text)
	for _, part := range parts {
		require.Contains(t, text, part)
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		want []string
	}{
		"unknown flag":       {[]string{"serve", "--prot", "1"}, []string{"unknown flag --prot", "--port"}},
		"unknown command":    {[]string{"server"}, []string{"unexpected argument server"}},
		"port is no number":  {[]string{"--port", "http"}, []string{"--port", `"http"`}},
		"port out of range":  {[]string{"--port", "65536"}, []string{"--port 65536", "0 to 65535"}},
		"negative shards":    {[]string{"--shards=-1"}, []string{"--shards -1", "negative"}},
		"too many shards":    {[]string{"--shards", "257"}, []string{"--shards 257", "at most 256"}},
		"no origin":          {[]string{"--cors", "https://a,example.org"}, []string{"--cors example.org", "https://example.org"}},
		"origin with path":   {[]string{"--cors", "https://a/"}, []string{"--cors https://a/:"}},
		"bad level":          {[]string{"--log-level", "loud"}, []string{"--log-level", "debug", "loud"}},
		"lag without choice": {[]string{"--gsi-lag", "1s"}, []string{"--gsi-lag needs --gsi-consistency eventual"}},
		"negative lag":       {[]string{"--gsi-consistency", "eventual", "--gsi-lag=-1s"}, []string{"--gsi-lag -1s"}},
		"empty directory":    {[]string{"--data-dir", ""}, []string{"--data-dir is empty"}},
		"missing file":       {[]string{"--config", "/nonexistent/stator.yaml"}, []string{"/nonexistent/stator.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := execute(t, t.TempDir(), tc.args...)
			require.Equal(t, exitUsage, got.code)
			require.Empty(t, got.stdout)
			requireOneLine(t, got.stderr, tc.want...)
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	got := execute(t, "", "--help")
	require.Zero(t, got.code)
	for _, command := range []string{"serve", "healthcheck", "version", "verify", "repair"} {
		require.Contains(t, got.stdout, command)
	}
	got = execute(t, "", "serve", "--help")
	require.Zero(t, got.code)
	require.Contains(t, got.stdout, "$STATOR_GSI_CONSISTENCY")
}
