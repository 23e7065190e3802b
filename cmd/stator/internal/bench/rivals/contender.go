package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// Versions of the rivals, which every table states.
const (
	dynoxideVersion = "1.2.1"
	dynaliteVersion = "4.0.0"
	motoVersion     = "5.2.5"
)

// role says what a contender is compared as.
type role int

const (
	ours    role = iota
	limit        // of the machine
	rival        // another DynamoDB server
	durable      // Stator and its limit where each write is fsynced
)

// contender is a server that takes part.
type contender struct {
	name       string // with version
	durability string
	role       role
	only       []string // workloads it takes; nil for all
	// connections are the numbers it is measured at; nil for that of saturation.
	connections []int
	// command starts it on the port, with its data in an empty directory.
	command func(port int, data string) []string

	data    string
	server  *bench.Server
	session *bench.Session
	report  bench.Report
}

const (
	inMemory  = "in memory"
	processOK = "on disk, a write survives the process"
	powerOK   = "on disk, a write survives a power cut (fsync)"
	asItComes = "on disk, as it comes"
)

// contenders builds and installs what is needed.
func contenders(ctx context.Context, o options) ([]*contender, error) {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	baseline := filepath.Join(dir, "baseline")
	if err := run(ctx, "go", "build", "-o", baseline, "./cmd/stator/internal/bench/baseline"); err != nil {
		return nil, err
	}
	stator := func(flags ...string) func(int, string) []string {
		return func(port int, data string) []string {
			return append([]string{o.stator, "serve", "--port", strconv.Itoa(port), "--data-dir", data, "--log-level", "warn"}, flags...)
		}
	}
	badger := func(flags ...string) func(int, string) []string {
		return func(port int, data string) []string {
			return append([]string{baseline, "-port", strconv.Itoa(port), "-dir", data}, flags...)
		}
	}
	single := []string{"put", "get", "update"}
	synced := []*contender{
		{name: "Stator --sync", durability: powerOK, role: durable, only: []string{"put", "update"}, connections: []int{syncConnections}, command: stator("--sync")},
		{name: "gin + Badger, SyncWrites", durability: powerOK, role: durable, only: []string{"put", "update"}, connections: []int{syncConnections}, command: badger("-sync")},
	}
	if o.sync {
		return synced, nil
	}
	few := []int{o.connections, oneClient}
	all := []*contender{
		{name: "Stator", durability: processOK, connections: append(few, sweep...), command: stator()},
		{name: "Stator --in-memory", durability: inMemory, connections: few, command: stator("--in-memory")},
		{name: "gin no-op", durability: "answers constants", role: limit, only: single,
			command: func(port int, _ string) []string { return []string{baseline, "-port", strconv.Itoa(port)} }},
		{name: "gin + Badger", durability: processOK, role: limit, only: single, command: badger()},
	}
	if !o.install {
		return all, nil
	}
	installed, err := installRivals(ctx, dir, few)
	return slices.Concat(all, installed, synced), err
}

// installRivals installs what is missing from the public registries.
//
// Dynoxide is measured at few connections as well, for the comparison of one client.
func installRivals(ctx context.Context, dir string, few []int) ([]*contender, error) {
	dynoxide := filepath.Join(dir, "node_modules", "@dynoxide", "linux-x64", "dynoxide")
	dynalite := filepath.Join(dir, "node_modules", "dynalite", "cli.js")
	moto := filepath.Join(dir, "venv", "bin", "moto_server")
	if err := run(ctx, "npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", dir,
		"dynalite@"+dynaliteVersion, "@dynoxide/linux-x64@"+dynoxideVersion); err != nil {
		return nil, err
	}
	if err := os.Chmod(dynoxide, 0o755); err != nil {
		return nil, err
	}
	if _, err := os.Stat(moto); err != nil {
		if err := run(ctx, "python3", "-m", "venv", filepath.Join(dir, "venv")); err != nil {
			return nil, err
		}
		if err := run(ctx, filepath.Join(dir, "venv", "bin", "pip"), "install", "--quiet", "moto[server]=="+motoVersion); err != nil {
			return nil, err
		}
	}
	return []*contender{
		{name: "Dynoxide " + dynoxideVersion + " in memory", durability: inMemory, role: rival, connections: few,
			command: func(port int, _ string) []string { return []string{dynoxide, "--port", strconv.Itoa(port)} }},
		{name: "Dynoxide " + dynoxideVersion + " on disk", durability: asItComes, role: rival, connections: few,
			command: func(port int, data string) []string {
				return []string{dynoxide, "--port", strconv.Itoa(port), "--db-path", filepath.Join(data, "dynoxide.db")}
			}},
		{name: "dynalite " + dynaliteVersion, durability: inMemory, role: rival,
			command: func(port int, _ string) []string { return []string{"node", dynalite, "--port", strconv.Itoa(port)} }},
		// Whole pages of a thousand items take moto minutes with many connections.
		{name: "moto " + motoVersion, durability: inMemory, role: rival, only: []string{"put", "get", "get-strong", "update", "query10"},
			command: func(port int, _ string) []string { return []string{moto, "-p", strconv.Itoa(port)} }},
	}, nil
}

// run executes a command of an installation.
func run(ctx context.Context, command ...string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command[0], err, out)
	}
	return nil
}

// start starts the server and loads the table.
func (c *contender) start(ctx context.Context, o options) (err error) {
	if c.data, err = os.MkdirTemp("", "stator-bench-"); err != nil {
		return err
	}
	port, err := bench.FreePort()
	if err != nil {
		return err
	}
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	if c.server, err = bench.StartServer(ctx, url, c.command(port, c.data)...); err != nil {
		return err
	}
	target := localTarget(url, c.name)
	target.Processor = c.server.Processor
	c.report.Plan = o.plan()
	c.session, err = bench.Open(ctx, target, c.report.Plan, titled{bench.NewReporter(os.Stderr, false), c.name})
	return err
}

// localTarget is a server on this machine that takes any credentials.
func localTarget(url, name string) bench.Target {
	return bench.Target{
		URL: url, Region: "us-east-1", Description: name,
		Credentials: bench.Credentials{AccessKey: "statorbench", SecretKey: "statorbench"},
	}
}

// stop stops what was started and removes the data.
func (c *contender) stop(ctx context.Context) error {
	var errs []error
	if c.session != nil {
		errs = append(errs, c.session.Close(ctx))
	}
	if c.server != nil {
		errs = append(errs, c.server.Stop())
	}
	if c.data != "" {
		errs = append(errs, os.RemoveAll(c.data))
	}
	return errors.Join(errs...)
}

// titled puts the name of the contender before the reports.
type titled struct {
	bench.Reporter
	name string
}

func (t titled) Begin(title string, plan bench.Plan) { t.Reporter.Begin(t.name+": "+title, plan) }
func (t titled) Phase(text string)                   { t.Reporter.Phase(t.name + ": " + text) }
