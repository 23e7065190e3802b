package compat

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// createIndexedTable creates a table with the key id and a global index on group.
func createIndexedTable(t *testing.T, client *dynamodb.Client, name string) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("group"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema:   []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		BillingMode: types.BillingModePayPerRequest,
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("byGroup"),
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("group"), KeyType: types.KeyTypeHash}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
		Tags: []types.Tag{{Key: aws.String("kept"), Value: aws.String("yes")}},
	})
	require.NoError(t, err)
	require.NoError(t, waitForTable(t.Context(), client, name))
}

func putMember(ctx context.Context, client *dynamodb.Client, table, id string) error {
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: id}, "group": &types.AttributeValueMemberS{Value: "all"},
	}})
	return err
}

// storedIDs are the ids of the table's items, and of the entries of its index.
func storedIDs(t *testing.T, client *dynamodb.Client, table string) (items, entries map[string]bool) {
	t.Helper()
	collect := func(ids map[string]bool, page []map[string]types.AttributeValue) {
		for _, item := range page {
			ids[item["id"].(*types.AttributeValueMemberS).Value] = true
		}
	}
	items, entries = map[string]bool{}, map[string]bool{}
	scan := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for scan.HasMorePages() {
		page, err := scan.NextPage(t.Context())
		require.NoError(t, err)
		collect(items, page.Items)
	}
	query := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName: &table, IndexName: aws.String("byGroup"), KeyConditionExpression: aws.String("#g = :all"),
		ExpressionAttributeNames:  map[string]string{"#g": "group"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":all": &types.AttributeValueMemberS{Value: "all"}},
	})
	for query.HasMorePages() {
		page, err := query.NextPage(t.Context())
		require.NoError(t, err)
		collect(entries, page.Items)
	}
	return items, entries
}

// noRetries makes a failed write stay failed, so that what was acknowledged is known.
func noRetries(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }

func TestKilledServerKeepsAcknowledgedWrites(t *testing.T) {
	const writers, acknowledgedBeforeKill = 8, 2000
	dir := t.TempDir()
	s := startServer(t, "serve", "--port", "0", "--data-dir", dir)
	client := newGoClient(t, "durability", s.url, noRetries)
	createIndexedTable(t, client, "Kept")

	var (
		mu           sync.Mutex
		acknowledged = map[string]bool{}
		attempted    atomic.Int64
		enough       = make(chan struct{})
		wg           sync.WaitGroup
	)
	for w := range writers {
		wg.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d", w, i)
				attempted.Add(1)
				if putMember(t.Context(), client, "Kept", id) != nil {
					return
				}
				mu.Lock()
				acknowledged[id] = true
				if len(acknowledged) == acknowledgedBeforeKill {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Error("the writers did not get on")
	}
	s.kill()
	wg.Wait()
	require.GreaterOrEqual(t, len(acknowledged), acknowledgedBeforeKill)

	restarted := startServer(t, "serve", "--port", "0", "--data-dir", dir)
	items, entries := storedIDs(t, newGoClient(t, "durability", restarted.url), "Kept")
	for id := range acknowledged {
		require.Truef(t, items[id], "item %s was acknowledged and is gone", id)
	}
	require.Equal(t, items, entries, "the index agrees with the items")
	require.LessOrEqual(t, int64(len(items)), attempted.Load())
}

func TestDataDirectoryOutlivesTheServer(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, "serve", "--port", "0", "--data-dir", dir)
	client := newGoClient(t, "durability", s.url)
	createIndexedTable(t, client, "Kept")
	require.NoError(t, putMember(t.Context(), client, "Kept", "a"))
	description, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("Kept")})
	require.NoError(t, err)

	require.NoError(t, s.cmd.Process.Signal(os.Interrupt))
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		t.Fatal("the server did not stop")
	}
	require.Equal(t, 0, s.cmd.ProcessState.ExitCode())

	restarted := startServer(t, "serve", "--port", "0", "--data-dir", dir)
	client = newGoClient(t, "durability", restarted.url)
	again, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("Kept")})
	require.NoError(t, err)
	require.Equal(t, description.Table, again.Table)
	tags, err := client.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: again.Table.TableArn})
	require.NoError(t, err)
	require.Equal(t, []types.Tag{{Key: aws.String("kept"), Value: aws.String("yes")}}, tags.Tags)
	items, entries := storedIDs(t, client, "Kept")
	require.Equal(t, map[string]bool{"a": true}, items)
	require.Equal(t, items, entries)
}
