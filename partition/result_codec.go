package partition

import (
	"encoding/binary"
	"fmt"

	"github.com/stator-db/stator/storage/item"
)

// What became of a command that another node had applied: its error and, if it
// has none, what the command found out, for each kind of command the fields that
// its apply sets. It is never stored.

// appendResult appends a command's outcome for decodeResult.
func appendResult(dst []byte, c command, err error) ([]byte, error) {
	dst = appendError(dst, err)
	if err == nil {
		return appendFindings(dst, c)
	}
	return dst, nil
}

// appendFindings appends what a command found out.
func appendFindings(dst []byte, c command) ([]byte, error) {
	switch c := c.(type) {
	case *writeCommand:
		dst = appendWriteResult(dst, &c.result)
	case *transactCommand:
		for i := range c.results {
			dst = appendWriteResult(dst, &c.results[i])
		}
	case *prepareCommand:
		for _, w := range c.writes {
			dst = appendNumber(dst, w.size)
		}
	case *commitCommand:
		for i := range c.covered() {
			dst = appendWriteResult(dst, &c.results[c.from+i])
		}
	case *purgeCommand:
		dst = append(dst, boolByte(c.more))
	case *resolveCommand:
		dst = append(dst, boolByte(c.decided))
	case *abortCommand, *installCommand, *dropCommand, *dropIndexCountsCommand, *reindexCommand, *recordsCommand,
		*expiryBackfillCommand, *expireCommand, *receiveCommand, *trimCommand, *trimStreamCommand, *forgetTokensCommand, *markCommand:
	default:
		return dst, fmt.Errorf("findings of %T have no binary form", c)
	}
	return dst, nil
}

// covered are the results that the command has to do with: a part that is
// committed in steps shares one list.
func (c *commitCommand) covered() []WriteResult {
	if c.results == nil {
		return nil
	}
	return c.results[c.from : c.from+c.count]
}

// decodeResult fills in what another node found out when it applied c, which is
// the command as it was proposed here, and returns the command's error. Items
// keep slices of b. If b cannot be read the error wraps ErrOutcomeUnknown.
func decodeResult(b []byte, c command) error {
	r := wireReader{b: b}
	err := r.failure(writesOf(c))
	if r.err == nil && err == nil {
		r.findings(c)
	}
	if r.err != nil || len(r.b) > 0 {
		return fmt.Errorf("%w: malformed answer to %T", ErrOutcomeUnknown, c)
	}
	return err
}

// writesOf lists the writes whose faults a command may report.
func writesOf(c command) []*Write {
	switch c := c.(type) {
	case *writeCommand:
		return []*Write{c.write}
	case *transactCommand:
		return c.writes
	case *prepareCommand:
		return c.writes
	}
	return nil
}

// findings reads what appendFindings wrote.
func (r *wireReader) findings(c command) {
	switch c := c.(type) {
	case *writeCommand:
		r.writeResult(c.write.Table, &c.result)
	case *transactCommand:
		for i, w := range c.writes {
			r.writeResult(w.Table, &c.results[i])
		}
	case *prepareCommand:
		for _, w := range c.writes {
			w.size = r.int()
		}
	case *commitCommand:
		for i := range c.covered() {
			n := c.from + i
			r.writeResult(c.writes[n].Table, &c.results[n])
		}
	case *purgeCommand:
		c.more = r.bool()
	case *resolveCommand:
		c.decided = r.bool()
	}
}

// Flags of an index in a result.
const (
	flagSameKey = 1 << iota
	flagUnchanged
)

func appendWriteResult(dst []byte, w *WriteResult) []byte {
	dst = appendBytes(appendBytes(dst, w.Old), w.New)
	dst = appendSizes(dst, w.OldSize, w.NewSize)
	dst = appendNumber(dst, len(w.Indexes))
	for i := range w.Indexes {
		ix := &w.Indexes[i]
		dst = appendSizes(appendNumber(dst, ix.Index.ID), ix.OldSize, ix.NewSize)
		dst = append(dst, flagSameKey*boolByte(ix.SameKey)|flagUnchanged*boolByte(ix.Unchanged))
	}
	return dst
}

// appendSizes appends two sizes, of which -1 is one.
func appendSizes(dst []byte, before, after int) []byte {
	return binary.AppendVarint(binary.AppendVarint(dst, int64(before)), int64(after))
}

// writeResult reads the result of a write to t. An index that t does not have,
// because it came or went meanwhile, is left out.
func (r *wireReader) writeResult(t *Table, w *WriteResult) {
	*w = WriteResult{Old: r.item(), New: r.item()}
	w.OldSize, w.NewSize = int(r.varint()), int(r.varint())
	all := list(r, func() (ix IndexWrite) {
		ix.Index = t.indexByID(r.uint16())
		ix.OldSize, ix.NewSize = int(r.varint()), int(r.varint())
		flags := r.byte()
		ix.SameKey, ix.Unchanged = flags&flagSameKey != 0, flags&flagUnchanged != 0
		return ix
	})
	for _, ix := range all {
		if ix.Index != nil {
			w.Indexes = append(w.Indexes, ix)
		}
	}
}

// item reads an item, nil for none: every item has some bytes.
func (r *wireReader) item() item.Item {
	if b := r.bytes(); len(b) > 0 {
		return item.Item(b)
	}
	return nil
}
