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

	mu   sync.Mutex
	last map[string]time.Time // by line, without ports
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
	if !w.logger.Enabled(context.Background(), level) || level >= slog.LevelInfo && !w.fresh(text) {
		return len(b), nil
	}
	w.logger.Log(context.Background(), level, text, "component", "memberlist")
	return len(b), nil
}

// fresh says whether a line was not passed on just now.
func (w *logWriter) fresh(text string) bool {
	key := ports.ReplaceAllString(text, "$1")
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
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
