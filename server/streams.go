package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stator-db/stator/partition"
)

// A stream has one shard for every shard of the database, from when the stream is
// enabled until it is disabled: shards do not split, so none has a parent.

// streamARN is the ARN of a stream of a table of this call's namespace.
func (c *call) streamARN(table, label string) string {
	return c.tableARN(table) + "/stream/" + label
}

// parseStreamARN splits the resource of a stream's ARN.
func parseStreamARN(s string) (a arn, table, label string, ok bool) {
	a, ok = parseARN(s)
	resource, isTable := strings.CutPrefix(a.resource, "table/")
	table, label, isStream := strings.Cut(resource, "/stream/")
	ok = ok && a.service == "dynamodb" && isTable && isStream && table != "" && label != ""
	return a, table, label, ok
}

// stream finds the stream that a request names.
func (c *call) stream(streamARN string) (*partition.Stream, error) {
	a, table, label, ok := parseStreamARN(streamARN)
	switch {
	case !ok:
		return nil, validationText("Invalid StreamArn")
	case a.account != c.account():
		return nil, c.accessDenied(streamARN)
	case a.partition != "aws" || a.region != c.arnRegion():
		return nil, streamNotFound(streamARN)
	}
	s, err := c.s.db.Stream(c.ns, table, label)
	if errors.Is(err, partition.ErrStreamNotFound) {
		return nil, streamNotFound(streamARN)
	}
	return s, err
}

func streamNotFound(streamARN string) *apiError {
	return resourceNotFoundDetail("Stream: %s not found", streamARN)
}

// shardID names a shard of a stream as the service does: when it began, in
// milliseconds, and eight hexadecimal digits. The digits are those of the index,
// spread over all of them by a factor that has an inverse, so that no two shards
// of a stream share an id.
func shardID(s *partition.Stream, index int) string {
	const spread = 0x9E3779B1
	return fmt.Sprintf("shardId-%020d-%08x", s.Created.UnixMilli(), (uint32(index)+1)*spread)
}

// findShard returns the part of a stream that an id names.
func (c *call) findShard(s *partition.Stream, id string) (partition.StreamShard, error) {
	for _, shard := range c.s.db.StreamShards(s) {
		if shardID(s, shard.Index) == id {
			return shard, nil
		}
	}
	return partition.StreamShard{}, resourceNotFoundDetail("Shard does not exist")
}

// Sequence numbers are decimal: a position's sequence added to a number of 16
// digits, then five digits for the record of the command. So they have the 21
// digits that clients want, and grow as positions do.
const (
	sequenceBase    = 1_000_000_000_000_000
	sequenceSubSize = 5
)

func sequenceNumber(p partition.StreamPos) string {
	return strconv.FormatUint(sequenceBase+p.Seq, 10) + fmt.Sprintf("%0*d", sequenceSubSize, p.Sub)
}

// parseSequenceNumber is the inverse of sequenceNumber; ok is false for text that
// it does not return.
func parseSequenceNumber(s string) (p partition.StreamPos, ok bool) {
	if len(s) <= sequenceSubSize || !digits(s) || s[0] == '0' {
		return p, false
	}
	at := len(s) - sequenceSubSize
	seq, err := strconv.ParseUint(s[:at], 10, 64)
	if err != nil || seq < sequenceBase {
		return p, false
	}
	sub, err := strconv.ParseUint(s[at:], 10, 16)
	return partition.StreamPos{Seq: seq - sequenceBase, Sub: uint16(sub)}, err == nil
}

// following is the next position in a shard.
func following(p partition.StreamPos) partition.StreamPos {
	if p.Sub++; p.Sub == 0 {
		p.Seq++
	}
	return p
}

// A shardIterator is what the text of a ShardIterator says: a position in a shard
// of a stream.
type shardIterator struct {
	stream string // its ARN
	shard  int
	pos    partition.StreamPos
	issued time.Time
}

// iteratorLife is how long a ShardIterator is good for (API Reference,
// GetShardIterator).
const iteratorLife = 15 * time.Minute

// The text of an iterator is the service's: ARN, version and base 64, with bars
// between. The latter encodes
//
//	| shard 2 | sequence 8 | sub 2 | issued, in ms 8 | seal 16 |
const (
	iteratorVersion = "|1|"
	iteratorSize    = 2 + 8 + 2 + 8
	sealSize        = 16
)

func (c *call) iterator(it shardIterator) string {
	b := make([]byte, 0, iteratorSize+sealSize)
	b = binary.BigEndian.AppendUint16(b, uint16(it.shard))
	b = binary.BigEndian.AppendUint64(b, it.pos.Seq)
	b = binary.BigEndian.AppendUint16(b, it.pos.Sub)
	b = binary.BigEndian.AppendUint64(b, uint64(it.issued.UnixMilli()))
	seal := c.seal(it.stream, b)
	return it.stream + iteratorVersion + base64.StdEncoding.EncodeToString(append(b, seal[:]...))
}

// seal tells an iterator that was handed out to this caller from a damaged or
// made-up one. It keeps nothing secret: who can ask for an iterator can read the
// stream. So it has no key, and iterators outlive a restart.
func (c *call) seal(stream string, position []byte) [sealSize]byte {
	f := newFingerprint()
	f.text("stator shard iterator")
	f.text(c.ns.Account)
	f.text(c.ns.Region)
	f.text(stream)
	f.bytes(position)
	sum := f.sum()
	return [sealSize]byte(sum[:])
}

// parseIterator reads the text of a ShardIterator. Faults are those of GetRecords.
func (c *call) parseIterator(text string) (it shardIterator, err error) {
	invalid := validationText("Invalid ShardIterator")
	stream, encoded, ok := strings.Cut(text, iteratorVersion)
	b, decodeErr := base64.StdEncoding.DecodeString(encoded)
	if !ok || decodeErr != nil || len(b) != iteratorSize+sealSize {
		return it, invalid
	}
	if c.seal(stream, b[:iteratorSize]) != [sealSize]byte(b[iteratorSize:]) {
		return it, invalid
	}
	it = shardIterator{
		stream: stream,
		shard:  int(binary.BigEndian.Uint16(b)),
		pos:    partition.StreamPos{Seq: binary.BigEndian.Uint64(b[2:]), Sub: binary.BigEndian.Uint16(b[10:])},
		issued: time.UnixMilli(int64(binary.BigEndian.Uint64(b[12:]))).UTC(),
	}
	if now := c.s.db.Now(); now.Sub(it.issued) >= iteratorLife {
		return it, expiredIterator(it.issued, now)
	}
	return it, nil
}

func expiredIterator(issued, now time.Time) *apiError {
	const layout = "Mon Jan 02 15:04:05 MST 2006"
	return &apiError{
		Type: modelPrefix + "ExpiredIteratorException",
		Message: fmt.Sprintf("Iterator expired. The iterator was created at time %s while right now it is %s which is further in the future than the tolerated delay of %d milliseconds.",
			issued.Format(layout), now.Format(layout), iteratorLife.Milliseconds()),
	}
}

func trimmedData() *apiError {
	return &apiError{
		Type:    modelPrefix + "TrimmedDataAccessException",
		Message: "The data you are trying to access has been trimmed",
	}
}

// eventID is the id of a record: 32 hexadecimal digits that are its own, however
// often it is read.
func eventID(stream, shard, sequenceNumber string) string {
	sum := sha256.Sum256([]byte(stream + " " + shard + " " + sequenceNumber))
	return hex.EncodeToString(sum[:16])
}
