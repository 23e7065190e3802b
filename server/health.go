package server

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// serveHealth says that the process lives (liveness probe).
func (s *Server) serveHealth(g *gin.Context) {
	g.JSON(http.StatusOK, gin.H{"status": "healthy", "version": s.options.Version})
}

// serveReady says whether requests are welcome (readiness probe).
func (s *Server) serveReady(g *gin.Context) {
	if s.closed.Load() {
		g.JSON(http.StatusServiceUnavailable, gin.H{"status": "closing"})
		return
	}
	if s.db.Removed() {
		g.JSON(http.StatusServiceUnavailable, gin.H{"status": "removed"})
		return
	}
	g.JSON(http.StatusOK, gin.H{"status": "ready"})
}

// localGreeting is what DynamoDB Local answers to a plain GET /. Tools poll for it.
var localGreeting = &apiError{
	Status:  http.StatusBadRequest,
	Type:    modelPrefix + "MissingAuthenticationToken",
	Message: "Request must contain either a valid (registered) AWS access key ID or X.509 certificate.",
}

// defaultRegion is named where no request says which region it means.
const defaultRegion = "us-east-1"

// healthyText is the service's answer to GET /: the endpoint with one trailing space.
func healthyText(host string) string {
	region := defaultRegion
	if rest, ok := strings.CutPrefix(host, "dynamodb."); ok {
		if name, _, ok := strings.Cut(rest, ".amazonaws.com"); ok && validRegion(name) {
			region = name
		}
	}
	return "healthy: dynamodb." + region + ".amazonaws.com "
}
