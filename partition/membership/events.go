package membership

import "sync"

// EventType is what happened to a member.
type EventType uint8

// The types of events.
const (
	MemberJoined  EventType = iota + 1
	MemberLeft              // it said that it goes
	MemberFailed            // it does not answer
	MemberUpdated           // it changed its Meta
)

func (t EventType) String() string {
	switch t {
	case MemberJoined:
		return "joined"
	case MemberLeft:
		return "left"
	case MemberFailed:
		return "failed"
	case MemberUpdated:
		return "updated"
	}
	return "unknown"
}

// An Event is a change, with the member as it is after it.
type Event struct {
	Type   EventType
	Member Member
}

// eventQueue holds events between memberlist, whose locks are held when it
// tells them, and a listener who may take its time.
type eventQueue struct {
	mu     sync.Mutex
	events []Event
	wake   chan struct{} // of capacity 1
}

func (q *eventQueue) put(e Event) {
	q.mu.Lock()
	q.events = append(q.events, e)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// run passes events on, in order, until done is closed.
func (q *eventQueue) run(done <-chan struct{}, listener func(Event)) {
	for {
		select {
		case <-q.wake:
		case <-done:
			return
		}
		q.mu.Lock()
		events := q.events
		q.events = nil
		q.mu.Unlock()
		for _, e := range events {
			listener(e)
		}
	}
}
