package server

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/stator-db/stator/server/console"
)

// consoleRoutes serves the console, at its own path and where DynamoDB Local had its
// shell, and the endpoints that it looks at. These tell what goes on and change
// nothing, so they are served by every server.
func (s *Server) consoleRoutes(engine *gin.Engine) {
	assets := console.Handler()
	for _, path := range []string{"/console", "/shell"} {
		handler := gin.WrapH(http.StripPrefix(path, assets))
		engine.GET(path, func(g *gin.Context) { g.Redirect(http.StatusMovedPermanently, path+"/") })
		engine.GET(path+"/*asset", handler)
		engine.HEAD(path+"/*asset", handler)
	}
	looks := engine.Group(adminPath)
	looks.GET("/namespaces", s.serveNamespaces)
	looks.GET("/operations", s.serveOperations)
	looks.GET("/requests", s.serveRequests)
}

// A namespaceReport is an element of what GET /_stator/namespaces answers.
type namespaceReport struct {
	Account string `json:"account"` // access key; empty with Region if the database is shared
	Region  string `json:"region"`
	Tables  int    `json:"tables"`
}

// serveNamespaces tells which access keys and regions have tables, and how the server
// keeps them.
func (s *Server) serveNamespaces(g *gin.Context) {
	reports := []namespaceReport{}
	for _, n := range s.db.Namespaces() {
		reports = append(reports, namespaceReport{n.Namespace.Account, n.Namespace.Region, n.Tables})
	}
	g.Header("Cache-Control", "no-store")
	g.JSON(http.StatusOK, gin.H{"shared": s.options.SharedDB, "local": s.options.Local, "shards": s.db.Shards(), "namespaces": reports})
}
