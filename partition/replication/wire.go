package replication

import (
	"encoding/binary"
	"fmt"
	"math"

	"go.etcd.io/raft/v3/raftpb"
)

// wireVersion is the first byte of a batch.
const wireVersion = 1

// Fields of a message that are present, as bits.
const (
	hasTerm = 1 << iota
	hasLogTerm
	hasIndex
	hasCommit
	hasRejectHint
	hasContext
	hasEntries
	rejects
)

// fromPeers are the types of messages that other nodes may send in a batch. The
// others are local, or travel with a snapshot, or are never sent by a Runtime.
var fromPeers = [math.MaxUint8 + 1]bool{
	raftpb.MsgApp:           true,
	raftpb.MsgAppResp:       true,
	raftpb.MsgVote:          true,
	raftpb.MsgVoteResp:      true,
	raftpb.MsgHeartbeat:     true,
	raftpb.MsgHeartbeatResp: true,
	raftpb.MsgTimeoutNow:    true,
	raftpb.MsgPreVote:       true,
	raftpb.MsgPreVoteResp:   true,
}

// appendMessage encodes a message behind a batch, which it begins if b is empty.
// Entries must continue m.Index, as those of a MsgApp do. Sender and receiver are
// not encoded: the transport knows them.
func appendMessage(b []byte, g Group, m *raftpb.Message) []byte {
	if len(b) == 0 {
		b = append(b, wireVersion)
	}
	b = binary.AppendUvarint(b, uint64(g))
	b = append(b, byte(m.GetType()))
	at := len(b)
	b = append(b, 0)
	var fields byte
	number := func(field byte, v uint64) {
		if v != 0 {
			fields |= field
			b = binary.AppendUvarint(b, v)
		}
	}
	number(hasTerm, m.GetTerm())
	number(hasLogTerm, m.GetLogTerm())
	number(hasIndex, m.GetIndex())
	number(hasCommit, m.GetCommit())
	number(hasRejectHint, m.GetRejectHint())
	if c := m.GetContext(); len(c) > 0 {
		fields |= hasContext
		b = binary.AppendUvarint(b, uint64(len(c)))
		b = append(b, c...)
	}
	if es := m.GetEntries(); len(es) > 0 {
		fields |= hasEntries
		b = binary.AppendUvarint(b, uint64(len(es)))
		for _, e := range es {
			b = binary.AppendUvarint(b, e.GetTerm())
			b = append(b, byte(e.GetType()))
			b = binary.AppendUvarint(b, uint64(len(e.GetData())))
			b = append(b, e.GetData()...)
		}
	}
	if m.GetReject() {
		fields |= rejects
	}
	b[at] = fields
	return b
}

// sizeBound is at least what a message takes in a batch.
func sizeBound(m *raftpb.Message) int {
	const head, entryHead = 100, 2*binary.MaxVarintLen64 + 1
	n := head + len(m.GetContext())
	for _, e := range m.GetEntries() {
		n += entryHead + len(e.GetData())
	}
	return n
}

// decodeBatch calls yield for each message of a batch. What it yields holds no
// bytes of the batch.
func decodeBatch(b []byte, from, to Node, yield func(g Group, m *raftpb.Message, size int)) error {
	if len(b) == 0 || b[0] != wireVersion {
		return fmt.Errorf("%w: not a batch of version %d", ErrMalformed, wireVersion)
	}
	d := wireDecoder{b: b[1:]}
	for len(d.b) > 0 {
		before := len(d.b)
		g, m := d.message()
		if d.bad {
			return fmt.Errorf("%w: at byte %d of a batch of %d", ErrMalformed, len(b)-before, len(b))
		}
		m.From, m.To = (*uint64)(&from), (*uint64)(&to)
		yield(g, m, before-len(d.b))
	}
	return nil
}

// wireDecoder consumes b. Once bad, all it returns is zero.
type wireDecoder struct {
	b   []byte
	bad bool
}

func (d *wireDecoder) fail() {
	d.b, d.bad = nil, true
}

func (d *wireDecoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *wireDecoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// bytes returns a part of b, nil if it is empty.
func (d *wireDecoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	if n == 0 {
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

// wireMessage keeps a message and what its fields point to in one piece.
type wireMessage struct {
	m                                      raftpb.Message
	typ                                    raftpb.MessageType
	term, logTerm, index, commit, rejected uint64
	reject                                 bool
}

// wireEntry does the same for an entry.
type wireEntry struct {
	e           raftpb.Entry
	typ         raftpb.EntryType
	term, index uint64
}

func (d *wireDecoder) message() (Group, *raftpb.Message) {
	g := Group(d.uvarint())
	typ := d.byte()
	if !fromPeers[typ] {
		d.fail()
		return 0, nil
	}
	fields := d.byte()
	s := &wireMessage{typ: raftpb.MessageType(typ)}
	m := &s.m
	m.Type = &s.typ
	number := func(field byte, into *uint64, set **uint64) {
		if fields&field != 0 {
			*into = d.uvarint()
			*set = into
		}
	}
	number(hasTerm, &s.term, &m.Term)
	number(hasLogTerm, &s.logTerm, &m.LogTerm)
	number(hasIndex, &s.index, &m.Index)
	number(hasCommit, &s.commit, &m.Commit)
	number(hasRejectHint, &s.rejected, &m.RejectHint)
	if fields&hasContext != 0 {
		m.Context = append([]byte(nil), d.bytes()...)
	}
	if fields&hasEntries != 0 {
		m.Entries = d.entries(s.index)
	}
	if fields&rejects != 0 {
		s.reject = true
		m.Reject = &s.reject
	}
	return g, m
}

// entries decodes the entries behind index. Their data share one copy.
func (d *wireDecoder) entries(index uint64) []*raftpb.Entry {
	n := d.uvarint()
	const smallest = 3
	if n > uint64(len(d.b)/smallest) || index > math.MaxUint64-n {
		d.fail()
		return nil
	}
	slots := make([]wireEntry, n)
	es := make([]*raftpb.Entry, n)
	size := 0
	for i := range slots {
		s := &slots[i]
		s.index = index + 1 + uint64(i)
		s.term = d.uvarint()
		s.typ = raftpb.EntryType(d.byte())
		s.e.Index, s.e.Term = &s.index, &s.term
		if s.typ != raftpb.EntryNormal {
			s.e.Type = &s.typ
		}
		s.e.Data = d.bytes()
		size += len(s.e.Data)
		es[i] = &s.e
		if s.typ > raftpb.EntryConfChangeV2 {
			d.fail()
		}
	}
	if d.bad {
		return nil
	}
	data := make([]byte, 0, size)
	for _, e := range es {
		if e.Data != nil {
			at := len(data)
			data = append(data, e.Data...)
			e.Data = data[at:len(data):len(data)]
		}
	}
	return es
}
