package placement

import "slices"

func (p *planner) leadCost(n int32) share { return cost(p.nodes[n].leads, p.nodes[n].weight) }
func (p *planner) leadGain(n int32) share { return gain(p.nodes[n].leads, p.nodes[n].weight) }

func (p *planner) countLeaders() {
	for i := range p.shards {
		if l := p.shards[i].leader; l != none {
			p.nodes[l].leads++
		}
	}
}

// drain moves leaders off nodes that must not lead but still do. The leader on
// a node that does not answer is left to the election.
func (p *planner) drain(steps []Step) []Step {
	for i := range p.shards {
		s := &p.shards[i]
		if s.fixed || s.leader == none || p.nodes[s.leader].takes || !p.nodes[s.leader].live {
			continue
		}
		if p.limits.Transfers == 0 {
			break
		}
		if heir := p.heir(s); heir != none {
			p.limits.Transfers--
			steps = append(steps, p.step(s, TransferLeader, heir, Drain))
		}
	}
	return steps
}

// balanceLeaders spreads the leaders over the nodes as evenly as the voters
// permit. A node with too many may have no voter in common with one that has
// too few; then it gives a leader to a third, which gives one to a fourth, and
// so on. There is a better placement of the leaders exactly if there is such a
// path from a node to another that it costs less to lead one more than the
// first gains by leading one less (Harvey, Ladner, Lovász, Tamir:
// "Semi-matchings for bipartite graphs and load balancing", 2006, section 3).
func (p *planner) balanceLeaders(steps []Step) []Step {
	g := p.leadership()
	for p.limits.Transfers > 0 {
		from := g.fullest()
		if from == none {
			break
		}
		to := g.search(from)
		if to == none {
			continue // and whatever was reached is as good as it gets
		}
		path := g.path(from, to)
		if len(path) > p.limits.Transfers {
			break
		}
		for _, hop := range path {
			p.limits.Transfers--
			steps = append(steps, p.step(&p.shards[hop.shard], TransferLeader, hop.to, Balance))
		}
	}
	return steps
}

// leadership is a graph of the nodes that may lead: an edge leads from the
// leader of a shard to each other voter.
type leadership struct {
	*planner
	led [][]int32 // by node: the shards it leads that may get another leader
	// done nodes cannot reach any node to which they, or one with as many
	// leaders, should give one. Paths found later never touch them.
	done []bool
	// into[n] is how the search came to n; seen are the nodes it came to.
	into []hop
	seen []int32
}

// hop is one shard's change of leader.
type hop struct{ shard, from, to int32 }

func (p *planner) leadership() *leadership {
	g := &leadership{
		planner: p,
		led:     make([][]int32, len(p.nodes)),
		done:    make([]bool, len(p.nodes)),
		into:    make([]hop, len(p.nodes)),
	}
	for i := range p.shards {
		s := &p.shards[i]
		if !s.fixed && s.leader != none && p.nodes[s.leader].takes {
			g.led[s.leader] = append(g.led[s.leader], int32(i))
		}
	}
	for i := range p.nodes {
		g.done[i] = !p.nodes[i].takes
		g.into[i].shard = none
	}
	return g
}

// fullest returns the node that gains most by giving a leader away.
func (g *leadership) fullest() int32 {
	best := none
	for i := range g.nodes {
		n := int32(i)
		if !g.done[n] && len(g.led[n]) > 0 && (best == none || g.leadGain(n).compare(g.leadGain(best)) > 0) {
			best = n
		}
	}
	return best
}

// search goes through the graph in breadth and returns the nearest of the nodes
// that it costs least to lead one more, or none if that is not less than what
// the start gains.
func (g *leadership) search(from int32) int32 {
	for _, n := range g.seen {
		g.into[n].shard = none
	}
	g.seen = append(g.seen[:0], from)
	best := none
	for i := 0; i < len(g.seen); i++ {
		n := g.seen[i]
		for _, shard := range g.led[n] {
			s := &g.shards[shard]
			if s.fixed {
				continue
			}
			for _, v := range s.voters {
				if v == from || g.done[v] || g.into[v].shard != none || !slices.Contains(s.goal, v) {
					continue
				}
				g.into[v] = hop{shard: shard, from: n, to: v}
				g.seen = append(g.seen, v)
				if best == none || g.leadCost(v).compare(g.leadCost(best)) < 0 {
					best = v
				}
			}
		}
	}
	if best == none || g.leadCost(best).compare(g.leadGain(from)) >= 0 {
		for _, n := range g.seen {
			g.done[n] = true
		}
		return none
	}
	return best
}

// path returns the hops to the node found, the last first: no node ever leads
// more than in the end.
func (g *leadership) path(from, to int32) []hop {
	var path []hop
	for n := to; n != from; n = g.into[n].from {
		path = append(path, g.into[n])
	}
	return path
}
