package wal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"go.etcd.io/raft/v3/raftpb"
)

// recordKind is the first byte of a record.
type recordKind byte

const (
	recordState recordKind = iota + 1
	recordConf
	recordEntries
	recordReset
	recordCompacted
	recordRemoved
	recordCheckpoint
	recordMoved
)

// maxIndex bounds what is read from disk so that sums of an index and a count
// never overflow.
const maxIndex = 1 << 62

// hardState is raftpb.HardState without its pointers.
type hardState struct{ term, vote, commit uint64 }

func hardStateOf(s *raftpb.HardState) hardState {
	return hardState{term: s.GetTerm(), vote: s.GetVote(), commit: s.GetCommit()}
}

func appendKind(b []byte, k recordKind, group uint64) []byte {
	return binary.AppendUvarint(append(b, byte(k)), group)
}

func appendHardState(b []byte, s hardState) []byte {
	b = binary.AppendUvarint(b, s.term)
	b = binary.AppendUvarint(b, s.vote)
	return binary.AppendUvarint(b, s.commit)
}

func appendConf(b []byte, index uint64, c *raftpb.ConfState) []byte {
	b = binary.AppendUvarint(b, index)
	for _, nodes := range [...][]uint64{c.GetVoters(), c.GetLearners(), c.GetVotersOutgoing(), c.GetLearnersNext()} {
		b = binary.AppendUvarint(b, uint64(len(nodes)))
		for _, n := range nodes {
			b = binary.AppendUvarint(b, n)
		}
	}
	if c.GetAutoLeave() {
		return append(b, 1)
	}
	return append(b, 0)
}

// appendEntry encodes one entry of a group at an index.
func appendEntry(b []byte, group, index uint64, e *raftpb.Entry) []byte {
	b = binary.AppendUvarint(b, e.GetTerm())
	b = append(b, byte(e.GetType()))
	b = binary.AppendUvarint(b, uint64(len(e.GetData())))
	b = binary.LittleEndian.AppendUint32(b, entrySum(group, index, e.GetTerm(), byte(e.GetType()), e.GetData()))
	return append(b, e.GetData()...)
}

func entrySum(group, index, term uint64, kind byte, data []byte) uint32 {
	sum := sumUint64(sumUint64(sumUint64(0, group), index), term)
	return crc32.Update(sumByte(sum, kind), castagnoli, data)
}

// decoder reads the fields of records. After the first failure it yields zeros.
type decoder struct {
	b   []byte // what has not been read
	err error
}

var (
	errShort    = errors.New("a record is cut off")
	errRange    = errors.New("a field is out of range")
	errChecksum = errors.New("an entry does not have its checksum")
)

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.b = nil
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail(errShort)
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail(errShort)
		return 0
	}
	d.b = d.b[n:]
	return v
}

// index reads a log index.
func (d *decoder) index() uint64 {
	v := d.uvarint()
	if v > maxIndex {
		d.fail(errRange)
		return 0
	}
	return v
}

// count reads a number of things that take at least size bytes each.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.fail(errShort)
		return 0
	}
	return int(n)
}

func (d *decoder) hardState() hardState {
	return hardState{term: d.uvarint(), vote: d.uvarint(), commit: d.index()}
}

func (d *decoder) nodes() []uint64 {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	nodes := make([]uint64, n)
	for i := range nodes {
		nodes[i] = d.uvarint()
	}
	return nodes
}

// conf reads a configuration and the index it was applied at.
func (d *decoder) conf() (uint64, *raftpb.ConfState) {
	index := d.index()
	c := &raftpb.ConfState{Voters: d.nodes(), Learners: d.nodes(), VotersOutgoing: d.nodes(), LearnersNext: d.nodes()}
	switch d.byte() {
	case 0:
	case 1:
		c.AutoLeave = new(true)
	default:
		d.fail(errRange)
	}
	return index, c
}

// entry is a decoded entry. Its data lies in the decoder's bytes.
type entry struct {
	term uint64
	kind raftpb.EntryType
	data []byte
}

// maxEntryHead is the length of the longest entry without data.
const maxEntryHead = 2*binary.MaxVarintLen64 + 1 + 4

// minEntry is the length of the shortest entry.
const minEntry = 1 + 1 + 1 + 4

func (d *decoder) entry(group, index uint64) entry {
	e := entry{term: d.uvarint(), kind: raftpb.EntryType(d.byte())}
	n := d.uvarint()
	if uint64(len(d.b)) < 4 || n > uint64(len(d.b)-4) {
		d.fail(errShort)
		return entry{}
	}
	sum := binary.LittleEndian.Uint32(d.b)
	e.data = d.b[4 : 4+n]
	d.b = d.b[4+n:]
	if sum != entrySum(group, index, e.term, byte(e.kind), e.data) {
		d.fail(errChecksum)
		return entry{}
	}
	return e
}
