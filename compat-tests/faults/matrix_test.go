//go:build linux

package faults

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFaultMatrix has every fault strike a cluster under load, in a random order, FAULT_ROUNDS times, each time a
// new cluster.
func TestFaultMatrix(t *testing.T) {
	needNamespaces(t)
	only, err := regexp.Compile(os.Getenv("STATOR_FAULTS_ONLY"))
	require.NoError(t, err, "STATOR_FAULTS_ONLY")
	var lines []line
	for round := 1; round <= rounds(t); round++ {
		passed := t.Run(fmt.Sprint("round ", round), func(t *testing.T) { lines = append(lines, runMatrix(t, only)...) })
		t.Logf("after %d rounds\n%s", round, table(lines))
		if !passed {
			return
		}
	}
}

// rounds is how often a test repeats itself.
func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("FAULT_ROUNDS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "FAULT_ROUNDS")
	return n
}

// line is a line of the table of results.
type line struct {
	fault    *fault
	count    int
	errors   map[string]int
	recovery time.Duration
	verdict  string
}

func runMatrix(t *testing.T, only *regexp.Regexp) (lines []line) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed) // decides on order, victims and operations, not on timing
	random := rand.New(rand.NewPCG(seed, 0))
	c := newCluster(t, 0, "--lab")
	cl := newClient()
	createTables(t, cl)
	p := startProbes(t, c, cl)
	defer p.stop()
	for n, i := range random.Perm(len(matrix)) {
		f := &matrix[i]
		if !only.MatchString(f.name) {
			continue
		}
		result := line{fault: f, verdict: "failed"}
		passed := t.Run(f.name, func(t *testing.T) { f.run(t, c, cl, p, random, fmt.Sprint(n), &result) })
		lines = append(lines, result)
		if !passed {
			break
		}
	}
	return lines
}

// run lets the fault strike while clients of all nodes work, and checks what they were answered.
func (f *fault) run(t *testing.T, c *cluster, cl *client, p *probes, random *rand.Rand, name string, result *line) {
	c.t, c.net.t = t, t
	victim, others := f.choose(c, random)
	t.Logf("%s strikes n%d", f, victim)
	l := startLoad(cl, name, random.Uint64(), 1, 2, 3)
	defer l.stop()
	pass(t, time.Second)

	spared := others
	if f.spared != nil {
		spared = f.spared(victim, others)
	}
	p.reset(spared...)
	f.strike(c, victim, others)
	pass(t, f.duration)
	f.heal(c, victim, others)
	pass(t, time.Second)
	c.settle()
	l.stop()
	result.recovery = p.longest(t)
	p.reset(1, 2, 3)

	l.readAll(t, others[0])
	result.count, result.errors = l.history.count, l.history.errors
	l.history.check(t)
	c.verify(cl)
	result.verdict = "passed"
}

// verify requires that all replicas hold the same, and indexes what their items say.
func (c *cluster) verify(cl *client) {
	c.t.Helper()
	c.command("verify", "--cluster")
	items := c.scan(cl, 1, object{"TableName": "Cells", "ConsistentRead": true})
	require.NotEmpty(c.t, items)
	require.Equal(c.t, items, c.scan(cl, 1, object{"TableName": "Cells", "IndexName": "byEpoch"}))
}

// command runs a subcommand of the binary that asks the cluster.
func (c *cluster) command(words ...string) {
	c.t.Helper()
	out, err := exec.Command(binary, append(words, "--endpoint", endpointOf(1))...).CombinedOutput()
	require.NoError(c.t, err, "stator %s: %s", words, out)
}

// scan reads a table or an index by way of a node.
func (c *cluster) scan(cl *client, node int, input object) map[string]int {
	c.t.Helper()
	all := map[string]int{}
	for {
		var answer struct {
			Items            []attributes
			LastEvaluatedKey object
		}
		require.NoError(c.t, cl.call(c.t.Context(), node, "Scan", input, &answer))
		for _, item := range answer.Items {
			all[item["pk"].S] = item.int("v")
		}
		if answer.LastEvaluatedKey == nil {
			return all
		}
		input["ExclusiveStartKey"] = answer.LastEvaluatedKey
	}
}

// table sums the lines up by fault.
func table(lines []line) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tLASTS\tRUNS\tOPERATIONS\tERRORS SEEN BY CLIENTS\tRECOVERY: MEDIAN, WORST\tVERDICT")
	for i := range matrix {
		f := &matrix[i]
		var recoveries []time.Duration
		operations, failed, errors := 0, 0, map[string]int{}
		for _, l := range lines {
			if l.fault != f {
				continue
			}
			operations += l.count
			for label, n := range l.errors {
				errors[label] += n
			}
			recoveries = append(recoveries, l.recovery)
			if l.verdict != "passed" {
				failed++
			}
		}
		if len(recoveries) == 0 {
			continue
		}
		slices.Sort(recoveries)
		verdict := "passed"
		if failed > 0 {
			verdict = fmt.Sprint(failed, " failed")
		}
		var labels []string
		for _, label := range slices.Sorted(maps.Keys(errors)) {
			labels = append(labels, fmt.Sprintf("%s: %d", label, errors[label]))
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%.2f s, %.2f s\t%s\n", f.name, f.duration, len(recoveries), operations, strings.Join(labels, ", "),
			recoveries[len(recoveries)/2].Seconds(), recoveries[len(recoveries)-1].Seconds(), verdict)
	}
	_ = w.Flush()
	return b.String()
}
