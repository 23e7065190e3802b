package partition

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/stator-db/stator/storage/item"
)

// index stages what a change of an item from old to next (either may be nil)
// means for every index of the table.
//
// Local entries share the item's token, hence its shard and its transaction.
// Global entries have a token of their own: those of this shard are staged
// directly when indexes are synchronous, all others travel through the outbox.
func (a *application) index(t *Table, old, next item.Item, result *WriteResult) error {
	for _, ix := range t.Local {
		before, after := ix.entry(old), ix.entry(next)
		if w, changed := compareEntries(ix, before, after, result); changed {
			a.localEntry(t, ix, before, after, w.SameKey)
		}
	}
	var out outgoing
	for _, ix := range t.Global {
		if ix.Status == IndexDeleting {
			continue
		}
		before, after := ix.entry(old), ix.entry(next)
		if w, changed := compareEntries(ix, before, after, result); changed {
			if err := a.globalEntry(t, ix, before, after, w.SameKey, &out); err != nil {
				return err
			}
		}
	}
	a.outgoing = append(a.outgoing, out.entries...)
	return nil
}

// unchangedIndexes fills in the result of a write that changed nothing.
func (a *application) unchangedIndexes(t *Table, it item.Item, result *WriteResult) {
	if it == nil {
		return
	}
	for _, ix := range t.byName {
		if ix.Status == IndexDeleting {
			continue
		}
		if e := ix.entry(it); e != nil {
			size := e.Size()
			result.Indexes = append(result.Indexes, IndexWrite{Index: ix, OldSize: size, NewSize: size, SameKey: true, Unchanged: true})
		}
	}
}

// compareEntries records in the result what happens to an index; changed is
// false if its bytes stay as they are.
func compareEntries(ix *Index, before, after item.Item, result *WriteResult) (w IndexWrite, changed bool) {
	if before == nil && after == nil {
		return w, false
	}
	w = IndexWrite{Index: ix, OldSize: -1, NewSize: -1}
	if before != nil {
		w.OldSize = before.Size()
	}
	if after != nil {
		w.NewSize = after.Size()
	}
	if before != nil && after != nil {
		w.Unchanged = bytes.Equal(before, after)
		w.SameKey = w.Unchanged || ix.Key.sameKey(before, after)
	}
	if result != nil {
		result.Indexes = append(result.Indexes, w)
	}
	return w, !w.Unchanged
}

func (a *application) localEntry(t *Table, ix *Index, before, after item.Item, sameKey bool) {
	if before != nil && !sameKey {
		key, _ := appendEntryKey(a.arena.grab(256), t, ix, before)
		a.delete(a.arena.keep(key))
	}
	if after != nil {
		key, _ := appendEntryKey(a.arena.grab(256), t, ix, after)
		key = a.arena.keep(key)
		a.set(key, a.arena.keep(appendRecord(a.arena.grab(recordOverhead+len(after)), a.seq, after)))
	}
	a.countEntry(t, ix, before, after)
}

func (a *application) countEntry(t *Table, ix *Index, before, after item.Item) {
	var items, size int64
	if before != nil {
		items, size = -1, -int64(before.Size())
	}
	if after != nil {
		items, size = items+1, size+int64(after.Size())
	}
	a.count(t.ID, ix.ID, items, size)
}

// globalEntry stages the change of a global entry. While the index is being
// backfilled nobody knows from the item alone whether its old entry is there
// yet, so then the shard that holds the entry looks before it counts.
func (a *application) globalEntry(t *Table, ix *Index, before, after item.Item, sameKey bool, out *outgoing) error {
	look := ix.Backfilling || ix.Status == IndexCreating
	var oldSize int64 = -1
	if before != nil {
		oldSize = int64(before.Size())
	}
	if before != nil && !sameKey {
		key, token := appendEntryKey(a.arena.grab(256), t, ix, before)
		if err := a.route(t, ix, token, change{key: a.arena.keep(key), oldSize: oldSize, look: look}, out); err != nil {
			return err
		}
		oldSize = -1
	}
	if after != nil {
		key, token := appendEntryKey(a.arena.grab(256), t, ix, after)
		key = a.arena.keep(key)
		record := a.arena.keep(appendRecord(a.arena.grab(recordOverhead+len(after)), a.seq, after))
		return a.route(t, ix, token, change{key: key, record: record, oldSize: oldSize, look: look}, out)
	}
	return nil
}

// route stages a change here or puts it into the outbox for its shard.
func (a *application) route(t *Table, ix *Index, token Token, c change, out *outgoing) error {
	dest := shardOf(token, a.r.shards)
	if dest != a.r.id || a.r.mode != GSISync {
		out.add(dest, t.ID, ix.ID, c)
		return nil
	}
	return a.change(t, ix, c)
}

// A change sets or deletes one global index entry on the shard that holds it.
type change struct {
	key     []byte
	record  []byte // nil deletes
	oldSize int64  // size of the entry that is replaced or deleted, -1 for none
	look    bool   // oldSize is not known: look whether there is an entry
}

// change stages a change of an entry of this shard, with its counts.
func (a *application) change(t *Table, ix *Index, c change) error {
	if c.look {
		c.oldSize = -1
		value, err := a.latest(c.key)
		if err != nil {
			return err
		}
		if value != nil {
			_, old, err := parseRecord(value)
			if err != nil {
				return err
			}
			c.oldSize = int64(old.Size())
		}
	}
	var items, size int64
	if c.oldSize >= 0 {
		items, size = -1, -c.oldSize
	}
	if c.record == nil {
		if !c.look || c.oldSize >= 0 {
			a.delete(c.key)
		}
	} else {
		a.set(c.key, c.record)
		_, it, err := parseRecord(c.record)
		if err != nil {
			return err
		}
		items, size = items+1, size+int64(it.Size())
	}
	a.count(t.ID, ix.ID, items, size)
	return nil
}

// outgoing collects the changes one command sends to other shards.
type outgoing struct{ entries []outboxEntry }

func (o *outgoing) add(dest int, table uint32, index uint16, c change) {
	for i := range o.entries {
		if o.entries[i].dest == dest && len(o.entries[i].changes) < maxEntrySize {
			o.entries[i].changes = appendChange(o.entries[i].changes, table, index, c)
			return
		}
	}
	o.entries = append(o.entries, outboxEntry{dest: dest, changes: appendChange([]byte{changesFormat}, table, index, c)})
}

// Encoded changes: a format byte, then per change table and index id, flags,
// the old size, and key and record with their lengths.
const changesFormat = 1

const (
	changeSets  = 1 << 0
	changeLooks = 1 << 1
)

func appendChange(dst []byte, table uint32, index uint16, c change) []byte {
	dst = binary.BigEndian.AppendUint32(dst, table)
	dst = binary.BigEndian.AppendUint16(dst, index)
	var flags byte
	if c.record != nil {
		flags |= changeSets
	}
	if c.look {
		flags |= changeLooks
	}
	dst = append(dst, flags)
	dst = binary.AppendVarint(dst, c.oldSize)
	dst = binary.AppendUvarint(dst, uint64(len(c.key)))
	dst = append(dst, c.key...)
	if c.record != nil {
		dst = binary.AppendUvarint(dst, uint64(len(c.record)))
		dst = append(dst, c.record...)
	}
	return dst
}

// eachChange decodes changes; key and record alias b.
func eachChange(b []byte, fn func(table uint32, index uint16, c change) error) error {
	if len(b) == 0 || b[0] != changesFormat {
		return fmt.Errorf("%w: index changes of unknown format", ErrCorruptRecord)
	}
	short := fmt.Errorf("%w: index changes are cut off", ErrCorruptRecord)
	field := func() ([]byte, bool) {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return nil, false
		}
		f := b[w : w+int(n) : w+int(n)]
		b = b[w+int(n):]
		return f, true
	}
	for b = b[1:]; len(b) > 0; {
		if len(b) < 7 {
			return short
		}
		table, index, flags := binary.BigEndian.Uint32(b), binary.BigEndian.Uint16(b[4:]), b[6]
		b = b[7:]
		oldSize, w := binary.Varint(b)
		if w <= 0 {
			return short
		}
		b = b[w:]
		c := change{oldSize: oldSize, look: flags&changeLooks != 0}
		var ok bool
		if c.key, ok = field(); !ok {
			return short
		}
		if flags&changeSets != 0 {
			if c.record, ok = field(); !ok {
				return short
			}
		}
		if err := fn(table, index, c); err != nil {
			return err
		}
	}
	return nil
}
