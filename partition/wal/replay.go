package wal

import "errors"

// errOrder means that a record does not fit to what is before it.
var errOrder = errors.New("a record contradicts the state before it")

// replayer applies the records of a frame. Its decoder holds the first failure.
type replayer struct {
	decoder
	log     *Log
	segment *segment
	at      int64 // the payload's offset in the file
	size    int   // the payload's length
}

// offset is where in the file the decoder stands.
func (r *replayer) offset() uint32 { return uint32(r.at) + uint32(r.size-len(r.b)) }

func (r *replayer) frame() {
	for len(r.b) > 0 {
		kind := recordKind(r.byte())
		if kind == recordCheckpoint {
			r.checkpoint()
			continue
		}
		id := r.uvarint()
		if r.err != nil {
			return
		}
		g := r.log.groupLocked(id)
		g.known = true
		r.record(kind, g)
	}
}

func (r *replayer) record(kind recordKind, g *Group) {
	x := &g.index
	switch kind {
	case recordState:
		g.hard = r.hardState()
	case recordConf:
		g.confIndex, g.conf = r.conf()
	case recordEntries, recordMoved:
		r.entries(kind, g)
	case recordReset:
		index, term := r.index(), r.uvarint()
		if r.err != nil {
			return
		}
		x.reset(index, term)
		g.hard.commit = max(g.hard.commit, index)
	case recordCompacted:
		index, term := r.index(), r.uvarint()
		if index > x.last {
			r.fail(errOrder)
			return
		}
		x.compact(index, term)
	case recordRemoved:
		x.truncate(x.first)
		g.clear()
	default:
		r.fail(errRange)
	}
}

// entries applies entries that were appended or moved.
func (r *replayer) entries(kind recordKind, g *Group) {
	first, n := r.index(), r.count(minEntry)
	x := &g.index
	end := first + uint64(n)
	switch {
	case r.err != nil:
		return
	case n == 0 || first < x.first || first > x.last+1 || kind == recordMoved && end > x.last+1:
		r.fail(errOrder)
		return
	case kind == recordEntries:
		x.truncate(first)
	}
	var run []pos
	var term uint64
	flush := func(next uint64) {
		switch {
		case len(run) == 0:
		case kind == recordMoved:
			x.move(r.segment, next-uint64(len(run)), term, run)
		default:
			x.append(r.segment, term, run)
		}
		run = run[:0]
	}
	for i := first; i < end; i++ {
		off := r.offset()
		e := r.entry(g.id, i)
		if r.err != nil {
			return
		}
		if e.term != term {
			flush(i)
			term = e.term
		}
		run = append(run, pos{off: off, size: r.offset() - off})
	}
	flush(end)
}

// minGroup is the length of the shortest group in a checkpoint.
const minGroup = 13

// checkpoint makes the groups be what it says, and forgets the others.
func (r *replayer) checkpoint() {
	for range r.count(2) {
		r.uvarint()
		r.uvarint()
	}
	listed := map[uint64]bool{}
	for range r.count(minGroup) {
		id := r.uvarint()
		first, term, last := r.index(), r.uvarint(), r.index()
		hard := r.hardState()
		confIndex, conf := r.conf()
		if r.err == nil && (first == 0 || last+1 < first) {
			r.fail(errRange)
		}
		if r.err != nil {
			return
		}
		listed[id] = true
		g := r.log.groupLocked(id)
		g.known, g.hard, g.confIndex, g.conf = true, hard, confIndex, conf
		g.index.restrict(first, last, term)
	}
	for id, g := range r.log.groups {
		if !listed[id] {
			g.index.truncate(g.index.first)
			g.clear()
		}
	}
}
