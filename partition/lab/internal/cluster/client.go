package cluster

import (
	"math/rand/v2"
	"time"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/partition/lab/internal/virtual"
)

// Client is somebody outside who sends requests to nodes. Its host never fails.
type Client struct {
	c      *Cluster
	Host   *virtual.Host
	chance *rand.Rand
}

// NewClient returns a client; name is for its source of chance.
func (c *Cluster) NewClient(name string) *Client {
	return &Client{c: c, Host: c.World.NewHost(), chance: c.World.Rand("network of client " + name)}
}

// End is how a request ended, as a client sees it.
type End int

// Answered is an answer. Refused means that the node is down and nothing was done,
// Broken that the connection ended or nothing came in time.
const (
	Answered End = iota
	Refused
	Broken
)

// Request has a node do something, as a process of the client, and waits for its
// answer, at most for timeout. What do leaves behind may be used only if the end is
// Answered.
func (cl *Client) Request(node int, timeout time.Duration, do func(db *partition.SimulatedNode)) End {
	c := cl.c
	way := func() (time.Duration, bool) { return c.o.Client.draw(cl.chance), true }
	n := c.nodes[node]
	switch c.call(n, way, way, timeout, func() { do(n.db) }) {
	case answered:
		return Answered
	case refused:
		return Refused
	}
	return Broken
}
