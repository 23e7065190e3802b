package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"github.com/stator-db/stator/partition"
)

// Server answers the DynamoDB API for one database. It is an http.Handler and
// safe for concurrent use.
type Server struct {
	options Options
	log     *slog.Logger
	db      *partition.DB
	engine  *gin.Engine
	missing missingTables
	bodies  *semaphore.Weighted // largeBodies
	// notBuilt are the operations that were asked for in vain, by name.
	notBuilt sync.Map
	// throttle is nil unless throughput is enforced.
	throttle *buckets
	faults   faults
	requests requestLog
	// shutdowns has a channel for every http.Server with streams, closed when it stops.
	shutdowns sync.Map
	counters  map[*operation]*[readLevels]operationCounters
	closed    atomic.Bool
}

// Open opens or creates the database and returns a Server that is ready to serve.
// Errors are those of partition.Open, or say which options contradict each other.
func Open(o Options) (*Server, error) {
	return open(o, nil)
}

// open is Open with a clock of the caller's choice; nil is the wall clock.
func open(o Options, clock func() time.Time) (*Server, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("server options: %w", err)
	}
	p := o.partition()
	p.Clock = clock
	db, err := partition.Open(p)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, log: o.Logger, db: db, bodies: semaphore.NewWeighted(largeBodies), counters: newOperationCounters()}
	if o.EnforceThroughput {
		s.throttle = newBuckets()
	}
	db.HandleForwarded(s.serveForwarded)
	s.engine = s.routes()
	return s, nil
}

// routes builds the gin engine: the health endpoints, and one handler for
// everything else, since the protocol does not use paths.
func (s *Server) routes() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = false
	engine.RedirectTrailingSlash = false
	engine.GET("/health", s.serveHealth)
	engine.GET("/ready", s.serveReady)
	s.adminRoutes(engine)
	s.consoleRoutes(engine)
	s.clusterRoutes(engine)
	s.labRoutes(engine)
	s.metricsRoute(engine)
	engine.POST("/", s.serveAPI)
	engine.NoRoute(s.serveAPI)
	return engine
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.engine.ServeHTTP(w, r)
}

// Close makes /ready answer 503, finishes background work and closes the
// database. Requests still running fail with InternalServerError, so stop the
// HTTP server first. Close may be called more than once.
func (s *Server) Close() error {
	s.closed.Store(true)
	return s.db.Close()
}
