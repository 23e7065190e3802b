package partition

import (
	"bytes"

	"github.com/stator-db/stator/storage/item"
)

// writeCommand is a client's Write in the log.
type writeCommand struct {
	write  *Write
	result WriteResult
}

func (c *writeCommand) apply(a *application) error {
	c.result = WriteResult{}
	t := a.schema(c.write.Table.ID)
	if t == nil {
		return ErrTableNotFound
	}
	return a.write(t, c.write, &c.result)
}

// recordOverhead is what a record adds to its item: format byte and version.
const recordOverhead = 11

// write evaluates w and stages the new item with all its index entries.
func (a *application) write(t *Table, w *Write, result *WriteResult) error {
	key, _ := appendItemKey(a.arena.grab(256), t, w.Item)
	key = a.arena.keep(key)
	value, found, err := a.b.Get(key)
	if err != nil {
		return err
	}
	var old item.Item
	if found {
		if _, old, err = parseRecord(value); err != nil {
			return err
		}
	}
	next, err := evaluate(t, w, old)
	if err != nil {
		return err
	}

	result.OldSize, result.NewSize = -1, -1
	if old != nil {
		result.OldSize = old.Size()
		if w.WantOld {
			result.Old = old.Clone()
		}
	}
	if next != nil {
		result.NewSize = next.Size()
		if w.WantNew {
			result.New = next.Clone()
		}
	}
	if bytes.Equal(old, next) {
		// Nothing changes, but capacity is charged for what the write meant to do.
		a.unchangedIndexes(t, next, result)
		return nil
	}

	if next == nil {
		a.delete(key)
		a.count(t.ID, 0, -1, -int64(result.OldSize))
	} else {
		record := appendRecord(a.arena.grab(recordOverhead+len(next)), a.seq, next)
		a.set(key, a.arena.keep(record))
		if old == nil {
			a.count(t.ID, 0, 1, int64(result.NewSize))
		} else {
			a.count(t.ID, 0, 0, int64(result.NewSize-result.OldSize))
		}
	}
	return a.index(t, old, next, result)
}
