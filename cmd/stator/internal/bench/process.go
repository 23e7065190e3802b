package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Server is a process to be measured.
type Server struct {
	URL string
	// Started is the time from the start of the process to its first answer.
	Started time.Duration

	cmd    *exec.Cmd
	stderr *tail
	ended  chan struct{}
	err    error // of Wait; valid after ended
}

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 10 * time.Second
)

// FreePort returns a port of the loopback interface that nobody listens on.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// StartServer starts a command and returns when it answers ListTables at url. Any
// answer will do, also an error.
func StartServer(ctx context.Context, url string, command ...string) (*Server, error) {
	s := &Server{URL: url, cmd: exec.Command(command[0], command[1:]...), stderr: &tail{}, ended: make(chan struct{})}
	s.cmd.Stderr = s.stderr
	target := Target{URL: url, Region: "us-east-1", Credentials: Credentials{AccessKey: "bench", SecretKey: "bench"}}
	conn, err := newConnection(&target, startTimeout)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	started := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	retry := time.NewTicker(time.Millisecond)
	defer retry.Stop()
	for {
		_, _, err := conn.call(ctx, "ListTables", []byte("{}"))
		if err == nil {
			s.Started = time.Since(started)
			return s, nil
		}
		select {
		case <-retry.C:
		case <-s.ended:
			return nil, fmt.Errorf("%s ended before it answered: %w: %s", command[0], s.exitError(), s.stderr)
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("%s does not answer: %w", command[0], err), s.Stop())
		}
	}
}

func (s *Server) exitError() error {
	if s.err == nil {
		return errors.New("exit code 0")
	}
	return s.err
}

// Memory returns the memory the process has now.
func (s *Server) Memory() Memory { return processMemory(s.cmd.Process.Pid) }

// Processor returns the processor time the process has used, 0 if unknown.
func (s *Server) Processor() time.Duration { return processorTime(s.cmd.Process.Pid) }

// Stop ends the process and waits for it.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-s.ended:
		return nil
	case <-timer.C:
		err := s.cmd.Process.Kill()
		<-s.ended
		return err
	}
}

// tail keeps the end of what a process writes, for error messages.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 2 << 10

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if excess := len(t.text) - tailSize; excess > 0 {
		t.text = bytes.Clone(t.text[excess:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
