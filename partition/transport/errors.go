package transport

import (
	"errors"
	"fmt"
)

// What became of a call that got no answer. See Interface.Call.
var (
	// ErrNotSent: the peer did not handle the call and never will. It is safe
	// to try again, here or elsewhere.
	ErrNotSent = errors.New("call not sent")
	// ErrUnknown: the peer may have handled the call, may be at it, or may
	// never see it. Only calls that can be repeated may be tried again.
	ErrUnknown = errors.New("outcome of call unknown")
)

// Other states a caller may test for.
var (
	// ErrTooLarge: a request or batch does not fit into a frame (MaxFrame).
	ErrTooLarge = errors.New("larger than a frame")
	// ErrClosed: the transport is closed.
	ErrClosed = errors.New("transport closed")
	// ErrUnknownPeer: SetPeer was not called for the node.
	ErrUnknownPeer = errors.New("unknown peer")
)

// RemoteError is an error that a peer's handler returned.
type RemoteError struct {
	Code    uint8 // what the handler's error gave as Code(), else 0
	Message string
}

func (e *RemoteError) Error() string { return e.Message }

// RefusedError says that the node at an address does not want a connection. The
// same reason is in that node's log.
type RefusedError struct {
	Addr   string
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refused the connection: %s", e.Addr, e.Reason)
}

// coder is implemented by errors of handlers that have a code.
type coder interface{ Code() uint8 }

// codeOf returns the code of a handler's error.
func codeOf(err error) uint8 {
	var c coder
	if errors.As(err, &c) {
		return c.Code()
	}
	return 0
}
