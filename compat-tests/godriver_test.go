package compat

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"
)

// goDriver is the driver for the AWS SDK for Go v2. It runs in the test process.
type goDriver struct {
	client  *dynamodb.Client
	streams *dynamodbstreams.Client
	cases   []goCase
}

// newGoClient is a client as users make it: the endpoint is the only setting that is not the default.
func newGoClient(t *testing.T, accessKey, endpoint string, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	return dynamodb.NewFromConfig(goConfig(t, accessKey, endpoint), options...)
}

func goConfig(t *testing.T, accessKey, endpoint string) aws.Config {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(context.Background(),
		config.WithRegion(region),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(accessKey, "secret", "")),
		config.WithSharedConfigFiles(nil), config.WithSharedCredentialsFiles(nil),
		config.WithBaseEndpoint(endpoint),
	)
	require.NoError(t, err)
	return cfg
}

func newGoDriver(t *testing.T, c client, endpoint string) driver {
	t.Helper()
	return &goDriver{
		client:  newGoClient(t, accessKey(c), endpoint),
		streams: dynamodbstreams.NewFromConfig(goConfig(t, accessKey(c), endpoint)),
		cases:   goCases(newGoClient(t, accessKey(c), endpoint, func(o *dynamodb.Options) { o.EnableAcceptEncodingGzip = true })),
	}
}

func (d *goDriver) do(r request) (response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	switch r.Do {
	case "call":
		return d.call(ctx, r)
	case "pages":
		return d.pages(ctx, r)
	case "wait":
		return response{Output: map[string]any{}}, d.wait(ctx, r)
	case "cases":
		var names []string
		for _, c := range d.cases {
			names = append(names, c.name)
		}
		return response{Cases: names}, nil
	case "case":
		for _, c := range d.cases {
			if c.name == r.Name {
				return response{Output: map[string]any{}}, c.run(ctx, d.client, r.Prefix)
			}
		}
	}
	return response{}, fmt.Errorf("unknown request %+v", r)
}

func (d *goDriver) call(ctx context.Context, r request) (response, error) {
	method := reflect.ValueOf(d.client).MethodByName(r.Operation)
	if !method.IsValid() {
		method = reflect.ValueOf(d.streams).MethodByName(r.Operation)
	}
	if !method.IsValid() {
		return response{}, fmt.Errorf("no operation %s", r.Operation)
	}
	input := reflect.New(method.Type().In(1).Elem())
	if err := decodeValue(input.Elem(), r.Input); err != nil {
		return response{}, err
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), input})
	if err, _ := results[1].Interface().(error); err != nil {
		return goError(err)
	}
	output, err := encodeOutput(results[0])
	return response{Output: output}, err
}

// pages fetches all pages with the paginator of the operation.
func (d *goDriver) pages(ctx context.Context, r request) (response, error) {
	constructors := map[string]any{
		"Query":      dynamodb.NewQueryPaginator,
		"Scan":       dynamodb.NewScanPaginator,
		"ListTables": dynamodb.NewListTablesPaginator,
	}
	constructor := reflect.ValueOf(constructors[r.Operation])
	if !constructor.IsValid() {
		return response{}, fmt.Errorf("no paginator for %s", r.Operation)
	}
	input := reflect.New(constructor.Type().In(1).Elem())
	if err := decodeValue(input.Elem(), r.Input); err != nil {
		return response{}, err
	}
	paginator := constructor.Call([]reflect.Value{reflect.ValueOf(d.client), input})[0]
	pages := []any{}
	for paginator.MethodByName("HasMorePages").Call(nil)[0].Bool() {
		results := paginator.MethodByName("NextPage").Call([]reflect.Value{reflect.ValueOf(ctx)})
		if err, _ := results[1].Interface().(error); err != nil {
			return goError(err)
		}
		page, err := encodeOutput(results[0])
		if err != nil {
			return response{}, err
		}
		pages = append(pages, page)
	}
	return response{Pages: pages}, nil
}

func (d *goDriver) wait(ctx context.Context, r request) error {
	table, _ := r.Input["TableName"].(string)
	switch r.Waiter {
	case "TableExists":
		return waitForTable(ctx, d.client, table)
	case "TableNotExists":
		waiter := dynamodb.NewTableNotExistsWaiter(d.client, func(o *dynamodb.TableNotExistsWaiterOptions) {
			o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
		})
		return waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, time.Minute)
	default:
		return fmt.Errorf("no waiter %s", r.Waiter)
	}
}

// waitForTable waits until the table is active, polling more often than the SDK's 20 seconds.
func waitForTable(ctx context.Context, client *dynamodb.Client, table string) error {
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	})
	return waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, time.Minute)
}

// goError turns an error of the service into an answer; any other error is a failure.
func goError(err error) (response, error) {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return response{}, err
	}
	answer := &answerError{Type: api.ErrorCode(), Message: api.ErrorMessage()}
	if failed := new(types.ConditionalCheckFailedException); errors.As(err, &failed) && failed.Item != nil {
		item, err := encodeOutput(reflect.ValueOf(failed.Item))
		if err != nil {
			return response{}, err
		}
		answer.Item = item
	}
	if canceled := new(types.TransactionCanceledException); errors.As(err, &canceled) {
		reasons, err := encodeOutput(reflect.ValueOf(canceled.CancellationReasons))
		if err != nil {
			return response{}, err
		}
		answer.Reasons = reasons
	}
	return response{Error: answer}, nil
}

// The SDK's input and output structs have one field per member of the API's JSON, with the member's name. Only
// attribute values differ: a union of one struct type per type tag.

var (
	attributeValueType = reflect.TypeFor[types.AttributeValue]()
	timeType           = reflect.TypeFor[time.Time]()
)

// attributeValueTypes are the members of the union by their type tag.
var attributeValueTypes = map[string]reflect.Type{
	"S":    reflect.TypeFor[types.AttributeValueMemberS](),
	"N":    reflect.TypeFor[types.AttributeValueMemberN](),
	"B":    reflect.TypeFor[types.AttributeValueMemberB](),
	"BOOL": reflect.TypeFor[types.AttributeValueMemberBOOL](),
	"NULL": reflect.TypeFor[types.AttributeValueMemberNULL](),
	"M":    reflect.TypeFor[types.AttributeValueMemberM](),
	"L":    reflect.TypeFor[types.AttributeValueMemberL](),
	"SS":   reflect.TypeFor[types.AttributeValueMemberSS](),
	"NS":   reflect.TypeFor[types.AttributeValueMemberNS](),
	"BS":   reflect.TypeFor[types.AttributeValueMemberBS](),
}

// decodeValue fills v, a part of an SDK input, from decoded JSON.
func decodeValue(v reflect.Value, data any) error {
	if v.Type() == attributeValueType {
		return decodeAttributeValue(v, data)
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decodeValue(v.Elem(), data)
	case reflect.Struct:
		m, ok := data.(map[string]any)
		if !ok {
			return fmt.Errorf("%s from %s", v.Type(), show(data))
		}
		for name, value := range m {
			field := v.FieldByName(name)
			if !field.IsValid() {
				return fmt.Errorf("%s has no member %s", v.Type(), name)
			}
			if err := decodeValue(field, value); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		m, ok := data.(map[string]any)
		if !ok {
			return fmt.Errorf("%s from %s", v.Type(), show(data))
		}
		v.Set(reflect.MakeMap(v.Type()))
		for key, value := range m {
			element := reflect.New(v.Type().Elem()).Elem()
			if err := decodeValue(element, value); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(key), element)
		}
		return nil
	case reflect.Slice:
		if text, ok := data.(string); ok && v.Type().Elem().Kind() == reflect.Uint8 {
			b, err := base64.StdEncoding.DecodeString(text)
			v.SetBytes(b)
			return err
		}
		list, ok := data.([]any)
		if !ok {
			return fmt.Errorf("%s from %s", v.Type(), show(data))
		}
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i := range list {
			if err := decodeValue(v.Index(i), list[i]); err != nil {
				return err
			}
		}
		return nil
	default:
		return decodeScalar(v, data)
	}
}

func decodeScalar(v reflect.Value, data any) error {
	switch data := data.(type) {
	case string:
		if v.Kind() == reflect.String {
			v.SetString(data)
			return nil
		}
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(data)
			return nil
		}
	case float64:
		if v.CanInt() {
			v.SetInt(int64(data))
			return nil
		}
	}
	return fmt.Errorf("%s from %s", v.Type(), show(data))
}

func decodeAttributeValue(v reflect.Value, data any) error {
	m, _ := data.(map[string]any)
	if len(m) != 1 {
		return fmt.Errorf("an attribute value has one member, not %s", show(data))
	}
	for tag, value := range m {
		member, ok := attributeValueTypes[tag]
		if !ok {
			return fmt.Errorf("no attribute value type %s", tag)
		}
		union := reflect.New(member)
		if err := decodeValue(union.Elem().FieldByName("Value"), value); err != nil {
			return err
		}
		v.Set(union)
	}
	return nil
}

// encodeOutput is an SDK output, or a part of one, as decoded JSON.
func encodeOutput(v reflect.Value) (any, error) {
	text, err := json.Marshal(encodeValue(v))
	if err != nil {
		return nil, err
	}
	var decoded any
	err = json.Unmarshal(text, &decoded)
	return decoded, err
}

// encodeValue is v as JSON marshals it into the API's form. A member the service did not send is left out: it
// is a nil pointer, map or slice, or an empty enum value.
func encodeValue(v reflect.Value) any {
	if v.Kind() == reflect.Interface {
		for tag, member := range attributeValueTypes {
			if v.Elem().Type() == reflect.PointerTo(member) {
				return map[string]any{tag: encodeValue(v.Elem().Elem().FieldByName("Value"))}
			}
		}
		return fmt.Sprintf("attribute value of unknown type %s", v.Elem().Type())
	}
	if v.Type() == timeType {
		return v.Interface().(time.Time).Unix()
	}
	switch v.Kind() {
	case reflect.Pointer:
		return encodeValue(v.Elem())
	case reflect.Struct:
		members := map[string]any{}
		for i := range v.NumField() {
			field, value := v.Type().Field(i), v.Field(i)
			if field.IsExported() && field.Name != "ResultMetadata" && !isAbsent(value) {
				members[field.Name] = encodeValue(value)
			}
		}
		return members
	case reflect.Map:
		members := map[string]any{}
		for _, key := range v.MapKeys() {
			members[key.String()] = encodeValue(v.MapIndex(key))
		}
		return members
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return base64.StdEncoding.EncodeToString(v.Bytes())
		}
		elements := make([]any, v.Len())
		for i := range elements {
			elements[i] = encodeValue(v.Index(i))
		}
		return elements
	default:
		return v.Interface()
	}
}

func isAbsent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	default:
		return false
	}
}
