package waltest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"

	"github.com/stator-db/stator/partition/wal"
)

// ErrCrashed is what a file of before the last crash answers.
var ErrCrashed = errors.New("the disk has crashed")

// Op is an operation that a fault can hit.
type Op string

// The operations of a Disk that change something.
const (
	OpCreate   Op = "create"
	OpRename   Op = "rename"
	OpRemove   Op = "remove"
	OpSyncDir  Op = "sync dir"
	OpWrite    Op = "write"
	OpTruncate Op = "truncate"
	OpSync     Op = "sync"
)

// Disk is a file system in memory that knows what is durable. It implements
// wal.FS and is safe for concurrent use.
//
// A write becomes durable with the sync of its file, a name with the sync of its
// directory. A failed sync behaves as on Linux: what it did not write stays
// readable until the next crash, but later syncs do not write it either.
type Disk struct {
	mu    sync.Mutex
	epoch int // counts crashes
	names map[string]*inode
	// durable is what names would be after a crash, but for renamings.
	durable  map[string]*inode
	renaming []func(map[string]*inode) // changes of names since, in order
	locks    map[string]bool
	fault    func(Op, string) error
	limited  bool
	space    int64
}

var _ wal.FS = (*Disk)(nil)

// NewDisk returns an empty disk of unlimited size.
func NewDisk() *Disk {
	return &Disk{names: map[string]*inode{}, durable: map[string]*inode{}, locks: map[string]bool{}}
}

// Crash loses what is not durable and ends all open files and locks; the disk can
// be used again at once. With a source of randomness, each sector that was not
// synced and each change of a name may have made it to the disk nevertheless,
// changes of names in order. With nil nothing has.
func (d *Disk) Crash(random *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.epoch++
	clear(d.locks)
	made := 0
	if random != nil {
		made = random.IntN(len(d.renaming) + 1)
	}
	for _, change := range d.renaming[:made] {
		change(d.durable)
	}
	d.renaming = nil
	d.names = maps.Clone(d.durable)
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		d.names[path].crash(random)
	}
}

// Fail lets operations fail: fault is asked before each and returns the error, or
// nil to let it pass. A write that fails has written the first half. Nil ends
// that. fault must not use the disk.
func (d *Disk) Fail(fault func(op Op, path string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fault
}

// Limit lets writes fail with wal.ErrDiskFull that would make all files together
// longer than size bytes. A negative size ends that.
func (d *Disk) Limit(size int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limited, d.space = size >= 0, size
}

// Used returns the length of all files together in bytes.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.usedLocked()
}

func (d *Disk) usedLocked() int64 {
	var n int64
	for _, f := range d.names {
		n += int64(len(f.data))
	}
	return n
}

// Corrupt changes bytes behind the back of whoever has the file open, durably.
func (d *Disk) Corrupt(path string, change func(data []byte) []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := &inode{data: change(slices.Clone(d.names[path].data))}
	n.settle()
	d.names[path], d.durable[path] = n, n
}

// check asks the fault. The caller holds d.mu.
func (d *Disk) check(op Op, path string) error {
	if d.fault == nil {
		return nil
	}
	if err := d.fault(op, path); err != nil {
		return fmt.Errorf("%s %s: %w", op, path, err)
	}
	return nil
}

// rename makes a change of names. The caller holds d.mu.
func (d *Disk) rename(change func(map[string]*inode)) {
	change(d.names)
	d.renaming = append(d.renaming, change)
}

// MkdirAll does nothing: every directory is there.
func (d *Disk) MkdirAll(string) error { return nil }

// Lock implements wal.FS.
func (d *Disk) Lock(dir string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locks[dir] {
		return nil, fmt.Errorf("%w: %s", wal.ErrLocked, dir)
	}
	d.locks[dir] = true
	return &lock{disk: d, dir: dir, epoch: d.epoch}, nil
}

type lock struct {
	disk  *Disk
	dir   string
	epoch int
}

func (l *lock) Close() error {
	l.disk.mu.Lock()
	defer l.disk.mu.Unlock()
	if l.epoch == l.disk.epoch {
		delete(l.disk.locks, l.dir)
	}
	return nil
}

// List implements wal.FS.
func (d *Disk) List(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for path := range d.names {
		if filepath.Dir(path) == filepath.Clean(dir) {
			names = append(names, filepath.Base(path))
		}
	}
	slices.Sort(names)
	return names, nil
}

// Create implements wal.FS.
func (d *Disk) Create(path string) (wal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.check(OpCreate, path); err != nil {
		return nil, err
	}
	n := &inode{}
	d.rename(func(names map[string]*inode) { names[path] = n })
	return &file{disk: d, path: path, inode: n, epoch: d.epoch}, nil
}

// Open implements wal.FS.
func (d *Disk) Open(path string) (wal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.names[path]
	if n == nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return &file{disk: d, path: path, inode: n, epoch: d.epoch}, nil
}

// Rename implements wal.FS.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.check(OpRename, from); err != nil {
		return err
	}
	n := d.names[from]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	d.rename(func(names map[string]*inode) {
		delete(names, from)
		names[to] = n
	})
	return nil
}

// Remove implements wal.FS.
func (d *Disk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.check(OpRemove, path); err != nil {
		return err
	}
	if d.names[path] == nil {
		return &fs.PathError{Op: "remove", Path: path, Err: fs.ErrNotExist}
	}
	d.rename(func(names map[string]*inode) { delete(names, path) })
	return nil
}

// SyncDir implements wal.FS. It makes the names in all directories durable.
func (d *Disk) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.check(OpSyncDir, dir); err != nil {
		return err
	}
	d.durable, d.renaming = maps.Clone(d.names), nil
	return nil
}
