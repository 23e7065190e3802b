package cluster

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/stator-db/stator/partition"
)

// Options describe a cluster.
type Options struct {
	Nodes            []Node
	Shards, Replicas int
	// Within and Between are how long a message takes from node to node, in a zone
	// and from one zone to another; Links has exceptions. Client is how long one
	// takes between a client and a node.
	Within, Between, Client Distribution
	Links                   []Link
	// Sync is the time that a disk takes to make a log durable, Apply that between
	// an entry being committed on a node and its being applied there.
	Sync, Apply Distribution
	GSI         partition.GSIMode
	Table       partition.Table
}

// Node is a node's name and failure zone.
type Node struct{ Name, Zone string }

// Link is how long messages take from one node to another, and back.
type Link struct {
	From, To int
	Latency  Distribution
}

// Distribution is a log-normal distribution of lengths of time, or, without P99,
// always Median.
type Distribution struct{ Median, P99 time.Duration }

// quantile99 is how many standard deviations the 99th percentile of a normal
// distribution is above its median.
const quantile99 = 2.3263478740408408

func (d Distribution) draw(r *rand.Rand) time.Duration {
	if d.P99 <= d.Median || d.Median <= 0 {
		return d.Median
	}
	sigma := math.Log(float64(d.P99)/float64(d.Median)) / quantile99
	return time.Duration(float64(d.Median) * math.Exp(sigma*r.NormFloat64()))
}
