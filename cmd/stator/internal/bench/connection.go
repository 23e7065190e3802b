package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// maxResponse bounds an answer; BatchGetItem's largest is 16 MB of items, which
// JSON makes longer.
const maxResponse = 64 << 20

// connection is a keep-alive HTTP/1.1 client for one request at a time. It dials
// when needed: at first, and after an error or "Connection: close".
type connection struct {
	endpoint endpoint
	timeout  time.Duration
	signer   signer
	// fixed holds the whole header of each API up to the value of Content-Length
	// while signatures are made up; nil when they are real.
	fixed map[string][]byte

	conn   net.Conn
	reader *bufio.Reader
	out    []byte // the request
	in     []byte // the body of the last answer
}

func newConnection(target *Target, timeout time.Duration) (*connection, error) {
	e, err := parseEndpoint(target.URL)
	if err != nil {
		return nil, err
	}
	c := &connection{endpoint: e, timeout: timeout, signer: signer{target: target, endpoint: e}}
	if !target.Sign {
		c.fixed = map[string][]byte{}
	}
	return c, nil
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing more is expected of it
		c.conn = nil
	}
}

func (c *connection) dial(ctx context.Context) error {
	dialer := net.Dialer{Timeout: c.timeout}
	conn, err := dialer.DialContext(ctx, "tcp", c.endpoint.address)
	if err != nil {
		return err
	}
	if c.endpoint.name != "" {
		conn = tls.Client(conn, &tls.Config{ServerName: c.endpoint.name, MinVersion: tls.VersionTLS12})
	}
	c.conn = conn
	if c.reader == nil {
		c.reader = bufio.NewReaderSize(conn, 16<<10)
	} else {
		c.reader.Reset(conn)
	}
	return nil
}

// call sends one request and returns the status and body of the answer. The body
// is valid until the next call. After an error the connection is closed.
func (c *connection) call(ctx context.Context, api string, body []byte) (status int, response []byte, err error) {
	if c.conn == nil {
		if err := c.dial(ctx); err != nil {
			return 0, nil, err
		}
	}
	status, keep, err := c.exchange(api, body)
	if err != nil || !keep {
		c.close()
	}
	return status, c.in, err
}

func (c *connection) exchange(api string, body []byte) (status int, keep bool, err error) {
	c.out = c.appendHead(c.out[:0], api, body)
	c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	c.out = append(c.out, "\r\n\r\n"...)
	c.out = append(c.out, body...)
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, false, err
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, false, err
	}
	return c.receive()
}

// appendHead appends the header up to the value of Content-Length.
func (c *connection) appendHead(buf []byte, api string, body []byte) []byte {
	if head, ok := c.fixed[api]; ok {
		return append(buf, head...)
	}
	start := len(buf)
	buf = fmt.Appendf(buf, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nX-Amz-Target: %s%s\r\nAccept-Encoding: identity\r\n",
		c.endpoint.path, c.endpoint.host, contentType, targetPrefix, api)
	buf = c.signer.appendHeaders(buf, api, body, time.Now())
	buf = append(buf, "Content-Length: "...)
	if c.fixed != nil {
		c.fixed[api] = bytes.Clone(buf[start:])
	}
	return buf
}

var errMalformed = errors.New("malformed HTTP answer")

// receive reads an answer into c.in.
func (c *connection) receive() (status int, keep bool, err error) {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return 0, false, err
	}
	// HTTP/1.1 200 OK
	if len(line) < 14 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return 0, false, errMalformed
	}
	keep = line[7] != '0'
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, false, errMalformed
	}
	length, chunked := -1, false
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, false, err
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			break // the empty line
		}
		// Looking at the length first keeps the other headers cheap.
		switch {
		case len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 {
				return 0, false, errMalformed
			}
		case len(name) == len("Connection") && bytes.EqualFold(name, []byte("Connection")):
			keep = bytes.EqualFold(bytes.TrimSpace(value), []byte("keep-alive")) ||
				keep && !bytes.EqualFold(bytes.TrimSpace(value), []byte("close"))
		case len(name) == len("Transfer-Encoding") && bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(bytes.TrimSpace(value), []byte("chunked"))
		}
	}
	c.in = c.in[:0]
	switch {
	case chunked:
		return status, keep, c.receiveChunks()
	case length >= 0:
		return status, keep, c.receiveBytes(length)
	default: // the end of the connection is the end of the body
		rest, err := io.ReadAll(io.LimitReader(c.reader, maxResponse))
		c.in = rest
		return status, false, err
	}
}

func (c *connection) receiveBytes(n int) error {
	if n > maxResponse-len(c.in) {
		return fmt.Errorf("an answer of more than %d bytes", maxResponse)
	}
	start := len(c.in)
	if need := start + n; need > cap(c.in) {
		grown := make([]byte, start, max(need, 2*cap(c.in)))
		copy(grown, c.in)
		c.in = grown
	}
	c.in = c.in[:start+n]
	_, err := io.ReadFull(c.reader, c.in[start:])
	return err
}

func (c *connection) receiveChunks() error {
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		digits, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(";"))
		n, err := strconv.ParseUint(string(digits), 16, 31)
		if err != nil {
			return errMalformed
		}
		if n == 0 {
			break
		}
		if err := c.receiveBytes(int(n)); err != nil {
			return err
		}
		if _, err := c.reader.Discard(len("\r\n")); err != nil {
			return err
		}
	}
	for { // trailers, up to the empty line
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return nil
		}
	}
}
