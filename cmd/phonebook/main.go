package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(run(&process{ctx: ctx, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:]))
}

// commandLine is the grammar of the command line.
type commandLine struct {
	Serve    serveCommand    `cmd:"" default:"withargs" help:"Serve the page and the API (default)."`
	Generate generateCommand `cmd:"" help:"Fill the phonebook with made-up contacts."`
	Import   importCommand   `cmd:"" help:"Import a vCard or CSV file."`
	Export   exportCommand   `cmd:"" help:"Write all contacts to a vCard or CSV file."`
}

// process is what a subcommand may use of the process around it. ctx ends with SIGTERM
// and SIGINT.
type process struct {
	ctx            context.Context
	stdout, stderr io.Writer
}

// run parses args (without the program name), runs the command and returns the exit
// code.
func run(p *process, args []string) int {
	parser, err := kong.New(&commandLine{},
		kong.Name("phonebook"),
		kong.Description("A phonebook in a DynamoDB table."),
		kong.DefaultEnvars("PHONEBOOK"),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(p.stdout, p.stderr),
	)
	if err != nil {
		return complain(p, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(p.stderr, "phonebook: %v (see phonebook --help)\n", err)
		return exitUsage
	}
	return complain(p, command.Run(p))
}

// usageError is a combination of flags that makes no sense.
type usageError string

func (e usageError) Error() string { return string(e) }

// complain reports err, if any, in one line and returns the exit code for it.
func complain(p *process, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(p.stderr, "phonebook: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailure
}
