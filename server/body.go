package server

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxBody is the largest request in bytes, before and after inflation (Developer
// Guide, "Quotas": 16 MB).
const maxBody = 16 << 20

// bodyStep is how far a body's buffer grows on trust in Content-Length and without
// asking the budget; beyond it, memory is only taken for bytes that arrived.
const bodyStep = 64 << 10

// errBodyTooLarge is answered with HTTP 413.
var errBodyTooLarge = errors.New("request body exceeds 16 MiB")

// read fills c.body with the request body, inflated if it is compressed. Whatever
// is longer than bodyStep waits for its share of largeBodies first.
func (c *call) read(w http.ResponseWriter, r *http.Request) error {
	reserve := func(size int64) (func(), error) { return c.reserve(http.NewResponseController(w), size) }
	encoding := r.Header.Get("Content-Encoding")
	var err error
	if encoding == "" || encoding == "identity" {
		c.body, err = readAll(c.body, r.Body, r.ContentLength, reserve)
		return err
	}
	var inflated io.Reader
	compressed := io.LimitReader(r.Body, maxBody+1)
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "gzip":
		inflated, err = gzip.NewReader(compressed)
	case "deflate":
		inflated, err = zlib.NewReader(compressed)
	default:
		return errors.New("unknown content encoding")
	}
	if err != nil {
		return err
	}
	c.body, err = readAll(c.body, inflated, -1, reserve)
	return err
}

// readAll appends what r yields to buf, which is empty, up to maxBody bytes. size
// is the announced length, or -1. It calls reserve once, with size, before it holds
// more than bodyStep bytes, and from then on before each read what that returned.
func readAll(buf []byte, r io.Reader, size int64, reserve func(size int64) (wait func(), err error)) ([]byte, error) {
	if size > maxBody {
		return buf, errBodyTooLarge
	}
	var wait func() // nil until reserved
	var err error
	if size > bodyStep {
		if wait, err = reserve(size); err != nil {
			return buf, err
		}
	} else if size >= 0 {
		buf = slices.Grow(buf, int(size)+1) // one more, to see the end without growing
	}
	for {
		if len(buf) > bodyStep && wait == nil {
			if wait, err = reserve(size); err != nil {
				return buf, err
			}
		}
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(512, min(len(buf), 4<<20)))
		}
		room := min(cap(buf), maxBody+1)
		if wait != nil {
			wait()
		} else {
			room = min(room, bodyStep+1)
		}
		n, err := r.Read(buf[len(buf):room])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > maxBody:
			return buf, errBodyTooLarge
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}
