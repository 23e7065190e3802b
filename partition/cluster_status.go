package partition

import (
	"context"
	"slices"
	"sync"

	"github.com/stator-db/stator/partition/replication"
)

// ClusterStatus is what a node knows of the cluster: members and shards from its
// catalog, and what each member that answers says of its own replicas.
type ClusterStatus struct {
	Node   string        `json:"node"` // who tells
	Nodes  []NodeStatus  `json:"nodes"`
	Shards []ShardStatus `json:"shards"`
	// Steps is what the catalog's leader has replicas and leaders do now.
	Steps []StepStatus `json:"steps"`
}

// StepStatus is a step of moving a replica or a leadership, and its reason.
type StepStatus struct {
	Shard  int    `json:"shard"`
	Action string `json:"action"`
	Node   string `json:"node"`
	Reason string `json:"reason"`
}

// NodeStatus is a member. State is the catalog's, or "unreachable" or "dead".
type NodeStatus struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	PID      int       `json:"pid"`
	Addr     string    `json:"addr"`
	HTTP     string    `json:"http"`
	Zone     string    `json:"zone,omitempty"`
	Version  string    `json:"version,omitempty"`
	State    NodeState `json:"state"`
	Replicas int       `json:"replicas"`
	Leaders  int       `json:"leaders"`
}

// States of a node that does not answer, and of one that has not for so long that
// its replicas are made anew on others.
const (
	NodeUnreachable NodeState = "unreachable"
	NodeDead        NodeState = "dead"
)

// ShardStatus is a shard: its tokens, both included, in hexadecimal, and its
// replicas. Shard -1 is the catalog.
type ShardStatus struct {
	ID       int             `json:"id"`
	First    string          `json:"first,omitempty"`
	Last     string          `json:"last,omitempty"`
	Leader   string          `json:"leader"` // name; empty if there is none
	Term     uint64          `json:"term"`
	Commit   uint64          `json:"commit"`
	Replicas []ReplicaStatus `json:"replicas"`
	// Hosts are the nodes that have or are about to have a replica, also those
	// that do not answer.
	Hosts []string `json:"hosts"`
	// Orders are the moves that an operator wants of the shard.
	Orders []OrderStatus `json:"orders,omitempty"`
}

// OrderStatus is a move that an operator wants, see DB.MoveShard.
type OrderStatus struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// ReplicaStatus is a replica of a shard. Lag is how many entries it is behind
// the leader's commit index.
type ReplicaStatus struct {
	Node    string `json:"node"`
	Role    string `json:"role"`
	Applied uint64 `json:"applied"`
	Lag     uint64 `json:"lag"`
	// Reads and Proposals count since the node was started.
	Reads     uint64 `json:"reads"`
	Proposals uint64 `json:"proposals"`
}

// nodeReport is what a node says of itself.
type nodeReport struct {
	Replicas []replicaReport `json:"replicas"`
	// Full says that the node's disk is full: it can neither lead nor take more.
	Full bool `json:"full,omitempty"`
	// Management is what the catalog's leader is about; others have none.
	Management *management `json:"management,omitempty"`
}

// replicaReport is what a node says of a replica it has.
type replicaReport struct {
	Shard   int    `json:"shard"`
	Role    string `json:"role"`
	Leader  uint64 `json:"leader,string"`
	Term    uint64 `json:"term"`
	Commit  uint64 `json:"commit"`
	Applied uint64 `json:"applied"`
	// Reads and Proposals are the sums of ShardCounters'.
	Reads     uint64 `json:"reads"`
	Proposals uint64 `json:"proposals"`
	// Members is what only a leader can tell that has applied an entry of its
	// term, so that it knows all changes of former leaders.
	Members *membersReport `json:"members,omitempty"`
}

// membersReport is the configuration of a group, and the index it came with.
type membersReport struct {
	Index    uint64   `json:"index"`
	Changing bool     `json:"changing,omitempty"` // another one is under way
	Voters   []uint64 `json:"voters"`
	Learners []uint64 `json:"learners,omitempty"`
}

func (n *node) report() nodeReport {
	n.groups.RLock()
	ids := make([]replication.Group, 0, len(n.groups.m))
	for id := range n.groups.m {
		ids = append(ids, id)
	}
	n.groups.RUnlock()
	reports := make([]replicaReport, 0, len(ids))
	for _, id := range ids {
		_, leads := n.runtime.IsLeader(id)
		s := n.runtime.Status(id)
		r := replicaReport{
			Shard: int(id) - 1, Role: s.Role.String(), Leader: uint64(s.Leader), Term: s.Term, Commit: s.Commit, Applied: s.Applied,
		}
		if g := n.group(id); g != nil {
			reads := g.reads.load()
			r.Reads, r.Proposals = reads[Eventual]+reads[Strong], g.proposals.Load()
		}
		if leads && s.Role == replication.Leader {
			r.Members = &membersReport{Index: s.ConfIndex, Changing: s.Changing, Voters: idsOf(s.Voters), Learners: idsOf(s.Learners)}
		}
		reports = append(reports, r)
	}
	return nodeReport{Replicas: reports, Full: n.diskFull(), Management: n.oversees.Load()}
}

func idsOf(nodes []replication.Node) []uint64 {
	ids := make([]uint64, len(nodes))
	for i, id := range nodes {
		ids[i] = uint64(id)
	}
	return ids
}

// Cluster asks every member for its part. It is nil on a single node.
func (db *DB) Cluster(ctx context.Context) *ClusterStatus {
	n := db.node
	if n == nil {
		return nil
	}
	members := n.topology.members()
	reports := make([]*nodeReport, len(members))
	var all sync.WaitGroup
	for i, m := range members {
		all.Go(func() { reports[i] = n.reportOf(ctx, m.ID) })
	}
	all.Wait()
	var about management
	for _, r := range reports {
		if r != nil && r.Management != nil {
			about = *r.Management
		}
	}

	s := &ClusterStatus{Node: n.opts.Name, Steps: []StepStatus{}}
	for _, step := range about.Steps {
		s.Steps = append(s.Steps, StepStatus{
			Shard: int(step.Shard), Action: step.Action.String(), Node: n.nameOf(step.Node), Reason: step.Reason.String(),
		})
	}
	names := make(map[uint64]string, len(members))
	for _, m := range members {
		names[m.ID] = m.Name
	}
	byShard := make(map[int]*ShardStatus)
	for _, p := range append([]shardRecord{{Shard: -1}}, n.topology.placed()...) {
		st := ShardStatus{ID: p.Shard, Replicas: []ReplicaStatus{}, Hosts: []string{}}
		if p.Shard >= 0 {
			r := splitRing(p.Shard, n.topology.record().Shards)
			st.First, st.Last = hexToken(r.first), hexToken(r.last)
			for _, o := range n.topology.ordersOf(p.Shard) {
				st.Orders = append(st.Orders, OrderStatus{From: n.nameOf(o.From), To: n.nameOf(o.To)})
			}
		}
		for _, id := range n.topology.replicas(p.Shard) {
			st.Hosts = append(st.Hosts, n.nameOf(uint64(id)))
		}
		s.Shards = append(s.Shards, st)
	}
	for i := range s.Shards {
		byShard[s.Shards[i].ID] = &s.Shards[i]
	}
	for i, m := range members {
		st := NodeStatus{
			ID: hexToken(Token(m.ID)), Name: m.Name, PID: m.PID, Addr: m.Addr, HTTP: m.HTTP, Zone: m.Zone, Version: m.Version, State: m.State,
		}
		var replicas []replicaReport
		switch {
		case reports[i] != nil:
			replicas = reports[i].Replicas
		case slices.Contains(about.Dead, m.ID):
			st.State = NodeDead
		default:
			st.State = NodeUnreachable
		}
		for _, r := range replicas {
			shard := byShard[r.Shard]
			if shard == nil {
				continue
			}
			shard.Replicas = append(shard.Replicas, ReplicaStatus{
				Node: m.Name, Role: r.Role, Applied: r.Applied, Reads: r.Reads, Proposals: r.Proposals,
			})
			if r.Term > shard.Term {
				shard.Term, shard.Leader = r.Term, names[r.Leader]
			} else if r.Term == shard.Term && shard.Leader == "" {
				shard.Leader = names[r.Leader]
			}
			shard.Commit = max(shard.Commit, r.Commit)
			if r.Shard >= 0 {
				st.Replicas++
				if r.Role == replication.Leader.String() {
					st.Leaders++
				}
			}
		}
		s.Nodes = append(s.Nodes, st)
	}
	for _, shard := range byShard {
		for i := range shard.Replicas {
			shard.Replicas[i].Lag = shard.Commit - min(shard.Commit, shard.Replicas[i].Applied)
		}
	}
	return s
}

// ClientAddrs lists the client addresses of the members that are up and were
// heard of, for load balancers in clients.
func (db *DB) ClientAddrs() []string {
	if db.node == nil {
		return nil
	}
	var all []string
	alive := db.node.alive()
	for _, m := range db.node.topology.members() {
		if _, answers := alive[m.ID]; m.State == NodeUp && (answers || m.ID == uint64(db.node.id)) {
			all = append(all, m.HTTP)
		}
	}
	return all
}
