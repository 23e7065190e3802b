package wal

import (
	"slices"
	"sort"
)

// pos is where an entry lies in its segment.
type pos struct{ off, size uint32 }

// span is a run of entries of one term in one segment.
type span struct {
	first uint64
	term  uint64
	seg   *segment
	at    []pos
}

func (s *span) end() uint64 { return s.first + uint64(len(s.at)) }

// release subtracts the entries [from, to) from what the segment must keep.
func (s *span) release(from, to uint64) {
	for _, p := range s.at[from-s.first : to-s.first] {
		s.seg.live -= int64(p.size)
	}
}

// index says where the entries of a group are.
type index struct {
	// first is the lowest index held, last the highest or first-1 if there is
	// none. prevTerm is the term of entry first-1.
	first, last, prevTerm uint64
	// spans cover [first, last] in order, without gaps except in recovery.
	spans []span
}

// emptyIndex is the log of a group that has never held anything.
func emptyIndex() index { return index{first: 1} }

// find returns the number of the first span that ends beyond i.
func (x *index) find(i uint64) int {
	// Nearly all lookups are for recent entries.
	if n := len(x.spans); n > 0 && x.spans[n-1].first <= i && i < x.spans[n-1].end() {
		return n - 1
	}
	return sort.Search(len(x.spans), func(n int) bool { return x.spans[n].end() > i })
}

// term returns the term of entry i, which must be in [first-1, last].
func (x *index) term(i uint64) uint64 {
	if i < x.first {
		return x.prevTerm
	}
	return x.spans[x.find(i)].term
}

// truncate forgets the entries from i on.
func (x *index) truncate(i uint64) {
	if i > x.last {
		return
	}
	n := x.find(i)
	for k := n; k < len(x.spans); k++ {
		s := &x.spans[k]
		s.release(max(i, s.first), s.end())
	}
	if n < len(x.spans) && x.spans[n].first < i {
		// Positions of before may be in use by a reader no more than the lock
		// lasts, so they may be overwritten.
		x.spans[n].at = x.spans[n].at[:i-x.spans[n].first]
		n++
	}
	clear(x.spans[n:])
	x.spans = x.spans[:n]
	x.last = i - 1
}

// compact forgets the entries up to i, whose term it is given.
func (x *index) compact(i, term uint64) {
	if i < x.first {
		return
	}
	n := x.find(i + 1)
	for k := range n {
		s := &x.spans[k]
		s.release(s.first, s.end())
	}
	x.spans = slices.Delete(x.spans, 0, n)
	if len(x.spans) > 0 && x.spans[0].first <= i {
		s := &x.spans[0]
		s.release(s.first, i+1)
		s.at = s.at[i+1-s.first:]
		s.first = i + 1
	}
	x.first, x.prevTerm = i+1, term
	x.last = max(x.last, i)
}

// reset forgets everything: the log continues behind entry i.
func (x *index) reset(i, term uint64) {
	x.truncate(x.first)
	x.first, x.last, x.prevTerm = i+1, i, term
	x.spans = nil
}

// append adds entries of one term behind the last one.
func (x *index) append(seg *segment, term uint64, at []pos) {
	for _, p := range at {
		seg.live += int64(p.size)
	}
	if n := len(x.spans); n > 0 {
		s := &x.spans[n-1]
		if s.seg == seg && s.term == term && s.end() == x.last+1 {
			s.at = append(s.at, at...)
			x.last += uint64(len(at))
			return
		}
	}
	x.spans = append(x.spans, span{first: x.last + 1, term: term, seg: seg, at: slices.Clone(at)})
	x.last += uint64(len(at))
}

// move gives the entries from first on, of one term, a new place. They must be
// within [x.first, x.last].
func (x *index) move(seg *segment, first, term uint64, at []pos) {
	end := first + uint64(len(at))
	for _, p := range at {
		seg.live += int64(p.size)
	}
	from := x.find(first)
	to := from
	var with []span
	var tail *span
	for ; to < len(x.spans) && x.spans[to].first < end; to++ {
		s := x.spans[to]
		s.release(max(first, s.first), min(end, s.end()))
		if s.first < first {
			with = append(with, span{first: s.first, term: s.term, seg: s.seg, at: slices.Clip(s.at[:first-s.first])})
		}
		if s.end() > end {
			tail = &span{first: end, term: s.term, seg: s.seg, at: s.at[end-s.first:]}
		}
	}
	with = append(with, span{first: first, term: term, seg: seg, at: slices.Clone(at)})
	if tail != nil {
		with = append(with, *tail)
	}
	x.spans = slices.Replace(x.spans, from, to, with...)
}

// restrict makes the log reach from first to last as a checkpoint says. It may
// leave positions missing.
func (x *index) restrict(first, last, prevTerm uint64) {
	x.truncate(max(last+1, x.first))
	if first > x.first {
		x.compact(first-1, prevTerm)
	}
	x.first, x.last, x.prevTerm = first, last, prevTerm
}

// missing returns the first index without a position.
func (x *index) missing() (uint64, bool) {
	next := x.first
	for i := range x.spans {
		if x.spans[i].first != next {
			return next, true
		}
		next = x.spans[i].end()
	}
	return next, next != x.last+1
}
