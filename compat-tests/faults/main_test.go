//go:build linux

package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the path of the stator that was built for this run.
var binary string

// inside is set for the test binary that runs in namespaces of its own.
const inside = "STATOR_FAULTS_INSIDE"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv("STATOR_FAULTS") == "" {
		return m.Run() // which skips what needs namespaces
	}
	if binary = os.Getenv(inside); binary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "stator-faults")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	built := filepath.Join(dir, "stator")
	build := exec.Command("go", "build", "-o", built, "./cmd/stator")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building stator: %v\n%s", err, out)
		return 1
	}
	again := exec.Command("unshare", append([]string{"--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", os.Args[0]}, os.Args[1:]...)...)
	again.Env = append(os.Environ(), inside+"="+built, "TMPDIR="+dir)
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	if err := again.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "in namespaces:", err)
		return 1
	}
	return 0
}

// needNamespaces skips a test that was not asked for, or for which this machine will not do.
func needNamespaces(t *testing.T) {
	t.Helper()
	switch {
	case os.Getenv("STATOR_FAULTS") == "":
		t.Skip("takes minutes; STATOR_FAULTS=1 or make faults runs it")
	case os.Geteuid() != 0:
		t.Skip("network namespaces need root")
	}
	for _, tool := range []string{"ip", "mount", "unshare"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
}
