package api

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/storage/item"
)

func newItem(fields map[string]item.Value) item.Item {
	b := item.NewBuilder()
	for name, v := range fields {
		b.Set(name, v)
	}
	return b.Item()
}

func TestDecodePutItem(t *testing.T) {
	in := decode[PutItemInput](t, `{
		"TableName": "t\u00e4ble", "Item": {"pk": {"S": "a"}, "n": {"N": "1.0"}},
		"Expected": {"z": {"Value": {"S": "v"}, "Exists": false}, "a": {"ComparisonOperator": "IN", "AttributeValueList": [{"N": "1"}, {}]}},
		"ConditionExpression": "", "ReturnValues": "ALL_OLD", "ConditionalOperator": "OR",
		"ExpressionAttributeNames": {"#a": "x", "#b": null},
		"ExpressionAttributeValues": {":a": {"BOOL": true}, ":b": {"N": "q"}, ":c": {}}}`)
	require.Equal(t, &PutItemInput{
		TableName: Some("täble"),
		Item:      NewAttributeMap(newItem(map[string]item.Value{"pk": item.String("a"), "n": item.NumberValue(item.NumberFromInt(1))})),
		Expected: Map[ExpectedAttributeValue]{
			{Key: "z", Value: ExpectedAttributeValue{
				Value:  AttributeValue{Value: item.String("v"), Present: true},
				Exists: Some(false),
			}},
			{Key: "a", Value: ExpectedAttributeValue{
				ComparisonOperator: Some("IN"),
				AttributeValueList: []AttributeValue{
					{Value: item.NumberValue(item.NumberFromInt(1)), Present: true},
					{Invalid: &item.ValueError{Kind: item.NoType}, Present: true},
				},
			}},
		},
		ConditionExpression:      Some(""),
		ReturnValues:             Some("ALL_OLD"),
		ConditionalOperator:      Some("OR"),
		ExpressionAttributeNames: map[string]string{"#a": "x"},
		ExpressionAttributeValues: ExpressionAttributeValues{
			Values:     map[string]item.Value{":a": item.Bool(true), ":b": nil, ":c": nil},
			Invalid:    &item.ValueError{Kind: item.NumberSyntax, Type: item.N, Text: "q"},
			InvalidKey: ":b",
		},
	}, in)
}

func TestAbsentIsNotEmpty(t *testing.T) {
	absent := decode[QueryInput](t, `{"Limit": null, "IndexName": null, "AttributesToGet": null, "KeyConditions": null,
		"ExclusiveStartKey": null, "ExpressionAttributeNames": null, "ExpressionAttributeValues": null}`)
	require.Equal(t, &QueryInput{}, absent)

	empty := decode[QueryInput](t, `{"Limit": 0, "IndexName": "", "AttributesToGet": [], "KeyConditions": {},
		"ExclusiveStartKey": {}, "ExpressionAttributeNames": {}, "ExpressionAttributeValues": {}}`)
	require.Equal(t, &QueryInput{
		Limit: Some[int64](0), IndexName: Some(""), AttributesToGet: []string{}, KeyConditions: Map[Condition]{},
		ExclusiveStartKey: NewAttributeMap(newItem(nil)), ExpressionAttributeNames: map[string]string{},
		ExpressionAttributeValues: ExpressionAttributeValues{Values: map[string]item.Value{}},
	}, empty)

	require.Nil(t, decode[CreateTableInput](t, `{}`).ProvisionedThroughput)
	require.Equal(t, &ProvisionedThroughput{}, decode[CreateTableInput](t, `{"ProvisionedThroughput": {}}`).ProvisionedThroughput)
}

func TestSoftFaultsStayWithTheirValue(t *testing.T) {
	in := decode[UpdateItemInput](t, `{"Key": {"a": {"S": "x", "N": "1"}}, "AttributeUpdates": {"b": {"Value": {"SS": []}, "Action": "PUT"}}}`)
	require.Equal(t, item.MoreThanOneType, in.Key.Invalid.Kind)
	require.True(t, in.Key.Present)
	value := in.AttributeUpdates[0].Value.Value
	require.Equal(t, AttributeValue{Invalid: &item.ValueError{Kind: item.EmptySet, Type: item.SS}, Present: true}, value)

	null := decode[ExecuteStatementInput](t, `{"Parameters": [null, {"S": "a"}]}`)
	require.Equal(t, []AttributeValue{
		{Invalid: &item.ValueError{Kind: item.NoType}, Present: true},
		{Value: item.String("a"), Present: true},
	}, null.Parameters)
}

func TestBatchesKeepTableOrder(t *testing.T) {
	in := decode[BatchWriteItemInput](t, `{"RequestItems": {"z": [{"PutRequest": {"Item": {}}}], "a": [], "m": [{}]}}`)
	var tables []string
	for _, e := range in.RequestItems {
		tables = append(tables, e.Key)
	}
	require.Equal(t, []string{"z", "a", "m"}, tables)
	require.True(t, in.RequestItems[0].Value[0].PutRequest.Item.Present)

	get := decode[BatchGetItemInput](t, `{"RequestItems": {"z": {"Keys": [{}, null], "ConsistentRead": true}, "a": null}}`)
	require.Equal(t, Map[KeysAndAttributes]{
		{Key: "z", Value: KeysAndAttributes{Keys: []AttributeMap{NewAttributeMap(newItem(nil)), {}}, ConsistentRead: Some(true)}},
		{Key: "a"},
	}, get.RequestItems)
}

func TestNumbersAreCutToIntegers(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "7": 7, "-7": -7, "1.9": 1, "-1.9": -1, "0.1": 0, "1e2": 100, "15E-1": 1, "1.5e1": 15,
		"9223372036854775807": math.MaxInt64, "9223372036854775808": math.MaxInt64, "1e30": math.MaxInt64,
		"-9223372036854775809": math.MinInt64, "-1e400": math.MinInt64, "1e-400": 0, "12345678901234567890.5": math.MaxInt64,
	} {
		in := decode[ScanInput](t, `{"Limit": `+text+`}`)
		require.Equal(t, Some(want), in.Limit, text)
	}
}

func TestBooleansAsStrings(t *testing.T) {
	for text, want := range map[string]bool{
		"true": true, `"true"`: true, `"TRUE"`: true, `"1"`: true, `"Yes"`: true,
		"false": false, `"False"`: false, `"0"`: false, `"no"`: false,
	} {
		require.Equal(t, Some(want), decode[GetItemInput](t, `{"ConsistentRead": `+text+`}`).ConsistentRead, text)
	}
}

// A decoder that read one body serves the next: nothing may be left over, and
// nothing may point into the body.
func TestInputsDoNotAliasTheBody(t *testing.T) {
	body := []byte(`{"TableName": "tbl", "Key": {"a": {"S": "x"}}, "AttributesToGet": ["p", "q"], "ExpressionAttributeNames": {"#a": "b"}}`)
	in := new(GetItemInput)
	require.NoError(t, Unmarshal(body, in))
	want := decode[GetItemInput](t, string(body))
	clear(body)
	require.Equal(t, want, in)
}

func TestMapKeepsOrderAndLastValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.SampledFrom(strings.Split("abcdefghijklmnopqrstuvwxyz", "")), 0, 60).Draw(t, "keys")
		var got Map[int]
		var index map[string]int
		var order []string
		last := map[string]int{}
		for i, key := range keys {
			got.set(&index, key, i)
			if _, seen := last[key]; !seen {
				order = append(order, key)
			}
			last[key] = i
		}
		var want Map[int]
		for _, key := range order {
			want = append(want, Entry[int]{Key: key, Value: last[key]})
		}
		require.Equal(t, want, got)
	})
}

func TestOperations(t *testing.T) {
	count := map[Service]int{}
	for _, op := range Operations() {
		count[op.Service]++
		got, ok := LookupOperation(string(op.Service) + "." + op.Name)
		require.True(t, ok)
		require.Equal(t, op, got)
	}
	require.Equal(t, map[Service]int{DynamoDB: 62, Streams: 4}, count)

	for _, target := range []string{"", "PutItem", "DynamoDB_20120810", "DynamoDB_20120810.", "DynamoDB_20120810.putItem",
		"DynamoDBStreams_20120810.PutItem", "DynamoDB_20120810.GetRecords"} {
		_, ok := LookupOperation(target)
		require.False(t, ok, target)
	}
}
