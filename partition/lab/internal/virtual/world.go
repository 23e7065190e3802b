package virtual

import (
	"container/heap"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// World is a clock with what is going to happen. It is used by one goroutine at a
// time: the one in Run, or the process that runs.
type World struct {
	seed    uint64
	now     time.Duration
	made    uint64 // events so far
	queue   queue
	hosts   []*Host
	current *process
}

// New returns a world at time 0, whose chance comes from seed.
func New(seed uint64) *World {
	return &World{seed: seed}
}

// Now is the time since the world began.
func (w *World) Now() time.Duration { return w.now }

// Rand returns a source of chance of its own for each name, so that draws for one
// purpose do not change those for another.
func (w *World) Rand(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// Event is something that is going to happen.
type Event struct {
	at       time.Duration
	order    uint64
	host     *Host
	do       func()
	canceled bool
}

// Cancel keeps an event from happening. It may have happened already.
func (e *Event) Cancel() { e.canceled = true }

// After has do happen on a host after a while, unless the host has died by then.
func (w *World) After(h *Host, d time.Duration, do func()) *Event {
	w.made++
	e := &Event{at: w.now + max(d, 0), order: w.made, host: h, do: do}
	heap.Push(&w.queue, e)
	return e
}

// Run lets everything happen up to a time, which is the time it is then.
func (w *World) Run(until time.Duration) {
	for len(w.queue) > 0 && w.queue[0].at <= until {
		e := heap.Pop(&w.queue).(*Event)
		w.now = e.at
		w.happen(e)
	}
	w.now = max(w.now, until)
}

// Close ends all hosts.
func (w *World) Close() {
	for _, h := range w.hosts {
		h.Kill()
	}
	w.queue, w.hosts = nil, nil
}

func (w *World) happen(e *Event) {
	switch {
	case e.canceled || e.host.dead:
	case e.host.paused:
		e.host.missed = append(e.host.missed, e)
	default:
		e.do()
	}
}

// queue is a heap of events.
type queue []*Event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(e any)   { *q = append(*q, e.(*Event)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
