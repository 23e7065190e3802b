package cluster

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/partition/lab/internal/virtual"
)

// node is a machine of the cluster, with what survives its crashes.
type node struct {
	c     *Cluster
	index int
	id    uint64 // as raft knows it
	logs  map[int]*raft.MemoryStorage
	clock time.Duration // how far its clock is ahead
	// applied is, for each shard, what its replica had applied when it was last up.
	applied map[int]uint64

	timing, ids, route *rand.Rand

	// What follows is lost in a crash.
	host    *virtual.Host
	db      *partition.SimulatedNode
	members map[int]*member
	disk    disk
	hints   map[int]int // leaders of shards, as others have told
	calls   map[int]func()
	called  int
}

// tick is the unit of raft's clock, as package replication has it.
const tick = 100 * time.Millisecond

// epoch is what the nodes' clocks show when the world begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newNode(c *Cluster, index int) *node {
	rand := func(what string) *rand.Rand { return c.World.Rand(fmt.Sprintf("%s of node %d", what, index)) }
	return &node{
		c: c, index: index, id: uint64(index + 1),
		logs: make(map[int]*raft.MemoryStorage), applied: make(map[int]uint64),
		timing: rand("timing"), ids: rand("ids"), route: rand("routes"),
	}
}

// prepare makes the logs of a new cluster.
func (n *node) prepare() {
	for s, sh := range n.c.shards {
		if !slices.Contains(sh.replicas, n.index) {
			continue
		}
		voters := make([]uint64, len(sh.replicas))
		for i, r := range sh.replicas {
			voters[i] = uint64(r + 1)
		}
		slices.Sort(voters)
		log := raft.NewMemoryStorage()
		position := &raftpb.SnapshotMetadata{
			Index: new(uint64(firstIndex - 1)), Term: new(uint64(1)), ConfState: &raftpb.ConfState{Voters: voters},
		}
		if err := log.ApplySnapshot(&raftpb.Snapshot{Metadata: position}); err != nil {
			n.c.fail(err)
		}
		state := &raftpb.HardState{Term: new(uint64(1)), Vote: new(uint64(0)), Commit: new(uint64(firstIndex - 1))}
		if err := log.SetHardState(state); err != nil {
			n.c.fail(err)
		}
		n.logs[s], n.applied[s] = log, firstIndex-1
	}
}

func (n *node) up() bool { return n.host != nil && n.host.Alive() }

// member is the node's replica of a shard, nil if it has none or is down.
func (n *node) member(shard int) *member {
	if !n.up() {
		return nil
	}
	return n.members[shard]
}

// start begins anew with what the disk holds.
func (n *node) start() {
	if n.up() {
		return
	}
	n.host = n.c.World.NewHost()
	n.members, n.hints, n.calls = make(map[int]*member), make(map[int]int), make(map[int]func())
	n.disk = disk{n: n, chance: n.timing}
	n.c.starts++
	var err error
	if n.db, err = partition.OpenSimulated(partition.SimulatedOptions{
		Node: n.id, Process: n.c.starts, Shards: n.c.o.Shards, GSI: n.c.o.GSI, World: world{n},
	}); err != nil {
		n.c.fail(err)
		return
	}
	for _, s := range n.held() {
		if err := n.join(s); err != nil {
			n.c.fail(err)
		}
	}
	n.c.World.After(n.host, time.Duration(n.timing.Int64N(int64(tick))), n.tick)
}

// held are the shards that the node holds a replica of.
func (n *node) held() []int { return slices.Sorted(maps.Keys(n.logs)) }

func (n *node) tick() {
	for _, s := range n.held() {
		n.members[s].tick()
	}
	n.c.World.After(n.host, tick, n.tick)
}

// crash ends the node.
func (n *node) crash() {
	if !n.up() {
		return
	}
	for _, s := range n.held() {
		n.members[s].ended()
	}
	n.host.Kill()
	for _, call := range slices.Sorted(maps.Keys(n.calls)) {
		n.calls[call]()
	}
	if err := n.db.Close(); err != nil {
		n.c.fail(err)
	}
	n.db = nil
}

// opened notes a call that this node handles; gone is called if it cannot.
func (n *node) opened(gone func()) (call int) {
	n.called++
	n.calls[n.called] = gone
	return n.called
}

// disk makes logs durable. What arrives during a sync shares the next one.
type disk struct {
	n       *node
	chance  *rand.Rand
	queue   []write
	syncing bool
}

type write struct {
	m       *member
	message *raftpb.Message
}

func (d *disk) append(w write) {
	d.queue = append(d.queue, w)
	if !d.syncing {
		d.sync()
	}
}

func (d *disk) sync() {
	batch := d.queue
	d.queue, d.syncing = nil, len(batch) > 0
	if !d.syncing {
		return
	}
	d.n.c.World.After(d.n.host, d.n.c.o.Sync.draw(d.chance), func() {
		for _, w := range batch {
			w.m.persist(w.message)
		}
		for _, w := range batch {
			w.m.persisted(w.message)
		}
		d.sync()
	})
}
