package compat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// front passes each request on to another node of a cluster than the one before.
//
// The scenarios read what they have just written, and mostly without ConsistentRead, which in a cluster may
// show the state of a moment ago. So that they mean the same there, the answer to a write is held back until
// every replica has applied it.
type front struct {
	nodes []*url.URL
	next  atomic.Uint64
	proxy httputil.ReverseProxy
}

func newFront(t *testing.T, servers []*server) *front {
	t.Helper()
	f := &front{}
	for _, s := range servers {
		node, err := url.Parse(s.url)
		require.NoError(t, err)
		f.nodes = append(f.nodes, node)
	}
	f.proxy.Rewrite = func(r *httputil.ProxyRequest) {
		r.SetURL(f.nodes[f.next.Add(1)%uint64(len(f.nodes))])
		r.Out.Host = r.In.Host
	}
	// Bodies stay as they are, compressed or not: clients compare them with a checksum.
	f.proxy.Transport = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	f.proxy.ModifyResponse = func(r *http.Response) error {
		if isRead(r.Request.Header.Get("X-Amz-Target")) {
			return nil
		}
		return f.settle(r.Request.Context())
	}
	return f
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.proxy.ServeHTTP(w, r) }

// isRead reports whether an operation changes nothing, judged by its name.
func isRead(target string) bool {
	_, operation, _ := strings.Cut(target, ".")
	for _, verb := range []string{"Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "List"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

// clusterShards is the part of GET /_stator/cluster that tells how far replicas are.
type clusterShards struct {
	Shards []struct {
		ID       int    `json:"id"`
		Commit   uint64 `json:"commit"`
		Replicas []struct {
			Applied uint64 `json:"applied"`
		} `json:"replicas"`
	} `json:"shards"`
}

// settle waits until every replica has applied what is committed now.
func (f *front) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var committed map[int]uint64
	for {
		status, err := f.status(ctx)
		if err != nil {
			return err
		}
		if committed == nil {
			committed = map[int]uint64{}
			for _, shard := range status.Shards {
				committed[shard.ID] = shard.Commit
			}
		}
		if applied(status, committed, len(f.nodes)) {
			return nil
		}
	}
}

func applied(status clusterShards, committed map[int]uint64, replicas int) bool {
	for _, shard := range status.Shards {
		if len(shard.Replicas) < replicas {
			return false
		}
		for _, r := range shard.Replicas {
			if r.Applied < committed[shard.ID] {
				return false
			}
		}
	}
	return true
}

func (f *front) status(ctx context.Context) (status clusterShards, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.nodes[0].JoinPath("/_stator/cluster").String(), nil)
	if err != nil {
		return status, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return status, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return status, fmt.Errorf("the state of the cluster: %s", response.Status)
	}
	return status, json.NewDecoder(response.Body).Decode(&status)
}
