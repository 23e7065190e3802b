package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
)

// requestStreamStep is how often a stream of the request log brings what is new, and
// requestStreamPulse how many steps pass until it says at least that it lives.
const (
	requestStreamStep  = 250 * time.Millisecond
	requestStreamPulse = 20
)

// serveRequests answers GET /_stator/requests with a requestPage. The parameter
// since is the Next of the page before; without it, all that is remembered comes. A
// client that accepts text/event-stream gets a page whenever there is something new.
func (s *Server) serveRequests(g *gin.Context) {
	var since uint64
	text := g.Query("since")
	if last := g.GetHeader("Last-Event-ID"); last != "" { // an EventSource that comes back
		text = last
	}
	if text != "" {
		var err error
		if since, err = strconv.ParseUint(text, 10, 64); err != nil {
			refuseAdmin(g, fmt.Errorf("since: %q is no number", text))
			return
		}
	}
	s.requests.watch(time.Now())
	g.Header("Cache-Control", "no-store")
	if strings.Contains(g.GetHeader("Accept"), "text/event-stream") {
		s.streamRequests(g, since)
		return
	}
	g.JSON(http.StatusOK, s.requests.since(since))
}

// streamRequests sends pages as server-sent events until the client goes away or the
// server closes. A client that does not read is cut off by the time a write may take.
func (s *Server) streamRequests(g *gin.Context, since uint64) {
	g.Header("Content-Type", "text/event-stream")
	g.Header("X-Accel-Buffering", "no")
	out := http.NewResponseController(g.Writer)
	ticker := time.NewTicker(requestStreamStep)
	defer ticker.Stop()
	shutdown := s.shutdown(g.Request)
	for step := 0; ; step++ {
		now := time.Now()
		s.requests.watch(now)
		page := s.requests.since(since)
		if page.Next != since || step%requestStreamPulse == 0 {
			since = page.Next
			_ = out.SetWriteDeadline(now.Add(requestLogPatience)) // not every writer has one
			if writeEvent(g.Writer, &page) != nil || out.Flush() != nil {
				return
			}
		}
		select {
		case <-g.Request.Context().Done():
			return
		case <-shutdown:
			return
		case <-ticker.C:
		}
		if s.closed.Load() {
			return
		}
	}
}

// shutdown is closed when the http.Server that took a request begins to stop, which
// would otherwise wait for the stream's end. It is nil for other servers.
func (s *Server) shutdown(r *http.Request) <-chan struct{} {
	web, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return nil
	}
	done := make(chan struct{})
	if known, found := s.shutdowns.LoadOrStore(web, done); found {
		return known.(chan struct{})
	}
	web.RegisterOnShutdown(sync.OnceFunc(func() { close(done) }))
	return done
}

// writeEvent writes a page as one event, whose id is where to go on.
func writeEvent(w http.ResponseWriter, page *requestPage) error {
	data, err := json.Marshal(page)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "id: %d\ndata: %s\n\n", page.Next, data)
	return err
}
