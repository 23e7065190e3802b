package partition

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/stator-db/stator/storage"
)

// A digest tells whether two replicas hold the same records, and if not, between
// which keys they first differ.
//
// The records, in the order of their keys, are cut into ranges. Where a range ends
// is decided by the hash of its last key alone, so that a record which one replica
// lacks or has changed leaves the other ranges alike. When there are too many
// ranges, those are merged whose ends are least rare. Sums are of the hashes of
// records, so that a merged range has the sum of its parts.
type digest struct {
	ranges []digestRange // at least one; the last has no last key
	index  uint64        // of the log, up to which it was applied; compared by nobody
}

// digestRange sums up the records behind the range before it, up to last.
type digestRange struct {
	last  []byte // nil: everything that follows
	count uint64
	sum   [2]uint64
}

func (r *digestRange) add(o digestRange) {
	var carry uint64
	r.sum[0], carry = bits.Add64(r.sum[0], o.sum[0], 0)
	r.sum[1], _ = bits.Add64(r.sum[1], o.sum[1], carry)
	r.count += o.count
}

func (r *digestRange) same(o *digestRange) bool { return r.count == o.count && r.sum == o.sum }

// maxDigestRanges bounds a digest's size. With keys of their greatest length it
// is 2 MB, as a rule 60 KB.
const maxDigestRanges = 1024

// digester makes a digest, record by record.
type digester struct {
	rarity int // of the ends of ranges: their hashes have so many zeros at least
	ranges []digestRange
	open   digestRange
}

func (d *digester) add(key, value []byte) {
	id := sha256.Sum256(key)
	h := sha256.New()
	h.Write(id[:])
	h.Write(value)
	sum := h.Sum(make([]byte, 0, sha256.Size))
	d.open.add(digestRange{count: 1, sum: [2]uint64{binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:])}})
	if bits.TrailingZeros64(binary.BigEndian.Uint64(id[:])) < d.rarity {
		return
	}
	d.open.last = bytes.Clone(key)
	d.ranges, d.open = append(d.ranges, d.open), digestRange{}
	for len(d.ranges) >= maxDigestRanges {
		d.rarity++
		d.merge()
	}
}

// merge joins ranges whose ends are not rare enough any more with those behind
// them.
func (d *digester) merge() {
	kept := d.ranges[:0]
	var left digestRange // of ranges that lost their end
	for _, r := range d.ranges {
		last := r.last
		r.add(left)
		left = digestRange{}
		id := sha256.Sum256(last)
		if bits.TrailingZeros64(binary.BigEndian.Uint64(id[:])) >= d.rarity {
			kept = append(kept, r)
		} else {
			left = r
		}
	}
	left.last = nil
	left.add(d.open)
	d.ranges, d.open = kept, left
}

func (d *digester) end() []digestRange { return append(d.ranges, d.open) }

// digestOf digests the records of a snapshot within bounds. Left out is the
// applied sequence, which replicas store when they like. An error of goOn, called
// now and then, ends it.
func digestOf(s snapshot, bounds storage.Range, goOn func() error) (digest, error) {
	var d digester
	var scanned int
	err := s.Scan(bounds, func(key, value []byte) (bool, error) {
		if scanned++; scanned%1024 == 0 {
			if err := goOn(); err != nil {
				return false, err
			}
		}
		if !bytes.Equal(key, appliedKey) {
			d.add(key, value)
		}
		return true, nil
	})
	return digest{ranges: d.end()}, err
}

// total sums everything up.
func (d *digest) total() digestRange {
	var all digestRange
	for _, r := range d.ranges {
		all.add(r)
	}
	return all
}

// A difference is where two digests first differ.
type difference struct {
	key     []byte        // the first key that one lacks or has another value for; nil if the digests are too coarse
	bounds  storage.Range // the first range, between ends that both have, that differs; what is before is alike
	records uint64        // in the range, at most
}

// firstDifference compares digests with the same bounds.
func (d *digest) firstDifference(o *digest, bounds storage.Range) (diff difference, differ bool) {
	diff.bounds = bounds
	a, b := d.ranges, o.ranges
	for {
		diff.key = nil
		if a[0].count <= 1 && b[0].count <= 1 {
			if diff.key = a[0].last; compareEnds(b[0].last, a[0].last) < 0 {
				diff.key = b[0].last
			}
		}
		x, y := a[0], b[0]
		for order := compareEnds(a[0].last, b[0].last); order != 0; order = compareEnds(a[0].last, b[0].last) {
			if order < 0 {
				a = a[1:]
				x.add(a[0])
			} else {
				b = b[1:]
				y.add(b[0])
			}
		}
		end := a[0].last
		if diff.bounds.Upper = bounds.Upper; end != nil {
			diff.bounds.Upper = after(end)
		}
		if !x.same(&y) {
			diff.records = max(x.count, y.count)
			return diff, true
		}
		if end == nil {
			return difference{}, false
		}
		diff.bounds.Lower = diff.bounds.Upper
		a, b = a[1:], b[1:]
	}
}

// compareEnds orders the ends of ranges; nil is behind all.
func compareEnds(a, b []byte) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return bytes.Compare(a, b)
}

// after is the lowest key above key.
func after(key []byte) []byte { return append(bytes.Clone(key), 0) }

// digestFormat is the version of what a digest looks like between nodes: the
// format, the index, the number of ranges, and for each the number of its records,
// the sum and, but for the last range, the length of its last key and that key.
const digestFormat = 1

func appendDigest(dst []byte, d *digest) []byte {
	dst = binary.AppendUvarint(append(dst, digestFormat), d.index)
	dst = binary.AppendUvarint(dst, uint64(len(d.ranges)))
	for i, r := range d.ranges {
		dst = binary.AppendUvarint(dst, r.count)
		dst = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, r.sum[0]), r.sum[1])
		if i < len(d.ranges)-1 {
			dst = appendBytes(dst, r.last)
		}
	}
	return dst
}

func parseDigest(b []byte) (digest, error) {
	r := wireReader{b: b}
	if format := r.byte(); r.err == nil && format != digestFormat {
		return digest{}, fmt.Errorf("%w: digest in form %d, which this version does not know", errBadRequest, format)
	}
	d := digest{index: r.uvarint()}
	n := r.uvarint()
	if r.err != nil || n == 0 || n > maxDigestRanges {
		return digest{}, errBadRequest
	}
	d.ranges = make([]digestRange, n)
	for i := range d.ranges {
		d.ranges[i].count = r.uvarint()
		if len(r.b) < 16 {
			return digest{}, errBadRequest
		}
		d.ranges[i].sum = [2]uint64{binary.BigEndian.Uint64(r.b), binary.BigEndian.Uint64(r.b[8:])}
		r.b = r.b[16:]
		if uint64(i) < n-1 {
			d.ranges[i].last = r.bytes()
		}
	}
	if r.err != nil || len(r.b) > 0 || !slices.IsSortedFunc(d.ranges, func(a, b digestRange) int { return compareEnds(a.last, b.last) }) {
		return digest{}, errBadRequest
	}
	return d, nil
}
