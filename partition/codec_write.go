package partition

import (
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/stator-db/stator/expression"
	"github.com/stator-db/stator/storage/item"
)

// A write is its kind, flags, the id of its table and its time, then item,
// condition and update, each of the latter two if its flag is set.
const (
	flagWantOld = 1 << iota
	flagWantNew
	flagWantFailed
	flagExpired
	flagFault
	flagCondition
	flagUpdate

	outlineFlags = flagWantOld | flagWantNew | flagExpired
)

// errFault stands for Write.Fault, which does not travel: the one who proposed
// the write has it (see decodeResult).
var errFault = errors.New("the caller found the write at fault")

func (w *Write) flags() byte {
	return flagWantOld*boolByte(w.WantOld) | flagWantNew*boolByte(w.WantNew) | flagWantFailed*boolByte(w.WantFailed) |
		flagExpired*boolByte(w.expired) | flagFault*boolByte(w.Fault != nil) |
		flagCondition*boolByte(w.Condition != nil) | flagUpdate*boolByte(w.Update != nil)
}

func appendWrites(dst []byte, ws []*Write) []byte {
	dst = appendNumber(dst, len(ws))
	for _, w := range ws {
		dst = appendWrite(dst, w)
	}
	return dst
}

func appendWrite(dst []byte, w *Write) []byte {
	dst = appendWriteHead(dst, w, w.flags())
	dst = appendBytes(dst, w.Item)
	if w.Condition != nil {
		start := len(dst)
		dst = endSized(w.Condition.AppendBinary(beginSized(dst)), start)
	}
	if w.Update != nil {
		start := len(dst)
		dst = endSized(w.Update.AppendBinary(beginSized(dst)), start)
	}
	return dst
}

// appendOutline appends what the second phase of a transaction needs of a write
// whose outcome is an intent.
func appendOutline(dst []byte, w *Write) []byte {
	return appendWriteHead(dst, w, w.flags()&outlineFlags)
}

func appendWriteHead(dst []byte, w *Write, flags byte) []byte {
	dst = appendNumber(append(dst, byte(w.Kind), flags), w.Table.ID)
	return appendTime(dst, w.at)
}

// beginSized leaves room for the length, in four bytes, of what is appended
// until endSized.
func beginSized(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

func endSized(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

func (r *wireReader) writes() []*Write {
	return list(r, func() *Write {
		w := new(Write)
		r.write(w)
		return w
	})
}

func (r *wireReader) write(w *Write) {
	flags := r.writeHead(w)
	w.Item = item.Item(r.bytes())
	var err error
	if flags&flagCondition != 0 {
		if w.Condition, err = expression.DecodeCondition(r.sized()); err != nil {
			r.fail()
		}
	}
	if flags&flagUpdate != 0 {
		if w.Update, err = expression.DecodeUpdate(r.sized()); err != nil {
			r.fail()
		}
	}
}

func (r *wireReader) outline(w *Write) {
	if r.writeHead(w)&^outlineFlags != 0 {
		r.fail()
	}
}

func (r *wireReader) writeHead(w *Write) (flags byte) {
	w.Kind, flags = WriteKind(r.byte()), r.byte()
	if w.Kind < Put || w.Kind > Check || flags > flagUpdate<<1-1 {
		r.fail()
	}
	w.WantOld, w.WantNew, w.WantFailed = flags&flagWantOld != 0, flags&flagWantNew != 0, flags&flagWantFailed != 0
	w.expired = flags&flagExpired != 0
	if flags&flagFault != 0 {
		w.Fault = errFault
	}
	w.Table = tableNamed(r.uint32())
	w.at = r.time()
	return flags
}

func (r *wireReader) sized() []byte {
	size := r.take(4)
	if r.err != nil {
		return nil
	}
	return r.take(uint64(binary.BigEndian.Uint32(size)))
}

// tableNamed returns a table of which only the id is known. Tables are large,
// and neighbouring writes are to the same few.
func tableNamed(id uint32) *Table {
	slot := &namedTables[id%uint32(len(namedTables))]
	t := slot.Load()
	if t == nil || t.ID != id {
		t = &Table{ID: id}
		slot.Store(t)
	}
	return t
}

var namedTables [64]atomic.Pointer[Table]
