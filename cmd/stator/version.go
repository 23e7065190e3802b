package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
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

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
