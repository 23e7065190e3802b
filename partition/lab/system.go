package lab

import (
	"context"
	"time"

	"github.com/stator-db/stator/partition"
)

// System is what an experiment is run on. Its methods are called by clients, each
// of which is begun by Go; on a simulated system one of them runs at a time, on a
// real one they run side by side.
type System interface {
	// Now is the time since the experiment began.
	Now() time.Duration
	// Go begins a client.
	Go(client int, do func())
	// Sleep lets time pass for a client.
	Sleep(client int, d time.Duration)
	// Do sends a request of a client and returns the answer.
	Do(client int, r Request) Response
	// At has something happen at a time, beside the clients.
	At(at time.Duration, do func())
	// Run returns at a time, or when ctx ends; then nothing has to run any more.
	Run(ctx context.Context, until time.Duration) error
	// Leader is the node that leads a shard, -1 for unknown; Replicas are the nodes
	// that hold it.
	Leader(shard int) int
	Replicas(shard int) []int
	// ShardOf is the shard of a key, -1 for unknown.
	ShardOf(key string) int
	// Inject does something to the cluster, and undo heals it.
	Inject(f Injection) (undo func(), err error)
	// Leaders and Lag tell what was seen so far of leaderships, and how far a
	// replica is behind now. A system that cannot know returns none, and false.
	Leaders() []Leader
	Lag(shard, node int) (LagPoint, bool)
	// Agree reports whether all replicas hold the same; known is false for a
	// system that cannot know, where the checks about it are left out.
	Agree() (agree, known bool)
	Close() error
}

// Injection is a fault that is about to happen.
type Injection struct {
	Kind         string
	Nodes, Peers []int
	By           time.Duration
	Probability  float64
}

// Setup is what a System is made for.
type Setup struct {
	Experiment *Experiment
	Seed       uint64
	Nodes      []Node
	Clients    []Client
}

// Request is one request of a client.
type Request struct {
	// Kind is GetItem, PutItem, Query, TransactGetItems or TransactWriteItems. A
	// Query asks the global index byTag for the tag that only the item of that key
	// has.
	Kind   string
	Policy string
	Items  []Target
	// Turn counts a client's requests.
	Turn int
}

// Target is an item of a request, with what is written. A value is never 0, which
// stands for an absent item.
type Target struct {
	Key   string
	Value int64  // to be written, by a request that writes
	If    *int64 // the value that the item must have
	Check bool   // in a transaction: only look whether If holds
}

// Response is the answer to a request.
type Response struct {
	Outcome Outcome
	Error   string
	Values  []int64 // read, one for each item
	// Served, Leader and Applied: see Operation. Node is the one that was asked.
	Node, Served int
	Leader       bool
	Applied      uint64
}

// Undecided is the outcome of a request without an answer.
func (r *Request) Undecided() Outcome {
	if r.writes() {
		return Unknown
	}
	return Unavailable
}

// ShardOf tells which of a cluster's shards holds the item of a key.
func ShardOf(key string, shards int) int {
	t := table()
	return partition.SimulatedShard(&t, keyItem(key), shards)
}

// writes tells requests that change something.
func (r *Request) writes() bool { return r.Kind == putItem || r.Kind == transactWrite }

// Names of operations.
const (
	getItem       = "GetItem"
	putItem       = "PutItem"
	query         = "Query"
	transactGet   = "TransactGetItems"
	transactWrite = "TransactWriteItems"
)
