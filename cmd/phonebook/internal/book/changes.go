package book

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Limits of the recent changes.
const (
	// changesKept is how many entries are remembered.
	changesKept = 200
	// shardsRefresh is how often the stream is asked for new shards, and how long
	// iterators are used; those of the service live 15 minutes.
	shardsRefresh = time.Minute
	// recordsPage is the most that GetRecords returns.
	recordsPage = 1000
)

// Changes reads the table's stream. It remembers the last changes of contacts and where
// it stopped; nothing happens between calls. A new one begins with the oldest record
// that the stream has, which is at most 24 hours old.
type Changes struct {
	client *dynamodbstreams.Client
	arn    string

	// mu is held while the stream is read: who comes second finds the work done.
	mu      sync.Mutex
	listed  time.Time
	shards  map[string]*shardReader
	history []Change // oldest first
}

// shardReader is the place in one shard.
type shardReader struct {
	iterator *string // nil: fetch one
	last     string  // sequence number of the last record read; empty before the first
	done     bool    // the shard is closed and read to its end
}

func newChanges(client *dynamodbstreams.Client, arn string) *Changes {
	return &Changes{client: client, arn: arn, shards: map[string]*shardReader{}}
}

// Recent returns the last changes, the newest first. It reads the stream until it has
// caught up or the time for it is over; behind says that there is more to read.
func (c *Changes) Recent(ctx context.Context, budget time.Duration) (changes []Change, behind bool, err error) {
	if c.arn == "" {
		return nil, false, errors.New("the table has no stream")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := time.Now().Add(budget)
	if time.Since(c.listed) > shardsRefresh {
		if err := c.listShards(ctx); err != nil {
			return nil, false, err
		}
	}
	for behind = true; behind && time.Now().Before(deadline); {
		if behind, err = c.readAll(ctx); err != nil {
			return nil, false, err
		}
	}
	newest := slices.Clone(c.history)
	slices.Reverse(newest)
	return newest, behind, nil
}

// listShards learns of new shards and forgets those that are gone.
func (c *Changes) listShards(ctx context.Context) error {
	present := map[string]*shardReader{}
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &c.arn}
	for {
		out, err := c.client.DescribeStream(ctx, in)
		if err != nil {
			return err
		}
		for _, shard := range out.StreamDescription.Shards {
			id := aws.ToString(shard.ShardId)
			reader := c.shards[id]
			if reader == nil {
				reader = &shardReader{}
			}
			reader.iterator = nil
			present[id] = reader
		}
		in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
		if in.ExclusiveStartShardId == nil {
			c.shards, c.listed = present, time.Now()
			return nil
		}
	}
}

// readAll reads a page from every shard and reports whether one of them had records.
func (c *Changes) readAll(ctx context.Context) (more bool, err error) {
	for id, reader := range c.shards {
		if reader.done {
			continue
		}
		n, err := c.readShard(ctx, id, reader)
		if err != nil {
			return false, err
		}
		more = more || n > 0
	}
	slices.SortStableFunc(c.history, func(a, b Change) int { return int(a.Time - b.Time) })
	c.history = slices.Clone(c.history[max(0, len(c.history)-changesKept):])
	return more, nil
}

func (c *Changes) readShard(ctx context.Context, id string, reader *shardReader) (int, error) {
	if reader.iterator == nil {
		if err := c.openShard(ctx, id, reader); err != nil {
			return 0, err
		}
	}
	out, err := c.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{
		ShardIterator: reader.iterator, Limit: aws.Int32(recordsPage),
	})
	var expired *types.ExpiredIteratorException
	var trimmed *types.TrimmedDataAccessException
	switch {
	case errors.As(err, &expired):
		reader.iterator = nil
		return 0, nil
	case errors.As(err, &trimmed): // nobody asked for a day
		reader.iterator, reader.last = nil, ""
		return 0, nil
	case err != nil:
		return 0, err
	}
	for _, record := range out.Records {
		change, about, err := changeOf(record)
		if err != nil {
			return 0, err
		}
		if about {
			c.add(change)
		}
		reader.last = aws.ToString(record.Dynamodb.SequenceNumber)
	}
	reader.iterator = out.NextShardIterator
	reader.done = out.NextShardIterator == nil
	return len(out.Records), nil
}

func (c *Changes) openShard(ctx context.Context, id string, reader *shardReader) error {
	in := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &c.arn, ShardId: &id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	if reader.last != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &reader.last
	}
	out, err := c.client.GetShardIterator(ctx, in)
	var trimmed *types.TrimmedDataAccessException
	if errors.As(err, &trimmed) {
		reader.last = ""
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeTrimHorizon, nil
		out, err = c.client.GetShardIterator(ctx, in)
	}
	if err != nil {
		return err
	}
	reader.iterator = out.ShardIterator
	return nil
}

// add appends a change. All additions of one import are one entry.
func (c *Changes) add(change Change) {
	if change.Kind == ChangeImported {
		for i := len(c.history) - 1; i >= 0; i-- {
			if e := &c.history[i]; e.Kind == ChangeImported && e.Import == change.Import {
				e.Count++
				e.Time = max(e.Time, change.Time)
				return
			}
		}
	}
	c.history = append(c.history, change)
	// Between two trims the history is at most twice as long as it should be.
	if len(c.history) > 2*changesKept {
		c.history = slices.Clone(c.history[len(c.history)-changesKept:])
	}
}
