package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// clusterCommand runs the nodes of a cluster as child processes.
type clusterCommand struct {
	Nodes    int    `default:"3" help:"Number of nodes."`
	DataDir  string `default:"./cluster" placeholder:"DIR" help:"Directory of the nodes' data and logs."`
	Port     int    `default:"8000" help:"Client port of the first node; the others follow."`
	Shards   int    `default:"16" help:"Number of shards of a new cluster."`
	Lab      bool   `help:"Start the nodes with --lab."`
	LogLevel string `enum:"debug,info,warn,error" default:"info" help:"Least important messages in the nodes' logs."`
}

// stopTimeout is how long nodes may take to hand over and stop.
const stopTimeout = 10 * time.Second

// child is one node.
type child struct {
	name, client, cluster string
	args                  []string
	log                   string
}

// Run runs the cluster until SIGTERM or SIGINT.
func (c *clusterCommand) Run(p *process) error {
	switch {
	case c.Nodes < 1 || c.Nodes > 99:
		return usageError(fmt.Sprintf("--nodes %d: from 1 to 99 nodes are possible", c.Nodes))
	case c.Port < 1 || c.Port+c.Nodes > 65535:
		return usageError(fmt.Sprintf("--port %d: no room for %d ports", c.Port, c.Nodes))
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return err
	}
	children, err := c.children()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(p.ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var running sync.WaitGroup
	for _, ch := range children {
		running.Go(func() { ch.keepRunning(ctx, binary, p.stderr) })
	}
	c.show(ctx, p, children)
	running.Wait()
	return nil
}

// children decides on addresses. Those of the cluster ports are kept in the data
// directory, for a node is known to the others by its address.
func (c *clusterCommand) children() ([]*child, error) {
	file := filepath.Join(c.DataDir, "addresses")
	var addrs []string
	if b, err := os.ReadFile(file); err == nil {
		addrs = strings.Fields(string(b))
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for len(addrs) < c.Nodes {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	if err := os.WriteFile(file, []byte(strings.Join(addrs, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	var all []*child
	for i := range c.Nodes {
		name := fmt.Sprintf("n%d", i+1)
		port := strconv.Itoa(c.Port + i)
		ch := &child{name: name, client: net.JoinHostPort("127.0.0.1", port), cluster: addrs[i], log: filepath.Join(c.DataDir, name+".log")}
		ch.args = []string{
			"serve", "--cluster", "--node-id", name, "--cluster-addr", addrs[i], "--port", port,
			"--data-dir", filepath.Join(c.DataDir, name), "--bootstrap-expect", strconv.Itoa(c.Nodes),
			"--shards", strconv.Itoa(c.Shards), "--log-level", c.LogLevel,
		}
		if c.Lab {
			ch.args = append(ch.args, "--lab")
		}
		for j, addr := range addrs[:c.Nodes] {
			if j != i {
				ch.args = append(ch.args, "--join", addr)
			}
		}
		all = append(all, ch)
	}
	return all, nil
}

// freeAddr finds a free port on this machine.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// keepRunning starts the node, and again when it ends, until ctx ends.
func (ch *child) keepRunning(ctx context.Context, binary string, stderr io.Writer) {
	runtime.LockOSThread() // the death of the thread that starts a child can end the child (ownGroup)
	for pause := time.Second / 4; ; pause = min(2*pause, 10*time.Second) {
		err := ch.run(ctx, binary)
		if ctx.Err() != nil {
			return
		}
		fmt.Fprintf(stderr, "stator: node %s ended (%v), starting it again; see %s\n", ch.name, err, ch.log)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (ch *child) run(ctx context.Context, binary string) error {
	log, err := os.OpenFile(ch.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, binary, ch.args...)
	cmd.Stdout, cmd.Stderr = log, log
	// The terminal's ^C reaches all children at once otherwise, and this process
	// with them.
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	return cmd.Run()
}

// show tells when the cluster can be used, and then of every change; on a
// terminal as a table that stays in its place.
func (c *clusterCommand) show(ctx context.Context, p *process, children []*child) {
	tick := time.NewTicker(time.Second / 4)
	defer tick.Stop()
	began := time.Now()
	usable, last := false, ""
	live := isTerminal(p.stdout)
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			fmt.Fprintln(p.stdout, "stopping")
			return
		}
		for _, ch := range children {
			status, _, err := clusterStatus(ctx, "http://"+ch.client)
			if err != nil {
				continue
			}
			var b strings.Builder
			writeNodes(&b, status)
			fmt.Fprintln(&b)
			writeShards(&b, status)
			writeSteps(&b, status)
			leaders := 0
			for _, s := range status.Shards {
				if s.Leader != "" {
					leaders++
				}
			}
			if !usable && leaders == len(status.Shards) {
				usable = true
				fmt.Fprintf(p.stdout, "The cluster can be used after %.1f s. Send requests to any of:\n", time.Since(began).Seconds())
				for _, ch := range children {
					fmt.Fprintf(p.stdout, "  http://%s\n", ch.client)
				}
			}
			if text := b.String(); usable && text != last {
				switch {
				case live && last != "":
					fmt.Fprintf(p.stdout, "\x1b[%dA\x1b[J%s", strings.Count(last, "\n"), text)
				case live:
					fmt.Fprint(p.stdout, text)
				}
				last = text
			}
			break
		}
	}
}
