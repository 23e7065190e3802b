//go:build !linux

package wal

import "os"

// syncData makes f's contents durable.
func syncData(f *os.File) error { return f.Sync() }
