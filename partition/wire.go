package partition

import (
	"encoding/binary"
	"errors"
)

// What nodes say to each other is made of bytes, uvarints and byte strings with
// their length before them.

// The methods of calls between nodes.
const (
	methodHello   = 1 // who is there, and of which cluster
	methodJoin    = 2 // become a member; passed on to the catalog's leader
	methodPropose = 3 // propose commands
	methodRead    = 4 // read records of a shard
	methodLook    = 5 // look at items for a transactional read
	methodApplied = 6 // the index a shard has reached
	methodCatalog = 7 // wait until the catalog has been applied up to an index
	methodForward = 8 // have a request of a client served by the catalog's leader
	methodStatus  = 9 // what the node knows of itself and its replicas
	methodPromise = 10
	methodStats   = 11 // counts of a table on a shard
	methodStep    = 12 // change members or leader of a group that the node leads
	methodMember  = 13 // whether a node is a member of a group that the node leads
	methodOperate = 14 // what an operator wants of nodes and shards
)

var errBadRequest = errors.New("malformed request of another node")

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// wireReader takes a message apart. After an error everything reads as zero.
type wireReader struct {
	b   []byte
	err error
}

func (r *wireReader) fail() { r.b, r.err = nil, errBadRequest }

func (r *wireReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *wireReader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// bytes reads a byte string, which aliases the message.
func (r *wireReader) bytes() []byte {
	n := r.uvarint()
	if r.err != nil || n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}
