package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// MaxFrame is the largest request, response or batch in bytes: the largest
// command (16 MB) and room for what wraps it.
const MaxFrame = 16<<20 + 64<<10

// maxName is the longest name of a node in bytes.
const maxName = 128

// Options says who a node is and how it is reached. They are copied by Listen.
type Options struct {
	// Addr is where to listen, host:port, for TCP and, at the same port, UDP.
	// Port 0 takes a free one. In memory an empty address takes a free one.
	Addr string
	// Advertise is the address others reach this node at, host:port; port 0 or
	// none is the port listened at. Empty: the address listened at, or if that
	// is not a specific one, the first address of this machine's interfaces.
	Advertise string

	// NodeID is this node's id, not 0. Name is for people, at most 128 bytes.
	NodeID uint64
	Name   string

	// Version is the protocol that this node speaks to others, MinVersion the
	// oldest it understands (0: only Version). Two nodes talk if each one's
	// Version is at least the other's MinVersion.
	Version    uint32
	MinVersion uint32

	// OpenMethods are the methods that may be called while caller or listener
	// is not yet member of a cluster (its id is zero). Everything else but
	// gossip is refused then.
	OpenMethods []uint8

	// ServerTLS and ClientTLS make every connection TLS, both or none.
	// ServerTLS must verify clients (tls.RequireAndVerifyClientCert). If
	// ClientTLS has no ServerName, the host of the dialled address is
	// expected in the certificate. Gossip packets (UDP) are not covered: give
	// membership a key.
	ServerTLS *tls.Config
	ClientTLS *tls.Config

	// Logger gets what an operator should know; nil discards it.
	Logger *slog.Logger

	// Faults are applied to everything this node sends; nil: none.
	Faults *Faults

	// DialTimeout bounds connecting, TLS and the preamble, on both sides.
	// Default 3 s.
	DialTimeout time.Duration
	// PingInterval is how often peers are asked for a sign of life. After
	// three intervals without any, the connection counts as broken. Default 1 s.
	PingInterval time.Duration
	// WriteTimeout breaks a connection whose peer takes nothing for so long.
	// Default 10 s.
	WriteTimeout time.Duration

	// QueueBytes bounds the messages queued for one peer. Default 64 MB.
	QueueBytes int
	// CallBytes bounds the unanswered requests to one peer; beyond it Call
	// waits. Default 64 MB, at least MaxFrame.
	CallBytes int
	// MaxHandlers bounds the calls of one peer that are handled at once;
	// further ones wait. Default 2048.
	MaxHandlers int
}

// withDefaults fills in what is zero.
func (o Options) withDefaults() Options {
	if o.MinVersion == 0 {
		o.MinVersion = o.Version
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = 3 * time.Second
	}
	if o.PingInterval == 0 {
		o.PingInterval = time.Second
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 10 * time.Second
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = 64 << 20
	}
	if o.CallBytes == 0 {
		o.CallBytes = 64 << 20
	}
	if o.MaxHandlers == 0 {
		o.MaxHandlers = 2048
	}
	return o
}

// validate reports every problem at once.
func (o Options) validate() error {
	var problems []error
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("transport: "+format, args...))
	}
	if o.NodeID == 0 {
		report("node id is 0")
	}
	if o.Name == "" || len(o.Name) > maxName {
		report("the node's name %q must have 1 to %d bytes", o.Name, maxName)
	}
	if o.MinVersion > o.Version {
		report("minimum version %d is beyond version %d", o.MinVersion, o.Version)
	}
	if (o.ServerTLS == nil) != (o.ClientTLS == nil) {
		report("TLS needs a configuration for serving and one for dialling")
	}
	if o.ServerTLS != nil && o.ServerTLS.ClientAuth != tls.RequireAndVerifyClientCert {
		report("TLS must require and verify client certificates")
	}
	if o.DialTimeout < 0 || o.PingInterval < 0 || o.WriteTimeout < 0 {
		report("a negative duration")
	}
	if o.CallBytes < MaxFrame || o.QueueBytes < MaxFrame {
		report("limits on bytes must be at least %d", MaxFrame)
	}
	if o.MaxHandlers < 0 {
		report("a negative number of handlers")
	}
	return errors.Join(problems...)
}
