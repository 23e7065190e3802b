package wal

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes f's contents durable without waiting for its times.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR { //nolint:errorlint // a bare errno
			return err
		}
	}
}
