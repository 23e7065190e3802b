package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/stator-db/stator/cmd/stator/internal/bench"
)

// benchCommand measures a server, or compares two measurements.
type benchCommand struct {
	Run     benchRunCommand     `cmd:"" default:"withargs" help:"Measure a server (default)."`
	Compare benchCompareCommand `cmd:"" help:"Print the ratios between two files of --json."`
}

// Help is shown by "stator bench --help", which lists the subcommands only.
func (benchCommand) Help() string {
	return `Without a subcommand it measures; "stator bench run --help" lists the flags.

  stator bench                                    a server of its own, on disk
  stator bench --in-memory --workload ycsb        the six workloads of YCSB, in memory
  stator bench --endpoint http://127.0.0.1:8000   any DynamoDB server
  stator bench --rate 5000                        open loop: latencies at a fixed rate
  stator bench --repeat 5 --json a.json --html a.html
  stator bench compare a.json b.json`
}

// benchRunCommand holds the flags of a measurement.
type benchRunCommand struct {
	Endpoint     string        `placeholder:"URL" help:"DynamoDB endpoint to measure. Without it a stator of its own serves from a temporary directory."`
	InMemory     bool          `help:"The own server keeps everything in memory."`
	Sync         bool          `help:"The own server acknowledges a write only when it would survive a power cut (fsync)."`
	Workload     []string      `default:"put,get,update,query10" help:"What to measure: ${benchWorkloads}; ycsb, operations or all for groups of them."`
	Items        int64         `default:"10000" help:"Number of items loaded before the first run."`
	ItemSize     string        `default:"250" placeholder:"BYTES" help:"Size of an item; 4KB is 4096."`
	Distribution string        `enum:"workload,uniform,zipfian,latest" default:"workload" help:"How keys are chosen: uniform, zipfian, latest, or as each workload defines it."`
	Connections  []int         `default:"32" help:"Numbers of connections, each measured by itself."`
	Rate         float64       `default:"0" placeholder:"N" help:"Open loop: N operations a second, latencies count from the intended start. 0 is the closed loop."`
	Warmup       time.Duration `default:"2s" help:"How long each run goes on before it counts."`
	Duration     time.Duration `default:"10s" help:"How long each run is measured."`
	Requests     int64         `default:"0" placeholder:"N" help:"End a run after N operations instead of --duration."`
	Repeat       int           `default:"1" placeholder:"N" help:"Number of runs of everything, in turns."`
	Seed         uint64        `default:"1" help:"Seed of keys and values."`
	Timeout      time.Duration `default:"10s" help:"Longest time to wait for an answer."`
	Table        string        `default:"StatorBench" help:"Name of the table, created and deleted by the benchmark."`
	KeepTable    bool          `help:"Leave the table, and use it without loading if it is there."`
	Sign         bool          `help:"Sign requests with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN."`
	Region       string        `default:"us-east-1" help:"Region in the signature."`
	JSON         string        `name:"json" placeholder:"FILE" help:"Write all figures and histograms to a file."`
	HTML         string        `name:"html" placeholder:"FILE" help:"Write a page with plots to a file."`
}

// Run measures, and writes the figures also when it is interrupted.
func (c *benchRunCommand) Run(p *process) (err error) {
	plan, err := c.plan()
	if err != nil {
		return err
	}
	target, err := c.target()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(p.ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	report, err := c.measure(ctx, p, target, plan)
	if report == nil || len(report.Runs) == 0 {
		return err
	}
	return errors.Join(err, c.write(p, report))
}

// measure starts a server unless there is one, and measures it.
func (c *benchRunCommand) measure(ctx context.Context, p *process, target bench.Target, plan bench.Plan) (report *bench.Report, err error) {
	reporter := bench.NewReporter(p.stderr, isTerminal(p.stderr))
	if c.Endpoint != "" {
		return bench.Measure(ctx, target, plan, reporter)
	}
	dir, err := os.MkdirTemp("", "stator-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := c.startServer(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	figures := &bench.ServerFigures{StartMilliseconds: server.Started.Seconds() * 1000, MemoryAtRest: server.Memory()}
	target.URL, target.Processor = server.URL, server.Processor
	report, err = bench.Measure(ctx, target, plan, reporter)
	figures.MemoryAtEnd = server.Memory()
	report.Server = figures
	return report, err
}

// startServer runs this very binary as a server with its data in dir.
func (c *benchRunCommand) startServer(ctx context.Context, dir string) (*bench.Server, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	port, err := bench.FreePort()
	if err != nil {
		return nil, err
	}
	command := []string{binary, "serve", "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--data-dir", dir, "--log-level", "warn"}
	if c.InMemory {
		command = append(command, "--in-memory")
	}
	if c.Sync {
		command = append(command, "--sync")
	}
	return bench.StartServer(ctx, fmt.Sprintf("http://127.0.0.1:%d", port), command...)
}

// plan turns the flags into a plan.
func (c *benchRunCommand) plan() (bench.Plan, error) {
	size, err := parseSize(c.ItemSize)
	if err != nil {
		return bench.Plan{}, usageError(fmt.Sprintf("--item-size %s: expected a number of bytes, such as 250 or 4KB", c.ItemSize))
	}
	plan := bench.Plan{
		Workloads: workloadNames(c.Workload), Connections: c.Connections, Rate: c.Rate,
		Items: c.Items, ItemSize: size, Warmup: c.Warmup, Duration: c.Duration, Requests: c.Requests,
		Repeat: c.Repeat, Seed: c.Seed, Timeout: c.Timeout, Table: c.Table, KeepTable: c.KeepTable,
	}
	if c.Distribution != "workload" {
		plan.Distribution = bench.Distribution(c.Distribution)
	}
	if err := plan.Validate(); err != nil {
		return bench.Plan{}, usageError(err.Error())
	}
	return plan, nil
}

// target describes the server; that of an own server lacks the URL.
func (c *benchRunCommand) target() (bench.Target, error) {
	target := bench.Target{
		URL: c.Endpoint, Region: c.Region, Sign: c.Sign, Description: "as configured there",
		Credentials: bench.Credentials{AccessKey: "statorbench", SecretKey: "statorbench"},
	}
	switch {
	case c.Endpoint != "" && (c.InMemory || c.Sync):
		return target, usageError("--in-memory and --sync configure the benchmark's own server: leave out --endpoint, or them")
	case c.InMemory && c.Sync:
		return target, usageError("--sync has no meaning with --in-memory")
	case c.InMemory:
		target.Description = "stator " + buildVersion() + " in memory"
	case c.Sync:
		target.Description = "stator " + buildVersion() + " on disk, an fsync before a write is acknowledged"
	case c.Endpoint == "":
		target.Description = "stator " + buildVersion() + " on disk, acknowledged writes survive the process but not a power cut"
	}
	if c.Sign {
		target.Credentials = bench.Credentials{
			AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"), SecretKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
		}
		if target.Credentials.AccessKey == "" || target.Credentials.SecretKey == "" {
			return target, usageError("--sign needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
		}
	}
	return target, nil
}

// write prints the table and writes the files that were asked for.
func (c *benchRunCommand) write(p *process, report *bench.Report) error {
	fmt.Fprintln(p.stdout)
	if err := report.WriteTable(p.stdout); err != nil {
		return err
	}
	if c.JSON != "" {
		if err := report.Save(c.JSON); err != nil {
			return err
		}
	}
	if c.HTML != "" {
		file, err := os.Create(c.HTML)
		if err != nil {
			return err
		}
		if err := errors.Join(report.WritePage(file), file.Close()); err != nil {
			return err
		}
	}
	if !report.AnySucceeded() {
		return errors.New("no operation succeeded")
	}
	return nil
}

// benchCompareCommand compares two files of --json.
type benchCompareCommand struct {
	Before string `arg:"" placeholder:"A" help:"File of the first measurement."`
	After  string `arg:"" placeholder:"B" help:"File of the second measurement."`
}

// Run prints the ratios of the second to the first.
func (c *benchCompareCommand) Run(p *process) error {
	before, err := bench.Load(c.Before)
	if err != nil {
		return err
	}
	after, err := bench.Load(c.After)
	if err != nil {
		return err
	}
	return bench.Compare(p.stdout, before, after)
}

// workloadNames replaces the names of groups by their members.
func workloadNames(names []string) []string {
	var list []string
	for _, name := range names {
		group := false
		for _, w := range bench.Workloads() {
			ycsb := strings.HasPrefix(w.Name, "ycsb-")
			if name == "all" || name == "ycsb" && ycsb || name == "operations" && !ycsb {
				list, group = append(list, w.Name), true
			}
		}
		if !group {
			list = append(list, name)
		}
	}
	return list
}

// workloadHelp lists the workloads for the help text.
func workloadHelp() string {
	var names []string
	for _, w := range bench.Workloads() {
		names = append(names, w.Name)
	}
	return strings.Join(names, ", ")
}

// parseSize reads bytes, or kilobytes with the suffix KB.
func parseSize(text string) (int, error) {
	number, kilo := strings.CutSuffix(strings.ToUpper(text), "KB")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 0 || n > 1<<30 {
		return 0, errors.New("not a size")
	}
	if kilo {
		n <<= 10
	}
	return n, nil
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
