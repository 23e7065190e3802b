package bench

import "sync"

// inserts hands out the indexes of new items and knows up to where all of them
// exist. Connections insert concurrently, so an index may be acknowledged before
// a lower one; readers choose below end only and therefore find what they ask for.
type inserts struct {
	mu       sync.Mutex
	end      int64          // every index below exists
	reserved int64          // the next index never handed out
	done     map[int64]bool // acknowledged indexes from end on
	failed   []int64        // handed out, not written; given out again
}

func newInserts(items int64) *inserts {
	return &inserts{end: items, reserved: items, done: map[int64]bool{}}
}

func (s *inserts) reserve() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.failed) - 1; last >= 0 {
		index := s.failed[last]
		s.failed = s.failed[:last]
		return index
	}
	s.reserved++
	return s.reserved - 1
}

// finish reports how the insert of a reserved index went.
func (s *inserts) finish(index int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok {
		s.failed = append(s.failed, index)
		return
	}
	s.done[index] = true
	for s.done[s.end] {
		delete(s.done, s.end)
		s.end++
	}
}

// existing is the number of items that exist, all with indexes below it.
func (s *inserts) existing() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end
}
