package storage

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Pool is the data directory of a cluster node, or the same thing in memory.
// Unlike those of a Store its shards come and go: each is the state of a group
// of replicas, named by the group's number. Its methods may be called from any
// goroutine. Those that change a group wait for each other.
//
// Commits to its shards survive the death of the process but are not flushed
// until Shard.Sync: a node's log is what makes them durable. After a power cut a
// shard holds all commits up to some point, at or after the last Sync, and no
// part of a later one, so that the log can be replayed from there.
type Pool struct {
	dir       string // "" in memory
	log       *slog.Logger
	freeSpace func(dir string) (int64, error)
	lock      *os.File // nil in memory

	// background is maintain's, stopped by stop.
	background sync.WaitGroup
	stop       context.CancelFunc

	// changes are the methods under way that Close waits for.
	changes sync.WaitGroup

	mu struct {
		sync.Mutex
		closed bool
		// groups has the shards that are open.
		groups map[uint64]*Shard
		// busy has the groups that are being opened or changed; the channel is
		// closed when that is over.
		busy map[uint64]chan struct{}
	}

	manifest manifestFile

	// step is called between the steps of a change, for tests.
	step func(name string)

	closeOnce sync.Once
	closeErr  error
}

// PoolOptions says where a pool lives. The zero value of every field but Dir is
// usable.
type PoolOptions struct {
	// Dir is the pool's directory, made if absent. It must be empty when
	// InMemory is set.
	Dir string

	// InMemory keeps everything in memory and touches no file. Close forgets
	// the data.
	InMemory bool

	// Existing refuses, with ErrNoData, a directory that holds no data, instead
	// of starting a fresh one there.
	Existing bool

	// Logger receives Badger's warnings and errors at their own level and its
	// progress reports at debug. Nil discards them.
	Logger *slog.Logger
}

func (o PoolOptions) validate() error {
	switch {
	case o.InMemory && o.Dir != "":
		return errors.New("storage options: a pool in memory has no directory")
	case !o.InMemory && o.Dir == "":
		return errors.New("storage options: a pool on disk needs a directory")
	}
	return nil
}

// OpenPool opens or creates a pool and takes the exclusive lock of its
// directory. It finishes what a crash has interrupted, and checks that each
// group has its files, but opens no shard. It returns ErrLocked, ErrManifest,
// ErrKind, ErrNoData or ErrCorrupt, wrapped with the file concerned, an error of
// the operating system, or an error about o itself. After an error nothing is
// left open.
func OpenPool(o PoolOptions) (*Pool, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Pool{dir: o.Dir, log: o.Logger, freeSpace: freeSpace, stop: func() {}, step: func(string) {}}
	p.mu.groups = make(map[uint64]*Shard)
	p.mu.busy = make(map[uint64]chan struct{})
	p.manifest.held = make(map[string]bool)
	if err := p.open(o.Existing); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if p.dir != "" {
		var ctx context.Context
		ctx, p.stop = context.WithCancel(context.Background())
		p.background.Go(func() { maintain(ctx, poolFlushInterval, p.openShards) })
	}
	return p, nil
}

func (p *Pool) open(existing bool) (err error) {
	if p.dir == "" {
		p.manifest.current = newNodeManifest()
		return nil
	}
	if p.lock, err = prepareDir(p.dir, existing); err != nil {
		return err
	}
	m, err := loadNodeManifest(p.dir)
	if err != nil {
		return err
	}
	p.manifest.path, p.manifest.current = filepath.Join(p.dir, manifestName), m
	for _, g := range m.Groups {
		dir := filepath.Join(p.dir, g.Dir)
		files, err := listFiles(dir)
		if err != nil {
			return err
		}
		if !files.hasData() {
			return corrupt(dir, "the data of group %d is missing; restore the directory, or remove the whole of %s to join as a new node", g.Group, p.dir)
		}
	}
	for _, dir := range m.Discard {
		p.log.Info("finishing an interrupted change of a shard", "directory", filepath.Join(p.dir, dir))
	}
	return p.discard()
}

// Identity is who a cluster node is.
type Identity struct {
	// NodeID is random and not zero, drawn when the directory is first used: a
	// node whose disk was wiped is another node.
	NodeID uint64
	// Name is the operator's name of the node, "" until set.
	Name string
	// ClusterID is the cluster that the node belongs to, zeros until set.
	ClusterID [16]byte
}

// Identity returns the node's identity.
func (p *Pool) Identity() Identity { return p.manifest.identity() }

// SetIdentity changes the node's name and sets its cluster, durably. NodeID
// must be what Identity returns; a cluster that is set cannot be changed.
func (p *Pool) SetIdentity(id Identity) error {
	if err := p.begin(); err != nil {
		return err
	}
	defer p.changes.Done()
	return p.manifest.change(func(m *nodeManifest) error { return m.setIdentity(id) })
}

// Groups returns the groups that have a shard here, open or not, in ascending
// order.
func (p *Pool) Groups() []uint64 { return p.manifest.groups() }

// begin lets a change in, which must call changes.Done, unless the pool is closed.
func (p *Pool) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.closed {
		return ErrClosed
	}
	p.changes.Add(1)
	return nil
}

// beginGroup is begin for a change to one group, of which there is one at a
// time. The caller must call endGroup.
func (p *Pool) beginGroup(group uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.mu.closed {
			return ErrClosed
		}
		other, ok := p.mu.busy[group]
		if !ok {
			break
		}
		p.mu.Unlock()
		<-other
		p.mu.Lock()
	}
	p.changes.Add(1)
	p.mu.busy[group] = make(chan struct{})
	return nil
}

func (p *Pool) endGroup(group uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.mu.busy[group])
	delete(p.mu.busy, group)
	p.changes.Done()
}

func (p *Pool) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.closed
}

// shard returns the group's shard if it is open.
func (p *Pool) shard(group uint64) *Shard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.groups[group]
}

// install makes s the group's shard, nil for none, and returns the one before.
func (p *Pool) install(group uint64, s *Shard) (old *Shard) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old = p.mu.groups[group]
	if s == nil {
		delete(p.mu.groups, group)
	} else {
		p.mu.groups[group] = s
	}
	return old
}

// openShards returns the shards that are open, by group.
func (p *Pool) openShards() []*Shard {
	p.mu.Lock()
	defer p.mu.Unlock()
	shards := make([]*Shard, 0, len(p.mu.groups))
	for _, group := range slices.Sorted(maps.Keys(p.mu.groups)) {
		shards = append(shards, p.mu.groups[group])
	}
	return shards
}

// Close waits for running changes, views and batches, writes everything out,
// and gives up the directory. A Receive under way ends with ErrClosed at the
// next bytes of its stream. Close returns the first error it met, on every
// call.
func (p *Pool) Close() error {
	p.closeOnce.Do(func() { p.closeErr = p.close() })
	return p.closeErr
}

func (p *Pool) close() error {
	p.mu.Lock()
	p.mu.closed = true
	p.mu.Unlock()
	p.changes.Wait()
	// Maintenance before the shards, for it works on their files.
	p.stop()
	p.background.Wait()
	shards := p.openShards()
	errs := make([]error, len(shards))
	var wg sync.WaitGroup
	for i, s := range shards {
		wg.Go(func() { errs[i] = s.close() })
	}
	wg.Wait()
	// The lock goes last: whoever gets it next finds closed files.
	if p.lock != nil {
		errs = append(errs, p.lock.Close())
	}
	return errors.Join(errs...)
}

// engine opens the shard in the directory of that name.
func (p *Pool) engine(dir string, ready bool) (*Shard, error) {
	if p.dir != "" {
		dir = filepath.Join(p.dir, dir)
	}
	return openShard(dir, ready, shardOptions{ordered: true, memTable: poolMemTableSize, valueLog: poolValueLogFileSize, log: p.log, freeSpace: p.freeSpace})
}
