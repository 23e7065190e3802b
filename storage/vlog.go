package storage

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// Limits that no value log exceeds: Badger's keys are shorter than 64 KB with
// their version, and its value-log files smaller than 2 GB.
const (
	maxLogKey   = 1 << 16
	maxLogValue = 1 << 31
)

// checkValueLog verifies the checksum of every entry of a value log (a .vlog
// file) that is not written to any more. Such a file ends exactly after an
// entry. Badger itself takes the first bad entry for the end of the log: it
// cuts the newest log there when it opens, and its garbage collection would
// drop what follows in an older one.
//
// The file is a header of 20 bytes (key id, initialisation vector) and entries
//
//	meta | user meta | key length | value length | expiry | key | value | CRC-32C
//
// with varint lengths and expiry and a big endian checksum of all before it.
func checkValueLog(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return checkLogBytes(f)
}

func checkLogBytes(f io.Reader) error {
	r := &sumReader{r: bufio.NewReaderSize(f, 64<<10)}
	if _, err := io.CopyN(io.Discard, r, 20); err != nil {
		return fmt.Errorf("header: %w", noEOF(err))
	}
	for {
		start := r.offset
		r.sum = 0
		if _, err := r.ReadByte(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := r.entry(); err != nil {
			return fmt.Errorf("entry at offset %d: %w", start, noEOF(err))
		}
	}
}

// sumReader keeps the offset and the checksum of what is read.
type sumReader struct {
	r      *bufio.Reader
	offset int64
	sum    uint32
	byte   [1]byte
}

func (r *sumReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.offset += int64(n)
	r.sum = crc32.Update(r.sum, castagnoli, p[:n])
	return n, err
}

func (r *sumReader) ReadByte() (byte, error) {
	_, err := io.ReadFull(r, r.byte[:])
	return r.byte[0], err
}

// entry reads the rest of an entry, of which the first byte has been read.
func (r *sumReader) entry() error {
	if _, err := r.ReadByte(); err != nil {
		return err
	}
	var key, value, expiry uint64
	for _, v := range []*uint64{&key, &value, &expiry} {
		var err error
		if *v, err = binary.ReadUvarint(r); err != nil {
			return err
		}
	}
	if key == 0 || key > maxLogKey || value > maxLogValue {
		return fmt.Errorf("key of %d and value of %d bytes", key, value)
	}
	if _, err := io.CopyN(io.Discard, r, int64(key+value)); err != nil {
		return err
	}
	want := r.sum
	var sum [crc32.Size]byte
	if _, err := io.ReadFull(r, sum[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(sum[:]) != want {
		return fmt.Errorf("checksum mismatch")
	}
	return nil
}

// noEOF makes the end of the file inside something an error of its own.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
