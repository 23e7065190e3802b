package partition

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/placement"
	"github.com/stator-db/stator/partition/replication"
)

// Carrying a plan out. Only a group's leader can change its members, so each step is
// sent to the node that leads. It names the configuration that it was decided on and
// is refused if there is another one by now, whoever decided on that.

// stepTime is how long a step may take.
const stepTime = 2 * time.Second

// recordHosts makes the catalog name all members of all groups, and those that the
// steps are going to add: their nodes make themselves a replica then. Nodes that
// are not members any more are struck off.
func (o *overseer) recordHosts(ctx context.Context, steps []placement.Step) error {
	var records []mutation
	for _, s := range o.node.topology.placed() {
		f := o.shards[s.Shard]
		if f.leader == 0 {
			continue
		}
		hosts := slices.Concat(f.voters, f.learners)
		if f.changing {
			hosts = append(hosts, s.Hosts...)
		}
		for _, step := range steps {
			if step.Shard == uint64(s.Shard) && step.Action == placement.AddLearner {
				hosts = append(hosts, step.Node)
			}
		}
		slices.Sort(hosts)
		hosts = slices.Compact(hosts)
		if slices.Equal(hosts, slices.Sorted(slices.Values(s.Hosts))) {
			continue
		}
		r, err := topologyRecord(shardKey(s.Shard), shardRecord{Shard: s.Shard, Hosts: hosts})
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	if len(records) == 0 {
		return nil
	}
	return o.node.db.catalogLog.propose(ctx, &recordsCommand{records}, false)
}

// carryOut has the steps taken, side by side.
func (o *overseer) carryOut(ctx context.Context, steps []placement.Step) {
	n := o.node
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	var all sync.WaitGroup
	for _, step := range steps {
		f := o.shards[int(step.Shard)]
		if f.leader == 0 || f.changing {
			continue
		}
		all.Go(func() {
			err := n.take(ctx, step, f)
			o.failed.note(step, err)
			if err != nil {
				n.db.log.Debug("a step was not taken", "step", step.String(), "error", err)
				return
			}
			n.kick() // the next one may follow at once
			if step.Action != placement.TransferLeader {
				n.db.log.Info("replicas move", "shard", step.Shard, "step", step.Action.String(),
					"node", n.nameOf(step.Node), "reason", step.Reason.String())
			}
		})
	}
	all.Wait()
}

// take sends a step to the leader of its shard.
func (n *node) take(ctx context.Context, step placement.Step, f shardFacts) error {
	request := binary.AppendUvarint(nil, uint64(groupOf(int(step.Shard))))
	request = append(request, byte(step.Action))
	request = binary.AppendUvarint(request, step.Node)
	request = binary.AppendUvarint(request, f.index)
	if f.leader == uint64(n.id) {
		return n.serveStep(ctx, request)
	}
	_, err := n.transport.Call(ctx, f.leader, methodStep, request)
	return err
}

// serveStep takes a step for a group that this node leads: group, action, node, index
// of the configuration it was decided on.
func (n *node) serveStep(ctx context.Context, request []byte) error {
	r := wireReader{b: request}
	id, action := replication.Group(r.uvarint()), placement.Action(r.byte())
	c := replication.Change{Node: replication.Node(r.uvarint()), At: r.uvarint()}
	if r.err != nil {
		return errBadRequest
	}
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	switch action {
	case placement.AddLearner:
		c.Kind = replication.AddLearner
	case placement.Promote:
		c.Kind = replication.Promote
	case placement.Remove:
		c.Kind = replication.RemoveMember
	case placement.TransferLeader:
		return n.runtime.Transfer(ctx, id, c.Node)
	default:
		return errBadRequest
	}
	return n.runtime.ChangeMembers(ctx, id, c)
}

// release lets nodes go that are decommissioned, once they hold nothing any more.
func (o *overseer) release(ctx context.Context) error {
	n := o.node
	for _, m := range n.topology.members() {
		if m.State != NodeDecommissioning || o.uses(m.ID) {
			continue
		}
		m.State = NodeRemoved
		if err := n.setState(ctx, m.ID, func(was NodeState) (NodeState, error) {
			if was != NodeDecommissioning {
				return was, nil // thought better of
			}
			return NodeRemoved, nil
		}); err != nil {
			return err
		}
		n.db.log.Info("a node was removed", "name", m.Name)
	}
	return nil
}

// uses reports whether a node has a replica of a shard or a vote on the catalog.
func (o *overseer) uses(id uint64) bool {
	n := o.node
	if slices.Contains(n.runtime.Status(catalogGroup).Voters, replication.Node(id)) {
		return true
	}
	placed := n.topology.placed()
	if c := n.topology.record(); c == nil || len(placed) < c.Shards {
		return true
	}
	return slices.ContainsFunc(placed, func(s shardRecord) bool {
		f, known := o.shards[s.Shard]
		return !known || slices.Contains(s.Hosts, id) || slices.Contains(f.voters, id) || slices.Contains(f.learners, id)
	})
}

func (n *node) nameOf(id uint64) string {
	if m := n.nodeByID(id); m != nil {
		return m.Name
	}
	return hexToken(Token(id))
}

// setState changes what a member is meant to do, as the catalog's leader.
func (n *node) setState(ctx context.Context, id uint64, next func(was NodeState) (NodeState, error)) error {
	n.deciding.Lock()
	defer n.deciding.Unlock()
	was := n.nodeByID(id)
	if was == nil {
		return errors.New("no such node")
	}
	state, err := next(was.State)
	if err != nil || state == was.State {
		return err
	}
	m := *was
	m.State = state
	r, err := topologyRecord(nodeKey(id), m)
	if err != nil {
		return err
	}
	return n.db.catalogLog.propose(ctx, &recordsCommand{[]mutation{r}}, false)
}
