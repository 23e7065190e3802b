package wal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes f's contents durable without waiting for its times.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
