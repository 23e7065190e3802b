package partition

import (
	"context"
	"time"

	"github.com/stator-db/stator/partition/placement"
)

// What the catalog's leader does, besides changing tables: it writes down what the
// cluster is, places the shards of a new one, and looks after it (overseer).

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
	n.work.start(func() {
		if err := n.found(ctx); err != nil {
			n.db.log.Error("the cluster could not be written down", "error", err)
			return
		}
		n.work.start(func() { n.manage(ctx) })
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
	o := newOverseer(n)
	defer o.asking.Wait()
	defer n.oversees.Store(nil)
	tick := time.NewTicker(managePause)
	defer tick.Stop()
	for {
		if err := o.once(ctx); err != nil && ctx.Err() == nil {
			n.db.log.Debug("looking after the cluster", "error", err)
		}
		select {
		case <-tick.C:
		case <-n.look:
		case <-ctx.Done():
			return
		}
	}
}

// placeShards gives a new cluster's shards their replicas, once enough nodes are
// there: spread over zones, and evenly over nodes.
func (n *node) placeShards(ctx context.Context, nodes []placement.Node) error {
	c := n.topology.record()
	if c == nil || len(n.topology.placed()) == c.Shards {
		return nil
	}
	want := placement.State{Factor: c.Replicas}
	for _, m := range nodes {
		if m.State == placement.Up && !m.Down {
			want.Nodes = append(want.Nodes, m)
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
