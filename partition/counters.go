package partition

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/stator-db/stator/partition/replication"
)

// Counters is what a DB has counted since it was opened, and how its replicas are.
type Counters struct {
	Shards []ShardCounters // those with a replica here, by number; -1 is the catalog
	// The rest is of a node of a cluster.
	Cluster           bool
	Forwarded         uint64            // commands and reads sent to other nodes
	SnapshotsSent     uint64            // that arrived
	SnapshotsReceived uint64            // that took effect
	Members           map[string]uint64 // changes of membership heard of, by what happened
}

// ShardCounters is one replica. On a single node it leads, in term 0.
type ShardCounters struct {
	Shard  int
	Role   string // as replication.Role says it
	Leader string // name of the leader's node; empty if there is none, or a single node
	Term   uint64
	// Applied and Commit are positions in the shard's log, as this node knows them.
	Applied, Commit uint64
	// Staleness is as in Answer.
	Staleness time.Duration
	// Proposals are commands that this node, leading, was asked to put into the log.
	Proposals uint64
	// Reads are looks at this replica, by Consistency.
	Reads [2]uint64
	// SortedBytes and LogBytes are what Badger's tables and value logs take.
	SortedBytes, LogBytes int64
}

// readCounts counts the reads of a replica by Consistency.
type readCounts [2]atomic.Uint64

func (c *readCounts) load() [2]uint64 { return [2]uint64{c[Eventual].Load(), c[Strong].Load()} }

// Counters reads the counters.
func (db *DB) Counters() Counters {
	if db.node != nil {
		return db.node.counters()
	}
	var s Counters
	for i, r := range db.replicas {
		applied := r.applied.Load()
		st := ShardCounters{
			Shard: i, Role: replication.Leader.String(), Applied: applied, Commit: applied, Proposals: r.proposals.Load(), Reads: r.reads.load(),
		}
		st.SortedBytes, st.LogBytes = r.shard.Size()
		s.Shards = append(s.Shards, st)
	}
	return s
}

func (n *node) counters() Counters {
	s := Counters{Cluster: true, Forwarded: n.forwards.Load(), Members: n.members.Counts()}
	s.SnapshotsSent, s.SnapshotsReceived = n.runtime.Snapshots()
	n.groups.RLock()
	groups := make([]*group, 0, len(n.groups.m))
	for _, g := range n.groups.m {
		groups = append(groups, g)
	}
	n.groups.RUnlock()
	slices.SortFunc(groups, func(a, b *group) int { return cmp.Compare(a.shard, b.shard) })
	for _, g := range groups {
		status, fresh := n.runtime.Status(g.id), n.runtime.Freshness(g.id)
		st := ShardCounters{
			Shard: g.shard, Role: status.Role.String(), Leader: n.topology.name(status.Leader), Term: status.Term,
			Applied: status.Applied, Commit: status.Commit, Staleness: fresh.Staleness,
			Proposals: g.proposals.Load(), Reads: g.reads.load(),
		}
		st.SortedBytes, st.LogBytes = g.replica.Load().shard.Size()
		s.Shards = append(s.Shards, st)
	}
	return s
}
