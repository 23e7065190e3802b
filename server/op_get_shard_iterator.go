package server

import (
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// The values of the API shape ShardIteratorType.
const (
	iterateTrimHorizon   = "TRIM_HORIZON"
	iterateLatest        = "LATEST"
	iterateAtSequence    = "AT_SEQUENCE_NUMBER"
	iterateAfterSequence = "AFTER_SEQUENCE_NUMBER"
)

// serveGetShardIterator serves GetShardIterator.
func serveGetShardIterator(c *call) error {
	var in api.GetShardIteratorInput
	if err := c.decode(&in); err != nil {
		return err
	}
	s, err := c.stream(in.StreamArn.Value)
	if err != nil {
		return err
	}
	shard, err := c.findShard(s, in.ShardId.Value)
	if err != nil {
		return err
	}
	pos, err := c.iteratorStart(s, shard, &in)
	if err != nil {
		return err
	}
	text := c.iterator(shardIterator{stream: c.streamARN(s.Table, s.Label), shard: shard.Index, pos: pos, issued: c.s.db.Now()})
	return c.reply(&api.GetShardIteratorOutput{ShardIterator: text})
}

// iteratorStart is the position that a request asks for. A SequenceNumber must be
// one that the shard can have.
func (c *call) iteratorStart(s *partition.Stream, shard partition.StreamShard, in *api.GetShardIteratorInput) (partition.StreamPos, error) {
	none := partition.StreamPos{}
	fromSequence := in.ShardIteratorType.Value == iterateAtSequence || in.ShardIteratorType.Value == iterateAfterSequence
	if in.SequenceNumber.Present && !fromSequence {
		return none, validationText("The parameter 'SequenceNumber' cannot be used with ShardIteratorType " + in.ShardIteratorType.Value)
	}
	switch in.ShardIteratorType.Value {
	case iterateTrimHorizon:
		return c.s.db.StreamStart(c.ctx, s, shard.Index)
	case iterateLatest:
		return c.s.db.StreamEnd(c.ctx, s, shard.Index)
	}
	if !in.SequenceNumber.Present {
		return none, validationText("The parameter 'SequenceNumber' is required but was not present in the request")
	}
	pos, ok := parseSequenceNumber(in.SequenceNumber.Value)
	end, err := c.s.db.StreamEnd(c.ctx, s, shard.Index)
	if err != nil {
		return none, err
	}
	if !ok || pos.Less(shard.First) || end.Less(pos) {
		return none, validationText("Invalid SequenceNumber")
	}
	if in.ShardIteratorType.Value == iterateAfterSequence {
		pos = following(pos)
	}
	start, err := c.s.db.StreamStart(c.ctx, s, shard.Index)
	if err == nil && pos.Less(start) {
		err = trimmedData()
	}
	return pos, err
}
