package partition

import (
	"encoding/binary"
	"math"
	"time"
)

// The fields of commands and results. Readers return zero after a fault.

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// appendNumber appends a number that is not negative.
func appendNumber[N ~int | ~uint16 | ~uint32 | ~uint64](dst []byte, n N) []byte {
	return binary.AppendUvarint(dst, uint64(n))
}

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, 0)
	}
	return binary.AppendVarint(append(dst, 1), t.UnixNano())
}

func appendKeys(dst []byte, keys [][]byte) []byte {
	dst = appendNumber(dst, len(keys))
	for _, k := range keys {
		dst = appendBytes(dst, k)
	}
	return dst
}

func appendTable(dst []byte, t *Table) ([]byte, error) {
	body, err := encodeTable(t)
	return appendBytes(dst, body), err
}

func appendTokenRecord(dst []byte, t *tokenRecord) []byte {
	if t == nil {
		return append(dst, 0)
	}
	dst = append(append(append(dst, 1), t.Key[:]...), t.Fingerprint[:]...)
	dst = appendNumber(appendTime(dst, t.at), len(t.sizes))
	for _, n := range t.sizes {
		dst = appendNumber(dst, n)
	}
	return dst
}

// presized bounds what is allocated because of a count alone.
const presized = 128

// list reads a number of things, each of at least a byte; nil for none.
func list[T any](r *wireReader, read func() T) []T {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
	}
	if r.err != nil || n == 0 {
		return nil
	}
	all := make([]T, 0, min(n, presized))
	for ; n > 0; n-- {
		v := read()
		if r.err != nil {
			return nil
		}
		all = append(all, v)
	}
	return all
}

func (r *wireReader) keys() [][]byte { return list(r, r.bytes) }

func (r *wireReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *wireReader) bool() bool {
	v := r.byte()
	if v > 1 {
		r.fail()
	}
	return v == 1
}

// upTo reads a number that has a bound.
func (r *wireReader) upTo(bound uint64) uint64 {
	n := r.uvarint()
	if n > bound {
		r.fail()
		return 0
	}
	return n
}

func (r *wireReader) uint16() uint16 { return uint16(r.upTo(math.MaxUint16)) }
func (r *wireReader) uint32() uint32 { return uint32(r.upTo(math.MaxUint32)) }
func (r *wireReader) int() int       { return int(r.upTo(math.MaxInt32)) }

func (r *wireReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *wireReader) time() time.Time {
	if !r.bool() {
		return time.Time{}
	}
	return time.Unix(0, r.varint()).UTC()
}

func (r *wireReader) txID() (id txID) {
	copy(id[:], r.take(uint64(len(id))))
	return id
}

func (r *wireReader) table() *Table {
	t, err := decodeTable(r.bytes())
	if err != nil {
		r.fail()
	}
	return t
}

func (r *wireReader) tokenRecord() *tokenRecord {
	if !r.bool() {
		return nil
	}
	t := new(tokenRecord)
	copy(t.Key[:], r.take(uint64(len(t.Key))))
	copy(t.Fingerprint[:], r.take(uint64(len(t.Fingerprint))))
	t.at = r.time()
	t.sizes = list(r, r.int)
	return t
}
