package transport

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Types of frames. See the package's documentation for their bodies.
const (
	frameMessage   = 1
	frameRequest   = 2
	frameResponse  = 3
	frameError     = 4
	frameUnhandled = 5
	framePing      = 6
	framePong      = 7
	frameVoid      = 8
	frameData      = 9
	frameEnd       = 10
	frameAbort     = 11
)

const (
	// frameHeader is length and checksum, frameHead the type as well.
	frameHeader = 8
	frameHead   = frameHeader + 1
	// requestHead is what a request's body begins with: id, method, timeout.
	requestHead = 8 + 1 + 4
	// maxBody is the largest body of a frame that is read.
	maxBody = MaxFrame + requestHead
	// growStep bounds what is allocated for a frame before its bytes came.
	growStep = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errCorrupt marks bytes that no transport of this format sends.
var errCorrupt = errors.New("corrupt frame")

// beginFrame appends the head of a frame. The caller appends its body and then
// calls endFrame with the length that buf had before.
func beginFrame(buf []byte, typ byte) []byte {
	return append(buf, 0, 0, 0, 0, 0, 0, 0, 0, typ)
}

// endFrame fills in length and checksum of the frame that starts at start and
// ends with buf.
func endFrame(buf []byte, start int) {
	f := buf[start:]
	binary.LittleEndian.PutUint32(f, uint32(len(f)-frameHeader))
	binary.LittleEndian.PutUint32(f[4:], crc32.Checksum(f[frameHeader:], castagnoli))
}

// appendFrame appends a frame with a body of one piece.
func appendFrame(buf []byte, typ byte, body []byte) []byte {
	start := len(buf)
	buf = append(beginFrame(buf, typ), body...)
	endFrame(buf, start)
	return buf
}

// appendRequest appends a request; timeout is in milliseconds.
func appendRequest(buf []byte, id uint64, method uint8, timeout uint32, body []byte) []byte {
	start := len(buf)
	buf = beginFrame(buf, frameRequest)
	buf = binary.LittleEndian.AppendUint64(buf, id)
	buf = append(buf, method)
	buf = binary.LittleEndian.AppendUint32(buf, timeout)
	buf = append(buf, body...)
	endFrame(buf, start)
	return buf
}

// appendAnswer appends a frame that begins with the id of a call or ping.
func appendAnswer(buf []byte, typ byte, id uint64, body []byte) []byte {
	start := len(buf)
	buf = binary.LittleEndian.AppendUint64(beginFrame(buf, typ), id)
	buf = append(buf, body...)
	endFrame(buf, start)
	return buf
}

// voidFrame turns the frame that starts at start into one that is skipped.
func voidFrame(buf []byte, start, end int) {
	buf[start+frameHeader] = frameVoid
	endFrame(buf[:end], start)
}

// A request is a call as it arrives.
type request struct {
	id      uint64
	method  uint8
	timeout uint32 // milliseconds, 0: no deadline
	body    []byte
}

func parseRequest(b []byte) (request, error) {
	if len(b) < requestHead {
		return request{}, fmt.Errorf("%w: request of %d bytes", errCorrupt, len(b))
	}
	return request{
		id:      binary.LittleEndian.Uint64(b),
		method:  b[8],
		timeout: binary.LittleEndian.Uint32(b[9:]),
		body:    b[requestHead:],
	}, nil
}

// parseAnswer splits the body of a frame that begins with an id.
func parseAnswer(b []byte) (id uint64, body []byte, err error) {
	if len(b) < 8 {
		return 0, nil, fmt.Errorf("%w: answer of %d bytes", errCorrupt, len(b))
	}
	return binary.LittleEndian.Uint64(b), b[8:], nil
}

// parseRemoteError reads code and text of an error or abort frame.
func parseRemoteError(b []byte) (*RemoteError, error) {
	if len(b) < 1 {
		return nil, fmt.Errorf("%w: error without a code", errCorrupt)
	}
	return &RemoteError{Code: b[0], Message: string(b[1:])}, nil
}

// maxErrorText bounds the text of an error that is sent.
const maxErrorText = 64 << 10

// errorText is the body, but for the id, of a frame with a handler's error.
func errorText(err error) []byte {
	text := err.Error()
	if len(text) > maxErrorText {
		text = text[:maxErrorText]
	}
	return append([]byte{codeOf(err)}, text...)
}

// A frameReader reads frames from a connection.
type frameReader struct {
	r     *bufio.Reader
	limit int    // largest body
	large []byte // of a frame that is larger than r's buffer
}

func newFrameReader(r io.Reader, size, limit int) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, size), limit: limit}
}

// next returns the next frame, whose body is valid until the next call, or
// io.EOF if the connection ended behind a frame. Damaged frames are errCorrupt.
func (f *frameReader) next() (typ byte, body []byte, err error) {
	header, err := f.r.Peek(frameHeader)
	if err != nil {
		if errors.Is(err, io.EOF) && len(header) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	length := binary.LittleEndian.Uint32(header)
	sum := binary.LittleEndian.Uint32(header[4:])
	if length == 0 || uint64(length) > uint64(f.limit)+1 {
		return 0, nil, fmt.Errorf("%w: length %d", errCorrupt, length)
	}
	if total := frameHeader + int(length); total <= f.r.Size() {
		var whole []byte
		if whole, err = f.r.Peek(total); err == nil {
			body = whole[frameHeader:]
			// What was peeked stays in place until the next read.
			_, err = f.r.Discard(total)
		}
	} else {
		body, err = f.readLarge(int(length))
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	if crc32.Checksum(body, castagnoli) != sum {
		return 0, nil, fmt.Errorf("%w: checksum", errCorrupt)
	}
	return body[0], body[1:], nil
}

// readLarge reads a frame that does not fit into the buffer, making room only
// as bytes come: a length alone costs nothing.
func (f *frameReader) readLarge(length int) ([]byte, error) {
	if _, err := f.r.Discard(frameHeader); err != nil {
		return nil, err
	}
	buf := f.large[:0]
	for len(buf) < length {
		n := min(length-len(buf), max(growStep, len(buf)))
		start := len(buf)
		if cap(buf) < start+n {
			grown := make([]byte, start, start+n)
			copy(grown, buf)
			buf = grown
		}
		buf = buf[:start+n]
		if _, err := io.ReadFull(f.r, buf[start:]); err != nil {
			return nil, err
		}
	}
	f.large = buf
	if cap(buf) > growStep {
		f.large = nil
	}
	return buf, nil
}
