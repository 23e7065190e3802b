package compat

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// kclEvent is a line of a Kinesis Client Library worker: what it does with one shard. kcl/…/Follower.java
// describes the lines.
type kclEvent struct {
	kind, shard string
	// sequence is a sequence number, or for a start the name of the first position.
	sequence string
	// id and change are what a record tells of: an item and how it changed.
	id, change string
}

func parseKCLEvent(line string) kclEvent {
	fields := append(strings.Split(line, "\t"), "", "", "")
	e := kclEvent{kind: fields[0], shard: fields[1], sequence: fields[2]}
	if e.kind == "record" {
		e.id, e.change = fields[4], strings.TrimRight(strings.Join([]string{fields[3], fields[5], fields[6]}, " "), " ")
	}
	return e
}

// kclLog is what all workers said, in order.
type kclLog struct {
	mu      sync.Mutex
	events  []kclEvent
	changed chan struct{} // closed and replaced with every event
}

func newKCLLog() *kclLog { return &kclLog{changed: make(chan struct{})} }

func (l *kclLog) add(e kclEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	close(l.changed)
	l.changed = make(chan struct{})
}

// count is how many events of a kind there are, and a channel that is closed when there are more events.
func (l *kclLog) count(kind string) (n int, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if e.kind == kind {
			n++
		}
	}
	return n, l.changed
}

// kclTimeout bounds every wait for a worker. Starting one takes seconds even on an idle machine.
const kclTimeout = 90 * time.Second

// waitFor waits until the worker that is running has brought the log to n events of a kind.
func (l *kclLog) waitFor(t *testing.T, w *kclWorker, kind string, n int) {
	t.Helper()
	timeout := time.NewTimer(kclTimeout)
	defer timeout.Stop()
	for {
		have, changed := l.count(kind)
		if have >= n {
			return
		}
		select {
		case <-changed:
		case <-w.exited:
			require.FailNow(t, "the worker ended", "%s", w.stderrText())
		case <-timeout.C:
			require.FailNow(t, "the worker does not get on", "%d of %d events %q\n%s", have, n, kind, w.stderrText())
		}
	}
}

// kclWorker is a worker process.
type kclWorker struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	exited chan struct{} // closed when the process is gone and all its lines are in the log

	mu     sync.Mutex
	stderr bytes.Buffer
}

// startKCLWorker starts a worker that follows a stream and writes to the log.
func startKCLWorker(t *testing.T, l *kclLog, environment []string, stream, application string) *kclWorker {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	cache := filepath.Join(dir, ".cache", "kcl")
	classpath := filepath.Join(cache, "classes") + string(os.PathListSeparator) + filepath.Join(cache, "lib", "*")
	w := &kclWorker{
		cmd: exec.Command("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
			"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classpath, "compat.kcl.Worker", stream, application),
		exited: make(chan struct{}),
	}
	w.cmd.Env = append(cleanEnvironment(), environment...)
	w.cmd.Stderr = w
	w.stdin, err = w.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := w.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, w.cmd.Start())
	go func() {
		defer close(w.exited)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			l.add(parseKCLEvent(lines.Text()))
		}
		_ = w.cmd.Wait()
	}()
	t.Cleanup(func() {
		w.kill()
		if t.Failed() {
			t.Logf("the worker's standard error:\n%s", w.stderrText())
		}
	})
	return w
}

// Write keeps what the worker prints to standard error.
func (w *kclWorker) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stderr.Write(p)
}

func (w *kclWorker) stderrText() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stderr.String()
}

// stop lets the worker finish what it is doing.
func (w *kclWorker) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, w.stdin.Close())
	select {
	case <-w.exited:
	case <-time.After(kclTimeout):
		require.FailNow(t, "the worker does not stop", "%s", w.stderrText())
	}
	require.Zero(t, w.cmd.ProcessState.ExitCode(), "%s", w.stderrText())
}

// kill ends the worker as kill -9 does.
func (w *kclWorker) kill() {
	_ = w.cmd.Process.Kill()
	<-w.exited
}
