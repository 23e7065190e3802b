package placement

import (
	"cmp"
	"slices"
)

// none stands for no node where a node's position is asked for.
const none = int32(-1)

// planner is a State with positions in place of ids, sorted by id so that the
// order of the input does not matter.
type planner struct {
	factor int
	limits Limits
	nodes  []node
	shards []shard
	// zones[z] are the nodes of a zone that may get replicas.
	zones [][]int32
	// keepers is the number of nodes that may hold replicas for good.
	keepers int
	// moves is the number of moves under way, those of this plan included.
	moves int
}

type node struct {
	id     uint64
	zone   int32
	weight int64
	// keeps: replicas here may stay. takes: more may come, and be led here.
	// live: its votes can be counted on.
	keeps, takes, live bool
	leaving            bool // decommissioned: replicas go even if there is no other place
	// load is the number of replicas that the goals put here.
	load int64
	// leads is the number of leaders, those transferred by this plan at their
	// new place.
	leads int64
	// moves is the number of moves under way to here or away from here.
	moves int
}

type shard struct {
	id               uint64
	bytes            int64
	voters, learners []int32
	leader           int32
	// goal is the set of voters that the steps lead to.
	goal []int32
	// pinned may not leave and banned may not come or stay, both by order.
	pinned, banned []int32
	// moving: members and goal differ, or a learner is on its way.
	moving bool
	// fixed: this plan has a step for the shard, or none may be taken.
	fixed  bool
	reason Reason
}

func newPlanner(s State, l Limits) *planner {
	p := &planner{factor: max(s.Factor, 1), limits: l.withDefaults()}
	p.addNodes(s)
	p.addShards(s)
	p.addOrders(s.Orders)
	return p
}

// addNodes takes over the nodes, and as dead ones those that only a shard names.
func (p *planner) addNodes(s State) {
	p.nodes = make([]node, 0, len(s.Nodes))
	zones := make(map[string]int32)
	given := slices.Clone(s.Nodes)
	slices.SortStableFunc(given, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	for _, n := range slices.CompactFunc(given, func(a, b Node) bool { return a.ID == b.ID }) {
		zone, ok := zones[n.Zone]
		if !ok {
			zone = int32(len(zones))
			zones[n.Zone] = zone
		}
		p.nodes = append(p.nodes, node{
			id: n.ID, zone: zone, weight: max(int64(n.Weight), 1),
			keeps:   n.State == Up || n.State == Draining,
			takes:   n.State == Up && !n.Down,
			live:    n.State != Dead && !n.Down,
			leaving: n.State == Decommissioning,
		})
	}
	for _, id := range p.unknown(s.Shards) {
		p.nodes = append(p.nodes, node{id: id, zone: none, weight: 1})
	}
	slices.SortFunc(p.nodes, func(a, b node) int { return cmp.Compare(a.id, b.id) })

	p.zones = make([][]int32, len(zones))
	for i := range p.nodes {
		n := &p.nodes[i]
		if n.keeps {
			p.keepers++
		}
		if n.takes {
			p.zones[n.zone] = append(p.zones[n.zone], int32(i))
		}
	}
}

// unknown returns the ids of nodes that a shard names and p.nodes, sorted by
// id, does not have.
func (p *planner) unknown(shards []Shard) []uint64 {
	var ids []uint64
	for _, s := range shards {
		for _, members := range [][]uint64{s.Voters, s.Learners} {
			for _, id := range members {
				if p.find(id) == none {
					ids = append(ids, id)
				}
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (p *planner) find(id uint64) int32 {
	i, ok := slices.BinarySearchFunc(p.nodes, id, func(n node, id uint64) int { return cmp.Compare(n.id, id) })
	if !ok {
		return none
	}
	return int32(i)
}

func (p *planner) addShards(s State) {
	p.shards = make([]shard, len(s.Shards))
	members := 0
	for _, in := range s.Shards {
		members += len(in.Voters) + len(in.Learners)
	}
	// One array for all members; a shard's slices are cut to length so that
	// nothing is ever appended into a neighbour's.
	all := make([]int32, 0, members)
	list := func(ids []uint64, not []int32) []int32 {
		from := len(all)
		for _, id := range ids {
			if i := p.find(id); !slices.Contains(all[from:], i) && !slices.Contains(not, i) {
				all = append(all, i)
			}
		}
		slices.Sort(all[from:])
		return all[from:len(all):len(all)]
	}
	for i, in := range s.Shards {
		voters := list(in.Voters, nil)
		p.shards[i] = shard{
			id: in.ID, bytes: in.Bytes, leader: none,
			voters: voters, learners: list(in.Learners, voters),
		}
		if leader := p.find(in.Leader); leader != none && slices.Contains(voters, leader) {
			p.shards[i].leader = leader
		}
	}
	slices.SortStableFunc(p.shards, func(a, b shard) int { return cmp.Compare(a.id, b.id) })
}

func (p *planner) addOrders(orders []Order) {
	for _, o := range orders {
		i, ok := slices.BinarySearchFunc(p.shards, o.Shard, func(s shard, id uint64) int { return cmp.Compare(s.id, id) })
		if !ok {
			continue
		}
		s := &p.shards[i]
		if to := p.find(o.To); o.To != 0 {
			if to == none || !p.nodes[to].keeps {
				continue
			}
			s.pinned = append(s.pinned, to)
			s.banned = without(s.banned, to)
		}
		if from := p.find(o.From); from != none && o.From != o.To {
			s.banned = append(s.banned, from)
			s.pinned = without(s.pinned, from)
		}
	}
}

// without returns set less n, in place.
func without(set []int32, n int32) []int32 {
	return slices.DeleteFunc(set, func(m int32) bool { return m == n })
}

// want is the number of voters a shard should have with the nodes there are.
func (p *planner) want() int { return min(p.factor, p.keepers) }

func quorum(voters int) int { return voters/2 + 1 }

// live returns how many of the members answer.
func (p *planner) live(members []int32) int {
	n := 0
	for _, m := range members {
		if p.nodes[m].live {
			n++
		}
	}
	return n
}

// inZone returns how many of the members are in the zone.
func (p *planner) inZone(members []int32, zone int32) int {
	n := 0
	for _, m := range members {
		if p.nodes[m].zone == zone {
			n++
		}
	}
	return n
}

// share is a number of things on a node of some weight. What one thing more or
// less does to load²/weight is (2·load±1)/weight: the cost of taking one and
// the gain of giving one away.
type share struct{ num, weight int64 }

func (a share) compare(b share) int { return cmp.Compare(a.num*b.weight, b.num*a.weight) }

func cost(load, weight int64) share { return share{2*load + 1, weight} }
func gain(load, weight int64) share { return share{2*load - 1, weight} }

func (n *node) takeCost() share { return cost(n.load, n.weight) }
func (n *node) giveGain() share { return gain(n.load, n.weight) }

// scatter orders nodes that are equally good for a shard differently for every
// shard. Were it always the lowest id, the same few nodes would share all their
// shards, and the loss of one would be made good by two others instead of by
// all. It is the mixing function of SplitMix64 (Steele, Lea, Flood, OOPSLA
// 2014).
func scatter(shard, node uint64) uint64 {
	x := shard*0x9e3779b97f4a7c15 ^ node
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
