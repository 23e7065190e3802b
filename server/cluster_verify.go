package server

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/stator-db/stator/partition"
)

// A ClusterVerifyLine is a line of what POST /_stator/cluster/verify answers with:
// a problem as soon as it is found, and at the end the summary, or the error that
// ended it.
type ClusterVerifyLine struct {
	Problem string                          `json:"problem,omitempty"`
	Summary *partition.ClusterVerifySummary `json:"summary,omitempty"`
	Error   string                          `json:"error,omitempty"`
}

// serveVerifyCluster answers POST /_stator/cluster/verify. It takes as long as the
// shards are large; a client that hangs up ends it.
func (s *Server) serveVerifyCluster(g *gin.Context) {
	if s.options.Cluster == nil {
		g.JSON(http.StatusNotFound, gin.H{"error": "this server is not a node of a cluster"})
		return
	}
	g.Header("Cache-Control", "no-store")
	g.Header("Content-Type", "application/x-ndjson")
	encoder := json.NewEncoder(g.Writer)
	write := func(line ClusterVerifyLine) {
		_ = encoder.Encode(line) // a client that is gone ends the request's context
		g.Writer.Flush()
	}
	g.Writer.WriteHeaderNow()
	g.Writer.Flush()
	summary, err := s.db.VerifyCluster(g.Request.Context(), func(p partition.Problem) {
		write(ClusterVerifyLine{Problem: p.String()})
	})
	if err != nil {
		write(ClusterVerifyLine{Error: err.Error()})
		return
	}
	write(ClusterVerifyLine{Summary: &summary})
}
