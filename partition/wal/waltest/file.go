package waltest

import (
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/stator-db/stator/partition/wal"
)

// sector is what a disk writes as a whole, in bytes.
const sector = 512

// inode is a file's contents, and what of them is durable.
type inode struct {
	data []byte
	// durable holds, by number, what is on the disk of the sectors that differ
	// from data or may do so; it is as long as the disk has it. The value of a
	// sector is shorter than a sector at the end of the durable file.
	durable map[int][]byte
	// lost are those of them that a sync failed to write and that no sync will.
	lost map[int]bool
	// length is the durable length.
	length int
}

// touch remembers the durable contents of the sectors in [from, to) before they
// change.
func (n *inode) touch(from, to int) {
	if n.durable == nil {
		n.durable, n.lost = map[int][]byte{}, map[int]bool{}
	}
	for s := from / sector; s*sector < to; s++ {
		delete(n.lost, s)
		if _, known := n.durable[s]; !known {
			begin := min(s*sector, len(n.data), n.length)
			end := min((s+1)*sector, len(n.data), n.length)
			n.durable[s] = slices.Clone(n.data[begin:end])
		}
	}
}

// settle makes everything durable but what is lost.
func (n *inode) settle() {
	maps.DeleteFunc(n.durable, func(s int, _ []byte) bool { return !n.lost[s] })
	n.length = len(n.data)
}

// crash makes data what is on the disk.
func (n *inode) crash(random *rand.Rand) {
	length := n.length
	if random != nil && random.IntN(2) == 0 {
		length = len(n.data)
	}
	n.resize(max(length, len(n.data)))
	for _, s := range slices.Sorted(maps.Keys(n.durable)) {
		if random != nil && !n.lost[s] && random.IntN(2) == 0 {
			continue
		}
		end := min((s+1)*sector, len(n.data))
		if begin := s * sector; begin < end {
			clear(n.data[begin:end])
			copy(n.data[begin:end], n.durable[s])
		}
	}
	n.resize(length)
	n.durable, n.lost, n.length = nil, nil, length
}

func (n *inode) resize(length int) {
	if length <= len(n.data) {
		clear(n.data[length:])
		n.data = n.data[:length]
		return
	}
	n.data = append(n.data, make([]byte, length-len(n.data))...)
}

// file is an open file of a Disk.
type file struct {
	disk   *Disk
	path   string
	inode  *inode
	epoch  int
	closed bool
}

// use returns why the file cannot be used. The caller holds disk.mu.
func (f *file) use() error {
	switch {
	case f.epoch != f.disk.epoch:
		return ErrCrashed
	case f.closed:
		return fs.ErrClosed
	}
	return nil
}

func (f *file) ReadAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.use(); err != nil {
		return 0, err
	}
	n := copy(b, f.inode.data[min(int(off), len(f.inode.data)):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.use(); err != nil {
		return 0, err
	}
	err := f.disk.check(OpWrite, f.path)
	if err != nil {
		b = b[:len(b)/2]
	}
	if grow := int(off) + len(b) - len(f.inode.data); err == nil && f.disk.limited && grow > 0 {
		if free := int(f.disk.space - f.disk.usedLocked()); grow > free {
			b, err = b[:max(len(b)-grow+max(free, 0), 0)], wal.ErrDiskFull
		}
	}
	f.inode.touch(int(off), int(off)+len(b))
	if end := int(off) + len(b); end > len(f.inode.data) {
		f.inode.resize(end)
	}
	return copy(f.inode.data[off:], b), err
}

func (f *file) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.use(); err != nil {
		return err
	}
	if err := f.disk.check(OpTruncate, f.path); err != nil {
		return err
	}
	f.inode.touch(int(size), len(f.inode.data))
	f.inode.resize(int(size))
	return nil
}

func (f *file) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.use(); err != nil {
		return err
	}
	if err := f.disk.check(OpSync, f.path); err != nil {
		for s := range f.inode.durable {
			f.inode.lost[s] = true
		}
		return err
	}
	f.inode.settle()
	return nil
}

func (f *file) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.use(); err != nil {
		return 0, err
	}
	return int64(len(f.inode.data)), nil
}

func (f *file) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.closed = true
	return nil
}
