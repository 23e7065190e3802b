package partition

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/storage"
)

// The cluster keeps what it knows of itself in the catalog, as JSON behind a
// format byte:
//
//	'c' 'C'         the cluster: clusterRecord
//	'c' 'm' node:8  a member: nodeRecord
//	'c' 'p' shard:2 where a shard's replicas are: shardRecord
//	'c' 'o' shard:2 where an operator wants them: ordersRecord
//
// Every node holds a replica of the catalog, as voter or as learner, so every
// node can route on its own.

// clusterRecord is what is fixed when a cluster is made.
type clusterRecord struct {
	ID       [16]byte  `json:"id"`
	Shards   int       `json:"shards"`
	Replicas int       `json:"replicas"` // wanted of each shard
	Expect   int       `json:"expect"`   // nodes to wait for before shards are placed
	Created  time.Time `json:"created"`
}

// NodeState is what a member is meant to do.
type NodeState string

// States of a node in the catalog. Whether it is alive is not recorded.
const (
	NodeUp              NodeState = "up"
	NodeDraining        NodeState = "draining"        // leads nothing, gets nothing new
	NodeDecommissioning NodeState = "decommissioning" // its replicas move away
	NodeRemoved         NodeState = "removed"         // may not come back
)

// nodeRecord is a member.
type nodeRecord struct {
	ID      uint64    `json:"id,string"`
	Name    string    `json:"name"`
	Addr    string    `json:"addr"` // of the cluster port
	HTTP    string    `json:"http"` // of the client port
	Zone    string    `json:"zone,omitempty"`
	Version string    `json:"version,omitempty"`
	PID     int       `json:"pid"`
	State   NodeState `json:"state"`
}

// shardRecord says which nodes have, or are to have, a replica of a shard: all
// members of its group, and whoever is about to become one. First are the voters it
// begins with, as long as these are its hosts.
type shardRecord struct {
	Shard int      `json:"shard"`
	Hosts []uint64 `json:"hosts"`
	First []uint64 `json:"first,omitempty"`
}

// ordersRecord is where an operator wants replicas of a shard. Orders stay in force
// when they have been carried out, so that balance does not undo them.
type ordersRecord struct {
	Shard  int     `json:"shard"`
	Orders []order `json:"orders"`
}

// order takes a shard's replica from one node to another and keeps it there.
type order struct {
	From uint64 `json:"from,string"`
	To   uint64 `json:"to,string"`
}

const topologyFormat = 1

func clusterKey() []byte { return []byte{kindCatalog, 'C'} }
func nodeKey(id uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindCatalog, 'm'}, id)
}
func shardKey(shard int) []byte {
	return binary.BigEndian.AppendUint16([]byte{kindCatalog, 'p'}, uint16(shard))
}

func ordersKey(shard int) []byte {
	return binary.BigEndian.AppendUint16([]byte{kindCatalog, 'o'}, uint16(shard))
}

func topologyRecord(key []byte, v any) (mutation, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return mutation{}, fmt.Errorf("encoding a record of the cluster: %w", err)
	}
	return mutation{key, append([]byte{topologyFormat}, body...)}, nil
}

// isTopology tells the cluster's records from those of tables.
func isTopology(key []byte) bool {
	return len(key) >= 2 && (key[1] == 'C' || key[1] == 'm' || key[1] == 'p' || key[1] == 'o')
}

// topology is the cluster as the catalog here has it.
type topology struct {
	sync.RWMutex
	cluster *clusterRecord
	nodes   map[uint64]*nodeRecord
	shards  map[int]*shardRecord
	orders  map[int]*ordersRecord
}

// topologyChange is one decoded record; all nil if it was removed.
type topologyChange struct {
	key     []byte
	cluster *clusterRecord
	node    *nodeRecord
	shard   *shardRecord
	orders  *ordersRecord
}

func decodeTopology(key, value []byte) (c topologyChange, err error) {
	c.key = key
	if value == nil {
		return c, nil
	}
	if len(value) == 0 || value[0] != topologyFormat {
		return c, fmt.Errorf("%w: cluster record of unknown format", ErrCorruptRecord)
	}
	switch {
	case len(key) == 2 && key[1] == 'C':
		c.cluster = new(clusterRecord)
		err = json.Unmarshal(value[1:], c.cluster)
	case len(key) == 10 && key[1] == 'm':
		c.node = new(nodeRecord)
		err = json.Unmarshal(value[1:], c.node)
	case len(key) == 4 && key[1] == 'p':
		c.shard = new(shardRecord)
		err = json.Unmarshal(value[1:], c.shard)
	case len(key) == 4 && key[1] == 'o':
		c.orders = new(ordersRecord)
		err = json.Unmarshal(value[1:], c.orders)
	default:
		return c, fmt.Errorf("%w: cluster record under key %x", ErrCorruptRecord, key)
	}
	if err != nil {
		return c, fmt.Errorf("%w: cluster record: %w", ErrCorruptRecord, err)
	}
	return c, nil
}

func (t *topology) set(c topologyChange) {
	t.Lock()
	defer t.Unlock()
	switch {
	case c.cluster != nil:
		t.cluster = c.cluster
	case c.node != nil:
		t.nodes[c.node.ID] = c.node
	case c.shard != nil:
		t.shards[c.shard.Shard] = c.shard
	case c.orders != nil:
		t.orders[c.orders.Shard] = c.orders
	case c.key[1] == 'm':
		delete(t.nodes, binary.BigEndian.Uint64(c.key[2:]))
	case c.key[1] == 'p':
		delete(t.shards, int(binary.BigEndian.Uint16(c.key[2:])))
	case c.key[1] == 'o':
		delete(t.orders, int(binary.BigEndian.Uint16(c.key[2:])))
	}
}

// read loads the records from the catalog's shard.
func (t *topology) read(s *storage.Snapshot) error {
	t.Lock()
	t.cluster, t.nodes, t.shards = nil, make(map[uint64]*nodeRecord), make(map[int]*shardRecord)
	t.orders = make(map[int]*ordersRecord)
	t.Unlock()
	return scanKind(s, kindCatalog, func(key, value []byte) error {
		if !isTopology(key) {
			return nil
		}
		c, err := decodeTopology(slices.Clone(key), value)
		if err == nil {
			t.set(c)
		}
		return err
	})
}

// replicas are the nodes that have a shard's replicas.
func (t *topology) replicas(shard int) []replication.Node {
	t.RLock()
	defer t.RUnlock()
	if shard < 0 {
		all := make([]replication.Node, 0, len(t.nodes))
		for id, n := range t.nodes {
			if n.State != NodeRemoved {
				all = append(all, replication.Node(id))
			}
		}
		slices.Sort(all)
		return all
	}
	s := t.shards[shard]
	if s == nil {
		return nil
	}
	hosts := make([]replication.Node, len(s.Hosts))
	for i, id := range s.Hosts {
		hosts[i] = replication.Node(id)
	}
	return hosts
}

// name is a node's, empty if it is not known.
func (t *topology) name(id replication.Node) string {
	t.RLock()
	defer t.RUnlock()
	if n := t.nodes[uint64(id)]; n != nil {
		return n.Name
	}
	return ""
}

// zone is a node's failure zone.
func (t *topology) zone(id replication.Node) string {
	t.RLock()
	defer t.RUnlock()
	if n := t.nodes[uint64(id)]; n != nil {
		return n.Zone
	}
	return ""
}

// members lists the nodes that are not removed, by name.
func (t *topology) members() []nodeRecord {
	t.RLock()
	defer t.RUnlock()
	var all []nodeRecord
	for _, n := range t.nodes {
		if n.State != NodeRemoved {
			all = append(all, *n)
		}
	}
	slices.SortFunc(all, func(a, b nodeRecord) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return all
}

// placed lists the shards that have a place, by number.
func (t *topology) placed() []shardRecord {
	t.RLock()
	defer t.RUnlock()
	all := make([]shardRecord, 0, len(t.shards))
	for _, s := range t.shards {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b shardRecord) int { return cmp.Compare(a.Shard, b.Shard) })
	return all
}

// ordered lists what operators want of each shard, by number.
func (t *topology) ordered() []ordersRecord {
	t.RLock()
	defer t.RUnlock()
	all := make([]ordersRecord, 0, len(t.orders))
	for _, o := range t.orders {
		all = append(all, *o)
	}
	slices.SortFunc(all, func(a, b ordersRecord) int { return cmp.Compare(a.Shard, b.Shard) })
	return all
}

func (t *topology) record() *clusterRecord {
	t.RLock()
	defer t.RUnlock()
	return t.cluster
}
