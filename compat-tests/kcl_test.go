package compat

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// The changes that the Kinesis Client Library follows: every writer changes its items in turn, and each item
// once in every round.
const (
	kclWriters = 4
	kclItems   = 15 // per writer
	kclRounds  = 60
	kclPhases  = 4
)

// TestKinesisClientLibrary lets a worker of the Kinesis Client Library, with the DynamoDB Streams adapter,
// follow a table while it is written: across a restart of the worker, its kill -9, and kill -9 of the server.
// Leases and checkpoints lie in the same server. The worker checkpoints every record, so it must be given
// every change of every item exactly once and in order, except for the one record of a shard that it had not
// checkpointed when it or the server was killed.
func TestKinesisClientLibrary(t *testing.T) {
	t.Parallel()
	args := []string{"serve", "--data-dir", t.TempDir(), "--shards", "4", "--port"}
	s := startServer(t, append(args, "0")...)
	install(t, "kcl")
	user := client{name: "kcl"}
	client := newGoClient(t, accessKey(user), s.url)
	stream := createFollowedTable(t, client)
	address, err := url.Parse(s.url)
	require.NoError(t, err)
	environment := clientEnvironment(user, s.url)

	log, changes := newKCLLog(), newKCLChanges()
	const perPhase = kclWriters * kclItems * kclRounds / kclPhases

	worker := startKCLWorker(t, log, environment, stream, "app")
	written := changes.write(t, client)
	log.waitFor(t, worker, "record", perPhase/2)
	worker.stop(t)
	<-written

	worker = startKCLWorker(t, log, environment, stream, "app")
	written = changes.write(t, client)
	log.waitFor(t, worker, "record", perPhase*3/2)
	worker.kill()
	<-written

	worker = startKCLWorker(t, log, environment, stream, "app")
	log.waitFor(t, worker, "record", perPhase*2)
	written = changes.write(t, client)
	log.waitFor(t, worker, "record", perPhase*2+perPhase/4)
	s.kill()
	startServer(t, append(args, address.Port())...)
	<-written
	<-changes.write(t, client)

	// When the stream is disabled its shards end.
	_, err = client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: aws.String("Followed"), StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)},
	})
	require.NoError(t, err)
	log.waitFor(t, worker, "end", 4)
	worker.kill()

	delivered, repeated := deliveredChanges(t, log.events)
	require.Equal(t, changes.byItem, delivered)
	require.LessOrEqual(t, repeated, 2*4, "one record for each shard and kill")
	t.Logf("%d records delivered, %d of them twice", kclPhases*perPhase, repeated)
}

// createFollowedTable creates a table with a stream of both images and returns the stream's ARN.
func createFollowedTable(t *testing.T, client *dynamodb.Client) string {
	t.Helper()
	out, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String("Followed"),
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		BillingMode:          types.BillingModePayPerRequest,
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	require.NoError(t, err)
	require.NoError(t, waitForTable(t.Context(), client, "Followed"))
	return *out.TableDescription.LatestStreamArn
}

// kclChanges are the changes made so far.
type kclChanges struct {
	mu     sync.Mutex
	byItem map[string][]string // in order, as a record tells of them
	rounds int
}

func newKCLChanges() *kclChanges { return &kclChanges{byItem: map[string][]string{}} }

// write starts the writers on the changes of the next phase; the channel is closed when all are made.
func (c *kclChanges) write(t *testing.T, client *dynamodb.Client) <-chan struct{} {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), kclTimeout)
	var writers sync.WaitGroup
	first := c.rounds
	c.rounds += kclRounds / kclPhases
	for w := range kclWriters {
		writers.Go(func() {
			for version := first; version < first+kclRounds/kclPhases; version++ {
				for i := range kclItems {
					id := fmt.Sprintf("%d-%d", w, i)
					if !c.change(ctx, client, id, version) {
						t.Errorf("item %s could not be changed", id)
						return
					}
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer cancel()
		defer close(done)
		writers.Wait()
	}()
	return done
}

// change brings an item to a version: every fifth deletes it, the next creates it anew. The server may be
// killed meanwhile; to make a change again that was made already changes nothing and has no record.
func (c *kclChanges) change(ctx context.Context, client *dynamodb.Client, id string, version int) bool {
	key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}
	number := &types.AttributeValueMemberN{Value: fmt.Sprint(version)}
	var (
		told string
		do   func() error
	)
	switch version % 5 {
	case 0:
		told = fmt.Sprintf("INSERT - %d", version)
		do = func() error {
			item := map[string]types.AttributeValue{"id": key["id"], "version": number}
			_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("Followed"), Item: item})
			return err
		}
	case 4:
		told = fmt.Sprintf("REMOVE %d -", version-1)
		do = func() error {
			_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("Followed"), Key: key})
			return err
		}
	default:
		told = fmt.Sprintf("MODIFY %d %d", version-1, version)
		do = func() error {
			_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: aws.String("Followed"), Key: key, UpdateExpression: aws.String("SET version = :v"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":v": number},
			})
			return err
		}
	}
	for do() != nil {
		if ctx.Err() != nil {
			return false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byItem[id] = append(c.byItem[id], told)
	return true
}

// deliveredChanges checks the order of every shard's records and returns the changes each item's records tell
// of, and how many records came again. That is allowed once a shard is started anew, for the last record if
// it was not checkpointed.
func deliveredChanges(t *testing.T, events []kclEvent) (byItem map[string][]string, repeated int) {
	t.Helper()
	type progress struct {
		last         string // sequence number
		checkpointed bool
		started      bool // and no record since
		ended        bool
	}
	shards := map[string]*progress{}
	byItem = map[string][]string{}
	for _, e := range events {
		p := shards[e.shard]
		switch e.kind {
		case "start":
			if p == nil {
				p = &progress{}
				shards[e.shard] = p
			}
			p.started = true
		case "record":
			require.False(t, p.ended, "%+v after the end of the shard", e)
			if p.started && !p.checkpointed && e.sequence == p.last {
				repeated++
			} else {
				require.Greater(t, e.sequence, p.last, "%+v", e) // all are equally long
				byItem[e.id] = append(byItem[e.id], e.change)
			}
			require.Len(t, e.sequence, 21)
			p.last, p.checkpointed, p.started = e.sequence, false, false
		case "checkpoint":
			require.Equal(t, p.last, e.sequence)
			p.checkpointed = true
		case "end":
			p.ended = true
		default:
			require.Fail(t, "unknown event", "%+v", e)
		}
	}
	require.Len(t, shards, 4)
	return byItem, repeated
}
