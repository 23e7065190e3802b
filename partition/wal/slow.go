package wal

import (
	"sync"
	"time"
)

// A SlowDisk is the operating system's file system on a disk whose syncs take
// longer, for experiments. The zero value is as fast as the disk is.
type SlowDisk struct {
	systemFS

	mu      sync.Mutex
	delay   time.Duration
	changed chan struct{} // closed when delay changes; nil while nobody waits
}

var _ FS = (*SlowDisk)(nil)

// SetSyncDelay lets each sync take so much longer. Syncs that wait start over with
// the new delay.
func (d *SlowDisk) SetSyncDelay(delay time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = delay
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

// SyncDelay is how much longer each sync takes.
func (d *SlowDisk) SyncDelay() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.delay
}

// wait lets the delay of a sync pass.
func (d *SlowDisk) wait() {
	for {
		d.mu.Lock()
		if d.delay <= 0 {
			d.mu.Unlock()
			return
		}
		if d.changed == nil {
			d.changed = make(chan struct{})
		}
		timer, changed := time.NewTimer(d.delay), d.changed
		d.mu.Unlock()
		select {
		case <-timer.C:
			return
		case <-changed:
			timer.Stop()
		}
	}
}

// Create makes or empties a file with slow syncs.
func (d *SlowDisk) Create(path string) (File, error) { return d.slow(d.systemFS.Create(path)) }

// Open opens an existing file with slow syncs.
func (d *SlowDisk) Open(path string) (File, error) { return d.slow(d.systemFS.Open(path)) }

// SyncDir makes the names in dir durable, slowly.
func (d *SlowDisk) SyncDir(dir string) error {
	d.wait()
	return d.systemFS.SyncDir(dir)
}

func (d *SlowDisk) slow(f File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return slowFile{f, d}, nil
}

type slowFile struct {
	File
	disk *SlowDisk
}

func (f slowFile) Sync() error {
	f.disk.wait()
	return f.File.Sync()
}
