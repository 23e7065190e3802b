package server

import (
	"bytes"
	"compress/gzip"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unsafe"
)

// Response headers in Go's canonical spelling, so that they can be put into the
// map directly.
const (
	headerContentEncoding = "Content-Encoding"
	headerContentLength   = "Content-Length"
	headerContentType     = "Content-Type"
	headerCRC32           = "X-Amz-Crc32"
	headerRequestID       = "X-Amzn-Requestid"
	headerServer          = "Server"
)

// A responder writes the one answer to a request.
type responder struct {
	w           http.ResponseWriter
	r           *http.Request
	contentType string
}

func (w *responder) header() http.Header { return w.w.Header() }

// Header values that never vary.
var (
	valueServer = []string{"Server"}
	valueJSON10 = []string{contentJSON10}
	valueJSON   = []string{contentJSON}
	valueGzip   = []string{"gzip"}
)

// send writes status, headers and body in one go. The header values of a
// response live in one string and one slice: net/http looks at them after the
// handler has returned, so they cannot be pooled.
func (w *responder) send(status int, body []byte) {
	h := w.header()
	switch w.contentType {
	case contentJSON10:
		h[headerContentType] = valueJSON10
	case contentJSON:
		h[headerContentType] = valueJSON
	case "":
		h[headerContentType] = nil // no sniffing
	default:
		h[headerContentType] = []string{w.contentType}
	}
	if len(body) >= minCompressed && acceptsGzip(w.r.Header) {
		if z := compress(body); z != nil {
			defer compressors.Put(z)
			body = z.buf.Bytes()
			h[headerContentEncoding] = valueGzip
			h["Vary"] = append(h["Vary"], "Accept-Encoding")
		}
	}
	text := make([]byte, 0, requestIDLength+len("4294967295")+len("16777216"))
	text = appendRequestID(text)
	text = strconv.AppendUint(text, uint64(crc32.ChecksumIEEE(body)), 10)
	crcEnd := len(text)
	text = strconv.AppendInt(text, int64(len(body)), 10)
	all := unsafe.String(unsafe.SliceData(text), len(text)) // text is not changed any more
	values := [...]string{all[:requestIDLength], all[requestIDLength:crcEnd], all[crcEnd:]}
	h[headerRequestID] = values[0:1:1]
	h[headerCRC32] = values[1:2:2]
	h[headerContentLength] = values[2:3:3]
	h[headerServer] = valueServer
	w.w.WriteHeader(status)
	_, _ = w.w.Write(body) // fails only when the client is gone
}

// tooLarge is the answer to a body over the limit: 413, chunked,
// empty, without a request id.
func (w *responder) tooLarge() {
	w.header().Set("Connection", "close")
	w.w.WriteHeader(http.StatusRequestEntityTooLarge)
	if f, ok := w.w.(http.Flusher); ok {
		f.Flush()
	}
}

const requestIDLength = 52

// appendRequestID appends an id of the service's form: 48 random base 32 digits
// and a constant tail. It needs to be unlikely to repeat, not hard to guess.
func appendRequestID(dst []byte) []byte {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
	for range 4 {
		bits := rand.Uint64()
		for range 12 {
			dst = append(dst, digits[bits&31])
			bits >>= 5
		}
	}
	return append(dst, "AAJG"...)
}

// minCompressed is the size in bytes from which the service compresses.
const minCompressed = 4 << 10

// acceptsGzip reports whether the client asked for gzip and did not rule it out
// with q=0.
func acceptsGzip(h http.Header) bool {
	accept := h.Get("Accept-Encoding")
	if accept == "" || accept == "identity" {
		return false
	}
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, found := strings.CutPrefix(strings.TrimSpace(params), "q=")
			weight, err := strconv.ParseFloat(q, 64)
			return !found || err != nil || weight > 0
		}
	}
	return false
}

// A compressor is a gzip writer with its output.
type compressor struct {
	buf bytes.Buffer
	zip *gzip.Writer
}

var compressors = sync.Pool{New: func() any {
	z := new(compressor)
	z.zip, _ = gzip.NewWriterLevel(&z.buf, gzip.BestSpeed) // its only error is an unknown level
	return z
}}

// compress returns the compressed body, or nil if it did not get smaller. The
// caller gives the compressor back after use.
func compress(body []byte) *compressor {
	z := compressors.Get().(*compressor)
	z.buf.Reset()
	z.zip.Reset(&z.buf)
	if _, err := z.zip.Write(body); err != nil {
		return nil
	}
	if err := z.zip.Close(); err != nil || z.buf.Len() >= len(body) {
		compressors.Put(z)
		return nil
	}
	return z
}
