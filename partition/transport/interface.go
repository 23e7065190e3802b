package transport

import (
	"context"
	"io"
	"time"
)

// Interface is what the rest of the cluster needs of a transport. *Transport
// implements it, over TCP (Listen) and in memory (Network.Listen).
//
// Nodes are named by their id. All methods may be called by many goroutines at
// once. Handlers are set before the first peer is told this node's address; a
// call that arrives before is refused as not handled.
type Interface interface {
	// ID is this node's id, Options.NodeID.
	ID() uint64
	// Addr is the address others reach this node at, host:port.
	Addr() string

	// SetCluster tells the id of the cluster this node is now a member of.
	// Connections made before as somebody else's are not used any more, calls
	// under way on them end in order.
	SetCluster(id [16]byte)
	// SetPeer tells the name and address (host:port) of a node and that
	// connections to it are wanted. A changed address replaces the
	// connections.
	SetPeer(id uint64, name, addr string)
	// RemovePeer forgets a node and closes the connections to it. Calls under
	// way fail.
	RemovePeer(id uint64)

	// HandleMessages sets the receiver of batches. It is called for one batch
	// of a peer at a time, in the order they were sent; batch is only valid
	// during the call. While it runs, that peer's next batches wait.
	HandleMessages(func(from uint64, batch []byte))
	// HandleCalls sets the handler of calls.
	HandleCalls(CallHandler)
	// HandleStream sets the handler of streams of a kind.
	HandleStream(kind uint8, h StreamHandler)

	// Send queues a batch for a peer, best effort: false means dropped because
	// the peer is unknown or unreachable or its queue is full, true does not
	// mean that it arrives. It never waits. batch is copied.
	Send(to uint64, batch []byte) bool

	// Call sends a request to a peer's CallHandler and waits for its response,
	// which belongs to the caller. Errors:
	//
	//   - *RemoteError: the handler returned an error;
	//   - ErrNotSent: the peer certainly did not and will not handle the call
	//     (unknown or unreachable peer, refused, ctx done while still queued);
	//   - ErrUnknown: the request may have been handled, now or later (the
	//     connection broke, ctx ended, the peer is silent);
	//   - ErrTooLarge: the request is beyond MaxFrame, and was not sent.
	//
	// ErrNotSent and ErrUnknown also wrap their cause, such as ctx.Err(). The
	// deadline of ctx travels with the request; cancellation does not.
	// While too many bytes of requests are unanswered, Call waits.
	Call(ctx context.Context, to uint64, method uint8, request []byte) ([]byte, error)
	// CallAddr is Call to whichever node listens at addr (host:port), over a
	// connection of its own: for joining, before ids are known.
	CallAddr(ctx context.Context, addr string, method uint8, request []byte) ([]byte, error)

	// Stream opens a stream of a kind to a peer. When ctx ends, the stream
	// breaks on both sides.
	Stream(ctx context.Context, to uint64, kind uint8) (Stream, error)

	// RoundTrip is the smoothed round trip time to a peer, 0 if not known.
	RoundTrip(to uint64) time.Duration
	// Stats returns a row for each peer, by ascending id.
	Stats() []PeerStats

	// Gossip is the part that package membership builds on.
	Gossip() *Gossip

	// Close ends everything and waits for it, in particular for running
	// handlers, whose contexts end. It may be called more than once.
	Close() error
}

// A CallHandler answers calls, many at once. ctx carries the caller's deadline
// and ends when the handler returns, the caller's connection breaks or the
// transport closes. request belongs to the handler. The response is copied
// before the handler's goroutine is used again and must not be changed after
// return. An error goes back as a RemoteError with the error's text, and with
// its code if something in its chain has a method Code() uint8.
type CallHandler func(ctx context.Context, from uint64, method uint8, request []byte) (response []byte, err error)

// A StreamHandler serves one stream. Reading from conn returns io.EOF only
// after the other side's CloseWrite: any other end is an error, so that a torn
// stream cannot be taken for a whole one. When the handler returns nil the other
// side reads io.EOF, when it returns an error the other side reads and writes
// fail with a *RemoteError. ctx ends when the transport closes.
type StreamHandler func(ctx context.Context, from uint64, conn io.ReadWriter) error

// Stream is the opening side of a stream. Read, Write and CloseWrite may be used
// at the same time, each by one goroutine at a time.
type Stream interface {
	// Read returns io.EOF once the handler has returned nil, a *RemoteError
	// once it has returned an error.
	io.Reader
	// Write sends at once, without buffering.
	io.Writer
	// CloseWrite tells the handler that nothing follows.
	CloseWrite() error
	// Close ends the stream. Without CloseWrite before, the handler's next
	// Read fails.
	io.Closer
}

// PeerStats counts what went to and came from one peer since SetPeer. Bytes
// include frames' headers.
type PeerStats struct {
	ID   uint64
	Name string
	Addr string

	Connected bool          // a connection for calls exists
	RoundTrip time.Duration // smoothed; 0 if not known

	BytesSent, BytesReceived uint64
	MessagesSent             uint64 // batches handed to the network
	MessagesReceived         uint64
	MessagesDropped          uint64 // batches for which Send returned false or that a breaking connection lost
	CallsSent                uint64 // calls begun
	CallsFailed              uint64 // of these ended with ErrNotSent or ErrUnknown
	CallsHandled             uint64
	CallsInFlight            int
	QueuedBytes              int // messages waiting to be written
}
