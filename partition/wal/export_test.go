package wal

import (
	"bytes"
	"encoding/binary"
)

// FixSalt makes the bytes that a log writes predictable.
func (o *Options) FixSalt(salt uint64) { o.salt = func() uint64 { return salt } }

// Cached returns the bytes that the caches count.
func (l *Log) Cached() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cached
}

// Live returns the bytes of needed entries as counted, and as found.
func (l *Log) Live() (counted, found int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		counted += s.live
	}
	for _, g := range l.groups {
		for _, s := range g.index.spans {
			for _, p := range s.at {
				found += int64(p.size)
			}
		}
	}
	return counted, found
}

// AppendFrame adds a frame with a payload to a segment.
func AppendFrame(segment, payload []byte) []byte {
	s, err := parseSegmentHeader("", segment, 1)
	if err != nil {
		panic(err)
	}
	off := len(segment)
	segment = append(segment, make([]byte, frameHeaderSize)...)
	segment = append(segment, payload...)
	putFrameHeader(segment[off:], s, int64(off))
	return append(segment, make([]byte, padding(len(segment)))...)
}

// Payloads returns what is in the frames of a segment.
func Payloads(segment []byte) [][]byte {
	s, err := parseSegmentHeader("", segment, 1)
	if err != nil {
		panic(err)
	}
	in := newScanner(bytes.NewReader(segment), s, int64(len(segment)))
	var all [][]byte
	for {
		payload, _, err := in.next()
		if err != nil {
			return all
		}
		all = append(all, bytes.Clone(payload))
	}
}

// SetVersion makes a segment one of another format version.
func SetVersion(segment []byte, version uint32) {
	binary.LittleEndian.PutUint32(segment[8:], version)
	binary.LittleEndian.PutUint32(segment[12:], segmentHeaderSum(segment))
}
