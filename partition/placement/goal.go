package placement

import (
	"cmp"
	"slices"
)

// settle works out every shard's goal. The goals of moves under way come
// first, for they are no longer open, and each decision sees the loads that
// the ones before it lead to.
func (p *planner) settle() {
	for i := range p.shards {
		s := &p.shards[i]
		s.goal = slices.Grow([]int32(nil), len(s.voters)+len(s.learners)+1)
		s.goal = p.keep(s.goal, s, s.voters, false)
		s.goal = p.keep(s.goal, s, s.learners, true)
		for _, n := range s.goal {
			p.nodes[n].load++
		}
	}
	var begun, others []*shard
	for i := range p.shards {
		if s := &p.shards[i]; p.underway(s) {
			begun = append(begun, s)
		} else {
			others = append(others, s)
		}
	}
	p.leastChoiceFirst(begun)
	for _, s := range slices.Concat(begun, others) {
		p.settleShard(s)
	}
}

// leastChoiceFirst sorts shards that have a voter too many: first those with
// one voter on a node fuller than all others, last those where it does not
// matter which one goes. The other way around, these could take from the full
// node what the former then had to take from a node that has none too many.
func (p *planner) leastChoiceFirst(shards []*shard) {
	lead := make(map[uint64]float64, len(shards))
	for _, s := range shards {
		first, second := 0.0, 0.0
		for _, m := range s.goal {
			r := p.relief(s, m)
			switch gain := float64(r.num) / float64(r.weight); {
			case gain > first:
				first, second = gain, first
			case gain > second:
				second = gain
			}
		}
		lead[s.id] = first - second
	}
	slices.SortStableFunc(shards, func(a, b *shard) int { return cmp.Compare(lead[b.id], lead[a.id]) })
}

// keep appends those of the members that may stay. A learner on a node that
// does not answer begins anew elsewhere.
func (p *planner) keep(goal []int32, s *shard, members []int32, learners bool) []int32 {
	for _, m := range members {
		n := &p.nodes[m]
		if n.keeps && !slices.Contains(s.banned, m) && (n.live || !learners) {
			goal = append(goal, m)
		}
	}
	return goal
}

// underway reports whether a move of the shard has begun.
func (p *planner) underway(s *shard) bool {
	return len(s.learners) > 0 || len(s.voters) > p.factor
}

func (p *planner) settleShard(s *shard) {
	want := p.want()
	s.pinned = s.pinned[:min(len(s.pinned), want)]
	for _, n := range s.pinned {
		if p.nodes[n].takes && !slices.Contains(s.goal, n) {
			p.add(s, n)
		}
	}
	for len(s.goal) > want {
		p.drop(s, p.worst(s))
	}
	for len(s.goal) < want {
		n := p.target(s)
		if n == none {
			break
		}
		p.add(s, n)
	}
	// Rather wait for a learner that does not answer than be without.
	for _, m := range s.learners {
		if n := &p.nodes[m]; len(s.goal) < want && n.keeps && !slices.Contains(s.goal, m) && !slices.Contains(s.banned, m) {
			p.add(s, m)
		}
	}
	s.reason = p.reasonFor(s)
	if !p.changed(s) && p.healthy(s) {
		p.respread(s)
	}
	s.moving = p.changed(s)
}

func (p *planner) add(s *shard, n int32) {
	s.goal = append(s.goal, n)
	p.nodes[n].load++
}

func (p *planner) drop(s *shard, n int32) {
	s.goal = without(s.goal, n)
	p.nodes[n].load--
}

// worst returns the member of the goal that should go, which is none that an
// order holds.
func (p *planner) worst(s *shard) int32 {
	worst := none
	for _, m := range s.goal {
		if !slices.Contains(s.pinned, m) && (worst == none || p.worse(s, m, worst)) {
			worst = m
		}
	}
	return worst
}

// worse reports whether a should go rather than b: the one that does not
// answer, then the one in the more crowded zone, then the one on the fuller
// node, and of equals not the leader.
func (p *planner) worse(s *shard, a, b int32) bool {
	na, nb := &p.nodes[a], &p.nodes[b]
	if na.live != nb.live {
		return !na.live
	}
	if c := cmp.Compare(p.inZone(s.goal, na.zone), p.inZone(s.goal, nb.zone)); c != 0 {
		return c > 0
	}
	if c := p.relief(s, a).compare(p.relief(s, b)); c != 0 {
		return c > 0
	}
	if (a == s.leader) != (b == s.leader) {
		return b == s.leader
	}
	return scatter(s.id, na.id) > scatter(s.id, nb.id)
}

// relief is the gain of taking the shard from a node. A learner counts as if
// its node held one replica less, so that a move that has begun goes on unless
// there is a reason against it.
func (p *planner) relief(s *shard, m int32) share {
	n := &p.nodes[m]
	if slices.Contains(s.learners, m) {
		return gain(n.load-1, n.weight)
	}
	return n.giveGain()
}

// target returns the best node for one more replica: in the emptiest zone of
// the shard, there the emptiest node. It is none if no node can take one.
func (p *planner) target(s *shard) int32 {
	best, crowd := none, 0
	for z, members := range p.zones {
		if len(members) == 0 {
			continue
		}
		here := p.inZone(s.goal, int32(z))
		if best != none && here > crowd {
			continue
		}
		n := p.emptiest(s, members)
		if n == none || best != none && here == crowd && !p.better(s, n, best) {
			continue
		}
		best, crowd = n, here
	}
	return best
}

// emptiest returns that of the nodes which is best for one more replica of the
// shard, or none.
func (p *planner) emptiest(s *shard, nodes []int32) int32 {
	best := none
	for _, n := range nodes {
		if slices.Contains(s.goal, n) || slices.Contains(s.banned, n) {
			continue
		}
		if best == none || p.better(s, n, best) {
			best = n
		}
	}
	return best
}

// better reports whether a should take the shard rather than b.
func (p *planner) better(s *shard, a, b int32) bool {
	na, nb := &p.nodes[a], &p.nodes[b]
	if c := na.takeCost().compare(nb.takeCost()); c != 0 {
		return c < 0
	}
	return scatter(s.id, na.id) < scatter(s.id, nb.id)
}

// respread swaps one replica of a crowded zone for one in a zone that has at
// least two fewer: then, and only then, the sum of squares falls.
func (p *planner) respread(s *shard) {
	if !p.crowded(s) {
		return
	}
	to := p.target(s)
	if to == none {
		return
	}
	few, from := p.inZone(s.goal, p.nodes[to].zone), none
	for _, m := range s.goal {
		if p.inZone(s.goal, p.nodes[m].zone) < few+2 || slices.Contains(s.pinned, m) {
			continue
		}
		if from == none || p.worse(s, m, from) {
			from = m
		}
	}
	if from == none {
		return
	}
	p.drop(s, from)
	p.add(s, to)
	s.reason = Spread
}

// crowded reports whether a zone has two voters more than one with nodes that
// take replicas. It is asked of every shard in every plan, so it does not look
// for a node that could take one.
func (p *planner) crowded(s *shard) bool {
	most := 0
	for _, m := range s.goal {
		most = max(most, p.inZone(s.goal, p.nodes[m].zone))
	}
	for z, members := range p.zones {
		if most < 2 {
			break
		}
		if len(members) > 0 && p.inZone(s.goal, int32(z)) <= most-2 {
			return true
		}
	}
	return false
}

// changed reports whether the members are not yet what the goal says.
func (p *planner) changed(s *shard) bool {
	return len(s.learners) > 0 || len(s.goal) != len(s.voters) || !subset(s.goal, s.voters)
}

func subset(a, b []int32) bool {
	for _, n := range a {
		if !slices.Contains(b, n) {
			return false
		}
	}
	return true
}

// healthy reports whether the shard can afford a move that is only an
// improvement: all voters answer.
func (p *planner) healthy(s *shard) bool {
	return p.live(s.voters) == len(s.voters)
}

// reasonFor says why the goal of a shard is not what it has.
func (p *planner) reasonFor(s *shard) Reason {
	if p.underway(s) {
		return Continue
	}
	reason := Repair
	for _, v := range s.voters {
		switch {
		case slices.Contains(s.goal, v):
		case p.nodes[v].leaving:
			reason = max(reason, Decommission)
		case p.nodes[v].keeps:
			reason = max(reason, Ordered)
		default:
			return Repair
		}
	}
	if len(s.voters) < len(s.goal) {
		return Repair
	}
	return reason
}
