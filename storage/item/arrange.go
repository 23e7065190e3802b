package item

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// arranger collects the entries of maps, or the members of sets, in the order
// in which they come and then brings them into canonical order. Entries that
// come in order stay where they are.
type arranger struct {
	buf   []byte // encoded values
	swap  []byte // the second buffer of a reordering
	spans []span // entries of the containers that are open, outermost first
}

// maxKept is the buffer size above which a scratch buffer is not pooled: one
// big request must not pin its memory.
const maxKept = 1 << 20

func (a *arranger) reset() {
	a.buf, a.swap, a.spans = a.buf[:0], a.swap[:0], a.spans[:0]
}

func (a *arranger) oversized() bool {
	return cap(a.buf)+cap(a.swap) > maxKept || cap(a.spans) > maxKept/64
}

// span is where one entry lies in buf. A set's member has no name, and its
// value offset is that of the payload. Offsets are of 32 bits to keep sorting
// cheap; a request is limited to far less.
type span struct {
	prefix uint64 // the first eight bytes of the name, to compare most names by
	start  uint32 // of the entry
	name   uint32 // first byte of the name
	value  uint32 // first byte of the value, where the name ends
	end    uint32
	size   uint32 // DynamoDB size of name and value
}

// openField appends the name of a new entry; closeField completes it once its
// value has been appended.
func openField[Name string | []byte](a *arranger, name Name) span {
	var padding [8]byte
	buf := appendUvarint(a.buf, len(name))
	s := span{start: uint32(len(a.buf)), name: uint32(len(buf)), value: uint32(len(buf) + len(name))}
	buf = append(append(buf, name...), padding[:]...)
	s.prefix = binary.BigEndian.Uint64(buf[s.name:])
	a.buf = buf[:s.value]
	return s
}

func (a *arranger) closeField(s span, valueSize int) {
	s.end = uint32(len(a.buf))
	s.size = s.value - s.name + uint32(valueSize)
	a.spans = append(a.spans, s)
}

func (a *arranger) name(s *span) []byte { return a.buf[s.name:s.value] }

func (a *arranger) compareNames(x, y *span) int {
	if x.prefix != y.prefix {
		return cmp.Compare(x.prefix, y.prefix)
	}
	return bytes.Compare(a.name(x), a.name(y)) // also tells "a" from "a\x00"
}

// arrangeFields sorts the entries spans[base:], which fill buf from body on, by
// name. Of entries with the same name the last wins; if that one has no value
// the name is removed. It returns the number of entries left and the sum of
// their sizes, and closes the spans.
func (a *arranger) arrangeFields(base, body int) (count, size int) {
	spans := a.spans[base:]
	a.spans = a.spans[:base]
	for i := range spans {
		s := &spans[i]
		if s.value == s.end || i > 0 && a.compareNames(&spans[i-1], s) >= 0 {
			return a.reorderFields(spans, body)
		}
		size += int(s.size)
	}
	return len(spans), size
}

func (a *arranger) reorderFields(spans []span, body int) (count, size int) {
	a.sortByName(spans)
	a.swap = a.swap[:0]
	for i := range spans {
		s := &spans[i]
		if s.value == s.end || i+1 < len(spans) && a.compareNames(s, &spans[i+1]) == 0 {
			continue
		}
		a.swap = append(a.swap, a.buf[s.start:s.end]...)
		count++
		size += int(s.size)
	}
	a.buf = append(a.buf[:body], a.swap...)
	return count, size
}

// sortByName is stable. Few entries, which is the usual case, are sorted by
// insertion, without calls through a comparison function.
func (a *arranger) sortByName(spans []span) {
	if len(spans) > 16 {
		slices.SortFunc(spans, func(x, y span) int {
			if c := a.compareNames(&x, &y); c != 0 {
				return c
			}
			return cmp.Compare(x.start, y.start)
		})
		return
	}
	for i := 1; i < len(spans); i++ {
		s := spans[i]
		at := i
		for ; at > 0 && a.compareNames(&spans[at-1], &s) > 0; at-- {
			spans[at] = spans[at-1]
		}
		spans[at] = s
	}
}

// arrangeMembers sorts the members spans[base:] of a set of type t, which fill
// buf from body on, and closes the spans. If some are equal, it returns all
// members in the order in which they came, and buf is not arranged.
func (a *arranger) arrangeMembers(t Type, base, body int) (duplicates []Value) {
	spans := a.spans[base:]
	a.spans = a.spans[:base]
	// By value: pointers into a call through a variable would put every pair that
	// sorting compares on the heap.
	compare := func(x, y span) int {
		return bytes.Compare(a.buf[x.value:x.end], a.buf[y.value:y.end])
	}
	if t == NS {
		compare = func(x, y span) int {
			return compareNumberText(a.buf[x.value:x.end], a.buf[y.value:y.end])
		}
	}
	sorted := true
	for i := 1; i < len(spans) && sorted; i++ {
		sorted = compare(spans[i-1], spans[i]) < 0
	}
	if sorted {
		return nil
	}
	slices.SortFunc(spans, compare)
	for i := 1; i < len(spans); i++ {
		if compare(spans[i-1], spans[i]) == 0 {
			return a.membersAsSent(spans)
		}
	}
	a.swap = a.swap[:0]
	for _, s := range spans {
		a.swap = append(a.swap, a.buf[s.start:s.end]...)
	}
	a.buf = append(a.buf[:body], a.swap...)
	return nil
}

func (a *arranger) membersAsSent(spans []span) []Value {
	slices.SortFunc(spans, func(x, y span) int { return cmp.Compare(x.start, y.start) })
	members := make([]Value, len(spans))
	for i, s := range spans {
		members[i] = Value(a.buf[s.start:s.end]).Clone()
	}
	return members
}
