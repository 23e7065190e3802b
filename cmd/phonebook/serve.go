package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/stator-db/stator/cmd/phonebook/internal/web"
)

// serveCommand serves the page and the API.
type serveCommand struct {
	storeFlags `embed:""`
	Port       int      `default:"8080" help:"Port to listen on; 0 picks a free one."`
	Host       string   `default:"127.0.0.1" help:"Address to listen on. There is no login: on another one than 127.0.0.1, whoever reaches the port may read and write."`
	AllowHost  []string `placeholder:"NAME" help:"Host names that browsers may use, or *. By default localhost and 127.0.0.1."`
	InMemory   bool     `help:"Keep the store of its own in memory."`
}

// shutdownTimeout is how long requests may take after a signal. Imports and exports that
// take longer end there; an import can be repeated.
const shutdownTimeout = 2 * time.Second

// Run serves until the process is asked to end.
func (c *serveCommand) Run(p *process) (err error) {
	if c.Port < 0 || c.Port > 65535 {
		return usageError(fmt.Sprintf("--port %d: a port is a number from 0 to 65535", c.Port))
	}
	if c.InMemory && c.Endpoint != "" {
		return usageError("--in-memory is for the store of its own: leave --endpoint away")
	}
	logger := newLogger(p.stderr)
	// The port first: without it there is no reason to open the store.
	listener, err := net.Listen("tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return fmt.Errorf("%w (choose another --port or --host)", err)
	}
	defer listener.Close()
	s, err := c.open(p.ctx, logger, c.InMemory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	handler, err := web.New(web.Options{Book: s.book, Logger: logger, Hosts: c.AllowHost})
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       3 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(p.stdout, "The phonebook is open at http://%s (table %s at %s)\n", listener.Addr(), c.Table, s.name)

	select {
	case err := <-served:
		return err
	case <-p.ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		if err := server.Close(); err != nil {
			logger.Warn("closing connections", "error", err)
		}
	}
	<-served
	return nil
}

// newLogger logs what needs attention.
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
