package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// healthcheckCommand asks a running server for GET /ready. It shares --host and
// --port with serve, so that in a container the same environment or configuration
// file configures both.
type healthcheckCommand struct {
	Host    string        `default:"127.0.0.1" help:"Address of the server."`
	Port    int           `default:"8000" help:"Port of the server."`
	Timeout time.Duration `default:"2s" help:"Longest time to wait for the answer."`
}

// Run returns nil if the server answers 200 within the timeout.
func (c healthcheckCommand) Run(p *process) error {
	ctx, cancel := context.WithTimeout(p.ctx, c.Timeout)
	defer cancel()
	url := "http://" + net.JoinHostPort(reachableHost(c.Host), strconv.Itoa(c.Port)) + "/ready"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s answered %s: %s", url, response.Status, strings.TrimSpace(string(body)))
	}
	_, err = fmt.Fprintln(p.stdout, "ready")
	return err
}

// reachableHost turns the address a server listens on into one to connect to: a
// server on all addresses is reached over the loopback interface.
func reachableHost(host string) string {
	host = strings.Trim(host, "[]")
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}
