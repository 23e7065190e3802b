package console_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server"
)

// ring is what a node tells of a cluster whose shards are led by its nodes in turns.
func ring(shards, commit int, nodes ...string) partition.ClusterStatus {
	status := partition.ClusterStatus{Node: nodes[0]}
	for i, name := range nodes {
		status.Nodes = append(status.Nodes, partition.NodeStatus{
			ID: fmt.Sprint(i), Name: name, PID: 100 + i, HTTP: fmt.Sprintf("10.0.0.%d:8000", i+1), Zone: "z" + name, State: partition.NodeUp, Leaders: 6, Replicas: 16,
		})
	}
	width := ^uint64(0)/uint64(shards) + 1
	for i := -1; i < shards; i++ {
		s := partition.ShardStatus{ID: i, Leader: nodes[(i+1)%len(nodes)], Commit: uint64(commit * (i + 1))}
		if i >= 0 {
			s.First, s.Last = fmt.Sprintf("%016x", uint64(i)*width), fmt.Sprintf("%016x", uint64(i)*width+width-1)
		}
		for k := range min(3, len(nodes)) {
			s.Replicas = append(s.Replicas, partition.ReplicaStatus{Node: nodes[(i+1+k)%len(nodes)], Role: []string{"leader", "follower", "learner"}[k], Lag: uint64(k * (i % 2) * (i % 2))})
		}
		status.Shards = append(status.Shards, s)
	}
	return status
}

// TestCluster watches nodes come and go.
func TestCluster(t *testing.T) {
	b := newBackend(t, server.Options{})
	p := open(t, b, "cluster")
	p.says("1 node, 2 shards")
	p.says("This server is on its own")
	require.Equal(t, 2, js[int](p, `document.querySelectorAll('.shard-arc').length`))

	b.tells(ring(16, 10, "n1", "n2", "n3"))
	p.says("3 nodes, 16 shards")
	p.says("leads 6 of 16 replicas")
	p.says("10.0.0.2:8000")
	p.says("leads the catalog")
	p.says("with a replica behind")
	require.Equal(t, 16, js[int](p, `document.querySelectorAll('.shard-arc').length`))
	require.Equal(t, 48, js[int](p, `document.querySelectorAll('.replica').length`))
	colour := js[string](p, `document.querySelectorAll('.shard-arc')[1].getAttribute('stroke')`)

	b.tells(ring(16, 300, "n1", "n2", "n3", "n4", "n5"))
	p.says("5 nodes, 16 shards")
	require.Equal(t, colour, js[string](p, `document.querySelectorAll('.shard-arc')[1].getAttribute('stroke')`), "a node keeps its colour")
	p.picture("cluster-five-1280")
	p.do(narrow())
	p.picture("cluster-five-360")
	require.LessOrEqual(t, js[int](p, "document.documentElement.scrollWidth - innerWidth"), 0)

	b.tells(ring(16, 300, "n1", "n3"))
	p.says("2 nodes, 16 shards")
	lost := ring(16, 300, "n1", "n2", "n3")
	lost.Nodes[0].State = partition.NodeUnreachable
	for i := range lost.Shards {
		if lost.Shards[i].Leader == "n1" {
			lost.Shards[i].Leader = ""
		}
	}
	b.tells(lost)
	p.says("1 node away")
	p.says("It does not answer.")
	p.says("5 shards without a leader")
}

// evenClock has a second pass between any two looks of the cluster's page, so that
// rates are exact on a machine of any speed.
func evenClock() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `let looks = 0; performance.now = () => 1000 * ++looks;`,
		})
		return err
	})
}

// busy is a cluster at its n-th look: n3 is gone, n2 drains, shard 1 gets a learner
// on n4, and shard 2 is on a node that is started again between any two looks.
func busy(n uint64) partition.ClusterStatus {
	node := func(name string, state partition.NodeState) partition.NodeStatus {
		return partition.NodeStatus{ID: name, Name: name, HTTP: name + ":8000", State: state}
	}
	replica := func(node, role string, reads, proposals uint64) partition.ReplicaStatus {
		return partition.ReplicaStatus{Node: node, Role: role, Reads: reads, Proposals: proposals}
	}
	learner := replica("n4", "learner", 0, 0)
	learner.Lag = 500
	return partition.ClusterStatus{
		Node:  "n1",
		Nodes: []partition.NodeStatus{node("n1", partition.NodeUp), node("n2", partition.NodeDraining), node("n3", partition.NodeUnreachable), node("n4", partition.NodeUp)},
		Shards: []partition.ShardStatus{
			{ID: -1, Leader: "n1", Hosts: []string{"n1"}, Replicas: []partition.ReplicaStatus{replica("n1", "leader", 0, n)}},
			{
				ID: 0, First: "0000000000000000", Last: "7fffffffffffffff", Leader: "n1", Commit: 1234, Hosts: []string{"n1", "n2", "n3"},
				Replicas: []partition.ReplicaStatus{replica("n2", "follower", 30*n, 0), replica("n1", "leader", 120*n, 45*n)},
				Orders:   []partition.OrderStatus{{From: "n2", To: "n4"}},
			},
			{
				ID: 1, First: "8000000000000000", Last: "bfffffffffffffff", Leader: "n2", Commit: 700, Hosts: []string{"n2", "n1", "n4"},
				Replicas: []partition.ReplicaStatus{replica("n1", "follower", 0, 0), replica("n2", "leader", 8*n, 2*n), learner},
			},
			{
				ID: 2, First: "c000000000000000", Last: "ffffffffffffffff", Leader: "n4", Hosts: []string{"n4"},
				Replicas: []partition.ReplicaStatus{replica("n4", "leader", 20+40*(n%2), 7)},
			},
		},
		Steps: []partition.StepStatus{{Shard: 1, Action: "add learner", Node: "n4", Reason: "repair"}},
	}
}

// TestClusterTraffic reads rates, states and moves off the page.
func TestClusterTraffic(t *testing.T) {
	b := newBackend(t, server.Options{})
	var looks atomic.Uint64
	b.cluster.Store(new(func() partition.ClusterStatus { return busy(looks.Add(1)) }))
	p := open(t, b, "cluster", evenClock())

	row := func(cells string) {
		t.Helper()
		p.await(fmt.Sprintf(`[...document.querySelectorAll('.shard-table tbody tr')].some((r) => [...r.cells].map((c) => c.innerText.trim()).join(' | ') === %q)`, cells))
	}
	row("0 | n1 | 150 | 45 | 0 | n2, n3 unreachable | 1,234")
	row("1 | n2 | 8 | 2 | 500 | n1, n4 learner | 700")
	row("catalog | n1 | 0 | 1 | 0 |  | 0")
	row("2 | n4 | 40 | 0 | 0 |  | 0")
	row("2 | n4 | 20 | 0 | 0 |  | 0") // 60 was the last look's

	card := func(name, text string) {
		t.Helper()
		p.await(fmt.Sprintf(`[...document.querySelectorAll('.node-list li')].some((li) => li.innerText.startsWith(%q) && li.innerText.replace(/\s+/g, ' ').includes(%q))`, name, text))
	}
	card("n1", "120 reads/s 46 writes/s")
	card("n2", "draining")
	card("n2", "38 reads/s 2 writes/s")
	card("n3", "unreachable")
	p.says("48 writes/s")
	p.says("1 shard with a replica behind")

	move := func(text string) {
		t.Helper()
		p.await(fmt.Sprintf(`[...document.querySelectorAll('.moves li')].some((li) => li.innerText.replace(/\s+/g, ' ') === %q)`, text))
	}
	move("Shard 1 add learner n4 repair")
	move("Shard 0 move n2 to n4 ordered")

	for sign, n := range map[string]int{
		".bar.reads": 3, ".bar.writes": 2, ".flow": 4, ".moving": 1, ".node.draining": 1, ".node.unreachable": 1,
		".replica": 7, ".replica.absent": 1, ".replica.learner.behind": 1,
	} {
		require.Equal(t, n, js[int](p, fmt.Sprintf("document.querySelectorAll('.ring %s').length", sign)), sign)
	}
	p.picture("cluster-busy-1280")
	p.do(dark(), narrow())
	p.picture("cluster-busy-360")
	require.LessOrEqual(t, js[int](p, "document.documentElement.scrollWidth - innerWidth"), 0)
}
