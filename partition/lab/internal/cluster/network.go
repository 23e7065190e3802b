package cluster

import (
	"fmt"
	"math/rand/v2"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// link is what lies between two nodes, in one direction.
type link struct {
	latency Distribution
	chance  *rand.Rand
	last    time.Duration // when the last message of raft arrives

	cuts  int // faults that let nothing through
	delay time.Duration
	loss  float64
}

func (c *Cluster) link() {
	c.links = make([][]*link, len(c.nodes))
	for from, a := range c.o.Nodes {
		for to, b := range c.o.Nodes {
			l := &link{latency: c.o.Between, chance: c.World.Rand(fmt.Sprintf("link %d %d", from, to))}
			if a.Zone == b.Zone {
				l.latency = c.o.Within
			}
			for _, x := range c.o.Links {
				if x.From == from && x.To == to || x.From == to && x.To == from {
					l.latency = x.Latency
				}
			}
			c.links[from] = append(c.links[from], l)
		}
	}
}

// travel is how long something takes that is sent now; ok is false if it is lost.
func (l *link) travel() (d time.Duration, ok bool) {
	d = l.latency.draw(l.chance) + l.delay
	lost := l.loss > 0 && l.chance.Float64() < l.loss
	return d, !lost && l.cuts == 0
}

// send carries a message of raft.
func (c *Cluster) send(from, to *node, shard int, m *raftpb.Message) {
	l := c.links[from.index][to.index]
	d, ok := l.travel()
	if !ok {
		return
	}
	now := c.World.Now()
	l.last = max(l.last, now+d)
	c.World.After(c.outside, l.last-now, func() {
		if !to.up() {
			return
		}
		c.World.After(to.host, 0, func() { to.members[shard].receive(m) })
	})
}

// outcome is how a call ended.
type outcome int

const (
	unanswered outcome = iota // it was lost, or takes too long
	refused                   // nobody was there: it was not handled
	broken                    // who handled it is gone
	answered
)

// path is how long a call takes to get somewhere, or its answer back.
type path func() (d time.Duration, ok bool)

// call has a node handle something, as a process, and waits for it. serve must not
// be relied on unless the outcome is answered.
func (c *Cluster) call(to *node, there, back path, timeout time.Duration, serve func()) (end outcome) {
	c.World.Park(timeout, func(wake func()) {
		answer := func(o outcome) {
			if d, ok := back(); ok {
				c.World.After(c.outside, d, func() { end = o; wake() })
			}
		}
		d, ok := there()
		if !ok {
			return
		}
		c.World.After(c.outside, d, func() {
			if !to.up() {
				answer(refused)
				return
			}
			open := to.opened(func() { answer(broken) })
			c.World.Go(to.host, func() {
				serve()
				delete(to.calls, open)
				answer(answered)
			})
		})
	})
	return end
}

// between is the way from one node to another, and back.
func (c *Cluster) between(from, to *node) (there, back path) {
	return c.links[from.index][to.index].travel, c.links[to.index][from.index].travel
}
