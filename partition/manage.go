package partition

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/stator-db/stator/partition/placement"
	"github.com/stator-db/stator/partition/replication"
)

// What every node does: have a replica of each shard that the catalog says it
// hosts, and none of others. What the catalog's leader does: place shards, make
// learners voters, spread leaders.

// managePause is the time between two looks at the cluster.
const managePause = 250 * time.Millisecond

// reconcile makes the replicas here those that the catalog tells of.
func (n *node) reconcile() {
	for {
		if c := n.topology.record(); c != nil {
			for _, s := range n.topology.placed() {
				n.follow(s)
			}
		}
		select {
		case <-n.changed:
		case <-n.ctx.Done():
			return
		}
	}
}

func (n *node) follow(s shardRecord) {
	id := groupOf(s.Shard)
	here := n.group(id) != nil
	wanted := slices.Contains(s.Hosts, uint64(n.id))
	switch {
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
	case !wanted && here:
		if err := n.dropGroup(id); err != nil {
			n.db.log.Error("a replica could not be removed", "shard", s.Shard, "error", err)
		}
	}
}

// dropGroup ends taking part in a group and removes its data.
func (n *node) dropGroup(id replication.Group) error {
	if err := n.runtime.Remove(id); err != nil {
		return err
	}
	g := n.group(id)
	n.groups.Lock()
	delete(n.groups.m, id)
	n.groups.Unlock()
	g.propagator.abandon()
	return n.pool.Remove(uint64(id))
}

// leadsCatalog reports whether this node may change the catalog.
func (n *node) leadsCatalog() bool {
	g := n.group(catalogGroup)
	return g != nil && g.acts.Load()
}

// catalogGained begins to lead: what the last leader left is finished, then the
// cluster is looked after. It is called while an entry is applied, so everything
// else happens in a goroutine.
func (n *node) catalogGained() {
	ctx, cancel := context.WithCancel(n.ctx)
	n.leading.Lock()
	if n.leading.cancel != nil {
		n.leading.cancel()
	}
	n.leading.cancel = cancel
	n.leading.Unlock()
	n.work.Go(func() {
		if err := n.found(ctx); err != nil {
			n.db.log.Error("the cluster could not be written down", "error", err)
			return
		}
		n.work.Go(func() { n.manage(ctx) })
		n.db.leadCatalog(ctx)
	})
}

func (n *node) catalogLost() {
	n.leading.Lock()
	defer n.leading.Unlock()
	if n.leading.cancel != nil {
		n.leading.cancel()
		n.leading.cancel = nil
	}
}

// found writes the records of a new cluster.
func (n *node) found(ctx context.Context) error {
	if n.topology.record() != nil {
		return nil
	}
	c, err := topologyRecord(clusterKey(), clusterRecord{
		ID: n.pool.Identity().ClusterID, Shards: n.opts.Shards, Replicas: n.opts.Replicas,
		Expect: n.opts.BootstrapExpect, Created: n.db.Now(),
	})
	if err != nil {
		return err
	}
	me, err := topologyRecord(nodeKey(uint64(n.id)), n.self())
	if err != nil {
		return err
	}
	return n.db.catalogLog.propose(ctx, &recordsCommand{[]mutation{c, me}}, false)
}

// manage looks after the cluster as long as this node leads the catalog.
func (n *node) manage(ctx context.Context) {
	tick := time.NewTicker(managePause)
	defer tick.Stop()
	for {
		if err := n.manageOnce(ctx); err != nil && ctx.Err() == nil {
			n.db.log.Debug("looking after the cluster", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (n *node) manageOnce(ctx context.Context) error {
	return errors.Join(n.manageCatalog(ctx), n.placeShards(ctx), n.balanceLeaders(ctx))
}

// catalogVoters is how many nodes vote on the catalog; the others learn it.
const catalogVoters = 3

// manageCatalog gives every node a replica of the catalog, and enough of them a
// vote: one step at a time.
func (n *node) manageCatalog(ctx context.Context) error {
	s := n.runtime.Status(catalogGroup)
	for _, m := range n.topology.members() {
		id := replication.Node(m.ID)
		if !slices.Contains(s.Voters, id) && !slices.Contains(s.Learners, id) {
			return n.runtime.ChangeMembers(ctx, catalogGroup, replication.Change{Kind: replication.AddLearner, Node: id})
		}
	}
	for _, id := range slices.Concat(s.Voters, s.Learners) {
		if m := n.nodeByID(uint64(id)); m != nil && m.State == NodeRemoved {
			return n.runtime.ChangeMembers(ctx, catalogGroup, replication.Change{Kind: replication.RemoveMember, Node: id})
		}
	}
	if len(s.Voters) < catalogVoters {
		for _, p := range s.Peers {
			if p.Learner && p.Active {
				err := n.runtime.ChangeMembers(ctx, catalogGroup, replication.Change{Kind: replication.Promote, Node: p.Node})
				if !errors.Is(err, replication.ErrNotCaughtUp) {
					return err
				}
			}
		}
	}
	return nil
}

// placeShards gives a new cluster's shards their replicas, once enough nodes are
// there: spread over zones, and evenly over nodes.
func (n *node) placeShards(ctx context.Context) error {
	c := n.topology.record()
	if c == nil || len(n.topology.placed()) == c.Shards {
		return nil
	}
	want := placement.State{Factor: c.Replicas}
	for _, m := range n.topology.members() {
		if n.isActive(m.ID) {
			want.Nodes = append(want.Nodes, placement.Node{ID: m.ID, Zone: m.Zone, Weight: 1})
		}
	}
	if len(want.Nodes) < c.Expect {
		return nil
	}
	for shard := range c.Shards {
		want.Shards = append(want.Shards, placement.Shard{ID: uint64(shard)})
	}
	var records []mutation
	for _, s := range placement.Assign(want) {
		shard := int(s.ID)
		r, err := topologyRecord(shardKey(shard), shardRecord{Shard: shard, Hosts: s.Voters, First: s.Voters})
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	return n.db.catalogLog.propose(ctx, &recordsCommand{records}, false)
}

// balanceLeaders moves one leadership per look, from the node that has most to
// the one that has fewest, as long as they differ by more than one; away from
// nodes that drain in any case. Only a leader can hand over, so each node is
// asked for its own.
func (n *node) balanceLeaders(ctx context.Context) error {
	members := n.topology.members()
	leaders := make(map[uint64][]int)
	wanted := make(map[uint64]bool)
	for _, m := range members {
		if m.State == NodeUp && n.isActive(m.ID) {
			wanted[m.ID] = true
		}
	}
	placed := n.topology.placed()
	hosts := make(map[int][]uint64, len(placed))
	for _, s := range placed {
		hosts[s.Shard] = s.Hosts
		leader := uint64(n.leaderOf(groupOf(s.Shard)))
		if leader == 0 {
			leader = n.routesHint(s.Shard)
		}
		if leader != 0 {
			leaders[leader] = append(leaders[leader], s.Shard)
		}
	}
	for from, shards := range leaders {
		for _, shard := range shards {
			var to uint64
			for _, host := range hosts[shard] {
				if host != from && wanted[host] && (to == 0 || len(leaders[host]) < len(leaders[to])) {
					to = host
				}
			}
			if to == 0 || wanted[from] && len(leaders[from]) <= len(leaders[to])+1 {
				continue
			}
			request := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(groupOf(shard))), to)
			if from == uint64(n.id) {
				_, err := n.serveTransfer(ctx, request)
				return err
			}
			_, err := n.transport.Call(ctx, from, methodTransfer, request)
			return err
		}
	}
	return nil
}

func (n *node) routesHint(shard int) uint64 {
	if !n.db.serving.Load() || shard >= len(n.routes) { // the start is making them
		return 0
	}
	return n.routes[shard].hint.Load()
}

// serveTransfer hands a leadership over: group, node.
func (n *node) serveTransfer(ctx context.Context, request []byte) ([]byte, error) {
	r := wireReader{b: request}
	id, to := replication.Group(r.uvarint()), replication.Node(r.uvarint())
	if r.err != nil {
		return nil, errBadRequest
	}
	ctx, cancel := n.bounded(ctx)
	defer cancel()
	return nil, n.runtime.Transfer(ctx, id, to)
}
