package item

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// containerHeader is the tag and the four length bytes of M, L and sets.
const containerHeader = 5

// maxRecursion bounds every walk over nested values, so that neither a hostile
// request nor damaged bytes can exhaust the stack. It is far above MaxDepth
// because JSON that is too deep for DynamoDB is still read to its end.
const maxRecursion = 500

// uvarint reads a length or a count. Its width is 0 when b is damaged.
func uvarint(b []byte) (n, width int) {
	if len(b) > 0 && b[0] < 0x80 {
		return int(b[0]), 1
	}
	return longUvarint(b) // apart, so that the short form is inlined
}

func longUvarint(b []byte) (n, width int) {
	x, w := binary.Uvarint(b)
	if w <= 0 || x > math.MaxInt32 {
		return 0, 0
	}
	return int(x), w
}

func uvarintWidth(n int) int { return (bits.Len32(uint32(n)|1) + 6) / 7 }

func appendUvarint(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	return binary.AppendUvarint(dst, uint64(n))
}

// extent returns where the payload of the value at the start of b begins and
// where the value ends; end is 0 when b is damaged or empty. The payload of a
// container begins with its count.
func extent(b []byte) (payload, end int) {
	if len(b) == 0 {
		return 0, 0
	}
	switch Type(b[0]) {
	case S, N, B:
		n, w := uvarint(b[1:])
		if w == 0 || n > len(b)-1-w {
			return 0, 0
		}
		return 1 + w, 1 + w + n
	case BOOL:
		if len(b) < 2 {
			return 0, 0
		}
		return 1, 2
	case NULL:
		return 1, 1
	case M, L, SS, NS, BS:
		if len(b) < containerHeader {
			return 0, 0
		}
		n := binary.BigEndian.Uint32(b[1:])
		if uint64(n) > uint64(len(b)-containerHeader) {
			return 0, 0
		}
		return containerHeader, containerHeader + int(n)
	}
	return 0, 0
}

// cutValue splits the value at the start of b from what follows; v is nil when
// b is damaged or empty.
func cutValue(b []byte) (v Value, rest []byte) {
	_, end := extent(b)
	if end == 0 {
		return nil, nil
	}
	return Value(b[:end:end]), b[end:]
}

// cutName splits the length-prefixed name at the start of b from the value
// that follows it; name is nil when b is damaged or empty.
func cutName(b []byte) (name, rest []byte) {
	n, w := uvarint(b)
	if w == 0 || n > len(b)-w {
		return nil, nil
	}
	return b[w : w+n : w+n], b[w+n:]
}

// findField looks a name up among sorted entries. It stops at the first name
// whose first byte is past that of the one looked for; a full comparison of
// order would cost more than it saves.
func findField(entries []byte, name string) Value {
	for len(entries) > 0 {
		n, w := uvarint(entries)
		if w == 0 || n > len(entries)-w {
			return nil
		}
		found, rest := entries[w:w+n], entries[w+n:]
		_, end := extent(rest)
		if end == 0 {
			return nil
		}
		if string(found) == name {
			return Value(rest[:end:end])
		}
		if n > 0 && len(name) > 0 && found[0] > name[0] {
			return nil
		}
		entries = rest[end:]
	}
	return nil
}

// beginContainer appends a container's tag, leaves room for its length and one
// byte for its count, and returns where the container starts.
func beginContainer(dst []byte, t Type) ([]byte, int) {
	return append(dst, byte(t), 0, 0, 0, 0, 0), len(dst)
}

// endContainer fills in the length and count of the container that begins at
// start and ends with dst.
func endContainer(dst []byte, start, count int) []byte {
	at := start + containerHeader
	if extra := uvarintWidth(count) - 1; extra > 0 {
		var room [binary.MaxVarintLen32]byte
		dst = append(dst, room[:extra]...)
		copy(dst[at+1+extra:], dst[at+1:len(dst)-extra])
	}
	binary.PutUvarint(dst[at:], uint64(count))
	binary.BigEndian.PutUint32(dst[start+1:], uint32(len(dst)-at))
	return dst
}
