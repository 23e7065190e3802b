package server

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
)

// headerExposed lists the response headers that scripts in a browser may read.
const headerExposed = "Access-Control-Expose-Headers"

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
	h[headerExposed] = exposedHeaders
}

// errForeignOrigin answers a browser page that may not call this server.
var errForeignOrigin = &apiError{
	Status:  http.StatusForbidden,
	Type:    coralPrefix + "AccessDeniedException",
	Message: "Pages of this origin may not call this server; see its option for CORS origins",
}

// sameOrigin tells pages of this server from others by what browsers say and scripts
// cannot forge: Sec-Fetch-Site, or else Origin against Host.
var sameOrigin http.CrossOriginProtection

// foreign reports whether a request that may change something comes from a page of
// another origin that is not among those allowed. Clients that are no browsers are
// never foreign.
func (s *Server) foreign(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	allowed := s.options.CORSOrigins
	return origin != "" && len(allowed) > 0 && !slices.Contains(allowed, "*") && !slices.Contains(allowed, origin) &&
		sameOrigin.Check(r) != nil
}

// refuseForeign keeps foreign pages from the admin endpoints, which no page but one of
// an origin that was named has business with: "any origin" is not enough.
func (s *Server) refuseForeign(g *gin.Context) {
	origin := g.GetHeader("Origin")
	if origin != "" && !slices.Contains(s.options.CORSOrigins, origin) && sameOrigin.Check(g.Request) != nil {
		g.AbortWithStatusJSON(http.StatusForbidden, gin.H{"error": "pages of this origin may not call these endpoints"})
	}
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
