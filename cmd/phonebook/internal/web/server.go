package web

import (
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
)

// Options of [New].
type Options struct {
	Book *book.Book
	// Logger receives failures of the table; nil discards them.
	Logger *slog.Logger
	// Hosts are the host names that requests may be for, without a port, or "*". Empty
	// means this machine's loopback names.
	Hosts []string
}

// A Server answers for the page and the API. It is safe for concurrent use.
type Server struct {
	book    *book.Book
	log     *slog.Logger
	hosts   []string
	handler http.Handler
}

// New returns a server for a book.
func New(o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if len(o.Hosts) == 0 {
		o.Hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	s := &Server{book: o.Book, log: o.Logger, hosts: o.Hosts}
	mux := http.NewServeMux()
	if err := routePage(mux); err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /api/contacts", s.list)
	mux.HandleFunc("POST /api/contacts", s.add)
	mux.HandleFunc("GET /api/contacts/{id}", s.get)
	mux.HandleFunc("PUT /api/contacts/{id}", s.save)
	mux.HandleFunc("DELETE /api/contacts/{id}", s.delete)
	mux.HandleFunc("POST /api/contacts/{id}/restore", s.restore)
	mux.HandleFunc("GET /api/deleted", s.deleted)
	mux.HandleFunc("GET /api/tags", s.tags)
	mux.HandleFunc("GET /api/changes", s.changes)
	mux.HandleFunc("POST /api/imports/{id}", s.startImport)
	mux.HandleFunc("GET /api/imports/{id}", s.importProgress)
	mux.HandleFunc("GET /api/export", s.export)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, problem{Code: "not_found", Message: "There is nothing at this address."})
	})
	s.handler = s.guard(mux)
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// policy lets the page load its own files and talk to its own API, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard refuses what comes from elsewhere and sets the headers of every answer.
func (s *Server) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, problem{Code: "cross_origin", Message: "Writes from pages of another origin are refused."})
	}))
	next = origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if !s.expected(r.Host) {
			writeError(w, http.StatusMisdirectedRequest, problem{Code: "host", Message: "This phonebook does not serve the host name of the request; see --allow-host."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// expected reports whether requests may be for a host, which may have a port.
func (s *Server) expected(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	return slices.Contains(s.hosts, "*") || slices.Contains(s.hosts, host)
}
