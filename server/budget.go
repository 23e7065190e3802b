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

// bodyGrace and bodyRate, in bytes a second, say how long a request may hold its
// share of largeBodies before its body is complete, so that a few clients that
// stall do not keep the others out.
const (
	bodyGrace = 10 * time.Second
	bodyRate  = 256 << 10
)

// reserve waits for room for a body of size bytes, or of unknown size if that is
// negative, and then gives the client its time to deliver it. The room is given
// back by release.
func (c *call) reserve(connection *http.ResponseController, size int64) error {
	if size < 0 {
		size = maxBody
	}
	if err := c.s.bodies.Acquire(c.ctx, size); err != nil {
		return err
	}
	c.reserved = size
	// What has no deadlines is not a connection, and cannot stall.
	_ = connection.SetReadDeadline(time.Now().Add(bodyGrace + time.Duration(size)*time.Second/bodyRate))
	return nil
}
