package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Experiment is what an experiment file says.
type Experiment struct {
	// Name is that of the file, without extension.
	Name string `yaml:"-"`
	// Title is one line, About says what to expect and why.
	Title string `yaml:"title"`
	About string `yaml:"about"`
	// Duration is how long clients work: 1s to 10m.
	Duration time.Duration `yaml:"duration"`
	Cluster  Cluster       `yaml:"cluster"`
	Clients  []Clients     `yaml:"clients"`
	Faults   []Plan        `yaml:"faults"`
	Checks   []Question    `yaml:"checks"`

	source string
}

// Cluster is the topology.
type Cluster struct {
	Nodes    int `yaml:"nodes"`    // n1, n2 and so on: 1 to 9, 3 if not given
	Zones    int `yaml:"zones"`    // that nodes are dealt out to in turn; one for each node if not given
	Shards   int `yaml:"shards"`   // 1 to 16, 2 if not given
	Replicas int `yaml:"replicas"` // of each shard: 3 if not given
	// Latency is how long messages take one way: between nodes of a zone and of
	// different ones, between clients and nodes, and on single links.
	Latency struct {
		Within  Spread `yaml:"within"`
		Between Spread `yaml:"between"`
		Client  Spread `yaml:"client"`
		Links   []struct {
			From   string `yaml:"from"`
			To     string `yaml:"to"`
			Spread `yaml:",inline"`
		} `yaml:"links"`
	} `yaml:"latency"`
	Sync  Spread `yaml:"sync"`  // of a log
	Apply Spread `yaml:"apply"` // from being committed to being visible on a node
	// Indexes are sync, or eventual: a write is acknowledged before its entries
	// in the global index are visible.
	Indexes string `yaml:"indexes"`
}

// Spread is a log-normal distribution of lengths of time.
type Spread struct {
	Median time.Duration `yaml:"median"`
	P99    time.Duration `yaml:"p99"`
}

// Clients is a group of clients that do the same.
type Clients struct {
	Group string `yaml:"group"`
	Count int    `yaml:"count"` // 1 if not given
	// Task is one of the names in tasks.
	Task string `yaml:"task"`
	// Policy is how replicas for reads are chosen; see Client.
	Policy string `yaml:"policy"`
	// Nodes are asked by the group's clients, each by one client in turn; all of
	// them if not given. A client whose node is down asks the next, unless Fixed.
	Nodes []string `yaml:"nodes"`
	Fixed bool     `yaml:"fixed"`
	// Balanced spreads a client's requests over all nodes, as something in front of
	// them might.
	Balanced bool `yaml:"balanced"`
	// Keys are a client's own, or the group's, 1 if not given.
	Keys int `yaml:"keys"`
	// Of is the group whose keys are read.
	Of string `yaml:"of"`
	// Rate is how many rounds a client begins in a second, at random moments.
	Rate float64 `yaml:"rate"`
	// Read says where a probe reads: table, or index; and how pairs are read:
	// together, in a transaction, or apart.
	Read string `yaml:"read"`
	// Guard is what protects a change: nothing, a condition on the item, or a
	// transaction that checks all that was read.
	Guard string `yaml:"guard"`
	// Delay bounds the time between a probe's write and its read, drawn evenly on a
	// logarithmic scale. Without, it reads at once.
	Delay struct {
		From time.Duration `yaml:"from"`
		To   time.Duration `yaml:"to"`
	} `yaml:"delay"`
	// Mix weighs the operations of the task register: get, put, cas.
	Mix map[string]int `yaml:"mix"`
}

// Plan is a fault on the timeline.
type Plan struct {
	At   time.Duration `yaml:"at"`
	For  time.Duration `yaml:"for"` // until the end if not given
	Kind string        `yaml:"kind"`
	// Nodes and Peers are names of nodes, or "leader" and "follower", of shard 0,
	// or of another one as "leader 1": who that is turns out at the time. For
	// faults of links see Fault.
	Nodes []string `yaml:"nodes"`
	Peers []string `yaml:"peers"`
	// By is how much a delay or a clock is off, Probability that of a loss.
	By          time.Duration `yaml:"by"`
	Probability float64       `yaml:"probability"`
}

// Question is a check with the answer that is expected.
type Question struct {
	Check string `yaml:"check"`
	Group string `yaml:"group"`
	// Expect is none, some or all for checks that count, yes or no for others.
	Expect string `yaml:"expect"`
	// Limit is the length of time that a check is about.
	Limit time.Duration `yaml:"limit"`
	// Of is reads or writes, From and Until a part of the run, for failures.
	Of    string        `yaml:"of"`
	From  time.Duration `yaml:"from"`
	Until time.Duration `yaml:"until"`
}

// Bounds of an experiment.
const (
	maxDefinition = 64 << 10 // bytes
	maxNodes      = 9
	maxShards     = 16
	maxClients    = 200
	maxDuration   = 10 * time.Minute
	maxOperations = 300_000 // as far as rates tell
	maxRate       = 1000
)

// Parse reads an experiment file. Its error lists everything that is wrong.
func Parse(name string, definition []byte) (*Experiment, error) {
	e := &Experiment{Name: name, source: string(definition)}
	if len(definition) > maxDefinition {
		return nil, fmt.Errorf("experiment %s: more than %d bytes", name, maxDefinition)
	}
	if err := yaml.NewDecoder(bytes.NewReader(definition), yaml.Strict()).Decode(e); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("experiment %s: %s", name, yaml.FormatError(err, false, true))
	}
	e.defaults()
	if err := e.validate(); err != nil {
		return nil, fmt.Errorf("experiment %s:\n%w", name, err)
	}
	return e, nil
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (e *Experiment) defaults() {
	c := &e.Cluster
	set(&c.Nodes, 3)
	set(&c.Zones, c.Nodes)
	set(&c.Shards, 2)
	set(&c.Replicas, min(3, c.Nodes))
	set(&c.Latency.Within, Spread{250 * time.Microsecond, time.Millisecond})
	set(&c.Latency.Between, Spread{time.Millisecond, 8 * time.Millisecond})
	set(&c.Latency.Client, Spread{100 * time.Microsecond, time.Millisecond})
	set(&c.Sync, Spread{time.Millisecond, 5 * time.Millisecond})
	set(&c.Apply, Spread{100 * time.Microsecond, time.Millisecond})
	set(&c.Indexes, "sync")
	for i := range e.Clients {
		g := &e.Clients[i]
		set(&g.Count, 1)
		set(&g.Policy, "strong")
		set(&g.Keys, 1)
		set(&g.Rate, 1)
		set(&g.Read, "table")
		set(&g.Guard, "nothing")
		if len(g.Nodes) == 0 {
			for n := range c.Nodes {
				g.Nodes = append(g.Nodes, nodeName(n))
			}
		}
		if g.Task == "register" && len(g.Mix) == 0 {
			g.Mix = map[string]int{"get": 2, "put": 1, "cas": 1}
		}
	}
}

func nodeName(n int) string { return fmt.Sprint("n", n+1) }

var (
	policies   = []string{"nearest", "random", "round-robin", "pinned", "strong", "follower"}
	faultKinds = []string{"cut", "one-way", "crash", "delay", "loss", "pause", "clock"}
	linkFaults = []string{"cut", "one-way", "delay", "loss"}
)

func (e *Experiment) validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	c := &e.Cluster
	check(e.Title != "" && !strings.Contains(e.Title, "\n"), "title must be one line")
	check(e.Duration >= time.Second && e.Duration <= maxDuration, "duration must be 1s to %v", maxDuration)
	check(c.Nodes >= 1 && c.Nodes <= maxNodes, "cluster: nodes must be 1 to %d", maxNodes)
	check(c.Zones >= 1 && c.Zones <= c.Nodes, "cluster: zones must be 1 to the number of nodes")
	check(c.Shards >= 1 && c.Shards <= maxShards, "cluster: shards must be 1 to %d", maxShards)
	check(c.Replicas >= 1 && c.Replicas <= c.Nodes, "cluster: replicas must be 1 to the number of nodes")
	check(c.Indexes == "sync" || c.Indexes == "eventual", "cluster: indexes must be sync or eventual")
	spreads := []Spread{c.Latency.Within, c.Latency.Between, c.Latency.Client, c.Sync, c.Apply}
	for _, l := range c.Latency.Links {
		spreads = append(spreads, l.Spread)
		check(e.node(l.From) >= 0 && e.node(l.To) >= 0, "cluster: a link needs from and to, names of nodes")
	}
	for _, s := range spreads {
		check(s.Median >= 0 && s.Median <= 10*time.Second && s.P99 >= 0 && s.P99 <= time.Minute, "cluster: a median must be 0 to 10s, a p99 0 to 1m")
	}
	check(len(e.Clients) > 0, "there are no clients")
	total, operations := 0, 0.0
	groups := make(map[string]bool)
	for i := range e.Clients {
		g := &e.Clients[i]
		at := fmt.Sprintf("clients %q", g.Group)
		check(g.Group != "" && !groups[g.Group] && g.Group != auditor, "%s: each group needs a name of its own", at)
		groups[g.Group] = true
		_, known := tasks[g.Task]
		check(known, "%s: task must be one of %s", at, strings.Join(taskNames(), ", "))
		check(slices.Contains(policies, g.Policy), "%s: policy must be one of %s", at, strings.Join(policies, ", "))
		check(g.Count >= 1 && g.Count <= maxClients, "%s: count must be 1 to %d", at, maxClients)
		check(g.Keys >= 1 && g.Keys <= 1000, "%s: keys must be 1 to 1000", at)
		check(g.Rate > 0 && g.Rate <= maxRate, "%s: rate must be above 0, at most %d", at, maxRate)
		check(slices.Contains([]string{"table", "index", "together", "apart"}, g.Read), "%s: read must be table or index, or for pairs together or apart", at)
		check(slices.Contains([]string{"nothing", "condition", "transaction"}, g.Guard), "%s: guard must be nothing, condition or transaction", at)
		check(g.Delay.From >= 0 && g.Delay.From <= g.Delay.To && g.Delay.To <= time.Minute, "%s: delay must be a range within 0s to 1m", at)
		for op, weight := range g.Mix {
			check(slices.Contains([]string{"get", "put", "cas"}, op) && weight >= 0 && weight <= 1000, "%s: mix has weights, 0 to 1000, of get, put and cas", at)
		}
		for _, n := range g.Nodes {
			check(e.node(n) >= 0, "%s: there is no node %q", at, n)
		}
		total += g.Count
		operations += 3 * float64(g.Count) * g.Rate * e.Duration.Seconds()
	}
	for _, g := range e.Clients {
		check(g.Of == "" || groups[g.Of], "clients %q: there is no group %q", g.Group, g.Of)
		check((g.Task == "read" || g.Task == "read-pair") == (g.Of != ""), "clients %q: the tasks read and read-pair, and no others, need a group that they are of", g.Group)
	}
	for i := range e.Clients {
		if g := &e.Clients[i]; groups[g.Of] {
			check((e.group(g.Of).Task == "write-pair") == (g.Task == "read-pair"), "clients %q: the task read-pair reads what write-pair writes, and read what others write", g.Group)
		}
	}
	check(total <= maxClients, "there are more than %d clients", maxClients)
	check(operations <= maxOperations, "rates and duration come to more than %d operations", maxOperations)
	for i, f := range e.Faults {
		at := fmt.Sprintf("fault %d", i+1)
		check(slices.Contains(faultKinds, f.Kind), "%s: kind must be one of %s", at, strings.Join(faultKinds, ", "))
		check(f.At >= 0 && f.At < e.Duration && f.For >= 0, "%s: it must begin within the duration", at)
		check(len(f.Nodes) > 0, "%s: it needs nodes", at)
		check(len(f.Peers) == 0 || slices.Contains(linkFaults, f.Kind), "%s: only faults of links have peers", at)
		for _, n := range slices.Concat(f.Nodes, f.Peers) {
			_, _, ok := e.role(n)
			check(ok, "%s: %q is no node, leader or follower", at, n)
		}
		check(f.Kind != "delay" || f.By > 0 && f.By <= time.Minute, "%s: a delay is by 1ns to 1m", at)
		check(f.Kind != "clock" || f.By != 0 && max(f.By, -f.By) <= 24*time.Hour, "%s: a clock is off by at most 24h", at)
		check(f.Kind != "loss" || f.Probability > 0 && f.Probability <= 1, "%s: a loss needs a probability", at)
	}
	check(len(e.Checks) > 0, "there are no checks")
	for i, q := range e.Checks {
		at := fmt.Sprintf("check %d (%s)", i+1, q.Check)
		k, known := checks[q.Check]
		check(known, "%s: it must be one of %s", at, strings.Join(checkNames(), ", "))
		check(!known || slices.Contains(k.answers, q.Expect), "%s: expect must be one of %s", at, strings.Join(k.answers, ", "))
		check(q.Group == "" || groups[q.Group], "%s: there is no group %q", at, q.Group)
		check(!known || !k.grouped || q.Group != "", "%s: it needs a group", at)
		check(!known || k.limited == (q.Limit > 0), "%s: a limit is needed by checks that are about one, and by no others", at)
		check(q.Of == "" || q.Of == "reads" || q.Of == "writes", "%s: of must be reads or writes", at)
	}
	return errors.Join(problems...)
}

// group is a group of clients, nil if there is none of that name.
func (e *Experiment) group(name string) *Clients {
	for i := range e.Clients {
		if e.Clients[i].Group == name {
			return &e.Clients[i]
		}
	}
	return nil
}

// node is the position of a node, -1 if there is none of that name.
func (e *Experiment) node(name string) int {
	for i := range e.Cluster.Nodes {
		if nodeName(i) == name {
			return i
		}
	}
	return -1
}

// role takes apart what a fault calls a node: a name, or a role in a shard.
func (e *Experiment) role(name string) (role string, number int, ok bool) {
	if n := e.node(name); n >= 0 {
		return "node", n, true
	}
	role, of, found := strings.Cut(name, " ")
	if found {
		n, err := strconv.Atoi(of)
		if err != nil || n < 0 || n >= e.Cluster.Shards {
			return "", 0, false
		}
		number = n
	}
	return role, number, role == "leader" || role == "follower"
}
