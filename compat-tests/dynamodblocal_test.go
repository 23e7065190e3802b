package compat

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
)

// TestDynamoDBLocalCommandLine starts the server the way scripts start DynamoDB Local.
func TestDynamoDBLocalCommandLine(t *testing.T) {
	jar := []string{"-Djava.library.path=.", "-jar", "DynamoDBLocal.jar", "-inMemory", "-port", "0"}
	otherRegion := func(o *dynamodb.Options) { o.Region = "us-west-2" }
	tables := func(client *dynamodb.Client) []string {
		out, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{})
		require.NoError(t, err)
		return out.TableNames
	}

	t.Run("-sharedDb is one namespace", func(t *testing.T) {
		s := startServer(t, append(jar, "-sharedDb")...)
		require.Contains(t, s.tail(4096), "Initializing DynamoDB Local with the following configuration:")
		one := newGoClient(t, "one", s.url)
		createIndexedTable(t, one, "Shared")
		require.NoError(t, putMember(t.Context(), newGoClient(t, "two", s.url, otherRegion), "Shared", "a"))
		items, entries := storedIDs(t, one, "Shared")
		require.Equal(t, map[string]bool{"a": true}, items)
		require.Equal(t, items, entries)
	})

	t.Run("else every key and region has its own", func(t *testing.T) {
		s := startServer(t, jar...)
		one := newGoClient(t, "one", s.url)
		createIndexedTable(t, one, "Own")
		require.Equal(t, []string{"Own"}, tables(one))
		require.Empty(t, tables(newGoClient(t, "two", s.url)))
		require.Empty(t, tables(newGoClient(t, "one", s.url, otherRegion)))
	})

	t.Run("-delayTransientStatuses shows a table on its way", func(t *testing.T) {
		s := startServer(t, append(jar, "-sharedDb", "-delayTransientStatuses")...)
		createIndexedTable(t, newGoClient(t, "one", s.url), "Slow") // waits until it is active
	})
}
