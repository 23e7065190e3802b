package membership

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/stator-db/stator/partition/transport"
)

// noCluster is the id of a node that is not yet member of a cluster.
var noCluster [16]byte

// Options says who a node is and whom it joins. They are copied by Join.
type Options struct {
	// Name is this node's name, 1 to 128 bytes, unique in the cluster. ID is
	// its id, not 0. Both must be those of the transport.
	Name string
	ID   uint64
	// Meta is what the node tells about itself, until Update.
	Meta Meta
	// Join are addresses (host:port) of other nodes' transports, of which one
	// must answer. This node's own address among them is skipped. Empty: the
	// node waits for others to join it.
	Join []string
	// Key encrypts gossip: 16, 24 or 32 bytes for AES-128, -192 or -256. Nil:
	// gossip is sent in clear, connections still as the transport has them.
	Key []byte
	// Transport carries gossip. Membership uses its Gossip alone and leaves it
	// open.
	Transport transport.Interface
	// Fast is timing for nodes of one machine: a failure is noticed within a
	// second instead of two to three.
	Fast bool
	// Logger gets what an operator should know; nil discards it.
	Logger *slog.Logger
	// Events is told each change in order, except those of this node itself,
	// by one goroutine. It may take its time, and call Membership's methods
	// but Close. Nil: nobody is told.
	Events func(Event)
}

func (o Options) validate() error {
	var problems []error
	if o.Name == "" || len(o.Name) > maxAddr {
		problems = append(problems, fmt.Errorf("membership: the node's name %q must have 1 to %d bytes", o.Name, maxAddr))
	}
	if n := len(o.Key); n != 0 && n != 16 && n != 24 && n != 32 {
		problems = append(problems, fmt.Errorf("membership: the gossip key has %d bytes instead of 16, 24 or 32", n))
	}
	if o.Transport == nil {
		problems = append(problems, errors.New("membership: no transport"))
	} else if o.Transport.ID() != o.ID {
		problems = append(problems, fmt.Errorf("membership: node id %x is not the transport's, %x", o.ID, o.Transport.ID()))
	}
	return errors.Join(problems...)
}

// Membership is this node's part in the gossip. Its methods may be called by
// many goroutines at once.
type Membership struct {
	o      Options
	log    *slog.Logger
	lines  *logWriter // memberlist's
	list   *memberlist.Memberlist
	addr   string // of this node as memberlist writes it, ip:port
	events eventQueue
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex // never held while calling memberlist, which holds its own locks when it calls back
	self   Member
	known  map[string]knownMember // by name, without this node
	counts map[EventType]uint64
	joined bool // one of Options.Join has answered
	closed bool
}

// knownMember is another node.
type knownMember struct {
	Member
	at   string    // ip:port by which memberlist knows it
	lost time.Time // when State became Failed or Left
}

// Join starts to gossip and returns at once; the addresses of Options.Join are
// asked in the background until one has answered.
func Join(o Options) (*Membership, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Membership{
		o: o, log: o.Logger, lines: &logWriter{logger: o.Logger},
		self: Member{
			Name: o.Name, ID: o.ID, ClusterAddr: o.Transport.Addr(),
			State: Alive, Meta: o.Meta,
		},
		known: map[string]knownMember{}, counts: map[EventType]uint64{},
	}
	if err := m.self.validate(); err != nil {
		return nil, err
	}
	m.events.wake = make(chan struct{}, 1)
	m.ctx, m.cancel = context.WithCancel(context.Background())

	g := newGossip(o.Transport)
	ip, port, err := g.FinalAdvertiseAddr("", 0)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("membership: address %s: %w", o.Transport.Addr(), err), g.Shutdown())
	}
	m.addr = (&memberlist.Node{Addr: ip, Port: uint16(port)}).Address()
	m.list, err = memberlist.Create(m.config(g))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("membership: %w", err), g.Shutdown())
	}
	if o.Events != nil {
		m.wg.Go(func() { m.events.run(m.ctx.Done(), o.Events) })
	}
	m.wg.Go(m.keepJoining)
	return m, nil
}

// config is memberlist's. With its probe interval of half a second a failure
// takes about one interval to meet a probe, one until the probe and those of
// others have failed, and three of suspicion, in which a node that is alive can
// object: 2 to 3 s up to 10 nodes, growing with the logarithm of their number.
func (m *Membership) config(g *gossip) *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = m.o.Name
	c.Transport = g
	c.SecretKey = m.o.Key
	c.Delegate, c.Events, c.Alive, c.Merge = delegate{m}, delegate{m}, delegate{m}, delegate{m}
	c.Logger = log.New(m.lines, "", 0)
	c.UDPBufferSize = transport.MaxPacket
	c.EnableCompression = false // packets are small, and it costs CPU
	// A node that comes back at another address is taken once it is known to
	// have failed there.
	c.DeadNodeReclaimTime = time.Nanosecond
	c.ProbeInterval = 500 * time.Millisecond
	c.ProbeTimeout = 250 * time.Millisecond
	c.SuspicionMult = 3
	c.SuspicionMaxTimeoutMult = 3
	c.TCPTimeout = 5 * time.Second
	if m.o.Fast {
		c.ProbeInterval = 150 * time.Millisecond
		c.ProbeTimeout = 75 * time.Millisecond
		c.GossipInterval = 50 * time.Millisecond
		c.PushPullInterval = 10 * time.Second
		c.TCPTimeout = 2 * time.Second
	}
	return c
}

// Members returns all nodes that are known, this one included, by name. Those
// that failed or left stay for a day.
func (m *Membership) Members() []Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	members := make([]Member, 0, len(m.known)+1)
	members = append(members, m.self)
	for k := range maps.Values(m.known) {
		members = append(members, k.Member)
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return members
}

// Joined says whether one of Options.Join has answered, or another node has
// joined this one.
func (m *Membership) Joined() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.joined || len(m.known) > 0
}

// updateTimeout bounds how long Update waits for the news to be on their way.
const updateTimeout = time.Second

// Update changes what this node tells about itself. It returns when gossip has
// begun to spread it, or after a second.
func (m *Membership) Update(meta Meta) error {
	m.mu.Lock()
	next := m.self
	next.Meta = meta
	if err := next.validate(); err != nil {
		m.mu.Unlock()
		return err
	}
	same := next == m.self
	m.self = next
	closed := m.closed
	m.mu.Unlock()
	if !same && !closed {
		// Its only error is that it took long; memberlist keeps at it.
		_ = m.list.UpdateNode(updateTimeout)
	}
	return nil
}

// Leave tells the others that this node goes, for them not to wait for it, and
// returns when that has been sent or after a timeout, which is an error. Close
// must follow.
func (m *Membership) Leave(timeout time.Duration) error {
	m.mu.Lock()
	if m.closed || m.self.leaving {
		m.mu.Unlock()
		return nil
	}
	m.self.leaving = true
	m.mu.Unlock()
	if err := m.list.UpdateNode(timeout / 2); err != nil {
		return fmt.Errorf("membership: announcing to leave: %w", err)
	}
	m.sayFarewell()
	if err := m.list.Leave(timeout / 2); err != nil {
		return fmt.Errorf("membership: leaving: %w", err)
	}
	return nil
}

// Close ends gossip. Without Leave before, this node counts as failed. It may
// be called more than once.
func (m *Membership) Close() error {
	m.mu.Lock()
	closed := m.closed
	m.closed = true
	m.mu.Unlock()
	if closed {
		return nil
	}
	m.cancel()
	err := m.list.Shutdown()
	m.wg.Wait()
	m.lines.close()
	return err
}

// tellLocked logs an event and queues it for the listener.
func (m *Membership) tellLocked(t EventType, member Member) {
	if member.Name == m.self.Name || m.closed {
		return
	}
	m.counts[t]++
	attrs := []any{"member", member.Name, "node", fmt.Sprintf("%x", member.ID), "addr", member.ClusterAddr}
	switch t {
	case MemberFailed:
		m.log.Warn("member failed", attrs...)
	case MemberUpdated:
		m.log.Debug("member updated", attrs...)
	default:
		m.log.Info("member "+t.String(), attrs...)
	}
	if m.o.Events != nil {
		m.events.put(Event{t, member})
	}
}

// Counts tells how often each type of event has happened, by its name.
func (m *Membership) Counts() map[string]uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := make(map[string]uint64)
	for t := MemberJoined; t <= MemberUpdated; t++ {
		counts[t.String()] = m.counts[t]
	}
	return counts
}
