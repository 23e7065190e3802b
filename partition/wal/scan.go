package wal

import (
	"bufio"
	"errors"
	"hash/crc32"
	"io"
)

// errBadFrame means that there is no good frame where one should begin.
var errBadFrame = errors.New("there is no intact frame")

// scanner reads the frames of a segment in order.
type scanner struct {
	identity
	in *bufio.Reader
	// off is where the next frame begins, end where the segment does.
	off, end int64
	buf      []byte
}

const scanBuffer = 256 << 10

func newScanner(file io.ReaderAt, s identity, end int64) *scanner {
	return &scanner{
		identity: s,
		in:       bufio.NewReaderSize(io.NewSectionReader(file, segmentHeaderSize, end-segmentHeaderSize), scanBuffer),
		off:      segmentHeaderSize,
		end:      end,
	}
}

// next returns the payload of the next frame, valid until the next call, and its
// offset in the file. It returns io.EOF at the end, errBadFrame, or the error of
// the file.
func (s *scanner) next() ([]byte, int64, error) {
	if s.off >= s.end {
		return nil, 0, io.EOF
	}
	head, err := s.in.Peek(frameHeaderSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	h, ok := parseFrameHeader(head, s.identity, s.off)
	if !ok {
		return nil, 0, errBadFrame
	}
	n := frameHeaderSize + int(h.length)
	n += padding(n)
	if int64(n) > s.end-s.off {
		return nil, 0, errBadFrame
	}
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	if _, err := io.ReadFull(s.in, s.buf[:n]); err != nil {
		return nil, 0, err
	}
	payload := s.buf[frameHeaderSize : frameHeaderSize+int(h.length)]
	if crc32.Checksum(payload, castagnoli) != h.sum {
		return nil, 0, errBadFrame
	}
	at := s.off + frameHeaderSize
	s.off += int64(n)
	return payload, at, nil
}

// findFrame returns the offset of the first frame header behind off, which shows
// that what is at off had been synced before.
func findFrame(file io.ReaderAt, s identity, off, end int64) (int64, bool, error) {
	off += frameAlign
	if off >= end {
		return 0, false, nil
	}
	in := bufio.NewReaderSize(io.NewSectionReader(file, off, end-off), scanBuffer)
	for ; ; off += frameAlign {
		head, err := in.Peek(frameHeaderSize)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return 0, false, err
		}
		if _, ok := parseFrameHeader(head, s, off); ok {
			return off, true, nil
		}
		if _, err := in.Discard(frameAlign); err != nil {
			return 0, false, err
		}
	}
}
