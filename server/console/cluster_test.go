package console_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/server"
)

// ring describes a cluster whose shards are led by its nodes in turns.
func ring(shards int, nodes ...string) *string {
	var n, s []string
	for i, id := range nodes {
		n = append(n, fmt.Sprintf(`{"id":%q,"pid":%d,"addresses":["10.0.0.%d:8000"],"zone":"z%d","state":"alive"}`, id, 100+i, i+1, i%3))
	}
	width := ^uint64(0)/uint64(shards) + 1
	for i := range shards {
		leader := nodes[i%len(nodes)]
		var replicas []string
		for k := range min(3, len(nodes)) {
			replicas = append(replicas, fmt.Sprintf("%q", nodes[(i+k)%len(nodes)]))
		}
		s = append(s, fmt.Sprintf(`{"id":%d,"range":["%016x","%016x"],"leader":%q,"replicas":[%s],"applied":%d,"lag":%d,"traffic":%d}`,
			i, uint64(i)*width, uint64(i)*width+width-1, leader, strings.Join(replicas, ","), 1000+i, i%2, i*10))
	}
	text := `{"nodes":[` + strings.Join(n, ",") + `],"shards":[` + strings.Join(s, ",") + `]}`
	return &text
}

// TestCluster watches nodes come and go.
func TestCluster(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.cluster.Store(ring(16, "n1", "n2", "n3"))
	p := open(t, b, "cluster")
	p.says("3 nodes, 16 shards")
	p.says("leads 6, follows 10")
	p.says("10.0.0.2:8000")
	require.Equal(t, 16, js[int](p, `document.querySelectorAll('.shard-arc').length`))
	require.Equal(t, 48, js[int](p, `document.querySelectorAll('.replica').length`))
	colour := js[string](p, `document.querySelectorAll('.shard-arc')[1].getAttribute('stroke')`)

	b.cluster.Store(ring(16, "n1", "n2", "n3", "n4", "n5"))
	p.says("5 nodes, 16 shards")
	require.Equal(t, colour, js[string](p, `document.querySelectorAll('.shard-arc')[1].getAttribute('stroke')`), "a node keeps its colour")
	p.picture("cluster-five-1280")
	p.do(narrow())
	p.picture("cluster-five-360")

	b.cluster.Store(ring(16, "n1", "n3"))
	p.says("2 nodes, 16 shards")
	gone := `{"nodes":[{"id":"n1","addresses":[],"state":"dead"},{"id":"n3","addresses":["x"],"state":"alive"}],"shards":[{"id":7,"range":["0","18446744073709551615"],"leader":null,"replicas":["n1","n3"]}]}`
	b.cluster.Store(&gone)
	p.says("none")
	require.Equal(t, 1, js[int](p, `document.querySelectorAll('.shard-arc').length`))
}
