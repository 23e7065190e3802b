package server

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// requestLogSize is how many requests the log remembers.
	requestLogSize = 1024
	// requestLogRate is how many requests it takes in a second. Those beyond are
	// counted only, so that a server under load is not slowed down by being watched.
	requestLogRate = 500
	// requestLogPatience is how long the log goes on after somebody looked at it.
	requestLogPatience = 15 * time.Second
)

// A requestLog is a ring of the latest requests, for developers to look at. It takes
// requests only while it is looked at; otherwise it costs one atomic load a request.
// The zero value is ready.
type requestLog struct {
	until atomic.Int64 // nanoseconds since 1970 until which requests are taken

	mu   sync.Mutex // held for the copy of one record, or of those that are read
	ring []requestRecord
	next uint64 // id of the next record, and how many there have been
	// second is the one being counted, taken how many of its requests are logged.
	second int64
	taken  int
	// skipped counts the requests that came too fast.
	skipped uint64
}

// watch makes the log take requests for a while from now on.
func (l *requestLog) watch(now time.Time) {
	l.until.Store(now.Add(requestLogPatience).UnixNano())
}

// watched reports whether a request that begins now is to be logged.
func (l *requestLog) watched(now time.Time) bool {
	until := l.until.Load()
	return until != 0 && now.UnixNano() < until
}

// admit reports whether there is room for one more request in this second.
func (l *requestLog) admit(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := now.Unix(); second != l.second {
		l.second, l.taken = second, 0
	}
	if l.taken == requestLogRate {
		l.skipped++
		return false
	}
	l.taken++
	return true
}

// add appends a record, whose ID it sets; the oldest makes room.
func (l *requestLog) add(r requestRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.ID = l.next
	l.next++
	if len(l.ring) < requestLogSize {
		l.ring = append(l.ring, r)
		return
	}
	l.ring[r.ID%requestLogSize] = r
}

// A requestPage is what GET /_stator/requests answers, and one event of its stream.
type requestPage struct {
	Requests []requestRecord `json:"requests"`
	// Next is the value of since that goes on after this page.
	Next uint64 `json:"next"`
	// Skipped counts the requests that were not logged because there were too many.
	Skipped uint64 `json:"skipped"`
}

// since returns the records from id on that are still there, oldest first.
func (l *requestLog) since(id uint64) requestPage {
	l.mu.Lock()
	defer l.mu.Unlock()
	page := requestPage{Requests: []requestRecord{}, Next: l.next, Skipped: l.skipped}
	if oldest := l.next - uint64(len(l.ring)); id < oldest {
		id = oldest
	}
	for ; id < l.next; id++ {
		page.Requests = append(page.Requests, l.ring[id%requestLogSize])
	}
	return page
}
