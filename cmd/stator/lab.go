package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/stator-db/stator/cmd/stator/internal/processes"
	"github.com/stator-db/stator/partition/lab"
	"github.com/stator-db/stator/partition/lab/report"
)

// labCommand runs experiments with consistency models.
type labCommand struct {
	List labListCommand `cmd:"" help:"List the built-in experiments."`
	Run  labRunCommand  `cmd:"" help:"Run an experiment and compare it with what is expected."`
}

// labListCommand has no flags.
type labListCommand struct{}

// Run prints a line for each built-in experiment.
func (labListCommand) Run(p *process) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, name := range lab.Names() {
		e, _, err := lab.Builtin(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\n", name, e.Title)
	}
	return w.Flush()
}

// labRunCommand holds the flags of a run.
type labRunCommand struct {
	Experiment string `arg:"" help:"Name of a built-in experiment, or a file (experiment.yaml)."`
	Seed       uint64 `default:"1" help:"Where chance comes from; the same seed gives the same history."`
	Real       bool   `help:"Run it on processes of this binary, in real time; what happens then does not repeat."`
	Out        string `default:"./lab" placeholder:"DIR" help:"Directory for the page (NAME-SEED.html) and the history (NAME-SEED.json)."`
}

// errUnexpected is the outcome of an experiment that did not come out as expected.
var errUnexpected = errors.New("the experiment did not come out as expected")

// Run runs the experiment and fails unless it came out as expected.
func (c *labRunCommand) Run(p *process) error {
	e, err := c.experiment()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(p.ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	result, err := c.run(ctx, p, e)
	if err != nil {
		return err
	}
	history, page, err := c.write(result)
	if err != nil {
		return err
	}
	summarize(p.stdout, result)
	fmt.Fprintf(p.stdout, "\n%s\n%s\nagain: %s\n", page, history, result.Command)
	if result.Verdict != lab.Passed {
		return fmt.Errorf("%w: %s", errUnexpected, result.Verdict)
	}
	return nil
}

// experiment finds what is to be run: a file if it looks like one.
func (c *labRunCommand) experiment() (*lab.Experiment, error) {
	extension := filepath.Ext(c.Experiment)
	if extension == "" && !strings.ContainsRune(c.Experiment, filepath.Separator) {
		e, found, err := lab.Builtin(c.Experiment)
		if err == nil && !found {
			err = usageError(fmt.Sprintf("there is no experiment %s; stator lab list names those there are", c.Experiment))
		}
		return e, err
	}
	definition, err := os.ReadFile(c.Experiment)
	if err != nil {
		return nil, err
	}
	return lab.Parse(strings.TrimSuffix(filepath.Base(c.Experiment), extension), definition)
}

// run tells on a terminal how far it is.
func (c *labRunCommand) run(ctx context.Context, p *process, e *lab.Experiment) (*lab.Result, error) {
	o := lab.Options{Seed: c.Seed, Command: fmt.Sprintf("stator lab run %s --seed %d", c.Experiment, c.Seed)}
	if c.Real {
		binary, err := os.Executable()
		if err != nil {
			return nil, err
		}
		o.Mode, o.Open = lab.Processes, processes.Open(binary)
		o.Command += " --real"
	}
	if isTerminal(p.stderr) {
		o.Progress = func(part float64, operations int) {
			fmt.Fprintf(p.stderr, "\r%s: %3.0f %%, %d operations", e.Name, 100*part, operations)
		}
		defer fmt.Fprintln(p.stderr)
	}
	return lab.Run(ctx, e, o)
}

// write leaves the history and the page in the directory.
func (c *labRunCommand) write(r *lab.Result) (history, page string, err error) {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return "", "", err
	}
	base := filepath.Join(c.Out, fmt.Sprintf("%s-%d", r.Experiment, r.Seed))
	history, page = base+".json", base+".html"
	body, err := json.Marshal(r)
	if err != nil {
		return "", "", err
	}
	if err := os.WriteFile(history, append(body, '\n'), 0o644); err != nil {
		return "", "", err
	}
	f, err := os.Create(page)
	if err != nil {
		return "", "", err
	}
	return history, page, errors.Join(report.WriteHTML(f, r), f.Close())
}

// summarize prints the checks as a table.
func summarize(out io.Writer, r *lab.Result) {
	fmt.Fprintf(out, "%s: %s\n%d operations, seed %d: %s\n\n", r.Experiment, r.Title, len(r.Operations), r.Seed, r.Verdict)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERDICT\tCHECK\tGROUP\tEXPECTED\tOBSERVED")
	for _, k := range r.Checks {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.Verdict, k.Name, k.Group, k.Expected, k.Observed)
	}
	_ = w.Flush() // out tells of its errors itself
}
