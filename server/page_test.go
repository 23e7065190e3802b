package server

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// pages collects a Query or Scan over all its pages and returns the value of
// attribute "sk" of every item, and the number of items of each page.
func (c *testClient) pages(operation string, request map[string]any) (keys []string, sizes []int) {
	for {
		body, err := json.Marshal(request)
		require.NoError(c.t, err)
		answer := c.must(operation, string(body))
		items := answer["Items"].([]any)
		require.Equal(c.t, float64(len(items)), answer["Count"])
		for _, it := range items {
			sk := it.(map[string]any)["sk"].(map[string]any)
			keys = append(keys, sk["S"].(string))
		}
		sizes = append(sizes, len(items))
		if answer["LastEvaluatedKey"] == nil {
			return keys, sizes
		}
		request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
	}
}

const createPaged = `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},{"AttributeName":"l","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"}],
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
	"LocalSecondaryIndexes":[{"IndexName":"loc","Projection":{"ProjectionType":"KEYS_ONLY"},"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}]}],
	"GlobalSecondaryIndexes":[{"IndexName":"glo","Projection":{"ProjectionType":"KEYS_ONLY"},"KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}]}]}`

// putSized stores an item of exactly size bytes under the partition key "p".
func (c *testClient) putSized(sk string, size int) {
	c.t.Helper()
	fixed := len("pkp") + len("sk") + len(sk) + len("l1") + 1 + len("v")
	c.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"p"},"sk":{"S":"%s"},"l":{"N":"1"},"v":{"S":"%s"}}}`,
		sk, strings.Repeat("x", size-fixed)))
}

func TestPageEndsAtOneMegabyte(t *testing.T) {
	for name, test := range map[string]struct {
		sizes []int // of the items in key order
		pages []int // items of each page of a Query
	}{
		"just below":                  {sizes: []int{349525, 349525, 349525}, pages: []int{3}},
		"exactly, and nothing behind": {sizes: []int{349525, 349525, 349526}, pages: []int{3, 0}},
		"exactly, and more behind":    {sizes: []int{349525, 349525, 349526, 100}, pages: []int{3, 1}},
		"crossing item included":      {sizes: []int{409600, 409600, 409600, 409600}, pages: []int{3, 1}},
		"crossed by the last":         {sizes: []int{409600, 409600, 409600}, pages: []int{3, 0}},
		"many small":                  {sizes: slices.Repeat([]int{16384}, 70), pages: []int{64, 6}},
	} {
		t.Run(name, func(t *testing.T) {
			client := newTestClient(t)
			client.must("CreateTable", createPaged)
			var want []string
			for i, size := range test.sizes {
				want = append(want, fmt.Sprintf("%03d", i))
				client.putSized(want[i], size)
			}
			query := func(more map[string]any) map[string]any {
				request := map[string]any{"TableName": "tab", "KeyConditionExpression": "pk = :p",
					"ExpressionAttributeValues": map[string]any{":p": map[string]any{"S": "p"}}, "ProjectionExpression": "sk"}
				maps.Copy(request, more)
				return request
			}
			keys, sizes := client.pages("Query", query(nil))
			require.Equal(t, want, keys)
			require.Equal(t, test.pages, sizes)

			keys, sizes = client.pages("Scan", map[string]any{"TableName": "tab", "ProjectionExpression": "sk"})
			require.Equal(t, want, keys, "Scan")
			require.Equal(t, test.pages, sizes, "Scan")

			keys, sizes = client.pages("Query", query(map[string]any{"IndexName": "loc"}))
			require.Equal(t, want, keys, "entries of the index are small")
			require.Equal(t, []int{len(want)}, sizes)

			keys, sizes = client.pages("Query", query(map[string]any{"IndexName": "loc", "ProjectionExpression": "sk, w"}))
			require.Equal(t, want, keys, "items fetched for entries count with their own size")
			require.Equal(t, test.pages, sizes)
		})
	}
}

func TestLimitAndMegabyteWhicheverIsFirst(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", createPaged)
	for i := range 7 {
		client.putSized(fmt.Sprintf("%03d", i), 300000)
	}
	for limit, want := range map[int][]int{1: {1, 1, 1, 1, 1, 1, 1, 0}, 3: {3, 3, 1}, 4: {4, 3}, 5: {4, 3}, 7: {4, 3}} {
		_, sizes := client.pages("Scan", map[string]any{"TableName": "tab", "Limit": limit, "ProjectionExpression": "sk"})
		require.Equal(t, want, sizes, "Limit %d", limit)
	}
}

// Whatever the direction, the index, the limit and the filter: pages joined are the
// whole result.
func TestPagesJoinToTheWhole(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", createPaged)
	for i := range 60 {
		client.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"p%d"},"sk":{"S":"%02d"},"l":{"N":"%d"},"g":{"S":"g%d"}}}`,
			i%3, i, i%7-3, i%2))
	}
	rapid.Check(t, func(t *rapid.T) {
		request := map[string]any{"TableName": "tab", "ProjectionExpression": "sk"}
		values := map[string]any{}
		operation := rapid.SampledFrom([]string{"Query", "Scan"}).Draw(t, "operation")
		index := rapid.SampledFrom([]string{"", "loc", "glo"}).Draw(t, "index")
		if index != "" {
			request["IndexName"] = index
		}
		if operation == "Query" {
			request["KeyConditionExpression"] = "pk = :p"
			values[":p"] = map[string]any{"S": "p1"}
			if index == "glo" {
				request["KeyConditionExpression"] = "g = :p"
				values[":p"] = map[string]any{"S": "g1"}
			}
			request["ScanIndexForward"] = rapid.Bool().Draw(t, "forward")
		} else if total := rapid.IntRange(0, 5).Draw(t, "segments"); total > 0 {
			request["TotalSegments"], request["Segment"] = total, rapid.IntRange(0, total-1).Draw(t, "segment")
		}
		if rapid.Bool().Draw(t, "filter") && (operation == "Scan" || index != "") {
			request["FilterExpression"] = "sk < :s"
			values[":s"] = map[string]any{"S": "30"}
		}
		if len(values) > 0 {
			request["ExpressionAttributeValues"] = values
		}
		whole, _ := client.pages(operation, maps.Clone(request))
		request["Limit"] = rapid.IntRange(1, 25).Draw(t, "limit")
		paged, _ := client.pages(operation, request)
		require.Equal(t, whole, paged)
	})
}

func TestSegmentsCoverTheTableOnce(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", createPaged)
	var want []string
	for i := range 200 {
		want = append(want, fmt.Sprintf("%03d", i))
		client.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"p%d"},"sk":{"S":"%03d"},"g":{"S":"g%d"},"l":{"N":"0"}}}`, i/4, i, i/2))
	}
	for _, index := range []string{"", "glo"} {
		for _, total := range []int{1, 2, 3, 7} {
			var all []string
			for segment := range total {
				request := map[string]any{"TableName": "tab", "Segment": segment, "TotalSegments": total, "ProjectionExpression": "sk", "Limit": 9}
				if index != "" {
					request["IndexName"] = index
				}
				keys, _ := client.pages("Scan", request)
				all = append(all, keys...)
			}
			slices.Sort(all)
			require.Equal(t, want, all, "%d segments of %q", total, index)
		}
	}
	client.must("Scan", `{"TableName":"tab","Segment":999999,"TotalSegments":1000000}`)
}

// A position need not be an item: reading goes on behind it.
func TestStartKeyOfADeletedItem(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", createPaged)
	for i := range 6 {
		client.putSized(fmt.Sprintf("%03d", i), 100)
	}
	client.must("DeleteItem", `{"TableName":"tab","Key":{"pk":{"S":"p"},"sk":{"S":"002"}}}`)
	for _, index := range []string{"", "loc"} {
		request := map[string]any{"TableName": "tab", "ProjectionExpression": "sk",
			"ExclusiveStartKey": map[string]any{"pk": map[string]any{"S": "p"}, "sk": map[string]any{"S": "002"}}}
		if index != "" {
			request["IndexName"] = index
			request["ExclusiveStartKey"].(map[string]any)["l"] = map[string]any{"N": "1"}
		}
		keys, _ := client.pages("Scan", request)
		require.Equal(t, []string{"003", "004", "005"}, keys, index)
	}
}

// The API Reference's example: of 100 items of 300 KB one response takes 52.
func TestBatchGetItemStopsAtSixteenMegabytes(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", createPaged)
	var keys []string
	for i := range 100 {
		client.putSized(fmt.Sprintf("%03d", i), 300<<10)
		keys = append(keys, fmt.Sprintf(`{"pk":{"S":"p"},"sk":{"S":"%03d"}}`, i))
	}
	request := `{"tab":{"Keys":[` + strings.Join(keys, ",") + `],"ConsistentRead":true,"ProjectionExpression":"#s","ExpressionAttributeNames":{"#s":"sk"}}}`
	answer := client.must("BatchGetItem", `{"RequestItems":`+request+`,"ReturnConsumedCapacity":"TOTAL"}`)
	require.Len(t, answer["Responses"].(map[string]any)["tab"], 52)
	require.Equal(t, 52*75.0, answer["ConsumedCapacity"].([]any)[0].(map[string]any)["CapacityUnits"], "what was not read is not charged")

	rest, err := json.Marshal(answer["UnprocessedKeys"])
	require.NoError(t, err)
	require.JSONEq(t, strings.Replace(request, strings.Join(keys[:52], ",")+",", "", 1), string(rest))
	answer = client.must("BatchGetItem", `{"RequestItems":`+string(rest)+`}`)
	require.Len(t, answer["Responses"].(map[string]any)["tab"], 48)
	require.Empty(t, answer["UnprocessedKeys"])
}

// A table behind the one that filled the response is unprocessed as a whole.
func TestBatchGetItemLeavesTablesOut(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", createPaged)
	client.must("CreateTable", strings.Replace(createPaged, `"tab"`, `"other"`, 1))
	var keys []string
	for i := range 50 {
		client.putSized(fmt.Sprintf("%03d", i), 400<<10)
		keys = append(keys, fmt.Sprintf(`{"pk":{"S":"p"},"sk":{"S":"%03d"}}`, i))
	}
	answer := client.must("BatchGetItem", `{"RequestItems":{"tab":{"Keys":[`+strings.Join(keys, ",")+`]},"other":{"Keys":[{"pk":{"S":"a"},"sk":{"S":"a"}}]}}}`)
	require.Len(t, answer["Responses"].(map[string]any)["tab"], 39)
	unprocessed := answer["UnprocessedKeys"].(map[string]any)
	require.Len(t, unprocessed["tab"].(map[string]any)["Keys"], 11)
	require.Len(t, unprocessed["other"].(map[string]any)["Keys"], 1)
}

func TestCollectionSize(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", createPaged)
	client.putSized("1", 100)
	client.putSized("2", 2000)
	client.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"p"},"sk":{"S":"3"}}}`)  // not in the index
	client.must("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"p1"},"sk":{"S":"3"}}}`) // not in the collection
	c := newCall(t.Context(), client.server)
	c.ns = partition.Namespace{Account: "test", Region: "us-east-1"}
	table, err := c.table("tab")
	require.NoError(t, err)
	var key item.Builder
	key.Set("pk", item.String("p"))
	size, err := c.collectionSize(table, key.Item())
	require.NoError(t, err)
	entry := len("pkp") + len("sk1") + len("l") + 2 // as KEYS_ONLY holds it
	require.Equal(t, 100+2000+len("pkpsk3")+2*entry, size)
	gigabytes, err := c.collectionGB(table, key.Item())
	require.NoError(t, err)
	require.Zero(t, gigabytes)
}
