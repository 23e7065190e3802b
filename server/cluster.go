package server

import (
	"errors"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

// clusterRoutes serves what operators, load balancers in clients and the console
// want to know of the cluster. A single node tells of itself.
func (s *Server) clusterRoutes(engine *gin.Engine) {
	engine.GET(adminPath+"/cluster", s.serveCluster)
	engine.POST(adminPath+"/cluster/verify", s.refuseForeign, s.serveVerifyCluster)
	engine.GET("/localnodes", s.serveLocalNodes)
	s.operatorRoutes(engine)
}

// serveCluster answers GET /_stator/cluster.
func (s *Server) serveCluster(g *gin.Context) {
	g.Header("Cache-Control", "no-store")
	status := s.db.Cluster(g.Request.Context())
	if status == nil {
		g.JSON(http.StatusNotFound, gin.H{"error": "this server is not a node of a cluster"})
		return
	}
	g.JSON(http.StatusOK, status)
}

// serveLocalNodes lists the hosts that clients may send requests to, as the load
// balancers of ScyllaDB's Alternator ask for them.
func (s *Server) serveLocalNodes(g *gin.Context) {
	hosts := []string{}
	for _, addr := range s.db.ClientAddrs() {
		hosts = append(hosts, hostOf(addr))
	}
	if s.options.Cluster == nil {
		hosts = append(hosts, hostOf(g.Request.Host))
	}
	g.JSON(http.StatusOK, hosts)
}

// hostOf is the host of an address, without the port.
func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// validateCluster reports what contradicts membership in a cluster.
func (o Options) validateCluster() error {
	c := o.Cluster
	switch {
	case c == nil:
		return nil
	case o.InMemory:
		return errors.New("a node of a cluster keeps its data on disk")
	case c.Name == "":
		return errors.New("a node of a cluster needs a name")
	case c.Addr == "":
		return errors.New("a node of a cluster needs an address for the others")
	case o.Shards > 0 && c.Shards > 0 && o.Shards != c.Shards:
		return errors.New("two different numbers of shards")
	case o.CompactOnOpen:
		return errors.New("a node of a cluster is not compacted when it starts")
	}
	return nil
}
