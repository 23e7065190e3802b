package storage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Create makes an empty shard for group, durably, and returns it open. It
// returns ErrShardExists if the group has one, ErrDiskFull, ErrClosed, or an
// error of the operating system.
func (p *Pool) Create(group uint64) (*Shard, error) {
	if err := p.beginGroup(group); err != nil {
		return nil, err
	}
	defer p.endGroup(group)
	if _, ok := p.manifest.dirOf(group); ok {
		return nil, fmt.Errorf("%w: group %d", ErrShardExists, group)
	}
	return p.build(group, func(*Shard) error { return nil })
}

// Open opens the shard of group, the first time, and returns the same one from
// then on, until Receive replaces it or Remove deletes it. It returns
// ErrNoShard if the group has none, ErrCorrupt, ErrClosed, or an error of the
// operating system.
func (p *Pool) Open(group uint64) (*Shard, error) {
	if s := p.shard(group); s != nil && !p.isClosed() {
		return s, nil // also while its successor is being received
	}
	if err := p.beginGroup(group); err != nil {
		return nil, err
	}
	defer p.endGroup(group)
	if s := p.shard(group); s != nil {
		return s, nil
	}
	dir, ok := p.manifest.dirOf(group)
	if !ok {
		return nil, fmt.Errorf("%w: group %d", ErrNoShard, group)
	}
	s, err := p.engine(dir, true)
	if err != nil {
		return nil, fmt.Errorf("group %d: %w", group, err)
	}
	p.install(group, s)
	return s, nil
}

// Remove deletes the shard of group. It records that first, so that after a
// crash the next OpenPool finishes it, then waits until the shard's views and
// its live batch have ended; the caller must be in none. It returns ErrNoShard
// if the group has none.
func (p *Pool) Remove(group uint64) error {
	if err := p.beginGroup(group); err != nil {
		return err
	}
	defer p.endGroup(group)
	dir, ok := p.manifest.dirOf(group)
	if !ok {
		return fmt.Errorf("%w: group %d", ErrNoShard, group)
	}
	defer p.manifest.release(dir)
	if err := p.manifest.drop(group); err != nil {
		return err
	}
	p.step("recorded")
	p.retire(p.install(group, nil))
	p.manifest.release(dir)
	p.step("closed")
	p.tidy()
	return nil
}

// Receive reads a snapshot stream, as Snapshot.WriteTo writes it, and makes it
// the shard of group in place of the one it has, if any. r is read up to the
// end of the stream and not beyond; memory is bounded by the largest entry.
//
// Everything goes to a new directory, which is made durable before it takes the
// other's place in the manifest: after a crash at any moment the group has
// either its old shard or the complete new one. An error leaves the old shard
// as it was, open for views and batches throughout. Otherwise it is closed
// before Receive returns, when its views and its live batch have ended; the
// caller must be in none. Later ones get ErrClosed.
//
// Receive returns ErrBadStream, an error of r, ErrDiskFull, ErrClosed, or an
// error of the operating system.
func (p *Pool) Receive(group uint64, r io.Reader) (*Shard, error) {
	if err := p.beginGroup(group); err != nil {
		return nil, err
	}
	defer p.endGroup(group)
	return p.build(group, func(s *Shard) error { return p.fill(s, r) })
}

// build makes a shard in a new directory, fills it, and makes it the group's.
func (p *Pool) build(group uint64, fill func(*Shard) error) (s *Shard, err error) {
	dir := ""
	if p.dir != "" {
		if err := p.requireSpace(); err != nil {
			return nil, err
		}
		// Recorded as one to discard until it is complete.
		if dir, err = p.manifest.reserve(group); err != nil {
			return nil, err
		}
		defer p.manifest.release(dir)
		p.step("reserved")
	}
	old, _ := p.manifest.dirOf(group)
	defer p.manifest.release(old)
	s, err = p.complete(dir, fill)
	if err == nil {
		p.step("complete")
		err = p.manifest.adopt(group, dir)
	}
	if err != nil {
		if s != nil {
			p.retire(s)
		}
		p.manifest.release(dir)
		return nil, errors.Join(fmt.Errorf("group %d: %w", group, err), p.discard())
	}
	p.step("recorded")
	p.retire(p.install(group, s))
	p.manifest.release(old)
	p.tidy()
	return s, nil
}

// requireSpace returns ErrDiskFull if a shard should not be made: Badger maps
// sparse files, and dies where the file system finds no block for them.
func (p *Pool) requireSpace() error {
	free, err := p.freeSpace(p.dir)
	if err != nil {
		return fmt.Errorf("free space of %s: %w", p.dir, err)
	}
	if free < reserve {
		return fmt.Errorf("%w: %s: %d bytes left", ErrDiskFull, p.dir, free)
	}
	return nil
}

// complete makes a shard in dir, fills it, and returns it open when all of it
// is durable.
func (p *Pool) complete(dir string, fill func(*Shard) error) (*Shard, error) {
	s, err := p.engine(dir, false)
	if err != nil {
		return nil, err
	}
	p.step("begun")
	if err := fill(s); err != nil {
		return s, err
	}
	p.step("filled")
	if dir == "" {
		return s, nil
	}
	return s, errors.Join(s.syncFiles(), syncDir(p.dir))
}

// retire closes a shard that is to be deleted, nil for none.
func (p *Pool) retire(s *Shard) {
	if s == nil {
		return
	}
	if err := s.abandon(); err != nil {
		p.log.Error("a shard to be deleted was not closed in order", "shard", s.name(), "error", err)
	}
}

// tidy is discard after a change that is done: what it cannot delete goes with
// the next change or when the pool is opened again.
func (p *Pool) tidy() {
	if err := p.discard(); err != nil {
		p.log.Error("a shard that is out of use could not be deleted", "directory", p.dir, "error", err)
	}
}

// discard deletes the directories that are recorded as such, except those that
// other changes have open, and then the record.
func (p *Pool) discard() error {
	dirs := p.manifest.discardable()
	if len(dirs) == 0 {
		return nil
	}
	for _, dir := range dirs {
		p.step("deleting")
		if err := os.RemoveAll(filepath.Join(p.dir, dir)); err != nil {
			return err
		}
	}
	if err := syncDir(p.dir); err != nil {
		return err
	}
	p.step("deleted")
	return p.manifest.change(func(m *nodeManifest) error { m.discarded(dirs); return nil })
}
