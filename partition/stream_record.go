package partition

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/stator-db/stator/storage/item"
)

// stream stages the record of a change.
func (a *application) stream(t *Table, w *Write, old, next item.Item) {
	if t.Stream == nil {
		return
	}
	r := StreamRecord{Time: w.at, Expired: w.expired, Kind: StreamModify}
	switch {
	case old == nil:
		r.Kind = StreamInsert
	case next == nil:
		r.Kind = StreamRemove
	}
	either := next
	if either == nil {
		either = old
	}
	r.Keys = either.Project(t.KeyNames(nil))
	if t.Stream.ViewType == "OLD_IMAGE" || t.Stream.ViewType == "NEW_AND_OLD_IMAGES" {
		r.Old = old
	}
	if t.Stream.ViewType == "NEW_IMAGE" || t.Stream.ViewType == "NEW_AND_OLD_IMAGES" {
		r.New = next
	}
	a.set(streamKey(t.ID, t.Stream.ID, StreamPos{a.seq, a.records}), encodeStreamRecord(&r))
	a.records++
}

// streamsPrefix starts the keys of the records of all streams of a table.
func streamsPrefix(table uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kindStream}, table)
}

func streamPrefix(table, stream uint32) []byte {
	return binary.BigEndian.AppendUint32(streamsPrefix(table), stream)
}

func streamKey(table, stream uint32, pos StreamPos) []byte {
	k := binary.BigEndian.AppendUint64(streamPrefix(table, stream), pos.Seq)
	return binary.BigEndian.AppendUint16(k, pos.Sub)
}

func streamPosOf(key []byte) (StreamPos, error) {
	if len(key) != 19 {
		return StreamPos{}, fmt.Errorf("%w: stream record under key %x", ErrCorruptRecord, key)
	}
	return StreamPos{binary.BigEndian.Uint64(key[9:]), binary.BigEndian.Uint16(key[17:])}, nil
}

// A stored stream record: format, kind, flags, milliseconds since the epoch,
// then keys, old and new image, each with its length; an absent image has none.
const streamFormat = 1

const streamExpired = 1 << 0

func encodeStreamRecord(r *StreamRecord) []byte {
	b := make([]byte, 0, 32+len(r.Keys)+len(r.Old)+len(r.New))
	var flags byte
	if r.Expired {
		flags |= streamExpired
	}
	b = append(b, streamFormat, byte(r.Kind), flags)
	b = binary.AppendVarint(b, r.Time.UnixMilli())
	for _, it := range []item.Item{r.Keys, r.Old, r.New} {
		b = binary.AppendUvarint(b, uint64(len(it)))
		b = append(b, it...)
	}
	return b
}

// decodeStreamRecord parses a stored record; its items alias b.
func decodeStreamRecord(b []byte) (r StreamRecord, err error) {
	bad := fmt.Errorf("%w: stream record", ErrCorruptRecord)
	if len(b) < 3 || b[0] != streamFormat {
		return r, bad
	}
	r.Kind, r.Expired = StreamKind(b[1]), b[2]&streamExpired != 0
	ms, n := binary.Varint(b[3:])
	if n <= 0 {
		return r, bad
	}
	r.Time = time.UnixMilli(ms).UTC()
	b = b[3+n:]
	for _, image := range []*item.Item{&r.Keys, &r.Old, &r.New} {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return r, bad
		}
		if size > 0 {
			*image = item.Item(b[n : n+int(size) : n+int(size)])
		}
		b = b[n+int(size):]
	}
	return r, nil
}
