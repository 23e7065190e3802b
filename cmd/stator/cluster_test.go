package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
)

// freePorts finds n ports in a row that nobody uses. They are below those that the
// system hands out by itself, so that no other test is given one before it is taken.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for range 100 {
		port := 10000 + rand.IntN(20000)
		free := true
		var listeners []net.Listener
		for i := 0; i < n && free; i++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+i))
			if free = err == nil; free {
				listeners = append(listeners, l)
			}
		}
		for _, l := range listeners {
			require.NoError(t, l.Close())
		}
		if free {
			return port
		}
	}
	t.Fatal("no free ports")
	return 0
}

// TestClusterOutlivesANode: what is written by way of one node is read by way of
// another, a killed node is started again and catches up meanwhile, and all stop
// together.
func TestClusterOutlivesANode(t *testing.T) {
	t.Parallel()
	port := freePorts(t, 3)
	endpoint := func(i int) string { return fmt.Sprintf("http://127.0.0.1:%d", port+i) }
	dir := t.TempDir()
	cluster := launch(t, "", "cluster", "--port", fmt.Sprint(port), "--data-dir", dir, "--shards", "4", "--lab")
	t.Cleanup(func() { // before it is killed, so that it takes its nodes along
		if !cluster.ended() {
			cluster.signal(syscall.SIGTERM)
			cluster.wait()
		}
	})
	require.NotNil(t, cluster.stdout.waitFor(t, regexp.MustCompile(`can be used`)), cluster.stderr)
	client := func(i int) *dynamodb.Client { return (&instance{t: t, url: endpoint(i)}).client() }

	_, err := client(1).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String("Items"),
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	require.NoError(t, err)
	put := func(i int, key string) {
		_, err := client(i).PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String("Items"), Item: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: key}},
		})
		require.NoError(t, err)
	}
	count := func(i int) int32 {
		out, err := client(i).Scan(t.Context(), &dynamodb.ScanInput{
			TableName: aws.String("Items"), ConsistentRead: aws.Bool(true), Select: types.SelectCount,
		})
		require.NoError(t, err)
		return out.Count
	}
	for i := range 30 {
		put(i%3, fmt.Sprint(i))
	}
	for i := range 3 {
		require.EqualValues(t, 30, count(i))
	}

	status, _, err := clusterStatus(t.Context(), endpoint(0))
	require.NoError(t, err)
	victim := status.Nodes[1]
	require.Equal(t, "n2", victim.Name)
	require.NoError(t, syscall.Kill(victim.PID, syscall.SIGKILL))
	for i := range 30 {
		put(2*(i%2), fmt.Sprint("after", i))
	}
	require.EqualValues(t, 60, count(0))
	require.Eventually(t, func() bool {
		status, _, err := clusterStatus(t.Context(), endpoint(1))
		return err == nil && caughtUp(status) && status.Nodes[1].PID != victim.PID
	}, 30*time.Second, 20*time.Millisecond, "the node comes back and catches up")
	require.EqualValues(t, 60, count(1))

	lab, err := http.Get(endpoint(2) + "/_stator/lab")
	require.NoError(t, err)
	require.NoError(t, lab.Body.Close())
	require.Equal(t, http.StatusOK, lab.StatusCode, "the nodes have --lab")

	var table bytes.Buffer
	require.Zero(t, run([]string{"nodes", "--endpoint", endpoint(2)}, &table, &table), table.String())
	require.Regexp(t, `(?m)^n1 +up .*\nn2 +up .*\nn3 +up `, table.String())

	var verified, problem bytes.Buffer
	require.Zero(t, run([]string{"verify", "--cluster", "--endpoint", strings.TrimPrefix(endpoint(1), "http://")}, &verified, &problem), "%s%s", &verified, &problem)
	require.Regexp(t, `^5 shards, 15 replicas, \d+ records, 0 problems, 0 replicas not checked\n$`, verified.String())

	cluster.signal(syscall.SIGTERM)
	require.Zero(t, cluster.wait())
	for i := range 3 {
		_, err := http.Get(endpoint(i)) // there must be none
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}

	stopped := filepath.Join(dir, "n1")
	verified.Reset()
	require.Zero(t, run([]string{"verify", "--data-dir", stopped}, &verified, &problem), "%s%s", &verified, &problem)
	require.Regexp(t, `^1 tables, \d+ items, 0 index entries, 0 problems\n5 replicas of node n1, each by itself, and its log; not checked: `, verified.String())
	require.Equal(t, exitFailure, run([]string{"repair", "--data-dir", stopped}, &verified, &problem))
	requireOneLine(t, problem.String(), stopped+" is that of a cluster node", "start it again with an empty directory")
}

// caughtUp reports whether every replica is there and level with its leader.
func caughtUp(s *partition.ClusterStatus) bool {
	for _, shard := range s.Shards {
		if shard.Leader == "" || len(shard.Replicas) != len(s.Nodes) {
			return false
		}
		for _, r := range shard.Replicas {
			if r.Lag > 0 {
				return false
			}
		}
	}
	return true
}

func TestClusterFlags(t *testing.T) {
	for args, want := range map[string]string{
		"--node-id n1": "--node-id needs --cluster",
		"--lab":        "--lab needs --cluster",
		"--cluster --node-id n1 --cluster-addr 127.0.0.1:1 --read-policy any": "--read-policy: a read policy is nearest, random",
		"--cluster": "--cluster needs --node-id, a name for this node",
		"--cluster --node-id n1 --cluster-addr here":                                 "here: an address is a host and a port",
		"--cluster --node-id n1 --cluster-addr 127.0.0.1:1 --bootstrap-expect 3":     "--bootstrap-expect needs --join",
		"--cluster --node-id n1 --cluster-addr 127.0.0.1:1 --in-memory":              "--in-memory: a node of a cluster keeps its data on disk",
		"--cluster --node-id n1 --cluster-addr 127.0.0.1:1 --sync":                   "--sync: a cluster syncs every write",
		"--cluster --node-id n1 --cluster-addr 127.0.0.1:1 --cluster-tls-cert x.pem": "belong together",
		"--cluster --node-id n1 --cluster-addr 127.0.0.1:1 --replicas 0":             "from 1 to 7 replicas are possible",
		"--cluster --node-id n1 --cluster-addr 127.0.0.1:1 --replace-after 9ms":      "may only be slow",
	} {
		var out bytes.Buffer
		require.Equal(t, exitUsage, run(append([]string{"serve"}, strings.Fields(args)...), &out, &out), args)
		require.Contains(t, out.String(), want, args)
	}
}

// TestOperatorsMoveThings: the commands for operators wait until what they ask for
// has happened, on whichever node they ask.
func TestOperatorsMoveThings(t *testing.T) {
	t.Parallel()
	port := freePorts(t, 4)
	endpoint := func(i int) string { return fmt.Sprintf("http://127.0.0.1:%d", port+i) }
	cluster := launch(t, "", "cluster", "--nodes", "4", "--port", fmt.Sprint(port), "--data-dir", t.TempDir(), "--shards", "4")
	t.Cleanup(func() {
		if !cluster.ended() {
			cluster.signal(syscall.SIGTERM)
			cluster.wait()
		}
	})
	require.NotNil(t, cluster.stdout.waitFor(t, regexp.MustCompile(`can be used`)), cluster.stderr)
	stator := func(code, node int, args ...string) string {
		var out bytes.Buffer
		require.Equal(t, code, run(append(args, "--endpoint", endpoint(node)), &out, &out), out.String())
		return out.String()
	}
	status := func() *partition.ClusterStatus {
		s, _, err := clusterStatus(t.Context(), endpoint(0))
		require.NoError(t, err)
		return s
	}

	require.Contains(t, stator(0, 0, "drain", "n2"), "n2 leads nothing")
	require.Equal(t, partition.NodeDraining, status().Nodes[1].State)
	for _, shard := range status().Shards {
		require.NotEqual(t, "n2", shard.Leader)
	}
	stator(0, 1, "drain", "n2", "--undo")
	require.Equal(t, partition.NodeUp, status().Nodes[1].State)

	shard := status().Shards[1] // behind the catalog
	others := []string{"n1", "n2", "n3", "n4"}
	from := shard.Hosts[0]
	to := others[slices.IndexFunc(others, func(name string) bool { return !slices.Contains(shard.Hosts, name) })]
	require.Contains(t, stator(1, 2, "move-shard", fmt.Sprint(shard.ID), "--from", to, "--to", from), "has no replica")
	require.Contains(t, stator(0, 2, "move-shard", fmt.Sprint(shard.ID), "--from", from, "--to", to), "stays there")
	require.Contains(t, status().Shards[1].Hosts, to)
	require.Equal(t, []partition.OrderStatus{{From: from, To: to}}, status().Shards[1].Orders)
	stator(0, 2, "move-shard", fmt.Sprint(shard.ID), "--release")
	require.Contains(t, stator(2, 0, "move-shard", "0"), "--from and --to")

	require.Contains(t, stator(0, 0, "decommission", "n4"), "n4 was removed")
	require.Len(t, status().Nodes, 3)
	for _, s := range status().Shards {
		require.ElementsMatch(t, []string{"n1", "n2", "n3"}, s.Hosts)
	}
	require.Contains(t, stator(1, 0, "decommission", "n3"), "2 nodes for 3 replicas")
	require.Contains(t, stator(1, 0, "drain", "n4"), `no node named "n4"`)
	response, err := http.Get(endpoint(3) + "/ready")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	cluster.signal(syscall.SIGTERM)
	require.Zero(t, cluster.wait())
}

// TestWaitingNodeStops: a node that waits for others ends at a signal.
func TestWaitingNodeStops(t *testing.T) {
	t.Parallel()
	port := freePorts(t, 2)
	s := launch(t, "", "serve", "--cluster", "--node-id", "n1", "--cluster-addr", fmt.Sprintf("127.0.0.1:%d", port),
		"--join", fmt.Sprintf("127.0.0.1:%d", port+1), "--bootstrap-expect", "2", "--port", "0", "--data-dir", t.TempDir())
	require.NotNil(t, s.stderr.waitFor(t, regexp.MustCompile(`waiting for other nodes`)))
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait())
}
