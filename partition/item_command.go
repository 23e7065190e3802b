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
	t := a.schema(c.write.Table.ID)
	if t == nil {
		return ErrTableNotFound
	}
	d, err := a.decide(t, c.write)
	if err != nil {
		return err
	}
	c.result = WriteResult{}
	return a.store(d, &c.result)
}

// recordOverhead is what a record adds to its item: format byte and version.
const recordOverhead = 11

// A decision is a write that was evaluated and may take effect.
type decision struct {
	t         *Table
	w         *Write
	key       []byte
	old, next item.Item // nil: no item
}

// decide evaluates a write against what the commands before it left.
func (a *application) decide(t *Table, w *Write) (decision, error) {
	key, _ := appendItemKey(a.arena.grab(256), t, w.Item)
	d := decision{t: t, w: w, key: a.arena.keep(key)}
	if a.locked(d.key) {
		return d, ErrTransactionConflict
	}
	var err error
	if d.old, err = a.load(d.key); err != nil {
		return d, err
	}
	d.next, err = evaluate(t, w, d.old)
	return d, err
}

// load reads the item under a key, nil for none.
func (a *application) load(key []byte) (item.Item, error) {
	value, found, err := a.b.Get(key)
	if err != nil || !found {
		return nil, err
	}
	_, it, err := parseRecord(value)
	return it, err
}

// store stages what was decided: the item, its index entries, its expiry and
// its stream record.
func (a *application) store(d decision, result *WriteResult) error {
	t, old, next := d.t, d.old, d.next
	result.OldSize, result.NewSize = -1, -1
	if old != nil {
		result.OldSize = old.Size()
		if d.w.WantOld {
			result.Old = old.Clone()
		}
	}
	if next != nil {
		result.NewSize = next.Size()
		if d.w.WantNew {
			result.New = next.Clone()
		}
	}
	if d.w.Kind == Check {
		return nil
	}
	if bytes.Equal(old, next) {
		// Nothing changes, but capacity is charged for what the write meant to do.
		a.unchangedIndexes(t, next, result)
		return nil
	}

	if next == nil {
		a.delete(d.key)
		a.deletes = true
		a.count(t.ID, 0, -1, -int64(result.OldSize))
	} else {
		record := appendRecord(a.arena.grab(recordOverhead+len(next)), a.seq, next)
		a.set(d.key, a.arena.keep(record))
		if old == nil {
			a.count(t.ID, 0, 1, int64(result.NewSize))
		} else {
			a.count(t.ID, 0, 0, int64(result.NewSize-result.OldSize))
		}
	}
	a.expiry(t, d.key, old, next)
	a.stream(t, d.w, old, next)
	return a.index(t, old, next, result)
}
