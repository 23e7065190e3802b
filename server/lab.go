package server

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/stator-db/stator/partition/transport"
)

// labRoutes adds the endpoints that make this node of a cluster misbehave, if it
// has a lab. They tell and change this node alone.
func (s *Server) labRoutes(engine *gin.Engine) {
	if s.db.Lab() == nil {
		for _, path := range []string{"/lab", "/lab/*any"} {
			engine.Any(adminPath+path, func(g *gin.Context) {
				g.JSON(http.StatusNotFound, gin.H{"error": "these endpoints are served by nodes of a cluster with --lab"})
			})
		}
		return
	}
	lab := engine.Group(adminPath+"/lab", s.refuseForeign)
	lab.GET("", s.serveLab)
	lab.DELETE("", s.serveEndLab)
	lab.GET("/links", s.serveLabLinks)
	lab.POST("/links", s.serveSetLabLinks)
	lab.DELETE("/links", s.serveHealLabLinks)
	lab.POST("/disk", s.serveSetLabDisk)
	lab.POST("/clock", s.serveSetLabClock)
	lab.POST("/reads", s.serveSetLabReads)
}

// A labStatus is all that this node does badly.
type labStatus struct {
	Node  string   `json:"node"`
	Links labLinks `json:"links"`
	Disk  labDisk  `json:"disk"`
	Clock labClock `json:"clock"`
	Reads labReads `json:"reads"`
}

// labLinks are the rules about what this node sends, and what their chance comes
// from; a request without a seed keeps the last one.
type labLinks struct {
	Seed  *uint64          `json:"seed"`
	Rules []transport.Rule `json:"rules"`
}

// labDisk is how much longer syncs of this node's log take.
type labDisk struct {
	SyncDelayMS *int64 `json:"syncDelayMs"`
}

// labClock is how far this node's clock is ahead of the machine's.
type labClock struct {
	OffsetMS *int64 `json:"offsetMs"`
}

// labReads is how this node answers strong reads: strongConfirmed or strongLocal.
type labReads struct {
	Strong string `json:"strong"`
}

const (
	strongConfirmed = "confirmed" // as promised
	strongLocal     = "local"     // from its own replica, which breaks the promise
)

// maxSyncDelay bounds the delay of a sync.
const maxSyncDelay = time.Hour

// serveLab tells all that this node does badly.
func (s *Server) serveLab(g *gin.Context) {
	lab := s.db.Lab()
	delay, offset := lab.Disk.SyncDelay().Milliseconds(), lab.ClockOffset().Milliseconds()
	status := labStatus{
		Node:  s.options.Cluster.Name,
		Links: s.labLinks(),
		Disk:  labDisk{SyncDelayMS: &delay},
		Clock: labClock{OffsetMS: &offset},
		Reads: labReads{Strong: strongConfirmed},
	}
	if lab.LocalReads() {
		status.Reads.Strong = strongLocal
	}
	answerLab(g, status)
}

func answerLab(g *gin.Context, v any) {
	g.Header("Cache-Control", "no-store")
	g.JSON(http.StatusOK, v)
}

// serveEndLab lets the node behave.
func (s *Server) serveEndLab(g *gin.Context) {
	lab := s.db.Lab()
	lab.Links.Heal()
	lab.Disk.SetSyncDelay(0)
	lab.SetClockOffset(0)
	lab.SetLocalReads(false)
	s.serveLab(g)
}

func (s *Server) labLinks() labLinks {
	links := s.db.Lab().Links
	seed := links.Seed()
	return labLinks{Seed: &seed, Rules: links.Rules()}
}

func (s *Server) serveLabLinks(g *gin.Context) { answerLab(g, s.labLinks()) }

// serveSetLabLinks puts rules into force in place of those before.
func (s *Server) serveSetLabLinks(g *gin.Context) {
	in := s.labLinks()
	in.Rules = nil
	if !readAdmin(g, &in) {
		return
	}
	if in.Seed == nil || in.Rules == nil {
		refuseAdmin(g, fmt.Errorf("give rules, an array, and, if you want, a seed"))
		return
	}
	if err := s.db.Lab().Links.SetSeeded(*in.Seed, in.Rules); err != nil {
		refuseAdmin(g, err)
		return
	}
	s.serveLabLinks(g)
}

func (s *Server) serveHealLabLinks(g *gin.Context) {
	s.db.Lab().Links.Heal()
	s.serveLabLinks(g)
}

func (s *Server) serveSetLabDisk(g *gin.Context) {
	var in labDisk
	if !readAdmin(g, &in) {
		return
	}
	if in.SyncDelayMS == nil || *in.SyncDelayMS < 0 || *in.SyncDelayMS > maxSyncDelay.Milliseconds() {
		refuseAdmin(g, fmt.Errorf("give syncDelayMs, from 0 to %d", maxSyncDelay.Milliseconds()))
		return
	}
	s.db.Lab().Disk.SetSyncDelay(time.Duration(*in.SyncDelayMS) * time.Millisecond)
	s.serveLab(g)
}

func (s *Server) serveSetLabClock(g *gin.Context) {
	var in labClock
	if !readAdmin(g, &in) {
		return
	}
	limit := maxClockAdvance.Milliseconds()
	if in.OffsetMS == nil || *in.OffsetMS < -limit || *in.OffsetMS > limit {
		refuseAdmin(g, fmt.Errorf("give offsetMs, from -%d to %[1]d", limit))
		return
	}
	s.db.Lab().SetClockOffset(time.Duration(*in.OffsetMS) * time.Millisecond)
	s.serveLab(g)
}

func (s *Server) serveSetLabReads(g *gin.Context) {
	var in labReads
	if !readAdmin(g, &in) {
		return
	}
	if in.Strong != strongConfirmed && in.Strong != strongLocal {
		refuseAdmin(g, fmt.Errorf("strong reads are %q or %q", strongConfirmed, strongLocal))
		return
	}
	s.db.Lab().SetLocalReads(in.Strong == strongLocal)
	s.serveLab(g)
}
