package console_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server"
)

// ring is what a node tells of a cluster whose shards are led by its nodes in turns.
func ring(shards, commit int, nodes ...string) *string {
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
	text, err := json.Marshal(status)
	if err != nil {
		panic(err)
	}
	return new(string(text))
}

// TestCluster watches nodes come and go.
func TestCluster(t *testing.T) {
	b := newBackend(t, server.Options{})
	p := open(t, b, "cluster")
	p.says("1 node, 2 shards")
	p.says("This server is on its own")
	require.Equal(t, 2, js[int](p, `document.querySelectorAll('.shard-arc').length`))

	b.cluster.Store(ring(16, 10, "n1", "n2", "n3"))
	p.says("3 nodes, 16 shards")
	p.says("leads 6 of 16 replicas")
	p.says("10.0.0.2:8000")
	p.says("leads the catalog")
	p.says("with a replica behind")
	require.Equal(t, 16, js[int](p, `document.querySelectorAll('.shard-arc').length`))
	require.Equal(t, 48, js[int](p, `document.querySelectorAll('.replica').length`))
	colour := js[string](p, `document.querySelectorAll('.shard-arc')[1].getAttribute('stroke')`)

	b.cluster.Store(ring(16, 300, "n1", "n2", "n3", "n4", "n5"))
	p.says("5 nodes, 16 shards")
	p.await(`document.querySelectorAll('.flow').length > 0`)
	require.Equal(t, colour, js[string](p, `document.querySelectorAll('.shard-arc')[1].getAttribute('stroke')`), "a node keeps its colour")
	p.picture("cluster-five-1280")
	p.do(narrow())
	p.picture("cluster-five-360")
	require.LessOrEqual(t, js[int](p, "document.documentElement.scrollWidth - innerWidth"), 0)

	b.cluster.Store(ring(16, 300, "n1", "n3"))
	p.says("2 nodes, 16 shards")
	lost := ring(16, 300, "n1", "n2", "n3")
	*lost = strings.Replace(*lost, `"state":"up"`, `"state":"unreachable"`, 1)
	*lost = strings.ReplaceAll(*lost, `"leader":"n1"`, `"leader":""`)
	b.cluster.Store(lost)
	p.says("unreachable")
	p.says("5 shards without a leader")
}
