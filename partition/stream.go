package partition

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// Stream is the change log of one table, from when it was enabled until it was
// disabled or the table deleted (Developer Guide, "Change data capture for
// DynamoDB Streams"). Its records lie in the shards of the items they tell of:
//
//	's' table:4 stream:4 sequence:8 sub:2
//
// and are committed with the change itself.
type Stream struct {
	ID        uint32    `json:"id"` // unique in its table
	TableID   uint32    `json:"tableId"`
	Namespace Namespace `json:"namespace"`
	Table     string    `json:"table"`
	Label     string    `json:"label"`
	ViewType  string    `json:"viewType"`
	Key       KeySchema `json:"key"`
	Created   time.Time `json:"created"`
	Closed    time.Time `json:"closed,omitzero"` // zero while open
	// Starts and Ends are, by shard, the sequence the stream began after and,
	// once closed, the sequence it ended with.
	Starts []uint64 `json:"starts"`
	Ends   []uint64 `json:"ends,omitempty"`
}

// ErrStreamNotFound says that there is no such stream, or that all of it was trimmed.
var ErrStreamNotFound = errors.New("stream not found")

// StreamRetention is how long records are kept.
const StreamRetention = 24 * time.Hour

// StreamPos is a position in one shard of a stream. Positions of records grow
// in the order of the changes.
type StreamPos struct {
	Seq uint64 // sequence of the command that changed the item
	Sub uint16 // which of that command's records
}

// Less orders positions.
func (p StreamPos) Less(o StreamPos) bool {
	return p.Seq < o.Seq || p.Seq == o.Seq && p.Sub < o.Sub
}

// StreamShard is the part of a stream that lies in one shard.
type StreamShard struct {
	Index  int
	First  StreamPos // the first position a record of the stream could have
	Last   StreamPos // of a closed stream: the last one
	Closed bool
}

// StreamKind is what happened to an item.
type StreamKind uint8

// The event names of the API shape Record.
const (
	StreamInsert StreamKind = iota + 1
	StreamModify
	StreamRemove
)

// StreamRecord tells of one change of one item. Old and New are there as far as
// the stream's view type includes them and the item existed.
type StreamRecord struct {
	Pos            StreamPos
	Time           time.Time // to the millisecond
	Kind           StreamKind
	Keys, Old, New item.Item
	Expired        bool // deleted by time to live
}

// Streams lists the streams of a namespace, closed ones included until they are
// trimmed, by table name and then label.
func (db *DB) Streams(ns Namespace) []*Stream {
	db.catalog.RLock()
	defer db.catalog.RUnlock()
	var all []*Stream
	for _, s := range db.catalog.streams {
		if s.Namespace == ns {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *Stream) int {
		return strings.Compare(a.Table+"\x00"+a.Label, b.Table+"\x00"+b.Label)
	})
	return all
}

// Stream finds a stream by table name and label, or returns ErrStreamNotFound.
func (db *DB) Stream(ns Namespace, table, label string) (*Stream, error) {
	db.catalog.RLock()
	defer db.catalog.RUnlock()
	for _, s := range db.catalog.streams {
		if s.Namespace == ns && s.Table == table && s.Label == label {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%w: %s/%s", ErrStreamNotFound, table, label)
}

// StreamShards lists the parts of a stream, one for each shard.
func (db *DB) StreamShards(s *Stream) []StreamShard {
	parts := make([]StreamShard, len(db.logs))
	for i := range parts {
		parts[i] = StreamShard{Index: i, First: StreamPos{Seq: s.Starts[i] + 1}}
		if s.Ends != nil {
			parts[i].Last, parts[i].Closed = StreamPos{Seq: s.Ends[i], Sub: math.MaxUint16}, true
		}
	}
	return parts
}

// StreamEnd is the position behind everything written so far.
func (db *DB) StreamEnd(ctx context.Context, s *Stream, shard int) (StreamPos, error) {
	if s.Ends != nil {
		return StreamPos{Seq: s.Ends[shard] + 1}, nil
	}
	seq, err := db.applied(ctx, shard)
	return StreamPos{Seq: seq + 1}, err
}

// appliedEverywhere lists, by shard, the sequence it has reached.
func (db *DB) appliedEverywhere() ([]uint64, error) {
	all := make([]uint64, len(db.logs))
	for shard := range all {
		var err error
		if all[shard], err = db.applied(db.jobs.ctx, shard); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// StreamStart is the oldest position that is kept: what lies before it was
// trimmed, or was never there.
func (db *DB) StreamStart(ctx context.Context, s *Stream, shard int) (StreamPos, error) {
	start := StreamPos{Seq: s.Starts[shard] + 1}
	err := db.view(ctx, shard, Strong, func(snap snapshot) error {
		_, err := snap.Get(trimKey(s.TableID, s.ID), func(v []byte) error {
			if len(v) != 10 {
				return fmt.Errorf("%w: trim position of stream %s/%s", ErrCorruptRecord, s.Table, s.Label)
			}
			start = StreamPos{binary.BigEndian.Uint64(v), binary.BigEndian.Uint16(v[8:])}
			return nil
		})
		return err
	})
	return start, err
}

// ReadStream visits the records of one part of a stream from a position on, in
// order, until fn returns false. A record is valid until fn returns.
func (db *DB) ReadStream(ctx context.Context, s *Stream, shard int, from StreamPos, fn func(r *StreamRecord) (more bool, err error)) error {
	return db.view(ctx, shard, Strong, func(snap snapshot) error {
		bounds := storage.Range{Lower: streamKey(s.TableID, s.ID, from), Upper: item.PrefixEnd(streamPrefix(s.TableID, s.ID))}
		return snap.Scan(bounds, func(key, value []byte) (bool, error) {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			r, err := decodeStreamRecord(value)
			if err == nil {
				r.Pos, err = streamPosOf(key)
			}
			if err != nil {
				return false, fmt.Errorf("stream %s/%s: %w", s.Table, s.Label, err)
			}
			return fn(&r)
		})
	})
}

// openStream gives a table whose stream is being enabled its stream. The caller
// holds ddl and saves both.
func (db *DB) openStream(t *Table) (err error) {
	t.NextStream++
	t.Stream.ID = t.NextStream
	now := db.Now()
	// Labels tell the streams of a table name apart, so no two are equal.
	for label := now; ; label = label.Add(time.Millisecond) {
		t.LatestStreamLabel = label.Format("2006-01-02T15:04:05.000")
		if _, err := db.Stream(t.Namespace, t.Name, t.LatestStreamLabel); err != nil {
			break
		}
	}
	s := &Stream{
		ID: t.Stream.ID, TableID: t.ID, Namespace: t.Namespace, Table: t.Name, Label: t.LatestStreamLabel,
		ViewType: t.Stream.ViewType, Key: t.Key, Created: now,
	}
	if s.Starts, err = db.appliedEverywhere(); err != nil {
		return err
	}
	return db.saveStream(s)
}

// closeStream ends a stream once no shard writes to it any more.
func (db *DB) closeStream(table, id uint32) error {
	db.catalog.RLock()
	old := db.catalog.streams[streamID{table, id}]
	db.catalog.RUnlock()
	if old == nil || old.Ends != nil {
		return nil
	}
	s := *old
	s.Closed = db.Now()
	var err error
	if s.Ends, err = db.appliedEverywhere(); err != nil {
		return err
	}
	return db.saveStream(&s)
}

// hasStream reports whether the table has or had a stream that is still kept.
func (db *DB) hasStream(table uint32) bool {
	db.catalog.RLock()
	defer db.catalog.RUnlock()
	for id := range db.catalog.streams {
		if id.table == table {
			return true
		}
	}
	return false
}

type streamID struct{ table, stream uint32 }

// saveStream makes a stream durable and visible.
func (db *DB) saveStream(s *Stream) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding stream of table %s: %w", s.Table, err)
	}
	record := mutation{catalogStreamKey(s.TableID, s.ID), append([]byte{tableFormat}, body...)}
	return db.insist(db.jobs.ctx, db.catalogLog, &recordsCommand{[]mutation{record}}, true)
}

func decodeStream(b []byte) (*Stream, error) {
	if len(b) == 0 || b[0] != tableFormat {
		return nil, fmt.Errorf("%w: stream of unknown format", ErrCorruptRecord)
	}
	s := new(Stream)
	if err := json.Unmarshal(b[1:], s); err != nil {
		return nil, fmt.Errorf("%w: stream: %w", ErrCorruptRecord, err)
	}
	return s, nil
}
