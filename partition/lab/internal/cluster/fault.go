package cluster

import "time"

// Cut lets nothing through from one node to another until undo is called.
func (c *Cluster) Cut(from, to int) (undo func()) {
	l := c.links[from][to]
	l.cuts++
	return func() { l.cuts-- }
}

// Delay has everything from one node to another take longer.
func (c *Cluster) Delay(from, to int, d time.Duration) (undo func()) {
	l := c.links[from][to]
	l.delay += d
	return func() { l.delay -= d }
}

// Lose loses a part of what goes from one node to another.
func (c *Cluster) Lose(from, to int, probability float64) (undo func()) {
	l := c.links[from][to]
	before := l.loss
	l.loss = 1 - (1-before)*(1-probability)
	return func() { l.loss = before }
}

// Crash cuts a node's power; it starts again when undo is called.
func (c *Cluster) Crash(node int) (undo func()) {
	n := c.nodes[node]
	n.crash()
	return n.start
}

// Pause suspends a node's process.
func (c *Cluster) Pause(node int) (undo func()) {
	h := c.nodes[node].host
	h.Pause()
	return h.Resume
}

// SetClock has a node's wall clock be wrong by a length of time.
func (c *Cluster) SetClock(node int, by time.Duration) (undo func()) {
	n := c.nodes[node]
	n.clock += by
	return func() { n.clock -= by }
}
