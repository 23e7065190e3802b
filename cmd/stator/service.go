package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stator-db/stator/cmd/stator/internal/front"
	"github.com/stator-db/stator/server"
)

// drainTimeout is how long requests in flight may take after a signal. With the
// closing of the store it stays within the second that supervisors and tests wait.
const drainTimeout = 600 * time.Millisecond

// service is a configured server: both command lines end here.
type service struct {
	host     string // empty listens on every interface
	port     int    // 0 picks a free one
	options  server.Options
	flags    flagNames        // as the user would type them, for error texts
	announce func(url string) // called once, when requests are accepted
}

// run serves until ctx is cancelled or the process gets SIGTERM or SIGINT, then
// drains and closes the store. Errors are ready to be shown to the user.
//
// The port is taken before the store is opened: a start that fails on its port
// has touched no data, and clients that connect early wait in the accept queue
// instead of being refused.
func (s service) run(ctx context.Context) (err error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	setMemoryLimits()
	var background sync.WaitGroup
	defer func() {
		stop()
		background.Wait()
	}()
	background.Go(func() { trimMemory(ctx) })

	logger := s.options.Logger
	listener, err := net.Listen("tcp", net.JoinHostPort(strings.Trim(s.host, "[]"), strconv.Itoa(s.port)))
	if err != nil {
		return explainListen(err, s.host, s.port, s.flags)
	}
	defer listener.Close()

	if s.options.Cluster != nil {
		s.options.Cluster.HTTP = strings.TrimPrefix(listenURL(listener), "http://")
		s.options.Cluster.Context = ctx
	}
	store, err := server.Open(s.options)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // stopped while it waited for other nodes
	case err != nil:
		return explainData(err, s.options.DataDir, s.flags)
	}
	defer func() {
		if closeErr := store.Close(); closeErr != nil && err == nil {
			err = explainData(closeErr, s.options.DataDir, s.flags)
		}
	}()

	web := front.New(newHTTPServer(store, logger))
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	url := listenURL(listener)
	logger.Info("serving", "url", url, "version", s.options.Version, "data", s.dataName(),
		"sharedDB", s.options.SharedDB, "sync", s.options.Sync)
	s.announce(url)

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	stop() // gives the signals their default action back: a second one ends the process at once
	logger.Info("stopping")
	drain(web, logger)
	<-served
	return nil
}

func (s service) dataName() string {
	if s.options.InMemory {
		return "memory"
	}
	return s.options.DataDir
}

// newHTTPServer sets the limits of the connections.
//
// SDKs pool connections and expect an idle one to live for about 60 seconds (the
// Go SDK keeps them 90): a server that closes earlier makes requests fail that
// were just being sent. There is no WriteTimeout, because it would count from the
// first byte of the request and cut off slow readers of large scans; ReadTimeout
// only ends clients that never finish their request.
func newHTTPServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       5 * time.Minute,
		IdleTimeout:       3 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// drain stops accepting, lets requests in flight finish for drainTimeout and then
// closes the connections that are left.
func drain(web *front.Server, logger *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := web.Shutdown(ctx); err == nil {
		return
	} else if !errors.Is(err, context.DeadlineExceeded) {
		logger.Warn("draining connections", "error", err)
	}
	if err := web.Close(); err != nil {
		logger.Warn("closing connections", "error", err)
	}
}

// listenURL is the address to give to a client on this machine.
func listenURL(listener net.Listener) string {
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "http://" + listener.Addr().String()
	}
	return "http://" + net.JoinHostPort(reachableHost(host), port)
}
