package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// commandLine is the grammar of the house command line.
type commandLine struct {
	Config       kong.ConfigFlag `placeholder:"FILE" help:"YAML file with values for these flags; keys are flag names without the dashes."`
	PrintVersion printVersion    `name:"version" env:"-" help:"Print the version and exit."`

	Serve        serveCommand        `cmd:"" default:"withargs" help:"Serve the DynamoDB API (default)."`
	Healthcheck  healthcheckCommand  `cmd:"" help:"Exit 0 if the server is ready, 1 if not."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
	Verify       verifyCommand       `cmd:"" help:"Check every item and index entry of a data directory."`
	Repair       repairCommand       `cmd:"" help:"Rebuild index entries that disagree with their items."`
	Cluster      clusterCommand      `cmd:"" help:"Run a whole cluster on this machine, for trying out."`
	Nodes        nodesCommand        `cmd:"" help:"List the nodes of a cluster."`
	Shards       shardsCommand       `cmd:"" help:"List the shards of a cluster."`
	Drain        drainCommand        `cmd:"" help:"Have a node lead nothing, before it is restarted."`
	Decommission decommissionCommand `cmd:"" help:"Move everything off a node and remove it from its cluster."`
	MoveShard    moveShardCommand    `cmd:"" name:"move-shard" help:"Move a shard's replica from one node to another."`
	Bench        benchCommand        `cmd:"" help:"Measure this or any other DynamoDB server."`
	Lab          labCommand          `cmd:"" help:"Run experiments with consistency, on a cluster that is broken on purpose."`
}

// process is what a subcommand may use of the process around it.
type process struct {
	ctx            context.Context
	stdout, stderr io.Writer
}

// run parses args (without the program name), runs the command and returns the
// exit code.
func run(args []string, stdout, stderr io.Writer) int {
	p := &process{ctx: context.Background(), stdout: stdout, stderr: stderr}
	if local, ok := localArguments(args); ok {
		return runLocal(p, local)
	}
	command, err := parse(&commandLine{}, args, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "stator: %s (see stator --help)\n", oneLine(err))
		return exitUsage
	}
	return exitCode(p, command.Run(p))
}

// parse fills cli from flags, environment and configuration file, in that order
// of precedence.
func parse(cli *commandLine, args []string, stdout, stderr io.Writer) (*kong.Context, error) {
	parser, err := kong.New(cli,
		kong.Name("stator"),
		kong.Description("A DynamoDB-compatible database in one binary."),
		kong.DefaultEnvars("STATOR"),
		kong.Configuration(loadConfig),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(stdout, stderr),
		kong.Vars{"benchWorkloads": workloadHelp()},
	)
	if err != nil {
		return nil, err
	}
	return parser.Parse(args)
}

// exitCode reports err, if any, in one line and returns the exit code for it.
func exitCode(p *process, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(p.stderr, "stator: %s\n", oneLine(err))
		return exitUsage
	default:
		fmt.Fprintf(p.stderr, "stator: %s\n", oneLine(err))
		return exitFailure
	}
}

// usageError is a combination of flags that makes no sense.
type usageError string

func (e usageError) Error() string { return string(e) }
