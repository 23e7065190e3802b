package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

const (
	lockName        = "LOCK"
	segmentSuffix   = ".wal"
	temporarySuffix = ".tmp"

	segmentMagic      = "STATRWAL"
	formatVersion     = 1
	segmentHeaderSize = 32

	frameMagic      = 0x4d524657
	frameHeaderSize = 16
	frameAlign      = 8
	maxFrame        = 512 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumByte adds a byte to a checksum. Bytes in a local array would escape to the
// heap through crc32.Update, once per entry.
func sumByte(sum uint32, b byte) uint32 {
	return ^(castagnoli[byte(^sum)^b] ^ ^sum>>8)
}

// sumUint64 adds the eight bytes of v, little endian.
func sumUint64(sum uint32, v uint64) uint32 {
	for range 8 {
		sum = sumByte(sum, byte(v))
		v >>= 8
	}
	return sum
}

// segmentName is the file name of a segment.
func segmentName(id uint64) string { return fmt.Sprintf("%016x%s", id, segmentSuffix) }

// parseSegmentName is the inverse of segmentName.
func parseSegmentName(name string) (id uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	id, err := strconv.ParseUint(digits, 16, 64)
	return id, err == nil && segmentName(id) == name
}

// identity is what binds frames to their segment.
type identity struct{ id, salt uint64 }

func appendSegmentHeader(b []byte, s identity) []byte {
	start := len(b)
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint32(b, formatVersion)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, s.id)
	b = binary.LittleEndian.AppendUint64(b, s.salt)
	binary.LittleEndian.PutUint32(b[start+12:], segmentHeaderSum(b[start:]))
	return b
}

func segmentHeaderSum(h []byte) uint32 {
	return crc32.Update(crc32.Checksum(h[:12], castagnoli), castagnoli, h[16:segmentHeaderSize])
}

// parseSegmentHeader reads the header of the segment with this id.
func parseSegmentHeader(path string, h []byte, id uint64) (identity, error) {
	if len(h) < segmentHeaderSize {
		return identity{}, corrupt(path, 0, "the header is cut off")
	}
	if string(h[:8]) != segmentMagic || binary.LittleEndian.Uint32(h[12:]) != segmentHeaderSum(h) {
		return identity{}, corrupt(path, 0, "the header is damaged")
	}
	if v := binary.LittleEndian.Uint32(h[8:]); v != formatVersion {
		return identity{}, fmt.Errorf("%w: %s: version %d, this program knows %d", ErrVersion, path, v, formatVersion)
	}
	s := identity{id: binary.LittleEndian.Uint64(h[16:]), salt: binary.LittleEndian.Uint64(h[24:])}
	if s.id != id {
		return identity{}, corrupt(path, 16, "it is segment %x under another name", s.id)
	}
	return s, nil
}

// frameHeader is a frame's header that has passed its checksum.
type frameHeader struct {
	length uint32
	sum    uint32
}

// putFrameHeader completes a frame in place: frame has room for the header, then
// the payload. off is the frame's offset in its segment.
func putFrameHeader(frame []byte, s identity, off int64) {
	payload := frame[frameHeaderSize:]
	binary.LittleEndian.PutUint32(frame, frameMagic)
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(frame[8:], crc32.Checksum(payload, castagnoli))
	binary.LittleEndian.PutUint32(frame[12:], frameHeaderSum(frame, s, off))
}

func frameHeaderSum(h []byte, s identity, off int64) uint32 {
	sum := sumUint64(sumUint64(sumUint64(0, s.salt), s.id), uint64(off))
	return crc32.Update(sum, castagnoli, h[:12])
}

// parseFrameHeader reports whether h begins with the header of a frame of s at
// off.
func parseFrameHeader(h []byte, s identity, off int64) (frameHeader, bool) {
	if len(h) < frameHeaderSize || binary.LittleEndian.Uint32(h) != frameMagic ||
		binary.LittleEndian.Uint32(h[12:]) != frameHeaderSum(h, s, off) {
		return frameHeader{}, false
	}
	f := frameHeader{length: binary.LittleEndian.Uint32(h[4:]), sum: binary.LittleEndian.Uint32(h[8:])}
	return f, f.length <= maxFrame
}

// padding returns the zeros that follow n bytes up to the next frame.
func padding(n int) int { return -n & (frameAlign - 1) }
