package item

import (
	"bytes"
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
// value offset is that of the payload.
type span struct {
	start int // of the entry
	name  int // first byte of the name
	value int // first byte of the value, where the name ends
	end   int
	size  int // DynamoDB size of name and value
}

func (a *arranger) name(s *span) []byte { return a.buf[s.name:s.value] }

// openField appends the name of a new entry; closeField completes it once its
// value has been appended.
func (a *arranger) openField(name string) span {
	s := span{start: len(a.buf)}
	a.buf = appendUvarint(a.buf, len(name))
	s.name = len(a.buf)
	a.buf = append(a.buf, name...)
	s.value = len(a.buf)
	return s
}

func (a *arranger) closeField(s span, valueSize int) {
	s.end = len(a.buf)
	s.size = s.value - s.name + valueSize
	a.spans = append(a.spans, s)
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
		if s.value == s.end || i > 0 && bytes.Compare(a.name(&spans[i-1]), a.name(s)) >= 0 {
			return a.reorderFields(spans, body)
		}
		size += s.size
	}
	return len(spans), size
}

func (a *arranger) reorderFields(spans []span, body int) (count, size int) {
	slices.SortFunc(spans, func(x, y span) int {
		if c := bytes.Compare(a.name(&x), a.name(&y)); c != 0 {
			return c
		}
		return x.start - y.start
	})
	a.swap = a.swap[:0]
	for i := range spans {
		s := &spans[i]
		if i+1 < len(spans) && bytes.Equal(a.name(s), a.name(&spans[i+1])) || s.value == s.end {
			continue
		}
		a.swap = append(a.swap, a.buf[s.start:s.end]...)
		count++
		size += s.size
	}
	a.buf = append(a.buf[:body], a.swap...)
	return count, size
}

// arrangeMembers sorts the members spans[base:] of a set of type t, which fill
// buf from body on, and closes the spans. If some are equal, it returns all
// members in the order in which they came, and buf is not arranged.
func (a *arranger) arrangeMembers(t Type, base, body int) (duplicates []Value) {
	spans := a.spans[base:]
	a.spans = a.spans[:base]
	compare := func(x, y *span) int {
		return bytes.Compare(a.buf[x.value:x.end], a.buf[y.value:y.end])
	}
	if t == NS {
		compare = func(x, y *span) int {
			return compareNumberText(a.buf[x.value:x.end], a.buf[y.value:y.end])
		}
	}
	sorted := true
	for i := 1; i < len(spans) && sorted; i++ {
		sorted = compare(&spans[i-1], &spans[i]) < 0
	}
	if sorted {
		return nil
	}
	slices.SortFunc(spans, func(x, y span) int { return compare(&x, &y) })
	for i := 1; i < len(spans); i++ {
		if compare(&spans[i-1], &spans[i]) == 0 {
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
	slices.SortFunc(spans, func(x, y span) int { return x.start - y.start })
	members := make([]Value, len(spans))
	for i, s := range spans {
		members[i] = Value(a.buf[s.start:s.end]).Clone()
	}
	return members
}
