package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/stator-db/stator/server/internal/api"
)

// Content types of requests; the response repeats the one that was sent.
const (
	contentJSON10 = "application/x-amz-json-1.0"
	contentJSON   = "application/json"
)

// unknownOperationXML is the answer to whatever is not an API call at all.
const unknownOperationXML = "<UnknownOperationException/>\n"

// serveAPI answers every request outside the health endpoints, with the
// service's checks in the service's order.
func (s *Server) serveAPI(g *gin.Context) {
	r, w := g.Request, responder{w: g.Writer, r: g.Request}
	s.addCORS(w.header(), r)
	switch {
	case r.Method == http.MethodOptions && r.Header.Get("Origin") != "":
		preflight(&w)
		return
	case r.Method == http.MethodGet && s.options.Local:
		w.contentType = contentJSON10
		w.send(localGreeting.status(), localGreeting.appendJSON(nil))
		return
	case r.Method == http.MethodGet && r.URL.Path == "/":
		w.contentType = "text/plain"
		w.send(http.StatusOK, []byte(healthyText(r.Host)))
		return
	case r.Method == http.MethodPost && s.foreign(r):
		w.contentType = contentJSON
		w.send(errForeignOrigin.status(), errForeignOrigin.appendJSON(nil))
		return
	case r.ContentLength > maxBody:
		w.tooLarge()
		return
	case r.Method != http.MethodPost:
		w.send(http.StatusNotFound, []byte(unknownOperationXML))
		return
	}
	if w.contentType = requestContentType(r.Header); w.contentType == "" {
		if r.ContentLength != 0 {
			w.send(http.StatusNotFound, []byte(unknownOperationXML))
			return
		}
		w.contentType = contentJSON // there is no content that could have another type
	}

	c := newCall(r.Context(), s)
	c.host = r.Host
	defer c.release()
	switch err := c.read(g.Writer, r); {
	case errors.Is(err, errBodyTooLarge):
		w.tooLarge()
		return
	case err != nil: // the client went away or sent bytes that do not inflate
		w.send(errNotJSON.status(), errNotJSON.appendJSON(c.out))
		return
	}
	status := http.StatusOK
	if e := c.observe(r); e != nil {
		status, c.out = e.status(), e.appendJSON(c.out[:0])
	}
	if c.probe != nil {
		c.tellReplicas(w.header())
	}
	w.send(status, c.out)
}

// requestContentType names the content type to answer with, or "" if the
// request's is not one of the API's.
func requestContentType(h http.Header) string {
	switch v := h.Get("Content-Type"); v {
	case contentJSON10:
		return contentJSON10
	case contentJSON:
		return contentJSON
	default:
		v, _, _ = strings.Cut(v, ";")
		switch strings.TrimSpace(v) {
		case contentJSON10:
			return contentJSON10
		case contentJSON:
			return contentJSON
		}
	}
	return ""
}

// serve finds the operation and the caller and runs the operation.
func (c *call) serve(r *http.Request) error {
	c.op = targets[r.Header.Get("X-Amz-Target")]
	if c.op == nil {
		return c.unlessNotJSON(errUnknownOperation)
	}
	if c.op.serve == nil {
		return c.unlessNotJSON(c.notBuilt(c.op))
	}
	if err := c.authenticate(r); err != nil {
		return c.unlessNotJSON(err)
	}
	if len(c.body) == 0 {
		return errNotJSON
	}
	if err := c.setProbe(r.Header); err != nil {
		return err
	}
	if !c.s.db.LeadsCatalog() && c.op.changesTables() {
		return c.forward(r.Header.Get("X-Amz-Target"))
	}
	return c.run()
}

// run runs the operation. A panic in it is an error; the process lives.
func (c *call) run() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	if c.s.db.Removed() {
		return errUnavailable
	}
	if rules := c.s.faults.list(); rules != nil {
		return c.serveFaulty(rules)
	}
	return c.op.serve(c)
}

// unlessNotJSON returns err for a body that is JSON or empty. The service looks at
// the syntax before it looks at target and signature; doing so only on the way to
// an error saves reading every good request twice.
func (c *call) unlessNotJSON(err error) error {
	if len(c.body) > 0 && api.CheckSyntax(c.body) != nil {
		return errNotJSON
	}
	return err
}

// decode reads the request into in, which must be zero, and checks the member
// constraints of the service model.
func (c *call) decode(in api.Input) error {
	if err := c.unmarshal(in); err != nil {
		return err
	}
	return c.constraints(in)
}

// unmarshal reads the request into in without looking at constraints.
func (c *call) unmarshal(in api.Input) error {
	return api.Unmarshal(c.body, in)
}

// constraints turns the violated member constraints into the joined message.
func (c *call) constraints(in api.Input) error {
	if v := in.Constraints(); len(v) > 0 {
		return validationText(v.Message())
	}
	return nil
}

// panicError is a bug caught while serving one request.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// logInternal reports an error that clients see as InternalServerError only.
func (c *call) logInternal(err error) {
	attrs := []slog.Attr{slog.Any("error", err)}
	if c.op != nil {
		attrs = append(attrs, slog.String("operation", c.op.name))
	}
	if p, ok := errors.AsType[*panicError](err); ok {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	c.s.log.LogAttrs(c.ctx, slog.LevelError, "request failed with an internal error", attrs...)
}
