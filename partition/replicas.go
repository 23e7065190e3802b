package partition

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/stator-db/stator/partition/replication"
)

// What every node does: have a replica of each shard that the catalog says it
// hosts, and of no other. The catalog names a host before the shard's group takes
// it in as a member, so there is a replica to receive the log. It strikes it off
// once the group has let it go; but what the catalog says here may be old, and a
// member that loses its replica breaks what the group relies on. So a node that
// is to drop a replica first stops it and then has the group's leader confirm that
// it is no member. From the moment it stopped it has confirmed nothing to anybody;
// should it become a member again, it is as one that begins with nothing.

// dropPause is the time before a node asks again whether it may drop a replica.
const dropPause = 500 * time.Millisecond

// reconcile makes the replicas here those that the catalog tells of.
func (n *node) reconcile() {
	for {
		n.forgetRemoved()
		done := true
		if c := n.topology.record(); c != nil {
			for _, s := range n.topology.placed() {
				done = n.follow(s) && done
			}
		}
		var again <-chan time.Time
		if !done {
			again = time.After(dropPause)
		}
		select {
		case <-n.changed:
		case <-again:
		case <-n.ctx.Done():
			return
		}
	}
}

// forgetRemoved ends the talk with nodes that were removed and have left the
// catalog's group: until then they are to hear of it.
func (n *node) forgetRemoved() {
	s := n.runtime.Status(catalogGroup)
	n.topology.RLock()
	defer n.topology.RUnlock()
	for id, m := range n.topology.nodes {
		if m.State == NodeRemoved && id != uint64(n.id) && len(s.Voters) > 0 && !isMember(s, replication.Node(id)) {
			n.transport.RemovePeer(id)
		}
	}
}

func isMember(s replication.Status, id replication.Node) bool {
	return slices.Contains(s.Voters, id) || slices.Contains(s.Learners, id)
}

// follow does for one shard what the catalog says. It returns false if that has
// to be tried again.
func (n *node) follow(s shardRecord) bool {
	id := groupOf(s.Shard)
	here := n.group(id) != nil
	switch wanted := slices.Contains(s.Hosts, uint64(n.id)); {
	case wanted && !here:
		var first []replication.Node
		if slices.Contains(s.First, uint64(n.id)) {
			for _, m := range s.First {
				first = append(first, replication.Node(m))
			}
		}
		if err := n.startGroup(id, s.Shard, first); err != nil {
			n.db.log.Error("a replica could not be started", "shard", s.Shard, "error", err)
		}
	case !wanted && (here || n.holds(id)):
		dropped, err := n.dropGroup(id, s.Shard)
		if err != nil {
			n.db.log.Error("a replica could not be removed", "shard", s.Shard, "error", err)
		}
		return dropped
	}
	return true
}

// holds reports whether anything of a group lies on this node's disk.
func (n *node) holds(id replication.Group) bool {
	return slices.Contains(n.pool.Groups(), uint64(id)) || slices.Contains(n.runtime.Groups(), id)
}

// dropGroup ends taking part in a group and removes its data, if the group's leader
// confirms that this node is no member; else the replica goes on.
func (n *node) dropGroup(id replication.Group, shard int) (dropped bool, err error) {
	g := n.group(id)
	n.runtime.Stop(id)
	if g != nil {
		g.endActing()
	}
	if left, err := n.hasLeft(id, shard); !left {
		if err != nil {
			n.db.log.Debug("a replica is kept, since its leader was not heard", "shard", shard, "error", err)
		}
		if g == nil {
			return false, nil
		}
		if err = n.runtime.Start(id, g, nil); err != nil {
			n.forget(g)
		}
		return false, err
	}
	if g != nil {
		n.forget(g)
	}
	// The log goes last: a log without a database is what an interrupted removal
	// leaves, see startGroup.
	if slices.Contains(n.pool.Groups(), uint64(id)) {
		if err := n.pool.Remove(uint64(id)); err != nil {
			return false, err
		}
	}
	if err := n.runtime.Remove(id); err != nil {
		return false, err
	}
	n.db.log.Info("a replica has moved away", "shard", shard)
	return true, nil
}

// forget ends the use of a replica that is not running any more.
func (n *node) forget(g *group) {
	n.groups.Lock()
	delete(n.groups.m, g.id)
	n.groups.Unlock()
	g.discard()
}

// hasLeft asks the leader of a group whether this node is no member of it.
func (n *node) hasLeft(id replication.Group, shard int) (bool, error) {
	ctx, cancel := context.WithTimeout(n.ctx, answerTime)
	defer cancel()
	request := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(id)), uint64(n.id))
	l := &route{node: n, shard: shard, id: id}
	for attempt := 0; ; attempt++ {
		err := errNoLeader
		if to := l.leader(attempt); to != 0 && to != n.id {
			var response []byte
			if response, err = n.transport.Call(ctx, uint64(to), methodMember, request); err == nil {
				r := wireReader{b: response}
				return r.byte() == 0 && r.err == nil, r.err
			}
		}
		if attempt >= len(n.topology.replicas(shard)) || !l.pause(ctx, attempt+1) {
			return false, err
		}
	}
}

// serveMember says whether a node is a member of a group that this node leads:
// group, node. All that was decided before it was called is taken into account.
func (n *node) serveMember(ctx context.Context, request []byte) ([]byte, error) {
	r := wireReader{b: request}
	id, who := replication.Group(r.uvarint()), replication.Node(r.uvarint())
	if r.err != nil {
		return nil, errBadRequest
	}
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	if _, err := n.runtime.ReadIndex(ctx, id); err != nil {
		return nil, notHereError{err}
	}
	s := n.runtime.Status(id)
	if len(s.Voters) == 0 {
		return nil, notHereError{fmt.Errorf("%w: group %d has stopped", errNotHere, uint64(id))}
	}
	if isMember(s, who) {
		return []byte{1}, nil
	}
	return []byte{0}, nil
}
