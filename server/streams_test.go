package server

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
)

// TestStreams runs the scripts in testdata/streams: streams, times to live, and the
// clock that both go by. They are written like those of TestItems, each against a
// server of one shard; those named local_* against one with DynamoDB Local's
// manners. Of an operation followed by "done", only the success is shown, and
// "advance d" moves the clock.
//
// Sequence numbers and iterators are called SEQ1, SEQ2, ... and ITERATOR1, ... as
// they appear, and can be used in requests under these names.
func TestStreams(t *testing.T) {
	datadriven.Walk(t, "testdata/streams", func(t *testing.T, path string) {
		client := newTimedClient(t, Options{Shards: 1, Local: strings.Contains(path, "/local_")})
		numbers := aliases{name: "SEQ", form: regexp.MustCompile(`\b\d{21}\b`)}
		iterators := aliases{name: "ITERATOR", form: regexp.MustCompile(`arn:[^"|]*\|1\|[A-Za-z0-9+/]+=*`)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "table":
				return client.script("CreateTable", tableRequest(t, d), "created")
			case "advance":
				client.advance(d.CmdArgs[0].Key)
				return ""
			}
			done := ""
			if d.HasArg("done") {
				done = "done"
			}
			request := iterators.expand(numbers.expand(expandRuns(d.Input)))
			answer := client.script(d.Cmd, request, done)
			answer = eventIDs.ReplaceAllString(answer, `"eventID":"ID"`)
			return strings.ReplaceAll(numbers.replace(iterators.replace(answer)), `},{"eventID`, "},\n{\"eventID")
		})
	})
}

var eventIDs = regexp.MustCompile(`"eventID":"[0-9a-f]{32}"`)

// aliases are short names for what looks different in every run.
type aliases struct {
	name string
	form *regexp.Regexp
	list []string
}

// replace puts names into an answer.
func (a *aliases) replace(s string) string {
	return a.form.ReplaceAllStringFunc(s, func(match string) string {
		for i, known := range a.list {
			if known == match {
				return a.name + strconv.Itoa(i+1)
			}
		}
		a.list = append(a.list, match)
		return a.name + strconv.Itoa(len(a.list))
	})
}

// expand is the inverse.
func (a *aliases) expand(s string) string {
	for i := len(a.list); i > 0; i-- {
		s = strings.ReplaceAll(s, a.name+strconv.Itoa(i), a.list[i-1])
	}
	return s
}

func TestSequenceNumbers(t *testing.T) {
	for text, pos := range map[string]partition.StreamPos{
		"100000000000000000000":     {},
		"100000000000000165535":     {Seq: 1, Sub: 65535},
		"100000000000000200000":     {Seq: 2},
		"1000000000000000000007":    {Seq: 9_000_000_000_000_000, Sub: 7},
		"1844674407370955161500001": {Seq: 18_445_744_073_709_551_615, Sub: 1},
	} {
		got, ok := parseSequenceNumber(text)
		require.True(t, ok, text)
		require.Equal(t, pos, got)
		require.Equal(t, text, sequenceNumber(pos))
	}
	for _, text := range []string{"", "1", "00001", "000000000000000000001", "099999999999999999999", "10000000000000000000x", "-10000000000000000000", "100000000000000165536", strings.Repeat("9", 40)} {
		_, ok := parseSequenceNumber(text)
		require.False(t, ok, text)
	}
}

// TestIterators takes an iterator that was handed out, and what is left of it when
// something is changed.
func TestIterators(t *testing.T) {
	c := &call{s: openTest(t, Options{}), ns: partition.Namespace{Account: "a", Region: "r"}}
	it := shardIterator{stream: "arn:aws:dynamodb:r:111122223333:table/t/stream/l", shard: 3, pos: partition.StreamPos{Seq: 7, Sub: 9}, issued: c.s.db.Now().Truncate(1e6)}
	text := c.iterator(it)
	require.Less(t, len(text), 2048)
	got, err := c.parseIterator(text)
	require.NoError(t, err)
	require.Equal(t, it, got)
	for i := range len(text) {
		changed := []byte(text)
		changed[i] ^= 1
		_, err := c.parseIterator(string(changed))
		require.EqualError(t, err, validatePrefix+"ValidationException: Invalid ShardIterator", string(changed))
		_, err = c.parseIterator(text[:i])
		require.Error(t, err)
	}
	c.ns.Account = "b"
	_, err = c.parseIterator(text)
	require.EqualError(t, err, validatePrefix+"ValidationException: Invalid ShardIterator", "it is another caller's")
}

func FuzzIterator(f *testing.F) {
	f.Add("")
	f.Add("arn:aws:dynamodb:us-east-1:111122223333:table/t/stream/l|1|AAAA")
	c := &call{s: openTest(f, Options{})}
	f.Add(c.iterator(shardIterator{stream: "arn:aws:dynamodb:us-east-1:111122223333:table/t/stream/l", issued: c.s.db.Now()}))
	f.Fuzz(func(t *testing.T, text string) {
		it, err := c.parseIterator(text)
		if err == nil && c.iterator(it) != text {
			t.Errorf("%q is accepted and not what is handed out", text)
		}
		if pos, ok := parseSequenceNumber(text); ok && sequenceNumber(pos) != text {
			t.Errorf("%q is accepted and no sequence number", text)
		}
	})
}

// TestStreamOfManyShards follows a stream over several shards, page by page, and
// finds every change once, those of one item in order.
func TestStreamOfManyShards(t *testing.T) {
	client := newTimedClient(t, Options{Shards: 4})
	description := client.must("CreateTable", strings.Replace(createUsers, `{`, `{"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"},`, 1))
	arn := description["TableDescription"].(map[string]any)["LatestStreamArn"].(string)
	const items, versions = 10, 3
	for v := range versions {
		for i := range items {
			client.must("PutItem", fmt.Sprintf(`{"TableName":"users","Item":{"pk":{"S":"%d"},"v":{"N":"%d"}}}`, i, v))
		}
	}

	var shards []string
	for start := ""; ; {
		d := client.must("DescribeStream", `{"StreamArn":"`+arn+`","Limit":3`+start+`}`)["StreamDescription"].(map[string]any)
		for _, shard := range d["Shards"].([]any) {
			shards = append(shards, shard.(map[string]any)["ShardId"].(string))
		}
		last, more := d["LastEvaluatedShardId"]
		if !more {
			break
		}
		require.Len(t, shards, 3)
		start = fmt.Sprintf(`,"ExclusiveStartShardId":"%s"`, last)
	}
	require.Len(t, shards, 4)

	seen := map[string]int{}
	ids := map[any]bool{}
	for _, shard := range shards {
		require.Regexp(t, `^shardId-\d{20}-[0-9a-f]{8}$`, shard)
		children := client.must("DescribeStream", `{"StreamArn":"`+arn+`","ShardFilter":{"Type":"CHILD_SHARDS","ShardId":"`+shard+`"}}`)
		require.Empty(t, children["StreamDescription"].(map[string]any)["Shards"])
		iterator := client.must("GetShardIterator", `{"StreamArn":"`+arn+`","ShardId":"`+shard+`","ShardIteratorType":"TRIM_HORIZON"}`)["ShardIterator"]
		last := ""
		for {
			page := client.must("GetRecords", fmt.Sprintf(`{"ShardIterator":"%s","Limit":4}`, iterator))
			records := page["Records"].([]any)
			for _, r := range records {
				record := r.(map[string]any)
				body := record["dynamodb"].(map[string]any)
				image := body["NewImage"].(map[string]any)
				key := image["pk"].(map[string]any)["S"].(string)
				require.Equal(t, strconv.Itoa(seen[key]), image["v"].(map[string]any)["N"], "of item %s", key)
				seen[key]++
				require.False(t, ids[record["eventID"]], "event ids are unique")
				ids[record["eventID"]] = true
				require.Greater(t, body["SequenceNumber"], last)
				last = body["SequenceNumber"].(string)
			}
			iterator = page["NextShardIterator"]
			require.NotEmpty(t, iterator, "an open shard goes on")
			if len(records) == 0 {
				break
			}
		}
	}
	require.Len(t, seen, items)
	for key, n := range seen {
		require.Equal(t, versions, n, key)
	}
}

// TestRecordsEndAtOneMegabyte reads large records: at most 1 MB at a time, and one
// at least.
func TestRecordsEndAtOneMegabyte(t *testing.T) {
	client := newTimedClient(t, Options{Shards: 1})
	description := client.must("CreateTable", strings.Replace(createUsers, `{`, `{"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},`, 1))
	arn := description["TableDescription"].(map[string]any)["LatestStreamArn"].(string)
	for i := range 5 { // a record of 100 KB, then of 200 and 400 KB with both images
		client.must("PutItem", fmt.Sprintf(`{"TableName":"users","Item":{"pk":{"S":"k"},"v":{"S":"%s"},"n":{"N":"%d"}}}`, strings.Repeat("x", min(100_000<<i, 400_000)), i))
	}
	shard := client.must("DescribeStream", `{"StreamArn":"`+arn+`"}`)["StreamDescription"].(map[string]any)["Shards"].([]any)[0].(map[string]any)["ShardId"].(string)
	iterator := client.must("GetShardIterator", `{"StreamArn":"`+arn+`","ShardId":"`+shard+`","ShardIteratorType":"TRIM_HORIZON"}`)["ShardIterator"]
	var pages []int
	for {
		page := client.must("GetRecords", fmt.Sprintf(`{"ShardIterator":"%s"}`, iterator))
		n := len(page["Records"].([]any))
		if n == 0 {
			break
		}
		pages = append(pages, n)
		iterator = page["NextShardIterator"]
	}
	require.Equal(t, []int{3, 1, 1}, pages, "100+300+600 KB, 800 KB, 800 KB")
}
