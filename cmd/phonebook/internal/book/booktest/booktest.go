// Package booktest gives tests a phonebook in the memory of a real server.
package booktest

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/server"
)

// Table is the name of the table that Open makes.
const Table = "phonebook"

// Open returns an empty phonebook and a client of its server. change may be nil; it is
// called with the options before they are used.
func Open(t testing.TB, change func(*book.Options)) (*book.Book, *dynamodb.Client) {
	t.Helper()
	db, err := server.Open(server.Options{InMemory: true})
	require.NoError(t, err)
	web := httptest.NewServer(db)
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, db.Close())
	})
	cfg := aws.Config{
		BaseEndpoint: aws.String(web.URL), Region: "eu-central-1", HTTPClient: book.HTTPClient(awshttp.NewBuildableClient()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	o := book.Options{DB: dynamodb.NewFromConfig(cfg), Streams: dynamodbstreams.NewFromConfig(cfg), Table: Table}
	if change != nil {
		change(&o)
	}
	b, err := book.Open(context.Background(), o)
	require.NoError(t, err)
	return b, o.DB
}
