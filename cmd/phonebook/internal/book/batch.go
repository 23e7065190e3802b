package book

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// Limits of the API.
const (
	batchWrites = 25  // BatchWriteItem
	batchReads  = 100 // BatchGetItem
)

// batchAttempts is how often what a batch left over is sent again, with pauses that grow
// to a second. A table in AWS that grows with its load needs some of them.
const batchAttempts = 30

// errLeftOver is returned when the table keeps refusing a part of a batch.
var errLeftOver = errors.New("the table is too busy: it keeps leaving items of a batch unprocessed")

// putRows writes rows in batches, without conditions.
func (b *Book) putRows(ctx context.Context, rows []row) error {
	for len(rows) > 0 {
		n := min(len(rows), batchWrites)
		requests := make([]types.WriteRequest, n)
		for i, r := range rows[:n] {
			values, err := r.item()
			if err != nil {
				return err
			}
			requests[i] = types.WriteRequest{PutRequest: &types.PutRequest{Item: values}}
		}
		if err := b.writeBatch(ctx, requests); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// writeBatch writes a batch and what it leaves over until nothing is left.
func (b *Book) writeBatch(ctx context.Context, requests []types.WriteRequest) error {
	pending := map[string][]types.WriteRequest{b.table: requests}
	for attempt := range batchAttempts {
		out, err := b.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: pending})
		if err != nil {
			return fmt.Errorf("batch of %d rows: %w", len(pending[b.table]), err)
		}
		pending = out.UnprocessedItems
		if len(pending) == 0 {
			return nil
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
	return errLeftOver
}

// state is what an import must know of a contact that is there.
type state struct {
	version int64
	deleted bool
}

// states looks up which of at most 100 contacts are there.
func (b *Book) states(ctx context.Context, contacts []contact.Contact) (map[string]state, error) {
	keys := make([]map[string]types.AttributeValue, len(contacts))
	for i, c := range contacts {
		keys[i] = key(contactPrefix+c.ID, skContact)
	}
	found := map[string]state{}
	pending := map[string]types.KeysAndAttributes{b.table: {
		Keys:                     keys,
		ConsistentRead:           aws.Bool(true),
		ProjectionExpression:     aws.String("id, #version, deleted"),
		ExpressionAttributeNames: map[string]string{"#version": "version"},
	}}
	for attempt := range batchAttempts {
		out, err := b.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: pending})
		if err != nil {
			return nil, err
		}
		for _, i := range out.Responses[b.table] {
			r, err := parseRow(i)
			if err != nil {
				return nil, err
			}
			found[r.ID] = state{version: r.Version, deleted: r.Deleted != 0}
		}
		pending = out.UnprocessedKeys
		if len(pending) == 0 {
			return found, nil
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
	return nil, errLeftOver
}
