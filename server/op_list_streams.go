package server

import (
	"cmp"
	"slices"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
)

// maxStreamsListed is the largest and the default page of ListStreams, and of the
// shards of DescribeStream.
const maxStreamsListed = 100

// serveListStreams serves ListStreams: streams by table name and label, also
// disabled ones and those of deleted tables as long as they can be read.
func serveListStreams(c *call) error {
	var in api.ListStreamsInput
	if err := c.decode(&in); err != nil {
		return err
	}
	streams := c.s.db.Streams(c.ns)
	if in.TableName.Present {
		streams = slices.DeleteFunc(streams, func(s *partition.Stream) bool { return s.Table != in.TableName.Value })
	}
	if start := in.ExclusiveStartStreamArn; start.Present {
		_, table, label, ok := parseStreamARN(start.Value)
		if !ok {
			return validationText("Invalid StreamArn")
		}
		streams = slices.DeleteFunc(streams, func(s *partition.Stream) bool {
			return cmp.Or(cmp.Compare(s.Table, table), cmp.Compare(s.Label, label)) <= 0
		})
	}
	limit := min(int(in.Limit.Or(maxStreamsListed)), maxStreamsListed)
	out := api.ListStreamsOutput{Streams: []api.Stream{}}
	for i, s := range streams {
		if i == limit {
			out.LastEvaluatedStreamArn = out.Streams[limit-1].StreamArn
			break
		}
		out.Streams = append(out.Streams, api.Stream{StreamArn: c.streamARN(s.Table, s.Label), TableName: s.Table, StreamLabel: s.Label})
	}
	return c.reply(&out)
}
