package server

import (
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// serveDescribeStream serves DescribeStream. ShardFilter asks for the children of
// a shard; there are none.
func serveDescribeStream(c *call) error {
	var in api.DescribeStreamInput
	if err := c.decode(&in); err != nil {
		return err
	}
	s, err := c.stream(in.StreamArn.Value)
	if err != nil {
		return err
	}
	shards := c.s.db.StreamShards(s)
	if start := in.ExclusiveStartShardId; start.Present {
		if after, err := c.findShard(s, start.Value); err == nil {
			shards = shards[after.Index+1:]
		} else {
			shards = nil // nothing comes after a shard that does not exist
		}
	}
	if f := in.ShardFilter; f != nil {
		if !f.Type.Present {
			return validationText("Type is required in a ShardFilter")
		}
		if !f.ShardId.Present {
			return validationText("ShardId is required when ShardFilter Type is " + f.Type.Value)
		}
		if _, err := c.findShard(s, f.ShardId.Value); err != nil {
			return err
		}
		shards = nil
	}
	d := api.StreamDescription{
		StreamArn:               c.streamARN(s.Table, s.Label),
		StreamLabel:             s.Label,
		StreamStatus:            "ENABLED",
		StreamViewType:          s.ViewType,
		CreationRequestDateTime: api.Timestamp(s.Created),
		TableName:               s.Table,
		KeySchema:               describeKey(s.Key),
		Shards:                  []api.Shard{},
	}
	if !s.Closed.IsZero() {
		d.StreamStatus = "DISABLED"
	}
	limit := min(int(in.Limit.Or(maxStreamsListed)), maxStreamsListed)
	for i, shard := range shards {
		if i == limit {
			d.LastEvaluatedShardId = d.Shards[limit-1].ShardId
			break
		}
		d.Shards = append(d.Shards, describeShard(s, shard))
	}
	return c.reply(&api.DescribeStreamOutput{StreamDescription: &d})
}

func describeShard(s *partition.Stream, shard partition.StreamShard) api.Shard {
	r := api.SequenceNumberRange{StartingSequenceNumber: sequenceNumber(shard.First)}
	if shard.Closed {
		r.EndingSequenceNumber = sequenceNumber(shard.Last)
	}
	return api.Shard{ShardId: shardID(s, shard.Index), SequenceNumberRange: &r}
}
