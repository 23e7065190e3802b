package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"github.com/stator-db/stator/server"
	"github.com/stator-db/stator/storage"
)

// serveCommand holds the flags of the house command line.
type serveCommand struct {
	Port              int           `default:"8000" help:"Port to listen on; 0 picks a free one."`
	Host              string        `default:"127.0.0.1" help:"Address to listen on; 0.0.0.0 for every interface."`
	DataDir           string        `default:"./data" placeholder:"DIR" help:"Directory of the data, created when missing."`
	InMemory          bool          `help:"Keep everything in memory and leave --data-dir alone."`
	SharedDB          bool          `name:"shared-db" help:"One set of tables for all access keys and regions."`
	Sync              bool          `help:"Acknowledge a write only when it would survive a power cut (fsync)."`
	Shards            int           `default:"0" placeholder:"N" help:"Number of shards of a new data directory; 0 chooses by the number of cores."`
	CORS              []string      `name:"cors" default:"*" placeholder:"ORIGIN" help:"Origins that browsers may call from."`
	GSIConsistency    string        `name:"gsi-consistency" enum:"sync,eventual" default:"sync" help:"Acknowledge a write after (sync) or before (eventual) its global index entries are visible."`
	GSILag            time.Duration `name:"gsi-lag" default:"0s" help:"Delay global index entries by this much; needs --gsi-consistency eventual."`
	Admin             bool          `help:"Serve the endpoints below /_stator/, which move the clock and inject faults (in memory they always are), and profiles at /debug/pprof/."`
	EnforceThroughput bool          `help:"Throttle tables and global indexes at their throughput settings, as the service does."`
	LogLevel          string        `enum:"debug,info,warn,error" default:"info" help:"Least important messages to log: debug, info, warn or error."`
	LogFormat         string        `enum:"text,json" default:"text" help:"Log as text or json, on stderr."`

	clusterFlags
}

// Run serves until SIGTERM or SIGINT.
func (c *serveCommand) Run(p *process) error {
	if err := c.check(); err != nil {
		return err
	}
	options, err := c.options(newLogger(p.stderr, c.LogLevel, c.LogFormat))
	if err != nil {
		return err
	}
	s := service{
		host:    c.Host,
		port:    c.Port,
		options: options,
		flags:   flagNames{port: "--port", host: "--host", dataDir: "--data-dir", shards: "--shards"},
		announce: func(url string) {
			fmt.Fprintf(p.stdout, "stator is listening on %s\nthe console is at %[1]s/console/\n", url)
		},
	}
	return s.run(p.ctx)
}

// check rejects values and combinations that kong cannot express.
func (c *serveCommand) check() error {
	if err := c.clusterFlags.check(); err != nil {
		return err
	}
	switch {
	case c.Cluster && c.InMemory:
		return usageError("--in-memory: a node of a cluster keeps its data on disk")
	case c.Cluster && c.Sync:
		return usageError("--sync: a cluster syncs every write on a majority of its replicas anyway")
	case c.Port < 0 || c.Port > 65535:
		return usageError(fmt.Sprintf("--port %d: a port is a number from 0 to 65535", c.Port))
	case c.Shards < 0:
		return usageError(fmt.Sprintf("--shards %d: the number of shards cannot be negative", c.Shards))
	case c.Shards > storage.MaxShards:
		return usageError(fmt.Sprintf("--shards %d: at most %d shards are possible", c.Shards, storage.MaxShards))
	case c.GSILag < 0:
		return usageError(fmt.Sprintf("--gsi-lag %s: a delay cannot be negative", c.GSILag))
	case c.GSILag > 0 && c.GSIConsistency != "eventual":
		return usageError("--gsi-lag needs --gsi-consistency eventual")
	case c.DataDir == "" && !c.InMemory:
		return usageError("--data-dir is empty: name a directory, or use --in-memory")
	}
	for _, origin := range c.CORS {
		if !isOrigin(origin) {
			return usageError(fmt.Sprintf("--cors %s: an origin is a scheme and a host, for example https://example.org", origin))
		}
	}
	return nil
}

func (c *serveCommand) options(logger *slog.Logger) (server.Options, error) {
	dir := c.DataDir
	if c.InMemory {
		dir = ""
	}
	shards := c.Shards
	cluster, err := c.clusterFlags.options(shards)
	if cluster != nil {
		shards = 0
	}
	return server.Options{
		Cluster:           cluster,
		DataDir:           dir,
		InMemory:          c.InMemory,
		SharedDB:          c.SharedDB,
		Sync:              c.Sync,
		Shards:            shards,
		CORSOrigins:       corsOrigins(c.CORS),
		Logger:            logger,
		Version:           buildVersion(),
		GSIConsistency:    c.GSIConsistency,
		GSILag:            c.GSILag,
		EnforceThroughput: c.EnforceThroughput,
		Admin:             c.Admin,
	}, err
}

// isOrigin reports whether a browser may send text as the header Origin, or whether
// it is the star for all of them.
func isOrigin(text string) bool {
	if text == "*" || text == "null" {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && u.Scheme+"://"+u.Host == text
}

// corsOrigins returns nil, the server's "any origin", for a list with a star.
func corsOrigins(list []string) []string {
	for _, origin := range list {
		if origin == "*" {
			return nil
		}
	}
	return list
}

// newLogger logs to w. An unknown level cannot come here: kong checks the enum.
func newLogger(w io.Writer, level, format string) *slog.Logger {
	options := &slog.HandlerOptions{}
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err == nil {
		options.Level = l
	}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
