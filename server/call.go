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
	ctx context.Context // ends when the client goes away or the server shuts down
	op  *operation

	accessKey string
	region    string // of the credential scope
	ns        partition.Namespace

	body []byte // the request, JSON
	out  []byte // the response body; serve appends to it
}

var calls = sync.Pool{New: func() any { return new(call) }}

// maxPooledBuffer keeps the buffers of rare big requests out of the pool, so that
// idle memory does not remember the largest request ever seen.
const maxPooledBuffer = 64 << 10

func newCall(s *Server, ctx context.Context) *call {
	c := calls.Get().(*call)
	body, out := c.body[:0], c.out[:0]
	*c = call{s: s, ctx: ctx, body: body, out: out}
	return c
}

// release gives the call back to the pool. A call whose context ended is dropped:
// a write it submitted may still be under way and look at its bytes.
func (c *call) release() {
	if c.ctx.Err() != nil {
		return
	}
	if cap(c.body) > maxPooledBuffer {
		c.body = nil
	}
	if cap(c.out) > maxPooledBuffer {
		c.out = nil
	}
	c.s, c.ctx, c.op = nil, nil, nil
	calls.Put(c)
}
