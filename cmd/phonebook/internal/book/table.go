package book

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
)

// Names of the table's attributes and of its index.
const (
	attrPK, attrSK         = "pk", "sk"
	attrFindPK, attrFindSK = "find_pk", "find_sk"
	attrExpires            = "expires" // seconds since 1970
	indexFind              = "find"
)

// A Book is a phonebook in one table. It is safe for concurrent use and holds nothing
// that must be closed.
type Book struct {
	db    *dynamodb.Client
	table string
	now   func() time.Time

	// Changes is the recent history of the contacts.
	Changes *Changes
}

// Options of [Open].
type Options struct {
	DB      *dynamodb.Client
	Streams *dynamodbstreams.Client
	// Table is the table's name. It is created when it does not exist.
	Table string
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

// Open returns the book in a table and creates the table if there is none. It waits
// until the table can be used.
func Open(ctx context.Context, o Options) (*Book, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &Book{db: o.DB, table: o.Table, now: o.Now}
	found, err := b.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &b.table})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		found, err = b.create(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", b.table, err)
	}
	b.Changes = newChanges(o.Streams, aws.ToString(found.Table.LatestStreamArn))
	return b, nil
}

// Schema describes the table. template.yaml says the same for AWS.
func Schema(table string) *dynamodb.CreateTableInput {
	text := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	keys := func(partition, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
		}
	}
	return &dynamodb.CreateTableInput{
		TableName:            aws.String(table),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{text(attrPK), text(attrSK), text(attrFindPK), text(attrFindSK)},
		KeySchema:            keys(attrPK, attrSK),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String(indexFind),
			KeySchema:  keys(attrFindPK, attrFindSK),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled:  aws.Bool(true),
			StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	}
}

// TimeToLive is the setting of the table that lets deleted contacts expire.
func TimeToLive() *types.TimeToLiveSpecification {
	return &types.TimeToLiveSpecification{AttributeName: aws.String(attrExpires), Enabled: aws.Bool(true)}
}

// creationTimeout is for AWS, where a table takes some seconds to be made.
const creationTimeout = 2 * time.Minute

func (b *Book) create(ctx context.Context) (*dynamodb.DescribeTableOutput, error) {
	_, err := b.db.CreateTable(ctx, Schema(b.table))
	var exists *types.ResourceInUseException // somebody else was faster
	if err != nil && !errors.As(err, &exists) {
		return nil, err
	}
	waiter := dynamodb.NewTableExistsWaiter(b.db, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 2*time.Second
	})
	described := &dynamodb.DescribeTableInput{TableName: &b.table}
	if err := waiter.Wait(ctx, described, creationTimeout); err != nil {
		return nil, err
	}
	_, err = b.db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &b.table, TimeToLiveSpecification: TimeToLive(),
	})
	if err != nil && exists == nil {
		return nil, err
	}
	return b.db.DescribeTable(ctx, described)
}
