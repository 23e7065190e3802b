package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
)

// adminPath is where the endpoints for operators and tests live. They are no part
// of the API and answer in plain JSON.
const adminPath = "/_stator"

// maxAdminBody bounds the request of an admin endpoint in bytes.
const maxAdminBody = 1 << 20

// adminRoutes adds the admin endpoints, if they are to be had.
func (s *Server) adminRoutes(engine *gin.Engine) {
	if !s.options.InMemory && !s.options.Admin {
		for _, path := range []string{"/clock", "/faults", "/faults/:id"} {
			engine.Any(adminPath+path, func(g *gin.Context) {
				g.JSON(http.StatusNotFound, gin.H{"error": "these endpoints are served in memory or with --admin"})
			})
		}
		return
	}
	if s.options.Admin {
		profileRoutes(engine)
	}
	admin := engine.Group(adminPath, s.refuseForeign)
	admin.GET("/clock", s.serveClock)
	admin.POST("/clock", s.serveAdvanceClock)
	admin.GET("/faults", s.serveFaults)
	admin.POST("/faults", s.serveAddFaults)
	admin.DELETE("/faults", s.serveRemoveFaults)
	admin.DELETE("/faults/:id", s.serveRemoveFaults)
}

// profileRoutes serves Go's profiles where go tool pprof looks for them.
func profileRoutes(engine *gin.Engine) {
	profiles := engine.Group("/debug/pprof")
	profiles.GET("/", gin.WrapF(pprof.Index))
	profiles.GET("/:profile", func(g *gin.Context) {
		switch name := g.Param("profile"); name {
		case "cmdline":
			pprof.Cmdline(g.Writer, g.Request)
		case "profile":
			pprof.Profile(g.Writer, g.Request)
		case "symbol":
			pprof.Symbol(g.Writer, g.Request)
		case "trace":
			pprof.Trace(g.Writer, g.Request)
		default:
			pprof.Handler(name).ServeHTTP(g.Writer, g.Request)
		}
	})
}

// readAdmin decodes the request of an admin endpoint into v, all of whose members
// it must know. It answers a bad request itself and returns false.
func readAdmin(g *gin.Context, v any) bool {
	body := http.MaxBytesReader(g.Writer, g.Request.Body, maxAdminBody)
	if err := json.UnmarshalRead(body, v, json.RejectUnknownMembers(true)); err != nil {
		refuseAdmin(g, memberError(err))
		return false
	}
	return true
}

// memberError says what is wrong with which member, without the names of Go types.
func memberError(err error) error {
	e, ok := errors.AsType[*json.SemanticError](err)
	switch {
	case !ok:
		return err
	case errors.Is(e.Err, json.ErrUnknownName):
		return fmt.Errorf("unknown member %q", e.JSONPointer.LastToken())
	case e.Err != nil:
		return fmt.Errorf("%s: %w", cmp.Or(string(e.JSONPointer), "/"), e.Err)
	case len(e.JSONValue) > 0:
		return fmt.Errorf("%s cannot be %s", cmp.Or(string(e.JSONPointer), "/"), e.JSONValue)
	}
	return fmt.Errorf("%s cannot be a JSON %s", cmp.Or(string(e.JSONPointer), "/"), e.JSONKind)
}

// refuseAdmin answers a bad request.
func refuseAdmin(g *gin.Context, err error) {
	g.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
}

// serveClock tells the time that times to live, streams and idempotency go by.
func (s *Server) serveClock(g *gin.Context) {
	g.JSON(http.StatusOK, gin.H{
		"now":           s.db.Now().Format(time.RFC3339Nano),
		"offsetSeconds": s.db.ClockOffset().Seconds(),
	})
}

// A clockAdvance is the request POST /_stator/clock; one of its members is given.
type clockAdvance struct {
	Seconds  *int64  `json:"advanceSeconds"`
	Duration *string `json:"advance"` // as time.ParseDuration takes it
}

// maxClockAdvance bounds one step of the clock, and keeps its offset far from
// where a time.Duration ends.
const maxClockAdvance = 10 * 365 * 24 * time.Hour

// serveAdvanceClock moves the clock forward. When it answers, what has become due
// is done: items have expired, stream records are trimmed.
func (s *Server) serveAdvanceClock(g *gin.Context) {
	var in clockAdvance
	if !readAdmin(g, &in) {
		return
	}
	step, err := in.step()
	if err != nil {
		refuseAdmin(g, err)
		return
	}
	if err := s.db.AdvanceClock(step); err != nil {
		s.log.Error("advancing the clock", "error", err)
		g.JSON(http.StatusInternalServerError, gin.H{"error": "the clock was advanced, but not everything due is done; see the log"})
		return
	}
	s.serveClock(g)
}

func (in *clockAdvance) step() (d time.Duration, err error) {
	switch {
	case (in.Seconds == nil) == (in.Duration == nil):
		return 0, errors.New("give either advanceSeconds or advance")
	case in.Duration != nil:
		if d, err = time.ParseDuration(*in.Duration); err != nil {
			return 0, fmt.Errorf("advance: %w", err)
		}
	case *in.Seconds > int64(maxClockAdvance/time.Second):
		d = maxClockAdvance + 1
	case *in.Seconds < 0:
		d = -1
	default:
		d = time.Duration(*in.Seconds) * time.Second
	}
	switch {
	case d < 0:
		return 0, errors.New("the clock cannot be turned back")
	case d > maxClockAdvance:
		return 0, fmt.Errorf("the clock cannot be advanced by more than %s at once", maxClockAdvance)
	}
	return d, nil
}
