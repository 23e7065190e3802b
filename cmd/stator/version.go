package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// version is set by the Makefile (-ldflags "-X main.version=…"); a binary built
// with plain go install or go build takes it from its build information.
var version string

type versionCommand struct{}

// Run prints one line: name, version, Go version and platform.
func (versionCommand) Run(p *process) error {
	_, err := fmt.Fprintf(p.stdout, "stator %s %s %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// printVersion is the flag --version, which needs no command beside it.
type printVersion bool

// BeforeReset prints the version and ends the process before the rest of the command
// line is looked at, as --help does.
func (printVersion) BeforeReset(app *kong.Kong) error {
	err := versionCommand{}.Run(&process{stdout: app.Stdout})
	app.Exit(0)
	return err
}

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
