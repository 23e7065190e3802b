package compat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// driver executes requests with one AWS client. One request runs at a time.
type driver interface {
	// do answers a request. The error is a failure of the client or its driver, never an answer of the service.
	do(request) (response, error)
}

// request and response are the lines of the driver protocol, described in doc.go.
type request struct {
	Do        string         `json:"do"`
	Operation string         `json:"operation,omitempty"`
	Waiter    string         `json:"waiter,omitempty"`
	Input     map[string]any `json:"input,omitempty"`
	Name      string         `json:"name,omitempty"`
	Prefix    string         `json:"prefix,omitempty"`
}

type response struct {
	Output  any          `json:"output"`
	Pages   []any        `json:"pages"`
	Error   *answerError `json:"error"`
	Cases   []string     `json:"cases"`
	Failure string       `json:"failure"`
}

// answerError is an error the service answered with, as the client shows it.
type answerError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Item    any    `json:"item,omitempty"`
	Reasons any    `json:"reasons,omitempty"`
}

// answerTimeout bounds one request. It must be above the 20 seconds the waiters of some clients pause for.
const answerTimeout = 90 * time.Second

// subprocess is a driver in another language.
type subprocess struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	answers chan []byte
	// exited is closed after the last answer, when the process is gone.
	exited chan struct{}

	mu     sync.Mutex
	stderr bytes.Buffer
}

// startDriver starts a driver with the settings every AWS client reads from its environment.
func startDriver(t *testing.T, c client, endpoint string) driver {
	t.Helper()
	d := &subprocess{
		cmd:     exec.Command(c.command[0], c.command[1:]...),
		answers: make(chan []byte),
		exited:  make(chan struct{}),
	}
	d.cmd.Env = append(cleanEnvironment(), clientEnvironment(c, endpoint)...)
	d.cmd.Stderr = d
	var err error
	d.stdin, err = d.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := d.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, d.cmd.Start())
	done := make(chan struct{})
	go func() {
		defer close(d.exited)
		d.read(stdout, done)
		_ = d.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = d.stdin.Close()
		close(done)
		select {
		case <-d.exited:
		case <-time.After(10 * time.Second):
			_ = d.cmd.Process.Kill()
			<-d.exited
		}
	})
	return d
}

// read hands over one line of output at a time until the process closes it or the test is done.
func (d *subprocess) read(stdout io.Reader, done <-chan struct{}) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		select {
		case d.answers <- bytes.Clone(lines.Bytes()):
		case <-done:
		}
	}
}

// Write keeps what the driver prints to standard error.
func (d *subprocess) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stderr.Write(p)
}

func (d *subprocess) do(r request) (response, error) {
	var answer response
	line, err := json.Marshal(r)
	if err != nil {
		return answer, err
	}
	if _, err := d.stdin.Write(append(line, '\n')); err != nil {
		return answer, d.broken(err)
	}
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	select {
	case line = <-d.answers:
	case <-d.exited:
		return answer, d.broken(errors.New("the driver ended"))
	case <-timeout.C:
		_ = d.cmd.Process.Kill()
		return answer, d.broken(fmt.Errorf("no answer within %s", answerTimeout))
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return answer, d.broken(fmt.Errorf("%w in %q", err, line))
	}
	if answer.Failure != "" {
		return answer, errors.New(answer.Failure)
	}
	return answer, nil
}

// broken adds what the driver said about its end.
func (d *subprocess) broken(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Errorf("%w; its standard error: %s", err, d.stderr.String())
}
