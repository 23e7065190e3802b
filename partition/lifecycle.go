package partition

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stator-db/stator/storage"
)

// lifecycle counts what takes several commands, jobs in the background and
// operations of callers alike, so that Close can wait for it: what it leaves
// half done would be finished at the next start only.
type lifecycle struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
	ctx     context.Context // ends when Close begins
	cancel  context.CancelFunc
}

func newLifecycle() *lifecycle {
	l := new(lifecycle)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// enter announces an operation, which must leave. ErrClosed refuses it.
func (l *lifecycle) enter() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.running.Add(1)
	return nil
}

func (l *lifecycle) leave() { l.running.Done() }

// start runs a job and returns true, unless the database is being closed: then it is
// taken up at the next start.
func (l *lifecycle) start(job func()) bool {
	if l.enter() != nil {
		return false
	}
	go func() {
		defer l.leave()
		job()
	}()
	return true
}

// close refuses what is new and waits for what is under way.
func (l *lifecycle) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.running.Wait()
}

// enter begins an operation of a caller that takes several commands.
func (db *DB) enter() error {
	if err := db.usable(); err != nil {
		return err
	}
	return db.jobs.enter()
}

// diskFullPause is the time between two attempts to write to a full disk.
const diskFullPause = 100 * time.Millisecond

// insist runs a command that finishes what has begun, and so cannot be given up
// because the disk is full or a shard has no leader: it waits. It gives up when the
// database is being closed or opened, for the next start finishes such things too.
func (db *DB) insist(ctx context.Context, l shardLog, c command, wait bool) error {
	for first := true; ; first = false {
		err := l.propose(ctx, c, wait)
		switch {
		case errors.Is(err, storage.ErrDiskFull) && db.serving.Load():
		case errors.Is(err, ErrUnavailable), errors.Is(err, ErrOutcomeUnknown):
			// Everything that is insisted on may be done twice.
		default:
			return err
		}
		switch {
		case !first:
		case errors.Is(err, storage.ErrDiskFull):
			db.log.Error("waiting for disk space to finish what was begun", "error", err)
		default:
			db.log.Info("waiting for a leader to finish what was begun", "error", err)
		}
		if !db.rest(ctx, diskFullPause) {
			return err
		}
	}
}

// rest lets time pass, unless ctx ends or the database is being closed before that.
func (db *DB) rest(ctx context.Context, d time.Duration) bool {
	if db.world != nil {
		db.world.Sleep(d)
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-db.jobs.ctx.Done():
	case <-ctx.Done():
	}
	return false
}

// together runs do for 0 to n-1 side by side and waits for all.
func (db *DB) together(n int, do func(i int)) {
	if db.world != nil {
		db.world.Together(n, do)
		return
	}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}
