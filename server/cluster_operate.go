package server

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/stator-db/stator/partition"
)

// operatorRoutes serves what operators want of a cluster, on any of its nodes. There
// is no access control, as for the data; but pages of other origins are refused
// unless they were named, since a browser sends what they like to any address.
func (s *Server) operatorRoutes(engine *gin.Engine) {
	operate := engine.Group(adminPath+"/cluster", s.refuseForeign)
	operate.POST("/nodes/:node", s.serveNodeState)
	operate.POST("/shards/:shard/move", s.serveMoveShard)
	operate.POST("/shards/:shard/release", s.serveReleaseShard)
}

// A nodeOrder is the request POST /_stator/cluster/nodes/NAME.
type nodeOrder struct {
	State partition.NodeState `json:"state"` // up, draining or decommissioning
	Force bool                `json:"force"`
}

func (s *Server) serveNodeState(g *gin.Context) {
	var in nodeOrder
	if readAdmin(g, &in) {
		answerOrder(g, s.db.SetNodeState(g.Request.Context(), g.Param("node"), in.State, in.Force))
	}
}

// A moveOrder is the request POST /_stator/cluster/shards/ID/move.
type moveOrder struct {
	From string `json:"from"`
	To   string `json:"to"`
}

func (s *Server) serveMoveShard(g *gin.Context) {
	var in moveOrder
	shard, ok := shardParam(g)
	if ok && readAdmin(g, &in) {
		answerOrder(g, s.db.MoveShard(g.Request.Context(), shard, in.From, in.To))
	}
}

func (s *Server) serveReleaseShard(g *gin.Context) {
	if shard, ok := shardParam(g); ok {
		answerOrder(g, s.db.ReleaseShard(g.Request.Context(), shard))
	}
}

// shardParam is the shard in the path. It answers a bad one itself.
func shardParam(g *gin.Context) (int, bool) {
	shard, err := strconv.Atoi(g.Param("shard"))
	if err != nil {
		refuseAdmin(g, errors.New("a shard is named by its number"))
	}
	return shard, err == nil
}

// answerOrder tells what became of an order.
func answerOrder(g *gin.Context, err error) {
	status := http.StatusInternalServerError
	switch {
	case err == nil:
		g.JSON(http.StatusOK, gin.H{})
		return
	case errors.Is(err, partition.ErrOrder):
		status = http.StatusConflict
	case errors.Is(err, partition.ErrUnavailable), errors.Is(err, partition.ErrRemoved):
		status = http.StatusServiceUnavailable
	}
	g.JSON(status, gin.H{"error": err.Error()})
}
