package compat

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startTimeout bounds the time from exec to the line that tells the port.
const startTimeout = time.Minute

// The lines that tell where the server listens: its own, and the one of DynamoDB Local's banner.
var (
	listeningLine = regexp.MustCompile(`listening on (http://\S+:[0-9]+)`)
	portLine      = regexp.MustCompile(`^Port:\s+([1-9][0-9]*)`)
)

// server is a running stator process.
type server struct {
	url string
	cmd *exec.Cmd
	// exited is closed when the process is gone and all its output is in lines.
	exited chan struct{}

	mu    sync.Mutex
	lines []string
}

// start runs the binary and returns when it has printed the address it listens on.
func start(binary string, args ...string) (*server, error) {
	s := &server{cmd: exec.Command(binary, args...), exited: make(chan struct{})}
	s.cmd.Env = cleanEnvironment()
	pr, pw := io.Pipe()
	s.cmd.Stdout, s.cmd.Stderr = pw, pw
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	listening := make(chan string, 1)
	go func() {
		defer close(s.exited)
		s.collect(pr, listening)
	}()
	go func() {
		_ = s.cmd.Wait()
		_ = pw.Close()
	}()

	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case s.url = <-listening:
		return s, nil
	case <-s.exited:
		return nil, fmt.Errorf("%s %s ended before it listened:\n%s", binary, strings.Join(args, " "), s.tail(4096))
	case <-timeout.C:
		s.kill()
		return nil, fmt.Errorf("%s %s did not say where it listens:\n%s", binary, strings.Join(args, " "), s.tail(4096))
	}
}

// collect keeps every line of output and reports the first address found.
func (s *server) collect(output io.Reader, listening chan<- string) {
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		s.mu.Lock()
		s.lines = append(s.lines, line)
		s.mu.Unlock()
		var url string
		if m := listeningLine.FindStringSubmatch(line); m != nil {
			url = m[1]
		} else if m := portLine.FindStringSubmatch(line); m != nil {
			url = "http://127.0.0.1:" + m[1]
		}
		if url != "" {
			select {
			case listening <- url:
			default: // only the first address counts
			}
		}
	}
	// A line beyond the scanner's limit must not block the process.
	_, _ = io.Copy(io.Discard, output)
}

// tail is the end of the output so far, at most n bytes.
func (s *server) tail(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.lines, "\n") + "\n"
	return all[max(0, len(all)-n):]
}

// kill ends the process as kill -9 does and waits until it is gone.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// startServer starts the binary of this run for one test. The process is killed at the end of the test.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	if target.binary == "" {
		t.Skip("tests the stator process itself, and -endpoint names a server that runs elsewhere")
	}
	s, err := start(target.binary, args...)
	require.NoError(t, err)
	s.killAfter(t)
	return s
}

// killAfter kills the process at the end of the test and shows the end of its output if the test failed.
func (s *server) killAfter(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the end of the server's output:\n%s", s.tail(4096))
		}
	})
}

// cleanEnvironment is this process's environment without settings that would redirect a client or the server.
func cleanEnvironment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "STATOR_") {
			env = append(env, v)
		}
	}
	return env
}
