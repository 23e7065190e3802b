package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A snapshot stream is a header, frames and an end, all integers little endian
// and all sums CRC-32C:
//
//	"STATSNAP" | version u32
//	length u32, not 0 | sum of payload u32 | payload       for each frame
//	0 u32 | entries u64 | sum of payloads u32 | sum of these 16 bytes u32
//
// A payload is entries, each whole, in the order of their keys:
//
//	key length uvarint | value length uvarint | key | value
//
// Values are those of the API, without checksums and packing, so that streams
// pass between disk and memory.
const (
	streamMagic   = "STATSNAP"
	streamVersion = 1
	headerSize    = len(streamMagic) + 4
	frameHead     = 8
	endSize       = 20

	// frameSize is where a frame is full. A frame with one large entry is
	// longer, up to maxFrameSize.
	frameSize    = 256 << 10
	maxFrameSize = 64 << 20
)

// WriteTo writes all keys and values of the snapshot to w, as a stream for
// Pool.Receive, and returns the number of bytes written. Memory is bounded by
// the largest entry. The stream ends in a record that tells it from one cut
// short. An error of w is returned as it is.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) {
	sw := &streamWriter{w: w, frame: make([]byte, frameHead, frameHead+frameSize)}
	if err := sw.write(binary.LittleEndian.AppendUint32([]byte(streamMagic), streamVersion)); err != nil {
		return sw.written, err
	}
	if err := s.Scan(Range{}, sw.entry); err != nil {
		return sw.written, err
	}
	return sw.written, sw.end()
}

type streamWriter struct {
	w       io.Writer
	written int64
	frame   []byte // with room for its head
	entries uint64
	sum     uint32
}

func (sw *streamWriter) write(b []byte) error {
	n, err := sw.w.Write(b)
	sw.written += int64(n)
	return err
}

func (sw *streamWriter) entry(key, value []byte) (more bool, err error) {
	size := 2*binary.MaxVarintLen32 + len(key) + len(value)
	if size > maxFrameSize {
		return false, fmt.Errorf("an entry of %d bytes is too large for a snapshot stream", size)
	}
	if len(sw.frame) > frameHead && len(sw.frame)+size > frameHead+frameSize {
		if err := sw.flush(); err != nil {
			return false, err
		}
	}
	sw.frame = binary.AppendUvarint(sw.frame, uint64(len(key)))
	sw.frame = binary.AppendUvarint(sw.frame, uint64(len(value)))
	sw.frame = append(append(sw.frame, key...), value...)
	sw.entries++
	return true, nil
}

func (sw *streamWriter) flush() error {
	payload := sw.frame[frameHead:]
	binary.LittleEndian.PutUint32(sw.frame, uint32(len(payload)))
	binary.LittleEndian.PutUint32(sw.frame[4:], crc32.Checksum(payload, castagnoli))
	sw.sum = crc32.Update(sw.sum, castagnoli, payload)
	err := sw.write(sw.frame)
	sw.frame = sw.frame[:frameHead]
	return err
}

func (sw *streamWriter) end() error {
	if len(sw.frame) > frameHead {
		if err := sw.flush(); err != nil {
			return err
		}
	}
	b := make([]byte, 4, endSize)
	b = binary.LittleEndian.AppendUint64(b, sw.entries)
	b = binary.LittleEndian.AppendUint32(b, sw.sum)
	return sw.write(binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)))
}

func badStream(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrBadStream, fmt.Errorf(format, args...))
}

// streamReader reads a snapshot stream frame by frame.
type streamReader struct {
	r       io.Reader
	payload bytes.Buffer
	entries uint64
	sum     uint32
	last    []byte // key
}

// full reads exactly len(b) bytes. That r ends before is damage to the stream;
// its other errors are its own.
func (sr *streamReader) full(b []byte) error {
	_, err := io.ReadFull(sr.r, b)
	return sr.cut(err)
}

func (sr *streamReader) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return badStream("after %d entries: %w", sr.entries, io.ErrUnexpectedEOF)
	}
	return err
}

func (sr *streamReader) header() error {
	var b [headerSize]byte
	if err := sr.full(b[:]); err != nil {
		return err
	}
	if string(b[:len(streamMagic)]) != streamMagic {
		return badStream("not a snapshot")
	}
	if v := binary.LittleEndian.Uint32(b[len(streamMagic):]); v != streamVersion {
		return badStream("version %d, this version reads version %d", v, streamVersion)
	}
	return nil
}

// next reads a frame and returns its verified payload, which is valid until the
// next call, or nil at the verified end of the stream.
func (sr *streamReader) next() (payload []byte, err error) {
	var head [endSize]byte
	if err := sr.full(head[:frameHead]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size == 0 {
		return nil, sr.end(&head)
	}
	if size > maxFrameSize {
		return nil, badStream("frame of %d bytes", size)
	}
	// The buffer grows with what arrives, not with what is announced.
	sr.payload.Reset()
	if _, err := io.CopyN(&sr.payload, sr.r, int64(size)); err != nil {
		return nil, sr.cut(err)
	}
	payload = sr.payload.Bytes()
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, badStream("checksum mismatch after %d entries", sr.entries)
	}
	sr.sum = crc32.Update(sr.sum, castagnoli, payload)
	return payload, nil
}

func (sr *streamReader) end(b *[endSize]byte) error {
	if err := sr.full(b[frameHead:]); err != nil {
		return err
	}
	if crc32.Checksum(b[:16], castagnoli) != binary.LittleEndian.Uint32(b[16:]) {
		return badStream("checksum mismatch in the end")
	}
	if n := binary.LittleEndian.Uint64(b[4:]); n != sr.entries {
		return badStream("%d entries of %d", sr.entries, n)
	}
	if binary.LittleEndian.Uint32(b[12:]) != sr.sum {
		return badStream("frames are not those that were written")
	}
	return nil
}

// entry takes the first entry off a payload.
func (sr *streamReader) entry(payload []byte) (key, value, rest []byte, err error) {
	keySize, n := binary.Uvarint(payload)
	if n <= 0 {
		return nil, nil, nil, badStream("key length")
	}
	payload = payload[n:]
	valueSize, n := binary.Uvarint(payload)
	if n <= 0 {
		return nil, nil, nil, badStream("value length")
	}
	payload = payload[n:]
	if keySize == 0 || keySize > maxKeySize || keySize > uint64(len(payload)) || valueSize > uint64(len(payload))-keySize {
		return nil, nil, nil, badStream("key of %d and value of %d bytes in the %d left of a frame", keySize, valueSize, len(payload))
	}
	key, value, rest = payload[:keySize:keySize], payload[keySize:keySize+valueSize:keySize+valueSize], payload[keySize+valueSize:]
	if sr.entries > 0 && bytes.Compare(key, sr.last) <= 0 {
		return nil, nil, nil, badStream("keys are not in order after %d entries", sr.entries)
	}
	sr.last = append(sr.last[:0], key...)
	sr.entries++
	return key, value, rest, nil
}

// fill writes what a stream holds to the empty shard s.
func (p *Pool) fill(s *Shard, r io.Reader) error {
	sr := &streamReader{r: r}
	if err := sr.header(); err != nil {
		return err
	}
	for {
		if p.isClosed() {
			return ErrClosed
		}
		payload, err := sr.next()
		if err != nil || payload == nil {
			return err
		}
		if err := s.writeEntries(sr, payload); err != nil {
			return err
		}
	}
}

// writeEntries commits the entries of a payload, in as many batches as it takes.
func (s *Shard) writeEntries(sr *streamReader, payload []byte) error {
	for len(payload) > 0 {
		b := s.NewBatch()
		for len(payload) > 0 {
			key, value, rest, err := sr.entry(payload)
			if err != nil {
				b.Discard()
				return err
			}
			if err := b.Set(key, value); err != nil {
				b.Discard()
				return err
			}
			payload = rest
			// Room for any entry with a value that does not go to a log.
			if !b.Fits(1, b.Cost(maxKeySize, valueThreshold)) {
				break
			}
		}
		if err := b.Commit(); err != nil {
			return err
		}
	}
	return nil
}
