package processes

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/stator-db/stator/partition/lab"
)

// node is a server.
type node struct {
	name, client, log string
	binary            string
	args              []string

	mu  sync.Mutex
	cmd *exec.Cmd // nil while it is down
}

// newNode describes a node; addrs has the client addresses of all, then the cluster
// addresses.
func newNode(binary, dir string, s lab.Setup, addrs []string, i int) *node {
	count := len(s.Nodes)
	n := &node{name: s.Nodes[i].Name, client: addrs[i], log: filepath.Join(dir, s.Nodes[i].Name+".log"), binary: binary}
	host, port, _ := strings.Cut(n.client, ":")
	shape := &s.Experiment.Cluster
	n.args = []string{
		"serve", "--cluster", "--lab", "--shared-db", "--host", host, "--port", port, "--node-id", n.name, "--zone", s.Nodes[i].Zone,
		"--cluster-addr", addrs[count+i], "--data-dir", filepath.Join(dir, n.name), "--bootstrap-expect", strconv.Itoa(count),
		"--shards", strconv.Itoa(shape.Shards), "--replicas", strconv.Itoa(shape.Replicas), "--gsi-consistency", shape.Indexes,
		"--log-level", "warn",
	}
	for other, addr := range addrs[count:] {
		if other != i {
			n.args = append(n.args, "--join", addr)
		}
	}
	return n
}

func (n *node) url() string { return "http://" + n.client }

// run starts the node, unless it is up.
func (n *node) run() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd != nil {
		return nil
	}
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(n.binary, n.args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	n.cmd = cmd
	return nil
}

// kill ends the node's process at once.
func (n *node) kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait() // it was killed
	n.cmd = nil
}

// signal suspends the node's process, or lets it go on.
func (n *node) signal(suspend bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return errors.New("node " + n.name + " is down")
	}
	return signalProcess(n.cmd.Process, suspend)
}

func (n *node) up() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cmd != nil
}

// tail is the end of the node's log.
func (n *node) tail() string {
	const most = 2000
	b, err := os.ReadFile(n.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-most):])
}
