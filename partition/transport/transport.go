package transport

import (
	"context"
	"time"
)

// Transport connects a node with its peers. It implements Interface, where its
// methods are described.
type Transport struct{ o Options }

var _ Interface = (*Transport)(nil)

// Listen starts a transport over TCP and UDP. The error names the address that
// cannot be listened at.
func Listen(o Options) (*Transport, error) { return listen(o) }

func listen(o Options) (*Transport, error) {
	o = o.withDefaults()
	return &Transport{o: o}, o.validate()
}

// ID implements Interface.
func (t *Transport) ID() uint64 { return t.o.NodeID }

// Addr implements Interface.
func (t *Transport) Addr() string { return "" }

// SetCluster implements Interface.
func (t *Transport) SetCluster(id [16]byte) {}

// SetPeer implements Interface.
func (t *Transport) SetPeer(id uint64, name, addr string) {}

// RemovePeer implements Interface.
func (t *Transport) RemovePeer(id uint64) {}

// HandleMessages implements Interface.
func (t *Transport) HandleMessages(h func(from uint64, batch []byte)) {}

// HandleCalls implements Interface.
func (t *Transport) HandleCalls(h CallHandler) {}

// HandleStream implements Interface.
func (t *Transport) HandleStream(kind uint8, h StreamHandler) {}

// Send implements Interface.
func (t *Transport) Send(to uint64, batch []byte) bool { return false }

// Call implements Interface.
func (t *Transport) Call(ctx context.Context, to uint64, method uint8, request []byte) ([]byte, error) {
	return nil, ErrNotSent
}

// CallAddr implements Interface.
func (t *Transport) CallAddr(ctx context.Context, addr string, method uint8, request []byte) ([]byte, error) {
	return nil, ErrNotSent
}

// Stream implements Interface.
func (t *Transport) Stream(ctx context.Context, to uint64, kind uint8) (Stream, error) {
	return nil, ErrNotSent
}

// RoundTrip implements Interface.
func (t *Transport) RoundTrip(to uint64) time.Duration { return 0 }

// Stats implements Interface.
func (t *Transport) Stats() []PeerStats { return nil }

// Gossip implements Interface.
func (t *Transport) Gossip() *Gossip { return &Gossip{t} }

// Close implements Interface.
func (t *Transport) Close() error { return nil }
