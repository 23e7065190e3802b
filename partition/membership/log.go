package membership

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"
)

// logWriter takes memberlist's log lines to slog. memberlist repeats itself for
// as long as a trouble lasts: the same line is passed on once a minute.
type logWriter struct {
	logger *slog.Logger

	mu     sync.Mutex // held while logging, so that nothing is logged after close
	closed bool
	last   map[string]time.Time // by line, without ports
}

const (
	repeatAfter = time.Minute
	maxLines    = 512
)

// ports are different for each connection, so they do not tell lines apart.
var ports = regexp.MustCompile(`(\d+\.\d+\.\d+\.\d+|\]):\d+`)

// Write implements io.Writer for a log.Logger without flags: one line a call.
func (w *logWriter) Write(b []byte) (int, error) {
	level, text := parseLine(string(b))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || !w.logger.Enabled(context.Background(), level) || level >= slog.LevelInfo && !w.freshLocked(text) {
		return len(b), nil
	}
	w.logger.Log(context.Background(), level, text, "component", "memberlist")
	return len(b), nil
}

// close drops what memberlist still has to say: its goroutines end some time after
// its Shutdown, and the logger's owner may be gone by then.
func (w *logWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}

// freshLocked says whether a line was not passed on just now.
func (w *logWriter) freshLocked(text string) bool {
	key := ports.ReplaceAllString(text, "$1")
	now := time.Now()
	if now.Sub(w.last[key]) < repeatAfter {
		return false
	}
	if w.last == nil || len(w.last) >= maxLines {
		w.last = map[string]time.Time{}
	}
	w.last[key] = now
	return true
}

// parseLine splits a line of memberlist. What memberlist calls errors are
// troubles of the network that it gets over, so they are warnings here.
func parseLine(line string) (slog.Level, string) {
	line = strings.TrimSpace(line)
	level := slog.LevelWarn
	if rest, ok := strings.CutPrefix(line, "["); ok {
		if tag, text, ok := strings.Cut(rest, "]"); ok {
			line = strings.TrimSpace(text)
			switch tag {
			case "DEBUG":
				level = slog.LevelDebug
			case "INFO":
				level = slog.LevelInfo
			}
		}
	}
	return level, strings.TrimPrefix(line, "memberlist: ")
}
