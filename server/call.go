package server

import (
	"context"
	"sync"

	"github.com/stator-db/stator/partition"
)

// A call is one request being served. It belongs to one goroutine, and neither it
// nor body nor out may be kept after serve returns: all three are pooled.
type call struct {
	s   *Server
	ctx context.Context // ends when the server shuts down, or before if it learns that the client went away
	op  *operation

	accessKey string
	region    string // of the credential scope
	host      string // that the client calls this server by
	ns        partition.Namespace

	level   readLevel
	partial *partialBatch    // a fault that befalls parts of a batch; nil without
	probe   *partition.Probe // of the replicas that reads go to; nil without
	trace   *requestTrace    // for the request log; nil unless it is watched

	body []byte // the request, JSON
	out  []byte // the response body; serve appends to it

	reserved int64 // bytes of Server.bodies that body may take
}

var calls = sync.Pool{New: func() any { return new(call) }}

// maxPooledBuffer keeps the buffers of rare big requests out of the pool, so that
// idle memory does not remember the largest request ever seen.
const maxPooledBuffer = 64 << 10

func newCall(ctx context.Context, s *Server) *call {
	c := calls.Get().(*call)
	c.s, c.ctx = s, ctx
	c.body, c.out = c.body[:0], c.out[:0]
	return c
}

// release gives the call back to the pool. Writes are over when serve returns, even
// if the client went away, and decoded requests do not alias body.
func (c *call) release() {
	if c.reserved > 0 {
		c.s.bodies.Release(c.reserved)
	}
	if cap(c.body) > maxPooledBuffer {
		c.body = nil
	}
	if cap(c.out) > maxPooledBuffer {
		c.out = nil
	}
	*c = call{body: c.body, out: c.out}
	calls.Put(c)
}
