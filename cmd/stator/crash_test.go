package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// killsVariable sets how often the tests that kill the server do so.
const killsVariable = "STATOR_KILLS"

// kills is how often a test is to kill the server.
func kills(t *testing.T, byDefault int) int {
	t.Helper()
	text := os.Getenv(killsVariable)
	if text == "" {
		return byDefault
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

const (
	crashWriters = 8
	crashKeys    = 20 // per writer
	// A round waits for a random number of acknowledged writes before it kills.
	minWrites, maxWrites = 100, 2000
)

// crashKey is what a writer knows of one item: the last version acknowledged, and
// the last one sent, whose fate the kill may have left open. Versions only grow.
type crashKey struct{ acknowledged, sent int }

// TestKillUnderLoad kills the server with SIGKILL while clients write, again and
// again on one directory. After every restart each item must hold a version
// between the last acknowledged and the last sent one, both indexes must show the
// same version, and stator verify must find nothing.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := []string{"serve", "--port", "0", "--data-dir", dir, "--shards", "2"}
	s := start(t, args...)
	createCrashTable(t, s.client())

	var keys [crashWriters][crashKeys]crashKey
	for round := range kills(t, 3) {
		writeUntilKilled(t, s, &keys)
		got := execute(t, "", "verify", "--data-dir", dir)
		require.Zero(t, got.code, "round %d: %s%s", round, got.stdout, got.stderr)

		s = start(t, args...)
		checkCrashTable(t, s.client(), &keys)
	}
}

func createCrashTable(t *testing.T, client *dynamodb.Client) {
	t.Helper()
	attribute := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: kind}
	}
	key := func(name string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kind}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   aws.String("Crash"),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			attribute("writer", types.ScalarAttributeTypeN), attribute("id", types.ScalarAttributeTypeN),
			attribute("version", types.ScalarAttributeTypeN), attribute("bucket", types.ScalarAttributeTypeN),
		},
		KeySchema: []types.KeySchemaElement{key("writer", types.KeyTypeHash), key("id", types.KeyTypeRange)},
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName:  aws.String("byVersion"),
			KeySchema:  []types.KeySchemaElement{key("writer", types.KeyTypeHash), key("version", types.KeyTypeRange)},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("byBucket"),
			KeySchema:  []types.KeySchemaElement{key("bucket", types.KeyTypeHash), key("version", types.KeyTypeRange)},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	})
	require.NoError(t, err)
}

// padding makes the tables on disk grow enough to be flushed and merged when the
// test runs at length.
var padding = strings.Repeat("x", 500)

func putVersion(ctx context.Context, client *dynamodb.Client, writer, id, version int) error {
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String("Crash"),
		Item: map[string]types.AttributeValue{
			"writer":  number(writer),
			"id":      number(id),
			"version": number(version),
			"bucket":  number(version % 3), // moves between collections of the global index
			"padding": &types.AttributeValueMemberS{Value: padding},
		},
	})
	return err
}

// writeUntilKilled lets all writers write until enough is acknowledged, then kills
// the server in the middle of their requests.
func writeUntilKilled(t *testing.T, s *instance, keys *[crashWriters][crashKeys]crashKey) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), processTimeout)
	defer cancel()
	acknowledged := make(chan struct{}, crashWriters)
	var writers sync.WaitGroup
	for w := range crashWriters {
		writers.Go(func() {
			options := s.client().Options()
			options.Retryer = aws.NopRetryer{} // an acknowledgement is an answer, not a hope
			client := dynamodb.New(options)
			for i := 0; !s.ended(); i++ {
				key := &keys[w][i%crashKeys]
				key.sent++
				err := putVersion(ctx, client, w, i%crashKeys, key.sent)
				if err != nil {
					continue // it may have been done or not
				}
				key.acknowledged = key.sent
				acknowledged <- struct{}{}
			}
		})
	}
	for n := minWrites + rand.N(maxWrites-minWrites); n > 0 && !t.Failed(); n-- {
		select {
		case <-acknowledged:
		case <-ctx.Done():
			t.Error("the server does not acknowledge writes")
		}
	}
	done := make(chan struct{})
	go func() { // keeps the writers going until their requests fail
		defer close(done)
		for range acknowledged {
		}
	}()
	s.kill()
	writers.Wait()
	close(acknowledged)
	<-done
	require.False(t, t.Failed())
}

// checkCrashTable reads all items through the table and both indexes and takes
// what it finds as the new acknowledged state.
func checkCrashTable(t *testing.T, client *dynamodb.Client, keys *[crashWriters][crashKeys]crashKey) {
	t.Helper()
	table := scanVersions(t, client, "")
	for w := range crashWriters {
		for id := range crashKeys {
			key := &keys[w][id]
			version := table[fmt.Sprintf("%d/%d", w, id)]
			require.GreaterOrEqual(t, version, key.acknowledged, "writer %d lost an acknowledged write of item %d", w, id)
			require.LessOrEqual(t, version, key.sent, "writer %d, item %d", w, id)
			key.acknowledged, key.sent = version, version
		}
	}
	require.Equal(t, table, scanVersions(t, client, "byVersion"))
	// Entries of writes that nobody acknowledged may follow after the start.
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, table, scanVersions(t, client, "byBucket"))
	}, processTimeout, 10*time.Millisecond)
}

// scanVersions maps "writer/id" to the version, read from an index if one is named.
func scanVersions(t *testing.T, client *dynamodb.Client, index string) map[string]int {
	t.Helper()
	input := &dynamodb.ScanInput{TableName: aws.String("Crash")}
	if index != "" {
		input.IndexName = aws.String(index)
	}
	versions := map[string]int{}
	for pages := dynamodb.NewScanPaginator(client, input); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, item := range page.Items {
			id := fmt.Sprintf("%d/%d", integer(t, item["writer"]), integer(t, item["id"]))
			versions[id] = integer(t, item["version"])
		}
	}
	return versions
}

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

func integer(t *testing.T, value types.AttributeValue) int {
	t.Helper()
	n, err := strconv.Atoi(value.(*types.AttributeValueMemberN).Value)
	require.NoError(t, err)
	return n
}
