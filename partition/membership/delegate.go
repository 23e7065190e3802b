package membership

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"
)

// delegate is what memberlist asks and tells. It is called with memberlist's
// locks held and must not call memberlist.
type delegate struct{ m *Membership }

var (
	_ memberlist.Delegate      = delegate{}
	_ memberlist.EventDelegate = delegate{}
	_ memberlist.AliveDelegate = delegate{}
	_ memberlist.MergeDelegate = delegate{}
)

// NodeMeta implements memberlist.Delegate.
func (d delegate) NodeMeta(int) []byte {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	return d.m.self.encode()
}

// NotifyMsg implements memberlist.Delegate: another node takes its leave.
func (d delegate) NotifyMsg(message []byte) {
	if id, ok := parseFarewell(message); ok {
		d.m.hearFarewell(id)
	}
}

// GetBroadcasts, LocalState and MergeRemoteState implement memberlist.Delegate:
// nothing but membership is gossiped.
func (delegate) GetBroadcasts(int, int) [][]byte   { return nil }
func (delegate) LocalState(bool) []byte            { return nil }
func (delegate) MergeRemoteState(_ []byte, _ bool) {}

// NotifyAlive implements memberlist.AliveDelegate: an error keeps a node out.
func (d delegate) NotifyAlive(n *memberlist.Node) error {
	other, err := decode(n.Name, n.Meta)
	if err != nil {
		return err
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	return d.m.refuseLocked(other, n.Address())
}

// NotifyMerge implements memberlist.MergeDelegate: an error ends a join, or an
// exchange with a node that should not be here, on this side. The other side
// comes to the same conclusion.
func (d delegate) NotifyMerge(nodes []*memberlist.Node) error {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	for _, n := range nodes {
		if n.State != memberlist.StateAlive {
			continue
		}
		other, err := decode(n.Name, n.Meta)
		if err == nil {
			err = d.m.refuseLocked(other, n.Address())
		}
		if err != nil {
			return fmt.Errorf("member %s: %w", n.Name, err)
		}
	}
	return nil
}

// refuseLocked returns why this node does not want another one as member.
func (m *Membership) refuseLocked(other Member, addr string) error {
	self := &m.self
	if other.Name == self.Name && addr == m.addr {
		return nil // an echo of this node, maybe of its former life
	}
	switch {
	case other.Name == self.Name:
		return fmt.Errorf("name %s is used by two nodes: %x at %s, %x at %s", self.Name, self.ID, m.addr, other.ID, addr)
	case other.ID == self.ID:
		return fmt.Errorf("id %x is used by two nodes: %s at %s, %s at %s", self.ID, self.Name, m.addr, other.Name, addr)
	case other.ClusterID != self.ClusterID && other.ClusterID != noCluster && self.ClusterID != noCluster:
		return fmt.Errorf("node of another cluster: %x instead of %x", other.ClusterID, self.ClusterID)
	case other.Protocol < self.MinProtocol || self.Protocol < other.MinProtocol:
		return fmt.Errorf("incompatible protocol: %s speaks %d (at least %d), %s speaks %d (at least %d)",
			other.Name, other.Protocol, other.MinProtocol, self.Name, self.Protocol, self.MinProtocol)
	}
	for _, k := range m.known {
		if k.State != Alive || k.at == addr {
			continue
		}
		if k.Name == other.Name && k.ID != other.ID {
			return fmt.Errorf("name %s is used by two nodes: %x at %s, %x at %s", k.Name, k.ID, k.at, other.ID, addr)
		}
		if k.ID == other.ID && k.Name != other.Name {
			return fmt.Errorf("id %x is used by two nodes: %s at %s, %s at %s", k.ID, k.Name, k.at, other.Name, addr)
		}
	}
	return nil
}

// NotifyJoin implements memberlist.EventDelegate.
func (d delegate) NotifyJoin(n *memberlist.Node) { d.m.learn(n) }

// NotifyUpdate implements memberlist.EventDelegate.
func (d delegate) NotifyUpdate(n *memberlist.Node) { d.m.learn(n) }

// NotifyLeave implements memberlist.EventDelegate.
func (d delegate) NotifyLeave(n *memberlist.Node) { d.m.lose(n.Name) }

// learn takes in that a member is alive and what it says.
func (m *Membership) learn(n *memberlist.Node) {
	if n.Name == m.o.Name {
		return
	}
	member, err := decode(n.Name, n.Meta)
	if err != nil {
		return // NotifyAlive has kept it out and logged why
	}
	at := net.JoinHostPort(n.Addr.String(), strconv.Itoa(int(n.Port)))
	m.mu.Lock()
	defer m.mu.Unlock()
	old, known := m.known[n.Name]
	m.known[n.Name] = knownMember{Member: member, at: at}
	m.forgetLocked()
	switch {
	case known && old.State == Alive && old.ID == member.ID:
		if old.Member != member {
			m.tellLocked(MemberUpdated, member)
		}
	case known && old.State == Alive:
		// Started anew with an empty disk before its failure was noticed.
		old.State = Failed
		m.tellLocked(MemberFailed, old.Member)
		m.tellLocked(MemberJoined, member)
	default:
		m.tellLocked(MemberJoined, member)
	}
}

// lose takes in that a member is gone.
func (m *Membership) lose(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.known[name]
	if !ok || k.State != Alive {
		return
	}
	k.State = Failed
	event := MemberFailed
	if k.leaving {
		k.State, event = Left, MemberLeft
	}
	k.lost = time.Now()
	m.known[name] = k
	m.tellLocked(event, k.Member)
}
