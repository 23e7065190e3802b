package server

import (
	"time"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

const (
	// maxRecords is the largest and the default number of records of one answer,
	// maxRecordsSize how many bytes their keys and images have together (API
	// Reference, GetRecords).
	maxRecords     = 1000
	maxRecordsSize = 1 << 20
)

// serveGetRecords serves GetRecords. The answer goes on with an iterator until all
// of a closed shard was read.
func serveGetRecords(c *call) error {
	var in api.GetRecordsInput
	if err := c.decode(&in); err != nil {
		return err
	}
	it, err := c.parseIterator(in.ShardIterator.Value)
	if err != nil {
		return err
	}
	s, err := c.stream(it.stream)
	if err != nil {
		return err
	}
	start, err := c.s.db.StreamStart(c.ctx, s, it.shard)
	if err != nil {
		return err
	}
	if it.pos.Less(start) {
		return trimmedData()
	}

	out := api.GetRecordsOutput{Records: []api.Record{}}
	limit := min(int(in.Limit.Or(maxRecords)), maxRecords)
	ended := !s.Closed.IsZero() // nothing more is written to a closed stream
	size := 0
	err = c.s.db.ReadStream(c.ctx, s, it.shard, it.pos, func(r *partition.StreamRecord) (bool, error) {
		if size += streamRecordSize(r); len(out.Records) == limit || len(out.Records) > 0 && size > maxRecordsSize {
			ended = false
			return false, nil
		}
		out.Records = append(out.Records, c.streamRecord(s, &it, r))
		it.pos = following(r.Pos)
		return true, nil
	})
	if err != nil {
		return err
	}
	if !ended {
		it.issued = c.s.db.Now()
		out.NextShardIterator = c.iterator(it)
	}
	return c.reply(&out)
}

func streamRecordSize(r *partition.StreamRecord) int {
	return r.Keys.Size() + r.New.Size() + r.Old.Size()
}

// eventNames are the values of the API member eventName.
var eventNames = map[partition.StreamKind]string{
	partition.StreamInsert: "INSERT",
	partition.StreamModify: "MODIFY",
	partition.StreamRemove: "REMOVE",
}

// streamRecord is the API shape Record. The time in it has no fraction.
func (c *call) streamRecord(s *partition.Stream, it *shardIterator, r *partition.StreamRecord) api.Record {
	number := sequenceNumber(r.Pos)
	record := api.Record{
		EventID:      eventID(it.stream, shardID(s, it.shard), number),
		EventName:    eventNames[r.Kind],
		EventVersion: "1.1",
		EventSource:  "aws:dynamodb",
		AwsRegion:    c.arnRegion(),
		Dynamodb: &api.StreamRecord{
			ApproximateCreationDateTime: api.Timestamp(r.Time.Truncate(time.Second)),
			Keys:                        api.NewAttributeMap(r.Keys.Clone()),
			SequenceNumber:              number,
			SizeBytes:                   api.Some(int64(streamRecordSize(r))),
			StreamViewType:              s.ViewType,
		},
	}
	if r.New != nil {
		record.Dynamodb.NewImage = api.NewAttributeMap(r.New.Clone())
	}
	if r.Old != nil {
		record.Dynamodb.OldImage = api.NewAttributeMap(r.Old.Clone())
	}
	if r.Expired {
		record.UserIdentity = &api.Identity{PrincipalId: "dynamodb.amazonaws.com", Type: "Service"}
	}
	return record
}
