package partition

import (
	"context"
	"encoding/binary"
)

func trimKey(table, stream uint32) []byte {
	k := binary.BigEndian.AppendUint32([]byte{kindTrim}, table)
	return binary.BigEndian.AppendUint32(k, stream)
}

// trimStreamCommand removes the records at the given keys and notes how far the
// stream is trimmed.
type trimStreamCommand struct {
	table, stream uint32
	keys          [][]byte
	start         StreamPos
}

func (c *trimStreamCommand) apply(a *application) error {
	for _, key := range c.keys {
		a.delete(key)
	}
	value := binary.BigEndian.AppendUint64(nil, c.start.Seq)
	a.set(trimKey(c.table, c.stream), binary.BigEndian.AppendUint16(value, c.start.Sub))
	return nil
}

// trimStreams removes records older than the retention, and streams that were
// closed so long ago.
func (db *DB) trimStreams(ctx context.Context) error {
	limit := db.Now().Add(-StreamRetention)
	db.catalog.RLock()
	streams := make([]*Stream, 0, len(db.catalog.streams))
	for _, s := range db.catalog.streams {
		streams = append(streams, s)
	}
	db.catalog.RUnlock()
	for _, s := range streams {
		if !s.Closed.IsZero() && s.Closed.Before(limit) {
			if !db.LeadsCatalog() {
				continue
			}
			if err := db.dropStream(s); err != nil {
				return err
			}
			continue
		}
		if !s.Created.Before(limit) {
			continue
		}
		for shard := range db.logs {
			if !db.acts(shard) {
				continue
			}
			// What was trimmed before is not looked at again, nor its tombstones.
			start, err := db.StreamStart(ctx, s, shard)
			if err != nil {
				return err
			}
			for more := true; more; {
				if err := ctx.Err(); err != nil {
					return err
				}
				c := trimStreamCommand{table: s.TableID, stream: s.ID}
				err := db.ReadStream(ctx, s, shard, start, func(r *StreamRecord) (bool, error) {
					if !r.Time.Before(limit) || len(c.keys) == purgeStep {
						return false, nil
					}
					c.keys = append(c.keys, streamKey(s.TableID, s.ID, r.Pos))
					c.start = StreamPos{r.Pos.Seq, r.Pos.Sub + 1}
					return true, nil
				})
				if err != nil {
					return err
				}
				if more = len(c.keys) == purgeStep; len(c.keys) > 0 {
					if err := db.logs[shard].propose(ctx, &c, true); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// dropStream forgets a stream and what is left of it.
func (db *DB) dropStream(s *Stream) error {
	if err := db.purge(streamPrefix(s.TableID, s.ID)); err != nil {
		return err
	}
	if err := db.purge(trimKey(s.TableID, s.ID)); err != nil {
		return err
	}
	return db.catalogLog.propose(db.jobs.ctx, &recordsCommand{[]mutation{{key: catalogStreamKey(s.TableID, s.ID)}}}, true)
}
