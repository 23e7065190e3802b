package placement

import (
	"cmp"
	"slices"
)

// market is who may give and who may take a replica for the sake of balance.
type market struct {
	*planner
	// givers are all nodes that take replicas, the one that gains most by
	// giving one away first.
	givers []int32
	// takers[z] are the nodes of a zone, the one that it costs least to take
	// one first.
	takers [][]int32
	// held[n] are the shards with a voter on node n that may move.
	held [][]int32
}

// balance begins moves from the fullest nodes to the emptiest ones, wherever
// load²/weight falls in sum and the zones of the shard allow it.
//
// If the best taker has no room for one more move at a time, the giver waits
// for it rather than give to the next best: that one would have to give it on
// later. This is what keeps the number of moves near the least possible when
// nodes join.
func (p *planner) balance(steps []Step) []Step {
	if p.moves >= p.limits.Moves {
		return steps
	}
	m := p.openMarket()
	for i := 0; i < len(m.givers) && p.moves < p.limits.Moves; {
		from := m.givers[i]
		if !m.demand(from) {
			break // nor is there for those that gain less
		}
		s, to := (*shard)(nil), none
		if p.free(from) {
			s, to = m.offer(from)
		}
		if s == nil || !p.free(to) {
			i++
			continue
		}
		m.trade(s, from, to)
		steps = append(steps, p.step(s, AddLearner, to, Balance))
	}
	return steps
}

func (p *planner) openMarket() *market {
	m := &market{planner: p, takers: make([][]int32, len(p.zones)), held: make([][]int32, len(p.nodes))}
	for z, members := range p.zones {
		m.takers[z] = slices.Clone(members)
		slices.SortFunc(m.takers[z], m.byCost)
		m.givers = append(m.givers, members...)
	}
	slices.SortFunc(m.givers, m.byGain)
	for i := range p.shards {
		s := &p.shards[i]
		if s.moving || s.fixed || len(s.voters) != p.want() || !p.healthy(s) {
			continue
		}
		for _, v := range s.voters {
			if !slices.Contains(s.pinned, v) {
				m.held[v] = append(m.held[v], int32(i))
			}
		}
	}
	return m
}

func (m *market) byGain(a, b int32) int {
	if c := m.nodes[b].giveGain().compare(m.nodes[a].giveGain()); c != 0 {
		return c
	}
	return cmp.Compare(a, b)
}

func (m *market) byCost(a, b int32) int {
	na, nb := &m.nodes[a], &m.nodes[b]
	return cmp.Or(na.takeCost().compare(nb.takeCost()), cmp.Compare(na.moves, nb.moves), cmp.Compare(a, b))
}

// demand reports whether any node could take a replica at less than the giver
// gains.
func (m *market) demand(from int32) bool {
	return slices.ContainsFunc(m.takers, func(zone []int32) bool {
		return len(zone) > 0 && m.pays(from, zone[0])
	})
}

func (m *market) pays(from, to int32) bool {
	return m.nodes[to].takeCost().compare(m.nodes[from].giveGain()) < 0
}

// offer returns the shard that the giver should give away, and to whom: to the
// node that it costs least; of such shards one that it does not lead, and of
// those the smallest.
func (m *market) offer(from int32) (*shard, int32) {
	var best *shard
	taker := none
	for _, i := range m.held[from] {
		s := &m.shards[i]
		if s.moving {
			continue
		}
		crowd := m.inZone(s.goal, m.nodes[from].zone)
		for z, zone := range m.takers {
			// Moving to another zone must not make the spread worse.
			if int32(z) != m.nodes[from].zone && m.inZone(s.goal, int32(z)) >= crowd {
				continue
			}
			to := m.first(s, zone)
			if to == none || !m.pays(from, to) {
				continue
			}
			if best == nil || m.prefer(from, s, to, best, taker) {
				best, taker = s, to
			}
		}
	}
	return best, taker
}

// first returns the taker that a shard costs least.
func (m *market) first(s *shard, zone []int32) int32 {
	for _, n := range zone {
		if !slices.Contains(s.goal, n) && !slices.Contains(s.banned, n) {
			return n
		}
	}
	return none
}

// prefer reports whether giving a to toA is better than giving b to toB.
func (m *market) prefer(from int32, a *shard, toA int32, b *shard, toB int32) bool {
	if c := m.nodes[toA].takeCost().compare(m.nodes[toB].takeCost()); c != 0 {
		return c < 0
	}
	if leadA, leadB := a.leader == from, b.leader == from; leadA != leadB {
		return leadB
	}
	return a.bytes < b.bytes
}

func (m *market) trade(s *shard, from, to int32) {
	m.drop(s, from)
	m.add(s, to)
	s.moving, s.reason = true, Balance
	m.occupy(s)
	resort(m.givers, from, m.byGain)
	resort(m.givers, to, m.byGain)
	for _, n := range []int32{from, to} {
		resort(m.takers[m.nodes[n].zone], n, m.byCost)
	}
}

// resort puts n in its place in a list of which the rest is sorted.
func resort(list []int32, n int32, compare func(a, b int32) int) {
	i := slices.Index(list, n)
	for ; i > 0 && compare(list[i], list[i-1]) < 0; i-- {
		list[i], list[i-1] = list[i-1], list[i]
	}
	for ; i+1 < len(list) && compare(list[i], list[i+1]) > 0; i++ {
		list[i], list[i+1] = list[i+1], list[i]
	}
}
