package wal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// FS is the part of a file system that a log uses. Package waltest has one that
// fails and crashes on demand. Its methods are safe for concurrent use.
type FS interface {
	// MkdirAll makes dir and its parents durably.
	MkdirAll(dir string) error
	// Lock takes the exclusive lock of dir until it is closed, or fails with an
	// error that wraps ErrLocked.
	Lock(dir string) (io.Closer, error)
	// List returns the names in dir, in any order.
	List(dir string) ([]string, error)
	// Create makes or empties a file.
	Create(path string) (File, error)
	// Open opens an existing file for reading and writing.
	Open(path string) (File, error)
	// Rename gives a closed file another name.
	Rename(from, to string) error
	// Remove deletes the name of a file; open Files stay readable.
	Remove(path string) error
	// SyncDir makes the names in dir durable.
	SyncDir(dir string) error
}

// File is an open file of an FS.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size returns the file's length in bytes.
	Size() (int64, error)
	Truncate(size int64) error
	// Sync makes the contents durable, and the length as far as they need it.
	Sync() error
}

// systemFS is the operating system's file system.
type systemFS struct{}

type systemFile struct{ *os.File }

func (f systemFile) Sync() error { return syncData(f.File) }

func (f systemFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (systemFS) MkdirAll(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	return makeDurably(dir)
}

func (systemFS) Lock(dir string) (io.Closer, error) { return lockDir(dir) }

func (systemFS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (systemFS) Create(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return systemFile{f}, nil
}

func (systemFS) Open(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return systemFile{f}, nil
}

func (systemFS) Rename(from, to string) error { return os.Rename(from, to) }
func (systemFS) Remove(path string) error     { return os.Remove(path) }
func (systemFS) SyncDir(dir string) error     { return syncDir(dir) }

// makeDurably makes dir and those of its parents that are missing, and syncs the
// directory that each was made in.
func makeDurably(dir string) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); err != nil && parent != dir {
		if err := makeDurably(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(parent)
}
