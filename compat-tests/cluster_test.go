package compat

import (
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestClientsThroughACluster runs the suite against a cluster of three nodes, each request of it through
// another node than the one before. With STATOR_COMPAT_CLUSTER set all clients do so, by default one.
func TestClientsThroughACluster(t *testing.T) {
	t.Parallel()
	chosen := clients(t)
	if os.Getenv("STATOR_COMPAT_CLUSTER") == "" {
		chosen = chosen[:1]
	}
	front := httptest.NewServer(newFront(t, startCluster(t, 3)))
	t.Cleanup(front.Close)
	runClients(t, front.URL, chosen)
}

// startCluster starts n nodes of one cluster and returns when all of them serve requests.
func startCluster(t *testing.T, n int) []*server {
	t.Helper()
	if target.binary == "" {
		t.Skip("starts nodes of its own, and -endpoint names a server that runs elsewhere")
	}
	const attempts = 5 // somebody may take a port between its choice and its use
	for attempt := 1; ; attempt++ {
		nodes, err := tryCluster(t, n)
		if err == nil {
			return nodes
		}
		if attempt == attempts {
			require.NoError(t, err)
		}
		t.Log(err)
	}
}

func tryCluster(t *testing.T, n int) ([]*server, error) {
	t.Helper()
	dir, addrs := t.TempDir(), freeAddrs(t, n)
	nodes, errs := make([]*server, n), make([]error, n)
	var starting sync.WaitGroup
	for i := range nodes {
		starting.Go(func() {
			name := fmt.Sprintf("n%d", i+1)
			nodes[i], errs[i] = start(target.binary, "serve", "--cluster", "--node-id", name, "--cluster-addr", addrs[i],
				"--join", strings.Join(addrs, ","), "--bootstrap-expect", fmt.Sprint(n), "--shards", "8",
				"--port", "0", "--data-dir", filepath.Join(dir, name))
		})
	}
	starting.Wait()
	var failed error
	for i, node := range nodes {
		if errs[i] != nil {
			failed = errs[i]
		} else {
			node.killAfter(t)
		}
	}
	return nodes, failed
}

// freeAddrs are n addresses on which nobody listens.
func freeAddrs(t *testing.T, n int) []string {
	t.Helper()
	addrs := make([]string, n)
	for i := range addrs {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close() // not before all are chosen, so that they differ
		addrs[i] = l.Addr().String()
	}
	return addrs
}
