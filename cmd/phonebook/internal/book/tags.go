package book

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// pkTags is the partition of the tags in use; the sort key is the folded tag.
const pkTags = "tags"

// tagRow remembers how a tag was written last. Stamp changes whenever somebody uses the
// tag, so that it is not swept away by one who has just seen it unused.
type tagRow struct {
	PK    string `dynamodbav:"pk"`
	SK    string `dynamodbav:"sk"`
	Label string `dynamodbav:"label"`
	Stamp string `dynamodbav:"stamp"`
}

// Tags lists the tags in use, in alphabetical order.
func (b *Book) Tags(ctx context.Context) ([]string, error) {
	pages := dynamodb.NewQueryPaginator(b.db, &dynamodb.QueryInput{
		TableName:                 &b.table,
		KeyConditionExpression:    aws.String("pk = :tags"),
		ExpressionAttributeValues: item{":tags": str(pkTags)},
	})
	tags := []string{}
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		var rows []tagRow
		if err := attributevalue.UnmarshalListOfMaps(out.Items, &rows); err != nil {
			return nil, err
		}
		for _, r := range rows {
			tags = append(tags, r.Label)
		}
	}
	return tags, nil
}

// noteTags keeps the list of tags after a contact has changed. It is not part of the
// contact's transaction, in which all users of a tag would wait for each other.
func (b *Book) noteTags(ctx context.Context, before, after contact.Contact) error {
	was, is := tagsOf(before), tagsOf(after)
	for folded, label := range is {
		if was[folded] != label {
			if err := b.useTag(ctx, folded, label); err != nil {
				return err
			}
		}
	}
	for folded := range was {
		if _, kept := is[folded]; !kept {
			if err := b.sweepTag(ctx, folded, after.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// tagsOf returns the tags of a contact by their folded form; none of a deleted one.
func tagsOf(c contact.Contact) map[string]string {
	tags := map[string]string{}
	if c.Deleted == 0 {
		for _, tag := range c.Tags {
			tags[contact.Fold(tag)] = tag
		}
	}
	return tags
}

func (b *Book) useTag(ctx context.Context, folded, label string) error {
	i, err := attributevalue.MarshalMap(tagRow{PK: pkTags, SK: folded, Label: label, Stamp: contact.NewID()})
	if err != nil {
		return err
	}
	_, err = b.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &b.table, Item: i})
	return err
}

// sweepTag removes a tag from the list if no contact but the given one, which has just
// lost it, has it.
func (b *Book) sweepTag(ctx context.Context, folded, id string) error {
	seen, err := b.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &b.table, Key: key(pkTags, folded), ConsistentRead: aws.Bool(true),
	})
	if err != nil || seen.Item == nil {
		return err
	}
	page, err := b.ByTag(ctx, folded, PageOptions{Limit: 2})
	if err != nil {
		return err
	}
	for _, c := range page.Contacts {
		if c.ID != id {
			return nil
		}
	}
	_, err = b.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &b.table, Key: key(pkTags, folded),
		ConditionExpression:       aws.String("stamp = :seen"),
		ExpressionAttributeValues: item{":seen": seen.Item["stamp"]},
	})
	var used *types.ConditionalCheckFailedException
	if errors.As(err, &used) {
		return nil
	}
	return err
}
