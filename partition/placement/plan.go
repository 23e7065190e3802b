package placement

import (
	"cmp"
	"slices"
)

// Plan returns what to do next to bring the cluster nearer to a good placement:
// at most one step for a shard, the most urgent first. It returns nil if
// there is nothing to do, or nothing that can be done at the moment.
//
// The steps may be carried out in any order and at the same time; each is
// proposed again as long as the state handed in does not show it.
func Plan(s State, l Limits) []Step {
	p := newPlanner(s, l)
	p.settle()
	p.countMoves()
	p.countLeaders()
	steps := p.carryOn(nil)
	steps = p.begin(steps)
	steps = p.balance(steps)
	steps = p.drain(steps)
	steps = p.balanceLeaders(steps)
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.Reason, b.Reason) })
	return steps
}

// countMoves counts the moves under way. Those of groups without a quorum stand
// still and must not keep others from beginning.
func (p *planner) countMoves() {
	for i := range p.shards {
		if s := &p.shards[i]; p.underway(s) && p.hasQuorum(s) {
			p.occupy(s)
		}
	}
}

// occupy counts the shard's move, at the nodes that get a replica and those
// that lose one.
func (p *planner) occupy(s *shard) {
	p.moves++
	for _, n := range s.goal {
		if !slices.Contains(s.voters, n) {
			p.nodes[n].moves++
		}
	}
	for _, n := range s.voters {
		if !slices.Contains(s.goal, n) {
			p.nodes[n].moves++
		}
	}
}

// room reports whether the shard's move may begin. A node that does not answer
// is no reason against it: nothing is asked of it.
func (p *planner) room(s *shard) bool {
	if p.moves >= p.limits.Moves {
		return false
	}
	for _, n := range s.goal {
		if !slices.Contains(s.voters, n) && !p.free(n) {
			return false
		}
	}
	for _, n := range s.voters {
		if !slices.Contains(s.goal, n) && p.nodes[n].live && !p.free(n) {
			return false
		}
	}
	return true
}

func (p *planner) free(n int32) bool { return p.nodes[n].moves < p.limits.MovesPerNode }

// carryOn appends the steps that begin nothing new.
func (p *planner) carryOn(steps []Step) []Step {
	for i := range p.shards {
		s := &p.shards[i]
		if !s.moving {
			continue
		}
		if action, n, ok := p.next(s); ok && (action != AddLearner || p.underway(s)) {
			steps = append(steps, p.step(s, action, n, s.reason))
		}
	}
	return steps
}

// begin appends the first steps of new moves, the most urgent first.
func (p *planner) begin(steps []Step) []Step {
	for reason := Repair; reason <= Spread; reason++ {
		for i := range p.shards {
			s := &p.shards[i]
			if !s.moving || s.fixed || s.reason != reason || p.underway(s) || !p.room(s) {
				continue
			}
			if action, n, ok := p.next(s); ok && action == AddLearner {
				p.occupy(s)
				steps = append(steps, p.step(s, action, n, reason))
			}
		}
	}
	return steps
}

func (p *planner) step(s *shard, action Action, n int32, reason Reason) Step {
	s.fixed = true
	if action == TransferLeader {
		p.nodes[s.leader].leads--
		p.nodes[n].leads++
		s.leader = n
	}
	return Step{Shard: s.id, Action: action, Node: p.nodes[n].id, Reason: reason}
}

// next returns the shard's next step to its goal, if there is one that leaves
// a quorum.
func (p *planner) next(s *shard) (Action, int32, bool) {
	if !p.hasQuorum(s) {
		return 0, none, false
	}
	for _, l := range s.learners {
		if !slices.Contains(s.goal, l) {
			return Remove, l, true
		}
	}
	// Shrink before growing again, so that there is never more than one voter
	// too many.
	if len(s.voters) > p.factor {
		return p.removal(s)
	}
	for _, l := range s.learners {
		// An even number of voters needs one more of them for a quorum: here the
		// new one itself.
		if p.nodes[l].live {
			return Promote, l, true
		}
	}
	if len(s.learners) > 0 {
		return 0, none, false
	}
	for _, n := range s.goal {
		if !slices.Contains(s.voters, n) {
			return AddLearner, n, true
		}
	}
	return p.removal(s)
}

func (p *planner) hasQuorum(s *shard) bool {
	return p.live(s.voters) >= quorum(len(s.voters))
}

// removal returns the step that takes a voter out, or takes the leadership
// from it first.
func (p *planner) removal(s *shard) (Action, int32, bool) {
	v := p.surplus(s)
	if v == none {
		return 0, none, false
	}
	left := p.live(s.voters)
	if p.nodes[v].live {
		left--
	}
	if left < quorum(len(s.voters)-1) {
		return 0, none, false
	}
	if v == s.leader {
		// All others drain: they will be back.
		heir := p.heir(s)
		return TransferLeader, heir, heir != none
	}
	return Remove, v, true
}

// surplus returns the voter to take out next: one that does not answer before
// one that does, and the leader last.
func (p *planner) surplus(s *shard) int32 {
	best := none
	rank := func(v int32) int {
		switch {
		case !p.nodes[v].live:
			return 0
		case v != s.leader:
			return 1
		}
		return 2
	}
	for _, v := range s.voters {
		if !slices.Contains(s.goal, v) && p.dispensable(s, v) && (best == none || rank(v) < rank(best)) {
			best = v
		}
	}
	return best
}

// dispensable reports whether a voter that is not in the goal may go.
func (p *planner) dispensable(s *shard, v int32) bool {
	if len(s.voters) > p.factor {
		return true // its successor is there
	}
	if len(s.goal) < p.want() {
		return false // a place for its successor may turn up
	}
	if !p.givenUp(v) {
		return true
	}
	// Given up, and no successor. An odd number of voters bears as many
	// failures as the even one below it; an even one bears more without. If
	// another voter is to leave, this one goes first: the live ones are needed
	// for the quorum until then.
	return len(s.voters)%2 == 0 || slices.ContainsFunc(s.voters, func(o int32) bool {
		return !slices.Contains(s.goal, o) && !p.givenUp(o)
	})
}

func (p *planner) givenUp(n int32) bool { return !p.nodes[n].keeps && !p.nodes[n].leaving }

// heir returns the voter that should lead next: one that stays, with the fewest
// leaders for its weight. It is none if no node may lead.
func (p *planner) heir(s *shard) int32 {
	best := none
	for _, v := range s.voters {
		if v == s.leader || !p.nodes[v].takes || !slices.Contains(s.goal, v) {
			continue
		}
		if best == none || p.leadCost(v).compare(p.leadCost(best)) < 0 {
			best = v
		}
	}
	return best
}
