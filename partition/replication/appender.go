package replication

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition/wal"
)

const (
	// maxAppend is about how many bytes are written to the log at once.
	maxAppend = 16 << 20
	// entryOverhead stands for what an entry costs beside its data.
	entryOverhead = 32
	// diskFullRetry is how often a full disk is tried again.
	diskFullRetry = 250 * time.Millisecond
)

// appendTask is something that the log has to remember: what raft's
// MsgStorageAppend m says, or a configuration.
type appendTask struct {
	g    *group
	m    *raftpb.Message
	conf *wal.Write
	done func() // for conf
}

func (t *appendTask) bytes() int64 {
	var n int64 = entryOverhead
	for _, e := range t.m.GetEntries() {
		n += int64(len(e.GetData())) + entryOverhead
	}
	return n
}

// write is the task as the log wants it.
func (t *appendTask) write() wal.Write {
	if t.conf != nil {
		return *t.conf
	}
	w := wal.Write{Group: uint64(t.g.id), Entries: t.m.GetEntries()}
	if s := t.m.GetSnapshot(); s != nil {
		w.Snapshot = s.GetMetadata()
	}
	if t.m.Term != nil {
		w.HardState = &raftpb.HardState{Term: t.m.Term, Vote: t.m.Vote, Commit: t.m.Commit}
	}
	return w
}

// appender is the one goroutine that writes the log. While it waits for the disk,
// the tasks of all groups gather, and share the next sync.
type appender struct {
	rt *Runtime

	mu     sync.Mutex
	change sync.Cond // of any field
	queue  []appendTask
	// batch is what is being written.
	batch []appendTask
	// pending are the bytes of queue and batch.
	pending int64
	closed  bool
}

func newAppender(rt *Runtime) *appender {
	a := &appender{rt: rt}
	a.change.L = &a.mu
	return a
}

func (a *appender) add(t appendTask) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	a.queue = append(a.queue, t)
	a.pending += t.bytes()
	a.change.Broadcast()
}

// full reports whether too many bytes wait for the disk.
func (a *appender) full() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pending > a.rt.config.MaxPending
}

// forget drops what a stopped group has not written and waits for what is being
// written. It is as if the process had ended before.
func (a *appender) forget(g *group) {
	a.mu.Lock()
	defer a.mu.Unlock()
	of := func(t appendTask) bool { return t.g == g }
	a.queue = a.removed(a.queue, of)
	for slices.ContainsFunc(a.batch, of) {
		a.change.Wait()
	}
}

// removed deletes tasks. The caller holds a.mu.
func (a *appender) removed(tasks []appendTask, which func(appendTask) bool) []appendTask {
	return slices.DeleteFunc(tasks, func(t appendTask) bool {
		if !which(t) {
			return false
		}
		a.pending -= t.bytes()
		return true
	})
}

// next waits for tasks and makes them the batch. It returns false once closed.
func (a *appender) next() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.queue) == 0 && !a.closed {
		a.change.Wait()
	}
	if a.closed {
		return false
	}
	var bytes int64
	n := 0
	for n < len(a.queue) && bytes < maxAppend {
		bytes += a.queue[n].bytes()
		n++
	}
	a.batch = append(a.batch, a.queue[:n]...)
	a.queue = slices.Delete(a.queue, 0, n)
	return true
}

// run writes batches until closed, or until the log fails.
func (a *appender) run() {
	defer a.close()
	defer a.finish()
	out := newOutbox(a.rt)
	var writes []wal.Write
	for a.next() {
		for {
			writes = writes[:0]
			for i := range a.batch {
				writes = append(writes, a.batch[i].write())
			}
			if a.rt.config.beforeAppend != nil {
				a.rt.config.beforeAppend()
			}
			err := a.rt.wal.Append(writes)
			clear(writes)
			if err == nil {
				break
			}
			if !errors.Is(err, wal.ErrDiskFull) {
				a.rt.fail(fmt.Errorf("write-ahead log: %w", err))
				return
			}
			if !a.waitForSpace(err) {
				return
			}
		}
		if a.rt.diskFull.Swap(false) {
			a.rt.config.Logger.Warn("disk has space again for the raft log")
		}
		for i := range a.batch {
			a.deliver(out, &a.batch[i])
		}
		out.flush()
		a.finish()
	}
}

// deliver passes on what was waiting for a task to be durable.
func (a *appender) deliver(out *outbox, t *appendTask) {
	if t.conf != nil {
		t.done()
		return
	}
	self := uint64(a.rt.config.Node)
	local := false
	for _, m := range t.m.GetResponses() {
		if m.GetTo() == self {
			local = true
		} else {
			out.add(t.g, m)
		}
	}
	if !local {
		return
	}
	t.g.post(func(in *inbox) {
		for _, m := range t.m.GetResponses() {
			if m.GetTo() == self {
				in.local = append(in.local, m)
			}
		}
	})
}

// finish ends the batch.
func (a *appender) finish() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.batch = a.removed(a.batch, func(appendTask) bool { return true })
	a.change.Broadcast()
}

// waitForSpace gives up leaderships and waits before the next attempt, without
// the groups that have stopped meanwhile. It returns false once closed.
func (a *appender) waitForSpace(err error) bool {
	if !a.rt.diskFull.Swap(true) {
		a.rt.config.Logger.Error("disk is full, this node can neither lead nor acknowledge", "error", err)
	}
	select {
	case <-time.After(diskFullRetry):
	case <-a.rt.closing:
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.batch = a.removed(a.batch, func(t appendTask) bool { return t.g.ctx.Err() != nil })
	a.change.Broadcast()
	return true
}

// close ends run. What has not been written is lost, as in a crash.
func (a *appender) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed, a.queue = true, nil
	a.change.Broadcast()
}
