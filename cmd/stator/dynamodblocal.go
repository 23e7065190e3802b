package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stator-db/stator/server"
)

// localDataDir is the directory inside -dbPath that holds the data, as DynamoDB
// Local keeps its .db files there: -dbPath is often a directory with other things
// in it, and by default the working directory.
const localDataDir = "stator-data"

// localCommand is the command line of DynamoDB Local (Developer Guide, "DynamoDB
// local usage notes").
type localCommand struct {
	port                   int
	inMemory               bool
	dbPath                 string // empty when not given: the working directory
	sharedDB               bool
	cors                   string
	delayTransientStatuses bool
	optimize               bool
	help                   bool
	version                bool
}

// localArguments reports whether args are a command line of DynamoDB Local and
// returns its options. Such a line starts with a single-dash word, which the house
// command line does not have, or hands a jar to a Java virtual machine, as images
// do whose entry point is java: the options of the machine are then dropped.
func localArguments(args []string) ([]string, bool) {
	if len(args) == 0 || !strings.HasPrefix(args[0], "-") {
		return nil, false
	}
	if jar := slices.Index(args, "-jar"); jar >= 0 {
		return args[min(jar+2, len(args)):], true
	}
	if strings.HasPrefix(args[0], "--") || len(args[0]) <= len("-h") {
		return nil, false
	}
	return args, true
}

// runLocal runs DynamoDB Local's command line and returns the exit code.
func runLocal(p *process, args []string) int {
	c, err := parseLocal(args)
	if err != nil {
		fmt.Fprintf(p.stderr, "Error while parsing options. %s (see -help)\n", oneLine(err))
		return exitFailure
	}
	switch {
	case c.help:
		writeLocalUsage(p.stdout)
		return 0
	case c.version:
		return exitCode(p, versionCommand{}.Run(p))
	}
	return exitCode(p, c.service(p).run(p.ctx))
}

// parseLocal parses the options and applies DynamoDB Local's rules.
func parseLocal(args []string) (localCommand, error) {
	var c localCommand
	set := c.flagSet()
	if err := set.Parse(args); err != nil {
		return c, errors.New(strings.Replace(err.Error(), "flag provided but not defined:", "Unrecognized option:", 1))
	}
	switch {
	case c.help || c.version:
		return c, nil
	case set.NArg() > 0:
		return c, fmt.Errorf("unexpected argument: %s", set.Arg(0))
	case c.port < 0 || c.port > 65535:
		return c, fmt.Errorf("-port %d: a port is a number from 0 to 65535", c.port)
	case c.inMemory && given(set, "dbPath"):
		return c, errors.New("-inMemory cannot be combined with -dbPath: leave out one of them")
	case c.optimize && !given(set, "dbPath"):
		return c, errors.New("-optimizeDbBeforeStartup requires -dbPath: name the directory of the database files")
	}
	if given(set, "dbPath") {
		if info, err := os.Stat(c.dbPath); err != nil || !info.IsDir() {
			return c, fmt.Errorf("-dbPath %s: no such directory: create it first", c.dbPath)
		}
	}
	return c, nil
}

func (c *localCommand) flagSet() *flag.FlagSet {
	set := flag.NewFlagSet("DynamoDBLocal", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	set.StringVar(&c.cors, "cors", "", "Comma-separated list of `origins` that browsers may call from. Default: any.")
	set.StringVar(&c.dbPath, "dbPath", "", "Existing `directory` for the database files. Default: the working directory.")
	set.BoolVar(&c.delayTransientStatuses, "delayTransientStatuses", false, "Hold the CREATING and DELETING states of indexes for a while, as the service does.")
	set.Bool("disableTelemetry", false, "Accepted and without effect: nothing is reported to anybody.")
	set.BoolVar(&c.help, "help", false, "Print this text.")
	set.BoolVar(&c.inMemory, "inMemory", false, "Keep everything in memory; not together with -dbPath.")
	set.BoolVar(&c.optimize, "optimizeDbBeforeStartup", false, "Compact the database files before serving; requires -dbPath.")
	set.IntVar(&c.port, "port", 8000, "Listen on this `port`.")
	set.BoolVar(&c.sharedDB, "sharedDb", false, "One set of tables for all access keys and regions.")
	set.BoolVar(&c.version, "version", false, "Print the version.")
	return set
}

func given(set *flag.FlagSet, name string) bool {
	found := false
	set.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

func writeLocalUsage(w io.Writer) {
	fmt.Fprintln(w, "usage: stator [-port <port>] [-inMemory | -dbPath <directory>] [-sharedDb] [options]")
	set := (&localCommand{}).flagSet()
	set.SetOutput(w)
	set.PrintDefaults()
}

// service wires the options. DynamoDB Local listens on every interface.
func (c localCommand) service(p *process) service {
	s := service{
		port: c.port,
		options: server.Options{
			InMemory:               c.inMemory,
			SharedDB:               c.sharedDB,
			Local:                  true,
			DelayTransientStatuses: c.delayTransientStatuses,
			CompactOnOpen:          c.optimize,
			Logger:                 newLogger(p.stderr, "info", "text"),
			Version:                buildVersion(),
		},
		flags: flagNames{port: "-port", dataDir: "-dbPath"},
	}
	if !c.inMemory {
		s.options.DataDir = filepath.Join(c.dbPath, localDataDir)
	}
	if c.cors != "" {
		s.options.CORSOrigins = corsOrigins(strings.Split(c.cors, ","))
	}
	s.announce = func(url string) {
		c.writeBanner(p.stdout, portOf(url))
		fmt.Fprintf(p.stdout, "stator is listening on %s\n", url)
	}
	return s
}

// writeBanner prints the configuration as DynamoDB Local 2 does: tools wait for
// these lines to know that it has started.
func (c localCommand) writeBanner(w io.Writer, port string) {
	fmt.Fprintf(w, `Initializing DynamoDB Local with the following configuration:
Port:	%s
InMemory:	%t
Version:	%s
DbPath:	%s
SharedDb:	%t
shouldDelayTransientStatuses:	%t
CorsParams:	%s

`, port, c.inMemory, buildVersion(), orNull(c.dbPath), c.sharedDB, c.delayTransientStatuses, orNull(c.cors))
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func portOf(url string) string {
	return url[strings.LastIndexByte(url, ':')+1:]
}
