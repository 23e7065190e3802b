package api

import (
	"bytes"
	"errors"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/stator-db/stator/storage/item"
)

// ErrNotJSON reports a body that is not one JSON object. The service answers
// with a SerializationException that has no message.
var ErrNotJSON = errors.New("request body is not a JSON object")

// SerializationError is a member of the wrong JSON type, the service's
// SerializationException with a message.
type SerializationError struct {
	Message string
}

func (e *SerializationError) Error() string { return e.Message }

// Input is the request of one operation.
type Input interface {
	// Decode reads the request from d into a zero input. Unknown members are
	// skipped. The error is a *SerializationError, or any other error when the
	// input is not a JSON object.
	Decode(d *jsontext.Decoder) error
	// Constraints returns the member constraints that the request breaks.
	Constraints() Violations
}

// reader is a JSON decoder with the buffer it reads from; both are reused.
type reader struct {
	dec jsontext.Decoder
	buf bytes.Buffer
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// read points r at the start of body.
func (r *reader) read(body []byte) {
	r.buf = *bytes.NewBuffer(body)
	r.dec.Reset(&r.buf, syntax)
}

// syntax is how the service reads JSON where jsontext is stricter by default:
// a repeated name is not an error.
var syntax = jsontext.AllowDuplicateNames(true)

// Unmarshal decodes a request body into in, which must be zero. The error is
// ErrNotJSON or a *SerializationError; a syntax error anywhere in the body
// wins over a wrongly typed member before it. The input does not alias body.
func Unmarshal(body []byte, in Input) error {
	r := readers.Get().(*reader)
	r.read(body)
	err := in.Decode(&r.dec)
	end := r.dec.InputOffset()
	r.read(nil) // let go of the body
	readers.Put(r)

	if err == nil && onlySpace(body[end:]) {
		return nil
	}
	if typed, ok := errors.AsType[*SerializationError](err); ok && CheckSyntax(body) == nil {
		return typed
	}
	return ErrNotJSON
}

// onlySpace reports whether b holds nothing but JSON white space.
func onlySpace(b []byte) bool {
	return len(bytes.TrimLeft(b, " \t\r\n")) == 0
}

// CheckSyntax returns ErrNotJSON unless body is one JSON value. It serves the
// checks that come before the operation is known.
func CheckSyntax(body []byte) error {
	if jsontext.Value(body).IsValid(syntax) {
		return nil
	}
	return ErrNotJSON
}

// typed turns item's hard errors into this package's: a value of the wrong
// JSON type becomes a *SerializationError, syntax errors stay.
func typed(err error) error {
	if wrong, ok := errors.AsType[*item.TypeError](err); ok {
		return itemFault(wrong)
	}
	return err
}
