package lab

import "time"

// ResultFormat is the version of Result's JSON form.
const ResultFormat = 1

// Result is what a run of an experiment found: its history, what the checks made
// of it, and how to repeat it. Its JSON form is the history file; the same seed
// gives the same bytes.
//
// All points in time are nanoseconds since the workload began, on the clock of the
// simulation; with processes, on that of the machine. What happened while the
// cluster was being set up is not part of it. All lengths of time are nanoseconds
// as well. Nodes and clients are named by their positions in Nodes and Clients.
type Result struct {
	Format int `json:"format"`
	// Experiment is the name of a built-in experiment or of the file without its
	// extension; Title is one line, Text says what to expect and why (paragraphs
	// separated by empty lines), Definition is the YAML that was run.
	Experiment string `json:"experiment"`
	Title      string `json:"title"`
	Text       string `json:"text"`
	Definition string `json:"definition"`
	Seed       uint64 `json:"seed"`
	Mode       Mode   `json:"mode"`
	// Command repeats the run.
	Command string `json:"command"`
	// Duration is the length of the workload.
	Duration time.Duration `json:"duration"`

	// Verdict is Passed if every check came out as expected.
	Verdict Verdict `json:"verdict"`
	// Checks are in the order of the definition.
	Checks []Check `json:"checks"`
	// Anomalies count what was seen, for each group of clients, in the order of
	// kinds, then groups. Kinds that were looked for and not seen are there with 0.
	Anomalies []Anomaly `json:"anomalies"`

	Nodes   []Node   `json:"nodes"`
	Shards  []Shard  `json:"shards"`
	Clients []Client `json:"clients"`

	// Faults and Leaders are in the order of their beginnings.
	Faults  []Fault  `json:"faults"`
	Leaders []Leader `json:"leaders"`

	// Reads summarises the reads of each group of clients that reads.
	Reads []Reads `json:"reads"`
	// Lag has the replicas' lag, ordered by shard, then node.
	Lag []Lag `json:"lag"`
	// IndexLag tells, for experiments with a global index, how long entries took
	// to be visible after their write was acknowledged. Nil without.
	IndexLag *Distribution `json:"indexLag,omitempty"`

	// Operations are in the order of their invocations; an operation's ID is its
	// position.
	Operations []Operation `json:"operations"`
}

// Mode is where an experiment runs.
type Mode string

// Simulated runs in this process on virtual time, Processes on servers.
const (
	Simulated Mode = "simulated"
	Processes Mode = "processes"
)

// Verdict is how a check, or a run, came out.
type Verdict string

// A check that came out as expected has Passed, else Failed. Undecided is no pass:
// there was too little to judge by, or the judgement took too long.
const (
	Passed    Verdict = "passed"
	Failed    Verdict = "failed"
	Undecided Verdict = "undecided"
)

// Check is a question asked of the history.
type Check struct {
	// Name is the check's name in the definition, Group the group of clients it
	// looks at, empty for all.
	Name  string `json:"name"`
	Group string `json:"group,omitempty"`
	// Question is what was asked, in a sentence.
	Question string `json:"question"`
	// Expected and Observed are the answers, short enough for a cell of a table.
	Expected string  `json:"expected"`
	Observed string  `json:"observed"`
	Verdict  Verdict `json:"verdict"`
	// Explanation says more, where there is more to say: of a violation, which
	// operations show it and how.
	Explanation string `json:"explanation,omitempty"`
	// Evidence are IDs of operations, at most 20.
	Evidence []int `json:"evidence,omitempty"`
	// Picture is porcupine's page, an HTML document of its own, about a history
	// that is not linearizable; empty otherwise. It is for the report and no part
	// of the history file.
	Picture string `json:"-"`
}

// AnomalyKind names something that cannot happen on one copy of the data that
// serves one operation after the other.
type AnomalyKind string

// The kinds of anomalies.
const (
	// StaleRead: a read missed a write that was acknowledged before it began.
	StaleRead AnomalyKind = "stale read"
	// MissedOwnWrite: a client did not read what it had written itself.
	MissedOwnWrite AnomalyKind = "own write missed"
	// BackwardRead: a client read an older version than it had read before.
	BackwardRead AnomalyKind = "read went backward"
	// LostUpdate: an acknowledged change was overwritten by one that had not seen it.
	LostUpdate AnomalyKind = "lost update"
	// WriteSkew: two writes, each right by what it had read, broke a rule together.
	WriteSkew AnomalyKind = "write skew"
	// StaleIndex: an index missed a write that was acknowledged before it was read.
	StaleIndex AnomalyKind = "stale index read"
	// LostWrite: an acknowledged write is not there at the end.
	LostWrite AnomalyKind = "acknowledged write lost"
	// TornTransaction: a read saw some of a transaction's writes without the others.
	TornTransaction AnomalyKind = "torn transaction"
)

// Anomaly counts one kind for one group of clients.
type Anomaly struct {
	Kind  AnomalyKind `json:"kind"`
	Group string      `json:"group"`
	Count int         `json:"count"`
	// Of is how many operations could have shown it.
	Of int `json:"of"`
	// Evidence are IDs of operations, at most 20.
	Evidence []int `json:"evidence,omitempty"`
}

// Node is a node of the cluster.
type Node struct {
	Name string `json:"name"`
	Zone string `json:"zone"`
}

// Shard is a range of the ring, with the nodes that hold a replica of it.
type Shard struct {
	ID       int   `json:"id"`
	Replicas []int `json:"replicas"`
}

// Client sends one operation after the other.
type Client struct {
	Name  string `json:"name"`
	Group string `json:"group"`
	// Node is the one that it sends its requests to at first, and is next to.
	Node int `json:"node"`
	// Policy is how its reads are served: eventual ones by the replica on the node
	// that was asked (nearest), any (random), the next (round-robin), the one on Node
	// (pinned); strong ones (strong) by the leader. With follower, the negative
	// control, a replica that does not lead answers strong reads from what it has.
	Policy string `json:"policy"`
}

// Fault is something done to the cluster.
type Fault struct {
	// Kind is one of cut, one-way, crash, delay, loss, pause and clock.
	Kind string `json:"kind"`
	// Nodes are those it was done to. For cut, one-way, delay and loss, the links
	// between Nodes and Peers are concerned, with one-way those from Nodes to Peers
	// only; without Peers, to all others.
	Nodes []int `json:"nodes"`
	Peers []int `json:"peers,omitempty"`
	// Text says it in a few words.
	Text string        `json:"text"`
	From time.Duration `json:"from"`
	// Until is when it was healed, or the end of the run.
	Until time.Duration `json:"until"`
}

// Leader is a time during which a node led a shard, by its own belief: that of a
// leader that was cut off ends later than its successor's begins.
type Leader struct {
	Shard int           `json:"shard"`
	Node  int           `json:"node"`
	Term  uint64        `json:"term"`
	From  time.Duration `json:"from"`
	Until time.Duration `json:"until"`
}

// Reads is what the reads of a group of clients, of the table or of an index, came
// to.
type Reads struct {
	Group  string `json:"group"`
	Policy string `json:"policy"`
	// Count is the number of successful reads, Stale how many of them missed an
	// acknowledged write.
	Count int `json:"count"`
	Stale int `json:"stale"`
	// Staleness is the distribution of StaleBy over the stale reads.
	Staleness Distribution `json:"staleness"`
	// Curve is P(stale | t): the probability that a read begun t after the last
	// write of its key was acknowledged misses that write, by t.
	Curve []CurvePoint `json:"curve"`
	// Served counts reads by the node that answered.
	Served []int `json:"served"`
	// Latency is the distribution of the time from invocation to return.
	Latency Distribution `json:"latency"`
}

// CurvePoint is one bucket of reads, of those with t in [From, Until).
type CurvePoint struct {
	From  time.Duration `json:"from"`
	Until time.Duration `json:"until"`
	Reads int           `json:"reads"`
	Stale int           `json:"stale"`
	// Probability is Stale/Reads, Low and High its 95 % confidence interval
	// (Wilson).
	Probability float64 `json:"probability"`
	Low         float64 `json:"low"`
	High        float64 `json:"high"`
}

// Distribution summarises lengths of time.
type Distribution struct {
	Count int           `json:"count"`
	Min   time.Duration `json:"min"`
	P50   time.Duration `json:"p50"`
	P90   time.Duration `json:"p90"`
	P99   time.Duration `json:"p99"`
	Max   time.Duration `json:"max"`
	// Buckets have bounds that double from one to the next, without empty ones at
	// both ends.
	Buckets []Bucket `json:"buckets"`
}

// Bucket counts lengths in [From, Until).
type Bucket struct {
	From  time.Duration `json:"from"`
	Until time.Duration `json:"until"`
	Count int           `json:"count"`
}

// Lag is how far a replica was behind over time.
type Lag struct {
	Shard  int        `json:"shard"`
	Node   int        `json:"node"`
	Points []LagPoint `json:"points"` // at equal intervals
}

// LagPoint is a sample. A replica that is down has its last values, and Down set.
type LagPoint struct {
	At time.Duration `json:"at"`
	// Entries is how many committed entries of the log it had not applied.
	Entries int `json:"entries"`
	// Age is how long ago the first of them was committed, 0 if there is none.
	Age  time.Duration `json:"age"`
	Down bool          `json:"down,omitempty"`
}

// Outcome is how an operation ended.
type Outcome string

// Outcomes of operations. OK was acknowledged; ConditionFailed and Canceled did
// nothing, as the service's answers of these names; Unavailable did nothing;
// Unknown may have taken effect, at any time from its invocation on.
const (
	OK              Outcome = "ok"
	ConditionFailed Outcome = "condition failed"
	Canceled        Outcome = "canceled"
	Unavailable     Outcome = "unavailable"
	Unknown         Outcome = "unknown"
)

// Operation is a request of a client.
type Operation struct {
	ID     int `json:"id"`
	Client int `json:"client"`
	// Kind is the API operation: GetItem, PutItem, UpdateItem, DeleteItem, Query,
	// TransactWriteItems or TransactGetItems.
	Kind string `json:"kind"`
	// Actions has one entry, a transaction one for each of its items, a Query one
	// for each item found.
	Actions []Action      `json:"actions"`
	Invoke  time.Duration `json:"invoke"`
	// Return is when the answer came. Of an operation that had none until the end of
	// the run it is that end, with the outcome Unknown.
	Return  time.Duration `json:"return"`
	Outcome Outcome       `json:"outcome"`
	// Error is the answer's text unless the outcome is OK.
	Error string `json:"error,omitempty"`

	// Node is the node that was asked, Served the one whose replica answered, -1
	// if none did or several. Leader tells whether that one was the shard's leader
	// by its own belief, Applied the index of the last entry its answer includes.
	Node    int    `json:"node"`
	Served  int    `json:"served"`
	Leader  bool   `json:"leader"`
	Shard   int    `json:"shard"` // of the first action
	Applied uint64 `json:"applied,omitempty"`

	// StaleBy is, of a read that missed an acknowledged write, how long before its
	// invocation the first write that it missed was acknowledged; Missed is how
	// many it missed. Both are 0 for reads that missed nothing.
	StaleBy time.Duration `json:"staleBy,omitempty"`
	Missed  int           `json:"missed,omitempty"`
	// Anomalies are those that this operation shows.
	Anomalies []AnomalyKind `json:"anomalies,omitempty"`
}

// Action is what an operation did to one item.
type Action struct {
	Key string `json:"key"`
	// Write tells a write from a read.
	Write bool `json:"write,omitempty"`
	// Value is what was written, or read; empty if there was no item. Each write of
	// a key writes another value, a counter the sum that came out.
	Value string `json:"value"`
	// Condition is what the write asked for, in words, or empty.
	Condition string `json:"condition,omitempty"`
}
