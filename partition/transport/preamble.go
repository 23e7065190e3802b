package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// kind is what a connection is for.
type kind uint8

const (
	kindMessages kind = 1
	kindCalls    kind = 2
	kindStream   kind = 3
	kindGossip   kind = 4
)

func (k kind) String() string {
	switch k {
	case kindMessages:
		return "messages"
	case kindCalls:
		return "calls"
	case kindStream:
		return "stream"
	case kindGossip:
		return "gossip"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

const (
	magic          = "STTR"
	preambleFormat = 1

	preambleHead = 4 + 4 + 4 + 4 + 16 + 8 + 8 + 1 // up to the name
	answerHead   = 4 + 4 + 4 + 4 + 16 + 8 + 1
	maxReason    = 1024
)

// errForeign: the other side does not speak this package's language.
var errForeign = errors.New("not a Stator node")

// A preamble opens a connection.
type preamble struct {
	kind       kind
	sub        uint8 // of a stream, its kind
	version    uint32
	minVersion uint32
	cluster    [16]byte
	from       uint64
	to         uint64 // 0: whoever it is
	name       string // of from
}

func (p preamble) encode() []byte {
	b := make([]byte, 0, preambleHead+maxName+4)
	b = append(b, magic...)
	b = append(b, preambleFormat, byte(p.kind), p.sub, 0)
	b = binary.LittleEndian.AppendUint32(b, p.version)
	b = binary.LittleEndian.AppendUint32(b, p.minVersion)
	b = append(b, p.cluster[:]...)
	b = binary.LittleEndian.AppendUint64(b, p.from)
	b = binary.LittleEndian.AppendUint64(b, p.to)
	b = append(b, byte(len(p.name)))
	b = append(b, p.name...)
	return appendChecksum(b)
}

// readPreamble reads no byte beyond the preamble. The error is errForeign if
// it is none.
func readPreamble(r io.Reader) (preamble, error) {
	b := make([]byte, preambleHead, preambleHead+maxName+4)
	// The magic alone first: whoever is foreign may send less than a preamble.
	if _, err := io.ReadFull(r, b[:4]); err != nil {
		return preamble{}, err
	}
	if b[0] == 0x16 && b[1] == 3 {
		return preamble{}, fmt.Errorf("%w: it speaks TLS, which this node does not", errForeign)
	}
	if string(b[:4]) != magic {
		return preamble{}, errForeign
	}
	if _, err := io.ReadFull(r, b[4:]); err != nil {
		return preamble{}, err
	}
	if b[4] != preambleFormat {
		return preamble{}, fmt.Errorf("%w of this format: preamble format %d, this is %d", errForeign, b[4], preambleFormat)
	}
	n := int(b[preambleHead-1])
	if n > maxName {
		return preamble{}, fmt.Errorf("%w: name of %d bytes", errForeign, n)
	}
	b = b[:preambleHead+n+4]
	if _, err := io.ReadFull(r, b[preambleHead:]); err != nil {
		return preamble{}, err
	}
	if !checksumFits(b) {
		return preamble{}, fmt.Errorf("%w: damaged preamble", errForeign)
	}
	return preamble{
		kind:       kind(b[5]),
		sub:        b[6],
		version:    binary.LittleEndian.Uint32(b[8:]),
		minVersion: binary.LittleEndian.Uint32(b[12:]),
		cluster:    [16]byte(b[16:]),
		from:       binary.LittleEndian.Uint64(b[32:]),
		to:         binary.LittleEndian.Uint64(b[40:]),
		name:       string(b[preambleHead : preambleHead+n]),
	}, nil
}

// An answer accepts or refuses a connection.
type answer struct {
	version    uint32
	minVersion uint32
	cluster    [16]byte
	from       uint64
	name       string // of from
	reason     string // why it is refused; empty: accepted
}

func (a answer) encode() []byte {
	verdict := byte(0)
	if a.reason != "" {
		verdict = 1
	}
	b := make([]byte, 0, answerHead+maxName+2+maxReason+4)
	b = append(b, magic...)
	b = append(b, preambleFormat, verdict, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, a.version)
	b = binary.LittleEndian.AppendUint32(b, a.minVersion)
	b = append(b, a.cluster[:]...)
	b = binary.LittleEndian.AppendUint64(b, a.from)
	b = append(b, byte(len(a.name)))
	b = append(b, a.name...)
	reason := a.reason[:min(len(a.reason), maxReason)]
	b = binary.LittleEndian.AppendUint16(b, uint16(len(reason)))
	b = append(b, reason...)
	return appendChecksum(b)
}

// readAnswer reads no byte beyond the answer.
func readAnswer(r io.Reader) (answer, error) {
	b := make([]byte, answerHead, answerHead+maxName+2+maxReason+4)
	if _, err := io.ReadFull(r, b[:4]); err != nil {
		return answer{}, err
	}
	if b[0] == 0x15 && b[1] == 3 {
		return answer{}, fmt.Errorf("%w: it speaks TLS, which this node does not", errForeign)
	}
	if string(b[:4]) != magic {
		return answer{}, errForeign
	}
	if _, err := io.ReadFull(r, b[4:]); err != nil {
		return answer{}, err
	}
	if b[4] != preambleFormat {
		return answer{}, fmt.Errorf("%w of this format: answer format %d, this is %d", errForeign, b[4], preambleFormat)
	}
	n := int(b[answerHead-1])
	if n > maxName {
		return answer{}, fmt.Errorf("%w: name of %d bytes", errForeign, n)
	}
	b = b[:answerHead+n+2]
	if _, err := io.ReadFull(r, b[answerHead:]); err != nil {
		return answer{}, err
	}
	at := answerHead + n + 2
	m := int(binary.LittleEndian.Uint16(b[at-2:]))
	if m > maxReason {
		return answer{}, fmt.Errorf("%w: reason of %d bytes", errForeign, m)
	}
	b = b[:at+m+4]
	if _, err := io.ReadFull(r, b[at:]); err != nil {
		return answer{}, err
	}
	if !checksumFits(b) {
		return answer{}, fmt.Errorf("%w: damaged answer", errForeign)
	}
	a := answer{
		version:    binary.LittleEndian.Uint32(b[8:]),
		minVersion: binary.LittleEndian.Uint32(b[12:]),
		cluster:    [16]byte(b[16:]),
		from:       binary.LittleEndian.Uint64(b[32:]),
		name:       string(b[answerHead : answerHead+n]),
		reason:     string(b[at : at+m]),
	}
	if b[5] != 0 && a.reason == "" {
		a.reason = "no reason given"
	}
	return a, nil
}

// appendChecksum appends the checksum of b.
func appendChecksum(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// checksumFits says whether b ends with the checksum of the rest.
func checksumFits(b []byte) bool {
	n := len(b) - 4
	return binary.LittleEndian.Uint32(b[n:]) == crc32.Checksum(b[:n], castagnoli)
}
