package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const valid = `
title: T
duration: 10s
clients:
  - {group: w, task: write, keys: 2, rate: 5}
  - {group: r, task: read, of: w, policy: random, nodes: [n2, n3], count: 3, rate: 5}
faults:
  - {at: 1s, for: 2s, kind: cut, nodes: [leader 1], peers: [n3]}
checks:
  - {check: stale-reads, group: r, expect: some}
`

func TestParseFillsInDefaults(t *testing.T) {
	e, err := Parse("name", []byte(valid))
	require.NoError(t, err)
	require.Equal(t, []Node{{"n1", "a"}, {"n2", "b"}, {"n3", "c"}}, e.nodes())
	require.Equal(t, 3, e.Cluster.Replicas)
	require.Equal(t, "strong", e.Clients[0].Policy)
	require.Equal(t, 10*time.Second, e.Duration)
	var nodes []int
	for _, c := range e.clients() {
		nodes = append(nodes, c.Node)
	}
	require.Equal(t, []int{0, 1, 2, 1, 0}, nodes, "w, three of r, and the auditor")
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"title: T", "title: T\nextra: 1", `unknown field "extra"`},
		{"title: T", "titel: T", `unknown field "titel"`},
		{"duration: 10s", "duration: ten", "ten"},
		{"duration: 10s", "duration: 1h", "duration must be 1s to 10m"},
		{"duration: 10s", "duration: 10s\ncluster: {nodes: 10}", "nodes must be 1 to 9"},
		{"duration: 10s", "duration: 10s\ncluster: {nodes: 2, replicas: 3}", "replicas must be 1 to the number of nodes"},
		{"duration: 10s", "duration: 10s\ncluster: {indexes: never}", "indexes must be sync or eventual"},
		{"duration: 10s", "duration: 10s\ncluster: {latency: {links: [{from: n1, to: n9, median: 1ms}]}}", "a link needs from and to"},
		{"duration: 10s", "duration: 10s\ncluster: {sync: {median: -1ms}}", "a median must be"},
		{"task: write", "task: wirte", "task must be one of counter, duty"},
		{"policy: random", "policy: far", "policy must be one of nearest"},
		{"nodes: [n2, n3]", "nodes: [n4]", `there is no node "n4"`},
		{"count: 3", "count: 300", "count must be 1 to 200"},
		{"of: w", "of: x", `there is no group "x"`},
		{", of: w", "", "need a group that they are of"},
		{"task: read", "task: read-pair", "reads what write-pair writes"},
		{"keys: 2, rate: 5", "keys: 2, rate: 1000000", "rate must be"},
		{"group: r", "group: w", "a name of its own"},
		{"at: 1s", "at: 11s", "must begin within the duration"},
		{"kind: cut", "kind: flood", "kind must be one of cut"},
		{"kind: cut", "kind: crash", "only faults of links have peers"},
		{"leader 1", "leader 2", `"leader 2" is no node, leader or follower`},
		{"kind: cut", "kind: delay", "a delay is by"},
		{"kind: cut", "kind: loss", "a loss needs a probability"},
		{"check: stale-reads", "check: stale", "it must be one of"},
		{"expect: some", "expect: maybe", "expect must be one of none, some, all"},
		{"group: r, expect", "expect", "it needs a group"},
		{"check: stale-reads", "check: stale-after", "a limit is needed"},
	} {
		broken := strings.Replace(valid, c.from, c.to, 1)
		if strings.HasPrefix(c.from, "group: r, expect") || c.from == "group: r" {
			i := strings.LastIndex(valid, c.from)
			if c.from == "group: r" {
				i = strings.Index(valid, c.from)
			}
			broken = valid[:i] + c.to + valid[i+len(c.from):]
		}
		_, err := Parse("name", []byte(broken))
		require.ErrorContains(t, err, c.want, "%s -> %s", c.from, c.to)
	}
	_, err := Parse("name", []byte(valid+strings.Repeat("#", maxDefinition)))
	require.ErrorContains(t, err, "more than 65536 bytes")
	_, err = Parse("name", nil)
	require.ErrorContains(t, err, "title must be one line")
}

func TestBuiltinsAreDescribed(t *testing.T) {
	require.NotEmpty(t, Names())
	for _, name := range Names() {
		e, found, err := Builtin(name)
		require.NoError(t, err, name)
		require.True(t, found)
		require.Contains(t, e.About, "\n\n", name)
		require.Contains(t, e.About, "xpect", name)
	}
	_, found, err := Builtin("nonsense")
	require.NoError(t, err)
	require.False(t, found)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(valid))
	for _, name := range Names() {
		definition, err := experiments.ReadFile("experiments/" + name + ".yaml")
		require.NoError(f, err)
		f.Add(definition)
	}
	f.Fuzz(func(t *testing.T, definition []byte) {
		if e, err := Parse("fuzz", definition); err == nil {
			require.NotEmpty(t, e.clients())
		}
	})
}
