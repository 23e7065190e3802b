package partition

import (
	"encoding/binary"
	"errors"

	"github.com/stator-db/stator/partition/replication"
)

// markCommand is a mark in a shard's log. It changes nothing. A replica that was
// asked for the mark beforehand keeps a view of its state right after it, so that
// all replicas look at the same state however far each of them is: that of one
// index of the log (as the consistency checker of CockroachDB does). A replica
// that was not asked, in particular one that replays its log, passes over it.
type markCommand struct{ id markID }

// markID names a mark.
type markID [16]byte

func (c *markCommand) apply(*application) error { return nil }

// markOf tells whether an entry is a mark, and which.
func markOf(e *replication.Entry) (id markID, ok bool) {
	if len(e.Data) < 10 || e.Data[0] != entryFormat {
		return id, false
	}
	_, w := binary.Uvarint(e.Data[9:])
	if w <= 0 || len(e.Data) < 10+w || commandKind(e.Data[9+w]) != kindOfMark {
		return id, false
	}
	c, err := decodeCommand(e.Data[9+w:])
	if mark, isMark := c.(*markCommand); err == nil && isMark {
		return mark.id, true
	}
	return id, false
}

// errMarkMissed: the replica has no view at the mark, and another mark may do.
var errMarkMissed = errors.New("the replica did not come past the mark")

// A markedView is the state of a replica at a mark.
type markedView struct {
	*groupSnapshot
	err error
}

// marked keeps a view for whoever waits for the mark that has just been applied.
func (g *group) marked(id markID) {
	g.marks.Lock()
	defer g.marks.Unlock()
	wanted := g.marks.wanted[id]
	if wanted == nil {
		return
	}
	delete(g.marks.wanted, id)
	s, err := g.view()
	wanted <- markedView{s, err}
}

// want asks for a mark. The function it returns must be called in the end, and
// closes a view that nobody has taken.
func (g *group) want(id markID) (<-chan markedView, func()) {
	wanted := make(chan markedView, 1)
	g.marks.Lock()
	defer g.marks.Unlock()
	if g.marks.wanted == nil {
		g.marks.wanted = make(map[markID]chan markedView)
	}
	g.marks.wanted[id] = wanted
	return wanted, func() {
		g.marks.Lock()
		defer g.marks.Unlock()
		delete(g.marks.wanted, id)
		select {
		case v := <-wanted:
			if v.err == nil {
				_ = v.Close() // a view that was not read
			}
		default:
		}
	}
}

// missedMarks tells all who wait for marks that a snapshot took the place of the
// log they are in. The caller holds applying.
func (g *group) missedMarks() {
	g.marks.Lock()
	defer g.marks.Unlock()
	for id, wanted := range g.marks.wanted {
		delete(g.marks.wanted, id)
		wanted <- markedView{err: errMarkMissed}
	}
}
