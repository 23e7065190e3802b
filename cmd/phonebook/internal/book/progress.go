package book

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// States of an import.
const (
	ImportRunning = "running"
	ImportDone    = "done"
	ImportFailed  = "failed"
)

// Progress is how far an import has come. Read is the sum of the other four counts.
type Progress struct {
	ID       string `json:"id" dynamodbav:"id"`
	State    string `json:"state" dynamodbav:"state"`
	Read     int    `json:"read" dynamodbav:"read"`         // records
	Added    int    `json:"added" dynamodbav:"added"`       // new contacts
	Present  int    `json:"present" dynamodbav:"present"`   // contacts that were there
	Restored int    `json:"restored" dynamodbav:"restored"` // deleted contacts that came back
	Refused  int    `json:"refused" dynamodbav:"refused"`   // records that are no contacts
	// Bytes of the file are read; Total is its size, 0 if unknown.
	Bytes    int64    `json:"bytes" dynamodbav:"bytes"`
	Total    int64    `json:"total" dynamodbav:"total"`
	Problems []string `json:"problems,omitempty" dynamodbav:"problems,omitempty"` // of the first refused records
	Error    string   `json:"error,omitempty" dynamodbav:"error,omitempty"`       // why it failed
	Started  int64    `json:"started" dynamodbav:"started"`                       // milliseconds since 1970
	Updated  int64    `json:"updated" dynamodbav:"updated"`
}

// progressLife is how long the progress of an import can be asked for.
const progressLife = 24 * time.Hour

// ErrNoImport is returned for an import that nobody knows.
var ErrNoImport = errors.New("no such import")

// ErrImportExists is returned when two imports want the same ID.
var ErrImportExists = errors.New("there is an import with this id")

const (
	importPrefix = "import#"
	skProgress   = "progress"
)

// StartProgress notes a new import, so that every process can tell how it goes. Its ID
// must be new: ErrImportExists.
func (b *Book) StartProgress(ctx context.Context, p Progress) error {
	err := b.putProgress(ctx, p, aws.String("attribute_not_exists(pk)"))
	var exists *types.ConditionalCheckFailedException
	if errors.As(err, &exists) {
		return fmt.Errorf("import %s: %w", p.ID, ErrImportExists)
	}
	return err
}

// SaveProgress replaces the progress of an import.
func (b *Book) SaveProgress(ctx context.Context, p Progress) error {
	return b.putProgress(ctx, p, nil)
}

func (b *Book) putProgress(ctx context.Context, p Progress, condition *string) error {
	i, err := attributevalue.MarshalMap(p)
	if err != nil {
		return err
	}
	i[attrPK], i[attrSK] = str(importPrefix+p.ID), str(skProgress)
	i[attrExpires] = &types.AttributeValueMemberN{Value: fmt.Sprint(b.now().Add(progressLife).Unix())}
	_, err = b.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &b.table, Item: i, ConditionExpression: condition})
	return err
}

// Progress returns how far an import has come, or ErrNoImport.
func (b *Book) Progress(ctx context.Context, id string) (Progress, error) {
	var p Progress
	out, err := b.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &b.table, Key: key(importPrefix+id, skProgress), ConsistentRead: aws.Bool(true),
	})
	switch {
	case err != nil:
		return p, err
	case out.Item == nil:
		return p, fmt.Errorf("import %s: %w", id, ErrNoImport)
	}
	return p, attributevalue.UnmarshalMap(out.Item, &p)
}
