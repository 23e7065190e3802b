package server

import (
	"net/http"
	"slices"
)

// exposedHeaders are the response headers that scripts in a browser may read.
var exposedHeaders = []string{"x-amzn-RequestId, x-amz-crc32, x-amzn-ErrorType, Date"}

// addCORS lets a browser page of an allowed origin read the answer.
func (s *Server) addCORS(h http.Header, r *http.Request) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	allowed := s.options.CORSOrigins
	switch {
	case len(allowed) == 0 || slices.Contains(allowed, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
	case slices.Contains(allowed, origin):
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
	default:
		h.Add("Vary", "Origin")
		return
	}
	h["Access-Control-Expose-Headers"] = exposedHeaders
}

// preflight answers OPTIONS: it grants whatever method and headers are asked for,
// to the origins that addCORS lets in.
func preflight(w *responder) {
	h := w.header()
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Max-Age", "172800")
		if v := w.r.Header.Get("Access-Control-Request-Headers"); v != "" {
			h.Set("Access-Control-Allow-Headers", v)
		}
		if v := w.r.Header.Get("Access-Control-Request-Method"); v != "" {
			h.Set("Access-Control-Allow-Methods", v)
		}
	}
	w.send(http.StatusOK, nil)
}
