package front

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// answer is the http.ResponseWriter of one request after another. It collects the
// body until the handler returns, unless the handler said how long it is: then
// large parts are written as they come and not copied.
type answer struct {
	c      *connection
	header http.Header
	status int  // 0 until it is known
	sent   bool // the head was written
	last   bool // the connection ends with this answer
	err    error

	text  []byte // the head, and what of the body was not written with it
	body  []byte // collected
	names []string
}

func (a *answer) begin(c *connection) {
	a.c = c
	clear(a.header)
	a.status, a.sent, a.last, a.err = 0, false, false, nil
	a.text, a.body = a.text[:0], a.body[:0]
}

// Header returns the header to be sent.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader sets the status; the first one counts.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write adds to the body. It returns an error if the client is gone.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if len(p) < usualSize || !a.sent && a.header["Content-Length"] == nil {
		a.body = append(a.body, p...)
		return len(p), nil
	}
	a.send(p)
	return len(p), a.err
}

// end sends what is left and tells whether the connection can go on.
func (a *answer) end() bool {
	a.WriteHeader(http.StatusOK)
	if !a.sent || len(a.body) > 0 {
		a.send(nil)
	}
	if cap(a.text) > keptSize {
		a.text = nil
	}
	if cap(a.body) > keptSize {
		a.body = nil
	}
	return a.err == nil && !a.last
}

// send writes the head, if it is not yet sent, what was collected, and p.
func (a *answer) send(p []byte) {
	a.text = a.text[:0]
	if !a.sent {
		a.sent = true
		a.appendHead(len(a.body))
	}
	a.text = append(a.text, a.body...)
	a.body = a.body[:0]
	switch {
	case a.err != nil:
	case len(p) > 0:
		_, a.err = (&net.Buffers{a.text, p}).WriteTo(a.c.conn)
	default:
		_, a.err = a.c.conn.Write(a.text)
	}
}

// appendHead appends status and header; length is that of the body if the handler
// did not say one.
func (a *answer) appendHead(length int) {
	a.text = append(a.text, "HTTP/1.1 "...)
	a.text = strconv.AppendInt(a.text, int64(a.status), 10)
	a.text = append(a.text, ' ')
	a.text = append(a.text, http.StatusText(a.status)...)
	a.text = append(a.text, "\r\n"...)
	connection := a.header["Connection"]
	a.last = a.c.s.closing.Load() || len(connection) > 0 && connection[0] == "close"
	a.names = a.names[:0]
	for name := range a.header {
		a.names = append(a.names, name)
	}
	slices.Sort(a.names)
	for _, name := range a.names {
		for _, value := range a.header[name] {
			a.appendField(name, value)
		}
	}
	if _, ok := a.header["Content-Length"]; !ok {
		a.appendField("Content-Length", strconv.Itoa(length))
	}
	if _, ok := a.header["Date"]; !ok {
		a.appendField("Date", a.c.s.date.at(time.Now()))
	}
	if a.last && len(connection) == 0 {
		a.appendField("Connection", "close")
	}
	a.text = append(a.text, "\r\n"...)
}

// appendField appends a header field. A line break in a value would begin another
// field; it becomes a space, as in net/http.
func (a *answer) appendField(name, value string) {
	a.text = append(a.text, name...)
	a.text = append(a.text, ": "...)
	for _, b := range []byte(value) {
		if b == '\r' || b == '\n' {
			b = ' '
		}
		a.text = append(a.text, b)
	}
	a.text = append(a.text, "\r\n"...)
}
