package compat

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	endpointFlag = flag.String("endpoint", os.Getenv("STATOR_COMPAT_ENDPOINT"), "run the scenarios against this server instead of a fresh one")
	clientsFlag  = flag.String("clients", "", "comma-separated clients to run, default all")
)

// target is what the scenarios talk to, set once by TestMain.
var target struct {
	endpoint string
	// binary is the path of the stator built for this run, empty when -endpoint names a server.
	binary string
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if *endpointFlag != "" {
		target.endpoint = *endpointFlag
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "stator-compat")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	target.binary = filepath.Join(dir, "stator")
	build := exec.Command("go", "build", "-o", target.binary, "./cmd/stator")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building stator: %v\n%s", err, out)
		return 1
	}
	server, err := start(target.binary, "serve", "--port", "0", "--in-memory")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.kill()
	target.endpoint = server.url
	code := m.Run()
	if code != 0 {
		fmt.Fprintf(os.Stderr, "the end of the server's output:\n%s", server.tail(4096))
	}
	return code
}
