package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/partition/lab/internal/virtual"
	"github.com/stator-db/stator/storage/item"
)

// Cluster is a cluster under way.
type Cluster struct {
	World *virtual.World
	// Table is the one that all clients use.
	Table *partition.Table

	o       Options
	nodes   []*node
	shards  []*shard
	outside *virtual.Host // the network, and who looks on
	links   [][]*link
	starts  uint64
	failure error // a contradiction inside

	leaderships []Leadership
}

// shard is what is known of a shard when all nodes are looked at.
type shard struct {
	replicas []int
	// committed has the times at which entries were known to be committed, the
	// first of which has the index firstIndex.
	committed []time.Duration
}

// firstIndex is that of the first entry of a log, which begins behind what stands
// for an empty snapshot, as in package replication.
const firstIndex = 2

// Leadership is a time during which a node led a shard, by its own belief.
type Leadership struct {
	Shard, Node int
	Term        uint64
	From, Until time.Duration // Until is -1 while it lasts
}

// New starts a cluster in a world and lets time pass until every shard has a leader
// and knows the table.
func New(w *virtual.World, o Options) (*Cluster, error) {
	c := &Cluster{World: w, o: o, outside: w.NewHost()}
	for i := range o.Nodes {
		c.nodes = append(c.nodes, newNode(c, i))
	}
	c.link()
	for s := range o.Shards {
		sh := &shard{}
		for k := range o.Replicas {
			sh.replicas = append(sh.replicas, (s+k)%len(o.Nodes))
		}
		c.shards = append(c.shards, sh)
	}
	for _, n := range c.nodes {
		n.prepare()
		n.start()
	}
	// Leaderships are spread.
	for s, sh := range c.shards {
		n := c.nodes[sh.replicas[0]]
		w.After(n.host, time.Millisecond, func() { n.members[s].campaign() })
	}
	var err error
	installed := false
	w.Go(c.nodes[0].host, func() {
		c.Table, err = c.nodes[0].db.Install(context.Background(), o.Table)
		installed = true
	})
	for limit := w.Now() + time.Minute; !installed && w.Now() < limit; {
		w.Run(w.Now() + 100*time.Millisecond)
	}
	if !installed {
		err = errors.New("no majority in a minute")
	}
	if err = errors.Join(err, c.failure); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the cluster: %w", err), c.Close())
	}
	return c, nil
}

// Close frees what the cluster holds and ends its world.
func (c *Cluster) Close() error {
	c.World.Close()
	var errs []error
	for _, n := range c.nodes {
		if n.db != nil {
			errs = append(errs, n.db.Close())
			n.db = nil
		}
	}
	return errors.Join(errs...)
}

// Failure is what must never happen: an error of a state machine, or a node that is
// not what its log says.
func (c *Cluster) Failure() error { return c.failure }

func (c *Cluster) fail(err error) { c.failure = errors.Join(c.failure, err) }

// Replicas are the nodes that hold a shard.
func (c *Cluster) Replicas(shard int) []int { return c.shards[shard].replicas }

// Leader is the node that leads a shard, by the newest belief there is, -1 if there
// is none.
func (c *Cluster) Leader(shard int) int {
	leader, term := -1, uint64(0)
	for _, i := range c.shards[shard].replicas {
		if m := c.nodes[i].member(shard); m != nil && m.leads() && m.term > term {
			leader, term = i, m.term
		}
	}
	return leader
}

// Leaderships are all there were, in the order of their beginnings.
func (c *Cluster) Leaderships() []Leadership { return c.leaderships }

// Lag is how far a replica is behind.
type Lag struct {
	Entries int           // committed and not applied
	Age     time.Duration // since the first of them was committed
	Down    bool
}

// Lag looks at the replica of a shard on a node.
func (c *Cluster) Lag(shard, node int) Lag {
	n := c.nodes[node]
	sh := c.shards[shard]
	applied := n.applied[shard]
	l := Lag{Entries: len(sh.committed) + firstIndex - 1 - int(applied), Down: !n.up()}
	if l.Entries > 0 {
		l.Age = c.World.Now() - sh.committed[len(sh.committed)-l.Entries]
	}
	return l
}

// committed notes how far a shard's log is known to be committed.
func (c *Cluster) committed(shard int, index uint64) {
	sh := c.shards[shard]
	for uint64(len(sh.committed)+firstIndex-1) < index {
		sh.committed = append(sh.committed, c.World.Now())
	}
}

// Digests are checksums of the replicas of a shard, in the order of Replicas.
func (c *Cluster) Digests(shard int) ([]uint64, error) {
	var sums []uint64
	for _, i := range c.shards[shard].replicas {
		m := c.nodes[i].member(shard)
		if m == nil {
			return nil, fmt.Errorf("%s is down", c.o.Nodes[i].Name)
		}
		sum, err := m.replica.Digest()
		if err != nil {
			return nil, err
		}
		sums = append(sums, sum)
	}
	return sums, nil
}

// ShardOf tells which shard holds an item.
func (c *Cluster) ShardOf(it item.Item) int {
	return partition.SimulatedShard(c.Table, it, c.o.Shards)
}
