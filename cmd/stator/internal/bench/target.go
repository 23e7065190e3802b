package bench

import (
	"fmt"
	"net"
	"net/url"
	"time"
)

// Target is the server to measure.
type Target struct {
	// URL is the endpoint: http or https, host, optionally a port and a path.
	URL string
	// Region and Credentials go into the Authorization header.
	Region      string
	Credentials Credentials
	// Sign computes real signatures; otherwise they are made up, which servers that
	// do not check them accept.
	Sign bool
	// Description says in words what is measured, in the reports.
	Description string
	// Processor returns the processor time the server has used, if that is known;
	// it may be nil.
	Processor func() time.Duration
}

// Credentials are an AWS access key.
type Credentials struct {
	AccessKey, SecretKey string
	SessionToken         string // empty for a long-term key
}

// endpoint is a parsed Target.URL.
type endpoint struct {
	address string // host:port to dial
	host    string // Host header
	name    string // server name for TLS, empty without TLS
	path    string
}

func parseEndpoint(text string) (endpoint, error) {
	u, err := url.Parse(text)
	if err != nil {
		return endpoint{}, fmt.Errorf("endpoint: %w", err)
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" || u.Hostname() == "" {
		return endpoint{}, fmt.Errorf("endpoint %q: expected http://host:port or https://host", text)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	e := endpoint{address: net.JoinHostPort(u.Hostname(), port), host: u.Host, path: u.EscapedPath()}
	if e.path == "" {
		e.path = "/"
	}
	if u.Scheme == "https" {
		e.name = u.Hostname()
	}
	return e, nil
}
