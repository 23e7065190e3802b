package compat

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// goCase is a behaviour only the Go SDK shows. It works in a table of its own, with the key pk and sk.
type goCase struct {
	name string
	run  func(ctx context.Context, client *dynamodb.Client, prefix string) error
}

// goCases are the Go SDK's own cases. The client given here accepts compressed responses.
func goCases(gzip *dynamodb.Client) []goCase {
	return []goCase{
		{"structs through attributevalue", attributevalueCase},
		{"the expression builder", expressionCase},
		{"a typed condition failure", typedErrorCase},
		{"a hundred concurrent increments", concurrencyCase},
		{"compressed responses", func(ctx context.Context, _ *dynamodb.Client, prefix string) error {
			return gzipCase(ctx, gzip, prefix)
		}},
	}
}

// withTable creates a table, runs the case in it and deletes it.
func withTable(ctx context.Context, client *dynamodb.Client, name string, run func(table *string) error) error {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeN},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
		BillingMode: types.BillingModePayPerRequest,
	})
	if err != nil {
		return err
	}
	if err := waitForTable(ctx, client, name); err != nil {
		return err
	}
	err = run(&name)
	_, deleted := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	return errors.Join(err, deleted)
}

// record has a field for every way attributevalue maps Go values.
type record struct {
	PK       string                `dynamodbav:"pk"`
	SK       int                   `dynamodbav:"sk"`
	Price    float64               `dynamodbav:"price"`
	Exact    attributevalue.Number `dynamodbav:"exact"`
	Data     []byte                `dynamodbav:"data"`
	Tags     []string              `dynamodbav:"tags,stringset"`
	Sizes    []int64               `dynamodbav:"sizes,numberset"`
	Blobs    [][]byte              `dynamodbav:"blobs,binaryset"`
	Created  time.Time             `dynamodbav:"created"`
	Expires  time.Time             `dynamodbav:"expires,unixtime"`
	Labels   map[string]string     `dynamodbav:"labels"`
	Children []child               `dynamodbav:"children"`
	Parent   *child                `dynamodbav:"parent,omitempty"`
	Nothing  *string               `dynamodbav:"nothing"`
	Active   bool                  `dynamodbav:"active"`
	Hidden   string                `dynamodbav:"-"`
}

type child struct {
	Name string `dynamodbav:"name"`
	Age  uint8  `dynamodbav:"age"`
}

func attributevalueCase(ctx context.Context, client *dynamodb.Client, prefix string) error {
	return withTable(ctx, client, prefix+"Structs", func(table *string) error {
		want := record{
			PK: "a", SK: -7, Price: 0.1, Exact: "12345678901234567890.123456789012345678",
			Data: []byte{0, 1, 255}, Tags: []string{"x", "y"}, Sizes: []int64{1, 1 << 60}, Blobs: [][]byte{{1}, {2, 3}},
			Created: time.Date(2026, 10, 1, 12, 30, 0, 123456789, time.UTC), Expires: time.Unix(1800000000, 0),
			Labels:   map[string]string{"key": "", "größe": "ü"},
			Children: []child{{"Ann", 3}, {"Bo", 255}}, Active: true,
		}
		item, err := attributevalue.MarshalMap(want)
		if err != nil {
			return err
		}
		if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: item}); err != nil {
			return err
		}
		key, err := attributevalue.MarshalMap(struct {
			PK string `dynamodbav:"pk"`
			SK int    `dynamodbav:"sk"`
		}{want.PK, want.SK})
		if err != nil {
			return err
		}
		out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key})
		if err != nil {
			return err
		}
		var got record
		if err := attributevalue.UnmarshalMap(out.Item, &got); err != nil {
			return err
		}
		if !reflect.DeepEqual(want, got) {
			return fmt.Errorf("put %+v, got %+v", want, got)
		}
		return nil
	})
}

func expressionCase(ctx context.Context, client *dynamodb.Client, prefix string) error {
	return withTable(ctx, client, prefix+"Expressions", func(table *string) error {
		for i := range 10 {
			item := map[string]any{"pk": "p", "sk": i, "size": i % 3, "tags": []string{"t"}}
			av, err := attributevalue.MarshalMap(item)
			if err != nil {
				return err
			}
			if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: av}); err != nil {
				return err
			}
		}
		update, err := expression.NewBuilder().
			WithUpdate(expression.Set(expression.Name("size"), expression.Plus(expression.Name("size"), expression.Value(40))).
				Set(expression.Name("tags"), expression.ListAppend(expression.Name("tags"), expression.Value([]string{"u"}))).
				Set(expression.Name("status"), expression.IfNotExists(expression.Name("status"), expression.Value("new")))).
			WithCondition(expression.And(
				expression.Name("size").Between(expression.Value(0), expression.Value(2)),
				expression.Name("tags[0]").Equal(expression.Value("t")),
				expression.Or(expression.AttributeNotExists(expression.Name("status")), expression.Name("tags").Size().GreaterThan(expression.Value(5))),
			)).Build()
		if err != nil {
			return err
		}
		updated, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: table,
			Key: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "p"}, "sk": &types.AttributeValueMemberN{Value: "5"},
			},
			UpdateExpression: update.Update(), ConditionExpression: update.Condition(),
			ExpressionAttributeNames: update.Names(), ExpressionAttributeValues: update.Values(),
			ReturnValues: types.ReturnValueAllNew,
		})
		if err != nil {
			return err
		}
		var got struct {
			Size   int      `dynamodbav:"size"`
			Tags   []string `dynamodbav:"tags"`
			Status string   `dynamodbav:"status"`
		}
		if err := attributevalue.UnmarshalMap(updated.Attributes, &got); err != nil {
			return err
		}
		if got.Size != 42 || !reflect.DeepEqual(got.Tags, []string{"t", "u"}) || got.Status != "new" {
			return fmt.Errorf("after the update: %+v", got)
		}
		query, err := expression.NewBuilder().
			WithKeyCondition(expression.Key("pk").Equal(expression.Value("p")).And(expression.Key("sk").GreaterThanEqual(expression.Value(4)))).
			WithFilter(expression.Name("size").In(expression.Value(1), expression.Value(42))).
			WithProjection(expression.NamesList(expression.Name("sk"))).Build()
		if err != nil {
			return err
		}
		pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
			TableName: table, KeyConditionExpression: query.KeyCondition(), FilterExpression: query.Filter(),
			ProjectionExpression: query.Projection(), ExpressionAttributeNames: query.Names(),
			ExpressionAttributeValues: query.Values(), Limit: aws.Int32(2),
		})
		var sks []int
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			var items []struct {
				SK int `dynamodbav:"sk"`
			}
			if err := attributevalue.UnmarshalListOfMaps(page.Items, &items); err != nil {
				return err
			}
			for _, item := range items {
				sks = append(sks, item.SK)
			}
		}
		if !reflect.DeepEqual(sks, []int{4, 5, 7}) {
			return fmt.Errorf("queried %v", sks)
		}
		return nil
	})
}

func typedErrorCase(ctx context.Context, client *dynamodb.Client, prefix string) error {
	return withTable(ctx, client, prefix+"Typed", func(table *string) error {
		put := &dynamodb.PutItemInput{
			TableName: table,
			Item: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "a"}, "sk": &types.AttributeValueMemberN{Value: "1"},
			},
			ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
		if _, err := client.PutItem(ctx, put); err != nil {
			return err
		}
		_, err := client.PutItem(ctx, put)
		failed := new(types.ConditionalCheckFailedException)
		if !errors.As(err, &failed) || !reflect.DeepEqual(failed.Item, put.Item) {
			return fmt.Errorf("no ConditionalCheckFailedException with the item, but %w", err)
		}
		_, err = client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(prefix + "Untyped")})
		if notFound := new(types.ResourceNotFoundException); !errors.As(err, &notFound) {
			return fmt.Errorf("no ResourceNotFoundException, but %w", err)
		}
		return nil
	})
}

func concurrencyCase(ctx context.Context, client *dynamodb.Client, prefix string) error {
	return withTable(ctx, client, prefix+"Counter", func(table *string) error {
		key := map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "counter"}, "sk": &types.AttributeValueMemberN{Value: "0"},
		}
		increments, ctx := errgroup.WithContext(ctx)
		increments.SetLimit(16)
		for range 100 {
			increments.Go(func() error {
				_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
					TableName: table, Key: key, UpdateExpression: aws.String("ADD hits :one"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
				})
				return err
			})
		}
		if err := increments.Wait(); err != nil {
			return err
		}
		out, err := client.GetItem(context.WithoutCancel(ctx), &dynamodb.GetItemInput{TableName: table, Key: key, ConsistentRead: aws.Bool(true)})
		if err != nil {
			return err
		}
		if hits, ok := out.Item["hits"].(*types.AttributeValueMemberN); !ok || hits.Value != "100" {
			return fmt.Errorf("counted %v", out.Item["hits"])
		}
		return nil
	})
}

func gzipCase(ctx context.Context, client *dynamodb.Client, prefix string) error {
	return withTable(ctx, client, prefix+"Gzip", func(table *string) error {
		text := strings.Repeat("compressible ", 20000)
		item := map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "a"}, "sk": &types.AttributeValueMemberN{Value: "1"},
			"text": &types.AttributeValueMemberS{Value: text},
		}
		if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: item}); err != nil {
			return err
		}
		// The SDK checks the checksum of the body as sent, then decompresses it.
		out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: table})
		if err != nil {
			return err
		}
		if len(out.Items) != 1 || !reflect.DeepEqual(out.Items[0], item) {
			return fmt.Errorf("%d items, or another text than was put", len(out.Items))
		}
		return nil
	})
}
