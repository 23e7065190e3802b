package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A followedStream reads a stream as an application does: shard by shard, page by
// page, from where it stopped.
type followedStream struct {
	client    *testClient
	arn       string
	iterators map[string]string // by shard; "" at the end of a closed one
}

func followStream(client *testClient, arn string) *followedStream {
	f := &followedStream{client, arn, map[string]string{}}
	d := client.must("DescribeStream", `{"StreamArn":"`+arn+`"}`)["StreamDescription"].(map[string]any)
	for _, shard := range d["Shards"].([]any) {
		id := shard.(map[string]any)["ShardId"].(string)
		answer := client.must("GetShardIterator", `{"StreamArn":"`+arn+`","ShardId":"`+id+`","ShardIteratorType":"TRIM_HORIZON"}`)
		f.iterators[id] = answer["ShardIterator"].(string)
	}
	return f
}

// streamedChange is a record, its images as JSON ("" for none).
type streamedChange struct {
	EventID   string `json:"eventID"`
	EventName string `json:"eventName"`
	Change    struct {
		Keys     map[string]map[string]string
		OldImage jsonText
		NewImage jsonText
	} `json:"dynamodb"`
}

type jsonText string

func (t *jsonText) UnmarshalJSON(b []byte) error { *t = jsonText(b); return nil }

// read returns what is new, at most limit records a page.
func (f *followedStream) read(limit int) (changes []streamedChange) {
	for shard, iterator := range f.iterators {
		for iterator != "" {
			_, body := f.client.send("GetRecords", fmt.Sprintf(`{"ShardIterator":"%s","Limit":%d}`, iterator, limit))
			var page struct {
				Records           []streamedChange
				NextShardIterator string
			}
			require.NoError(f.client.t, json.Unmarshal([]byte(body), &page), body)
			changes = append(changes, page.Records...)
			iterator = page.NextShardIterator
			if f.iterators[shard] = iterator; len(page.Records) == 0 {
				break
			}
		}
	}
	return changes
}

// A streamReplay rebuilds a table from its stream. Every record must fit what the
// records before it have left.
type streamReplay struct {
	items map[string]jsonText
	seen  map[string]bool
}

func (r *streamReplay) apply(t require.TestingT, changes []streamedChange) {
	for _, c := range changes {
		require.False(t, r.seen[c.EventID], "a record comes once")
		r.seen[c.EventID] = true
		key := c.Change.Keys["pk"]["S"]
		before, existed := r.items[key]
		require.Equal(t, before, c.Change.OldImage, "item %s before %s", key, c.EventName)
		require.NotEqual(t, before, c.Change.NewImage, "every record is of a change")
		want := "MODIFY"
		switch {
		case !existed:
			want = "INSERT"
		case c.Change.NewImage == "":
			want = "REMOVE"
		}
		require.Equal(t, want, c.EventName)
		if c.Change.NewImage == "" {
			delete(r.items, key)
		} else {
			r.items[key] = c.Change.NewImage
		}
	}
}

// TestStreamIsTheHistory writes in every way there is, one thing after the other,
// and reads the stream in between. What the stream tells makes up the table.
func TestStreamIsTheHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, err := Open(Options{InMemory: true, Shards: rapid.IntRange(1, 4).Draw(rt, "shards")})
		require.NoError(rt, err)
		defer func() { require.NoError(rt, s.Close()) }()
		client := &testClient{t, s}
		stream := followStream(client, createStreamed(client))
		replay := streamReplay{map[string]jsonText{}, map[string]bool{}}
		keys := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		values := rapid.IntRange(0, 2)
		put := func() string {
			return fmt.Sprintf(`{"TableName":"users","Item":{"pk":{"S":"%s"},"v":{"N":"%d"}}}`, keys.Draw(rt, "key"), values.Draw(rt, "value"))
		}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			// Conditions that fail and repeated items are refused: nothing changes.
			switch rapid.IntRange(0, 6).Draw(rt, "step") {
			case 0:
				client.send("PutItem", put())
			case 1:
				client.send("UpdateItem", fmt.Sprintf(`{"TableName":"users","Key":{"pk":{"S":"%s"}},"UpdateExpression":"SET v = :v","ConditionExpression":"attribute_not_exists(v) OR v < :v","ExpressionAttributeValues":{":v":{"N":"%d"}}}`,
					keys.Draw(rt, "key"), values.Draw(rt, "value")))
			case 2:
				client.send("DeleteItem", fmt.Sprintf(`{"TableName":"users","Key":{"pk":{"S":"%s"}}}`, keys.Draw(rt, "key")))
			case 3:
				client.send("TransactWriteItems", fmt.Sprintf(`{"TransactItems":[{"Put":%s},{"Put":%s},{"Delete":{"TableName":"users","Key":{"pk":{"S":"%s"}}}}]}`,
					put(), put(), keys.Draw(rt, "key")))
			case 4:
				client.send("TransactWriteItems", fmt.Sprintf(`{"TransactItems":[{"Put":%s},{"ConditionCheck":{"TableName":"users","Key":{"pk":{"S":"%s"}},"ConditionExpression":"attribute_exists(pk)"}}]}`,
					put(), keys.Draw(rt, "key")))
			case 5:
				client.send("BatchWriteItem", fmt.Sprintf(`{"RequestItems":{"users":[{"PutRequest":{"Item":{"pk":{"S":"%s"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"%s"}}}}]}}`,
					keys.Draw(rt, "key"), keys.Draw(rt, "key")))
			case 6:
				replay.apply(rt, stream.read(rapid.IntRange(1, 3).Draw(rt, "limit")))
			}
		}
		client.must("UpdateTable", `{"TableName":"users","StreamSpecification":{"StreamEnabled":false}}`)
		client.send("PutItem", `{"TableName":"users","Item":{"pk":{"S":"afterwards"}}}`)
		replay.apply(rt, stream.read(2))
		for shard, iterator := range stream.iterators {
			require.Empty(rt, iterator, "shard %s has ended", shard)
		}
		client.send("DeleteItem", `{"TableName":"users","Key":{"pk":{"S":"afterwards"}}}`)
		require.Equal(rt, scanUsers(client), replay.items)
	})
}

// TestStreamUnderConcurrentWrites follows a stream while several clients write the
// same items, in transactions over several shards too.
func TestStreamUnderConcurrentWrites(t *testing.T) {
	s, err := Open(Options{InMemory: true, Shards: 4})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	client := &testClient{t, s}
	stream := followStream(client, createStreamed(client))
	replay := streamReplay{map[string]jsonText{}, map[string]bool{}}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 100 {
				a, b := (w+i)%5, (w+3*i)%7
				update := func(key int) string {
					return fmt.Sprintf(`{"TableName":"users","Key":{"pk":{"S":"%d"}},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}`, key)
				}
				var code int
				var body string
				switch {
				case i%10 == 9:
					code, body = client.send("DeleteItem", fmt.Sprintf(`{"TableName":"users","Key":{"pk":{"S":"%d"}}}`, a))
				case a != b:
					code, body = client.send("TransactWriteItems", `{"TransactItems":[{"Update":`+update(a)+`},{"Update":`+update(b)+`}]}`)
				default:
					code, body = client.send("UpdateItem", update(a))
				}
				assert.True(t, code == http.StatusOK || strings.Contains(body, "TransactionConflict"), body)
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		replay.apply(t, stream.read(10))
	}
	require.Equal(t, scanUsers(client), replay.items)
}

// createStreamed creates the table users with a stream of both images.
func createStreamed(client *testClient) (arn string) {
	d := client.must("CreateTable", strings.Replace(createUsers, `{`, `{"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},`, 1))
	return d["TableDescription"].(map[string]any)["LatestStreamArn"].(string)
}

// scanUsers returns the items of the table users by key, as JSON.
func scanUsers(client *testClient) map[string]jsonText {
	_, body := client.send("Scan", `{"TableName":"users"}`)
	var page struct{ Items []jsonText }
	require.NoError(client.t, json.Unmarshal([]byte(body), &page), body)
	items := map[string]jsonText{}
	for _, it := range page.Items {
		var key struct {
			PK struct{ S string } `json:"pk"`
		}
		require.NoError(client.t, json.Unmarshal([]byte(it), &key))
		items[key.PK.S] = it
	}
	return items
}
