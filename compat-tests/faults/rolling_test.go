//go:build linux

package faults

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// rotation sends each request to the next node, as load balancers before a cluster or in its clients do. What
// the SDK tries again thus comes to another node.
type rotation struct {
	http.RoundTripper
	nodes    atomic.Pointer[[]int]
	next     atomic.Uint64
	attempts atomic.Int64
}

// through has requests go to these nodes from now on.
func (r *rotation) through(nodes ...int) { r.nodes.Store(&nodes) }

func (r *rotation) RoundTrip(request *http.Request) (*http.Response, error) {
	r.attempts.Add(1)
	nodes := *r.nodes.Load()
	node := nodes[r.next.Add(1)%uint64(len(nodes))]
	request = request.Clone(request.Context())
	request.URL.Host = addressOf(node) + ":8000"
	return r.RoundTripper.RoundTrip(request)
}

// application is users of the AWS SDK, with its retries as they are by default. Every request must succeed.
type application struct {
	sdk          *dynamodb.Client
	rotation     rotation
	requests     atomic.Int64
	slowest      atomic.Int64
	failed       atomic.Pointer[error]
	working      sync.WaitGroup
	cancel       context.CancelFunc
	mu           sync.Mutex
	acknowledged map[string]bool
}

const users = 8

// startApplication has users put items and read them back, by way of the given nodes, until it is stopped.
func startApplication(name string, nodes ...int) *application {
	ctx, cancel := context.WithCancel(context.Background())
	a := &application{cancel: cancel, acknowledged: map[string]bool{}}
	a.rotation.RoundTripper = &http.Transport{MaxIdleConnsPerHost: 64}
	a.rotation.through(nodes...)
	a.sdk = dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpointOf(nodes[0])),
		Region:       "eu-central-1",
		Credentials:  credentials.NewStaticCredentialsProvider("faults", "secret", ""),
		Retryer:      retry.NewStandard(),
		HTTPClient:   &http.Client{Transport: &a.rotation},
	})
	for u := range users {
		a.working.Go(func() { a.use(ctx, fmt.Sprint(name, "-", u)) })
	}
	return a
}

func (a *application) use(ctx context.Context, user string) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		id := fmt.Sprintf("%s-%d", user, i)
		key := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: id}}
		err := a.timed(func() error {
			_, err := a.sdk.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("Probes"), Item: key})
			return err
		})
		if err == nil {
			a.mu.Lock()
			a.acknowledged[id] = true
			a.mu.Unlock()
			err = a.timed(func() error {
				out, err := a.sdk.GetItem(context.Background(), &dynamodb.GetItemInput{TableName: aws.String("Probes"), Key: key, ConsistentRead: aws.Bool(true)})
				if err == nil && out.Item == nil {
					err = fmt.Errorf("item %s was acknowledged and is not there", id)
				}
				return err
			})
		}
		if err != nil {
			a.failed.CompareAndSwap(nil, &err)
			return
		}
	}
}

func (a *application) timed(do func() error) error {
	begun := time.Now()
	err := do()
	a.requests.Add(1)
	for took := int64(time.Since(begun)); ; {
		slowest := a.slowest.Load()
		if took <= slowest || a.slowest.CompareAndSwap(slowest, took) {
			return err
		}
	}
}

// finish stops the users, and requires that nothing failed and that everything acknowledged is there.
func (a *application) finish(t *testing.T, c *cluster, cl *client) {
	t.Helper()
	a.cancel()
	a.working.Wait()
	if err := a.failed.Load(); err != nil {
		require.NoError(t, *err, "a request failed for good")
	}
	stored := c.scan(cl, 1, object{"TableName": "Probes", "ConsistentRead": true})
	lost := 0
	for id := range a.acknowledged {
		if _, ok := stored[id]; !ok {
			lost++
		}
	}
	require.Zero(t, lost, "of %d acknowledged writes", len(a.acknowledged))
	t.Logf("%d requests, none failed, %d tried again, slowest %.2f s; %d acknowledged writes, none lost",
		a.requests.Load(), a.rotation.attempts.Load()-a.requests.Load(), time.Duration(a.slowest.Load()).Seconds(), len(a.acknowledged))
}

// TestRollingRestart restarts one node after the other in good order while an application works: no request fails
// beyond what the SDK tries again.
func TestRollingRestart(t *testing.T) {
	needNamespaces(t)
	c := newCluster(t, 0)
	cl := newClient()
	createTables(t, cl)
	a := startApplication("rolling", 1, 2, 3)
	pass(t, epochLength)
	for node := 1; node <= clusterSize; node++ {
		begun := time.Now()
		c.stop(node)
		stopped := time.Since(begun)
		c.start(node)
		c.settle()
		t.Logf("%s stopped in %.2f s and was back and level after %.2f s", namespaceOf(node), stopped.Seconds(), time.Since(begun).Seconds())
	}
	pass(t, epochLength)
	a.finish(t, c, cl)
}

// TestGrowingAndShrinking adds a fourth node and takes one away again while an application works: shards move, and
// no request fails beyond what the SDK tries again.
func TestGrowingAndShrinking(t *testing.T) {
	needNamespaces(t)
	c := newCluster(t, 1)
	cl := newClient()
	createTables(t, cl)
	a := startApplication("growing", 1, 2, 3)
	pass(t, epochLength)

	const joining, leaving = 4, 2
	begun := time.Now()
	c.start(joining)
	replicas := 0
	require.Eventually(t, func() bool {
		s, err := c.status(1)
		if err != nil || len(s.Steps) > 0 || !whole(s) {
			return false
		}
		replicas = s.replicasOf(joining)
		return replicas >= clusterSize*clusterShards/(clusterSize+1)
	}, 5*time.Minute, 100*time.Millisecond, "shards move to the new node")
	t.Logf("%s had its share, %d replicas, after %.1f s", namespaceOf(joining), replicas, time.Since(begun).Seconds())
	c.command("verify", "--cluster")

	begun = time.Now()
	c.command("decommission", namespaceOf(leaving))
	t.Logf("%s had given everything away after %.1f s", namespaceOf(leaving), time.Since(begun).Seconds())
	s, err := c.status(1)
	require.NoError(t, err)
	require.Zero(t, s.replicasOf(leaving))
	a.rotation.through(1, 3, joining)
	pass(t, epochLength)
	c.kill(leaving)
	pass(t, epochLength)
	c.command("verify", "--cluster")
	a.finish(t, c, cl)
}

// replicasOf is how many replicas of shards a node has.
func (s *clusterStatus) replicasOf(node int) int {
	for _, n := range s.Nodes {
		if n.Name == namespaceOf(node) {
			return n.Replicas
		}
	}
	return 0
}
