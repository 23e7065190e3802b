package partition

import (
	"context"
	"fmt"
	"sync"

	"github.com/stator-db/stator/storage"
	"github.com/stator-db/stator/storage/item"
)

// Consistency is what a read promises.
type Consistency uint8

// Eventual reads may be served by any replica from its own snapshot. Strong
// reads see every write acknowledged before they began. A single node has one
// replica of everything and serves both alike.
const (
	Eventual Consistency = iota
	Strong
)

var keyBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 256); return &b }}

// Get reads one item and passes it to fn, which may use it until it returns.
// key holds at least the key attributes. found is false, and fn not called, if
// there is no such item.
func (db *DB) Get(ctx context.Context, t *Table, key item.Item, c Consistency, fn func(item.Item) error) (found bool, err error) {
	buf := keyBuffers.Get().(*[]byte)
	k, token := appendItemKey((*buf)[:0], t, key)
	err = db.view(ctx, shardOf(token, len(db.logs)), c, func(s snapshot) error {
		found, err = s.Get(k, func(value []byte) error {
			_, it, err := parseRecord(value)
			if err != nil {
				return fmt.Errorf("item of table %s: %w", t.Name, err)
			}
			return fn(it)
		})
		return err
	})
	*buf = k[:0]
	keyBuffers.Put(buf)
	return found, err
}

// SortOp restricts the last range attribute of a query that is not compared for
// equality.
type SortOp uint8

// The comparisons of key conditions (semantics of KeyConditionExpression).
const (
	SortAll SortOp = iota // no condition
	SortLt
	SortLe
	SortGt
	SortGe
	SortBetween    // Values[0] <= a <= Values[1]
	SortBeginsWith // S and B only
)

// SortRange is the part of a query on range attributes: equality on the leading
// ones, then at most one other comparison on the next.
type SortRange struct {
	Equal  []item.Value
	Op     SortOp
	Values []item.Value
}

// Read describes a query (Hash given) or a scan of a table or index.
type Read struct {
	Table       *Table
	Index       *Index // nil reads the table
	Consistency Consistency
	// Hash are the values of all hash attributes of the key; nil scans.
	Hash []item.Value
	Sort SortRange
	// Segment of Segments restricts a scan to a part of the ring; Segments 0 is 1.
	Segment, Segments int
	Reverse           bool // descending; queries only
	// After is the position to go on from: all attributes of Table.KeyNames(Index),
	// with their declared types. nil begins at the start.
	After item.Item
}

// Entry is what a read found: an item of the table or an entry of the index.
type Entry struct {
	Item item.Item // valid until the callback returns

	t    *Table
	snap snapshot
}

// Base passes the table item behind an entry of a local index to fn, read from
// the same snapshot; the item is valid until fn returns.
func (e *Entry) Base(fn func(item.Item) error) error {
	key, _ := appendItemKey(make([]byte, 0, 128), e.t, e.Item)
	found, err := e.snap.Get(key, func(value []byte) error {
		_, it, err := parseRecord(value)
		if err != nil {
			return fmt.Errorf("item of table %s: %w", e.t.Name, err)
		}
		return fn(it)
	})
	if err == nil && !found {
		err = fmt.Errorf("%w: entry of a local index of table %s without its item", ErrCorruptRecord, e.t.Name)
	}
	return err
}

// Read visits entries in order until fn returns false. A query sees one
// snapshot; a scan one of each shard. ctx ends it between entries.
func (db *DB) Read(ctx context.Context, r *Read, fn func(e *Entry) (more bool, err error)) error {
	if r.Hash != nil {
		prefix, token := appendHash(appendPrefix(make([]byte, 0, 256), r.Table, r.Index), r.Hash...)
		bounds := r.Sort.bounds(prefix)
		if r.After != nil {
			r.goOn(&bounds)
		}
		_, err := db.readShard(ctx, r, shardOf(token, len(db.logs)), bounds, fn)
		return err
	}

	segment := wholeRing
	if r.Segments > 1 {
		segment = splitRing(r.Segment, r.Segments)
	}
	var after []byte
	if r.After != nil {
		var token Token
		after, token = r.position()
		segment.first = max(segment.first, token)
	}
	prefix := appendPrefix(nil, r.Table, r.Index)
	for shard := range db.logs {
		part, ok := splitRing(shard, len(db.logs)).intersect(segment)
		if !ok {
			continue
		}
		bounds := storage.Range{Lower: appendTokenBound(prefix[:len(prefix):len(prefix)], part.first)}
		if part.last == wholeRing.last {
			bounds.Upper = item.PrefixEnd(prefix)
		} else {
			bounds.Upper = appendTokenBound(prefix[:len(prefix):len(prefix)], part.last+1)
		}
		if after != nil && string(bounds.Lower) <= string(after) {
			bounds.Lower = append(after, 0)
		}
		more, err := db.readShard(ctx, r, shard, bounds, fn)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// readShard visits a key range of one shard; more is false if fn ended it.
func (db *DB) readShard(ctx context.Context, r *Read, shard int, bounds storage.Range, fn func(e *Entry) (bool, error)) (more bool, err error) {
	bounds.Reverse = r.Reverse
	more = true
	visited := 0
	err = db.view(ctx, shard, r.Consistency, func(s snapshot) error {
		e := Entry{t: r.Table, snap: s}
		return s.Scan(bounds, func(_, value []byte) (bool, error) {
			if visited++; visited%256 == 0 && ctx.Err() != nil {
				return false, context.Cause(ctx)
			}
			var err error
			if _, e.Item, err = parseRecord(value); err != nil {
				return false, fmt.Errorf("entry of table %s: %w", r.Table.Name, err)
			}
			more, err = fn(&e)
			return more, err
		})
	})
	return more, err
}

// position is the key of r.After, and its token.
func (r *Read) position() ([]byte, Token) {
	if r.Index == nil {
		return appendItemKey(nil, r.Table, r.After)
	}
	return appendEntryKey(nil, r.Table, r.Index, r.After)
}

// goOn narrows the bounds of a query to what lies beyond r.After.
func (r *Read) goOn(bounds *storage.Range) {
	at, _ := r.position()
	if r.Reverse {
		if bounds.Upper == nil || string(at) < string(bounds.Upper) {
			bounds.Upper = at
		}
		return
	}
	if at = append(at, 0); string(at) > string(bounds.Lower) {
		bounds.Lower = at
	}
}

// bounds are the keys under prefix that fulfil the conditions. Key encodings
// delimit themselves, so a condition on the first range attributes is a key
// range whatever follows them.
func (s SortRange) bounds(prefix []byte) storage.Range {
	for _, v := range s.Equal {
		prefix = item.AppendKey(prefix, v)
	}
	with := func(v item.Value) []byte { return item.AppendKey(prefix[:len(prefix):len(prefix)], v) }
	all := storage.Range{Lower: prefix, Upper: item.PrefixEnd(prefix)}
	switch s.Op {
	case SortLt:
		all.Upper = with(s.Values[0])
	case SortLe:
		all.Upper = item.PrefixEnd(with(s.Values[0]))
	case SortGt:
		all.Lower = item.PrefixEnd(with(s.Values[0]))
	case SortGe:
		all.Lower = with(s.Values[0])
	case SortBetween:
		all.Lower, all.Upper = with(s.Values[0]), item.PrefixEnd(with(s.Values[1]))
	case SortBeginsWith:
		all.Lower = item.AppendKeyPrefix(prefix[:len(prefix):len(prefix)], s.Values[0])
		all.Upper = item.PrefixEnd(all.Lower)
	}
	return all
}

// SegmentOf tells which of a parallel scan's segments a position belongs to. key
// holds all attributes of t.KeyNames(ix).
func (db *DB) SegmentOf(t *Table, ix *Index, key item.Item, segments int) int {
	r := Read{Table: t, Index: ix, After: key}
	_, token := r.position()
	return shardOf(token, segments)
}
