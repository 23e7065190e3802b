package replication

import "sync"

// flow counts the bytes of a group that are proposed and not yet applied.
type flow struct {
	max int64

	mu sync.Mutex
	// waiting have not reached raft, accepted are in the log as of term.
	waiting, accepted int64
	term              uint64
}

// reserve takes room for a proposal. A single one always has room.
func (f *flow) reserve(n int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if used := f.waiting + f.accepted; used > 0 && used+n > f.max {
		return false
	}
	f.waiting += n
	return true
}

// cancel gives back what was reserved for a proposal that raft did not take.
func (f *flow) cancel(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting -= n
}

// accept notes that a proposal is in the log.
func (f *flow) accept(n int64, term uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if term != f.term {
		f.term, f.accepted = term, 0
	}
	f.waiting -= n
	f.accepted += n
}

// applied notes that entries of a term have been applied.
func (f *flow) applied(n int64, term uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if term == f.term {
		f.accepted = max(f.accepted-n, 0)
	}
}

// lost notes that this node does not lead any more: others decide about what was
// accepted.
func (f *flow) lost() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.term, f.accepted = 0, 0
}

func (f *flow) inFlight() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting + f.accepted
}
