package placement

import (
	"cmp"
	"math"
	"slices"
)

// Assign returns the shards of s, in the order given, with their first voters
// and the one that should lead; their members in s are not looked at. It is for
// groups that do not exist yet, so no limits apply. With no node up the shards
// come back without voters.
func Assign(s State) []Shard {
	shards := make([]Shard, len(s.Shards))
	for i, in := range s.Shards {
		shards[i] = Shard{ID: in.ID, Bytes: in.Bytes}
	}
	s.Shards = shards
	p := newPlanner(s, Limits{Moves: math.MaxInt, MovesPerNode: math.MaxInt, Transfers: math.MaxInt})
	p.settle()
	for p.accept(); len(p.balance(nil)) > 0; {
		p.accept()
	}
	p.elect()
	for len(p.balanceLeaders(nil)) > 0 {
		p.accept()
	}
	return p.result(shards)
}

// accept makes the goals the voters.
func (p *planner) accept() {
	p.moves = 0
	for i := range p.nodes {
		p.nodes[i].moves = 0
	}
	for i := range p.shards {
		s := &p.shards[i]
		s.voters = append(s.voters[:0], s.goal...)
		s.moving, s.fixed = false, false
	}
}

// elect gives every shard the leader that leads the fewest yet.
func (p *planner) elect() {
	for i := range p.shards {
		s := &p.shards[i]
		if s.leader = p.heir(s); s.leader != none {
			p.nodes[s.leader].leads++
		}
	}
}

// result fills the voters and leaders in.
func (p *planner) result(shards []Shard) []Shard {
	for i := range shards {
		at, _ := slices.BinarySearchFunc(p.shards, shards[i].ID, func(s shard, id uint64) int { return cmp.Compare(s.id, id) })
		s := &p.shards[at]
		for _, v := range s.voters {
			shards[i].Voters = append(shards[i].Voters, p.nodes[v].id)
		}
		if s.leader != none {
			shards[i].Leader = p.nodes[s.leader].id
		}
		slices.Sort(shards[i].Voters)
	}
	return shards
}
