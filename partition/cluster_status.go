package partition

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/replication"
)

// ClusterStatus is what a node knows of the cluster: members and shards from its
// catalog, and what each member that answers says of its own replicas.
type ClusterStatus struct {
	Node   string        `json:"node"` // who tells
	Nodes  []NodeStatus  `json:"nodes"`
	Shards []ShardStatus `json:"shards"`
}

// NodeStatus is a member. State is the catalog's, or "unreachable".
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

// NodeUnreachable is the state of a node that does not answer.
const NodeUnreachable NodeState = "unreachable"

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
}

// ReplicaStatus is a replica of a shard. Lag is how many entries it is behind
// the leader's commit index.
type ReplicaStatus struct {
	Node    string `json:"node"`
	Role    string `json:"role"`
	Applied uint64 `json:"applied"`
	Lag     uint64 `json:"lag"`
}

// replicaReport is what a node says of a replica it has.
type replicaReport struct {
	Shard   int    `json:"shard"`
	Role    string `json:"role"`
	Leader  uint64 `json:"leader,string"`
	Term    uint64 `json:"term"`
	Commit  uint64 `json:"commit"`
	Applied uint64 `json:"applied"`
}

func (n *node) ownStatus() []replicaReport {
	n.groups.RLock()
	ids := make([]replication.Group, 0, len(n.groups.m))
	for id := range n.groups.m {
		ids = append(ids, id)
	}
	n.groups.RUnlock()
	reports := make([]replicaReport, 0, len(ids))
	for _, id := range ids {
		s := n.runtime.Status(id)
		reports = append(reports, replicaReport{
			Shard: int(id) - 1, Role: s.Role.String(), Leader: uint64(s.Leader), Term: s.Term, Commit: s.Commit, Applied: s.Applied,
		})
	}
	return reports
}

// Cluster asks every member for its part. It is nil on a single node.
func (db *DB) Cluster(ctx context.Context) *ClusterStatus {
	n := db.node
	if n == nil {
		return nil
	}
	members := n.topology.members()
	reports := make([][]replicaReport, len(members))
	answered := make([]bool, len(members))
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var all sync.WaitGroup
	for i, m := range members {
		all.Go(func() {
			if m.ID == uint64(n.id) {
				reports[i], answered[i] = n.ownStatus(), true
				return
			}
			response, err := n.transport.Call(ctx, m.ID, methodStatus, nil)
			answered[i] = err == nil && json.Unmarshal(response, &reports[i]) == nil
		})
	}
	all.Wait()

	s := &ClusterStatus{Node: n.opts.Name}
	names := make(map[uint64]string, len(members))
	for _, m := range members {
		names[m.ID] = m.Name
	}
	byShard := make(map[int]*ShardStatus)
	for _, p := range append([]shardRecord{{Shard: -1}}, n.topology.placed()...) {
		st := ShardStatus{ID: p.Shard, Replicas: []ReplicaStatus{}}
		if p.Shard >= 0 {
			r := splitRing(p.Shard, n.topology.record().Shards)
			st.First, st.Last = hexToken(r.first), hexToken(r.last)
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
		if !answered[i] {
			st.State = NodeUnreachable
		}
		for _, r := range reports[i] {
			shard := byShard[r.Shard]
			if shard == nil {
				continue
			}
			shard.Replicas = append(shard.Replicas, ReplicaStatus{Node: m.Name, Role: r.Role, Applied: r.Applied})
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
