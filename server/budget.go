package server

import (
	"net/http"
	"time"
)

// largeBodies is the memory in bytes that requests longer than bodyStep may hold
// together. A thousand clients may send 16 MiB each at the same moment; without a
// bound across requests the limit of one of them protects nobody. The requests
// that find no room wait, in order of arrival, with their bytes still in the
// sockets; short requests are not held up.
const largeBodies = 8 * maxBody

// How long a request may hold its share of largeBodies before its body is complete,
// so that a few clients that stall or dawdle do not keep the others out: bodyPause
// without a byte, and in all what bodyRate, in bytes a second, makes of its size.
const (
	bodyPause = 10 * time.Second
	bodyRate  = 256 << 10
)

// reserve waits for room for a body of size bytes, or of unknown size if that is
// negative. The room is given back by release. Function wait is to be called before
// each read of the body, and limits how long that read may take.
func (c *call) reserve(connection *http.ResponseController, size int64) (wait func(), err error) {
	if size < 0 {
		size = maxBody
	}
	if err := c.s.bodies.Acquire(c.ctx, size); err != nil {
		return nil, err
	}
	c.reserved = size
	end := time.Now().Add(bodyPause + time.Duration(size)*time.Second/bodyRate)
	return func() {
		deadline := time.Now().Add(bodyPause)
		if deadline.After(end) {
			deadline = end
		}
		_ = connection.SetReadDeadline(deadline) // what has no deadlines is not a connection, and cannot stall
	}, nil
}
