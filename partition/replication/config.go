package replication

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"time"

	"go.etcd.io/raft/v3"

	"github.com/stator-db/stator/partition/wal"
)

// MaxProposal is the largest number of bytes of a proposal: 16 MB and room for
// what wraps them.
const MaxProposal = 16<<20 + 32<<10

// Limits of raft, as measured in a spike with 16 groups on 3 nodes.
const (
	maxMessageBytes   = 1 << 20
	maxApplyBytes     = 4 << 20
	maxInflightAppend = 256
)

// Config says how a Runtime works. All nodes of a cluster have to agree on Tick,
// ElectionTicks and LeaseReads.
type Config struct {
	// Node is this node. It must be the same as long as Dir exists, and never
	// be used with another Dir.
	Node Node
	// Dir is the directory of the write-ahead log. It is made if missing.
	Dir string
	// WAL are further options of the log.
	WAL wal.Options
	// Transport reaches the other nodes.
	Transport Transport

	// Observer is told of changes. Nil tells nobody.
	Observer Observer
	// Logger receives elections, changes of members and failures. Nil discards
	// them.
	Logger *slog.Logger
	// Fatal is called at most once, when the write-ahead log cannot be relied
	// on any more. By then the node takes no further part in any group. Fatal
	// must not wait for Close. Nil only logs the error.
	Fatal func(error)

	// Tick is the unit of raft's clock. 0 means 100 ms.
	Tick time.Duration
	// ElectionTicks is how long a follower waits for the leader, at least,
	// before it stands for election; at most twice as long. 0 means 10.
	ElectionTicks int
	// HeartbeatTicks is how often a leader makes itself heard. 0 means 2.
	HeartbeatTicks int
	// LeaseReads lets a leader answer ReadIndex without asking anybody for a
	// while after a majority last confirmed it. This is linearizable only as
	// long as the clocks of the nodes do not differ by more than a tenth in
	// speed and no node is suspended without its monotonic clock going on.
	LeaseReads bool

	// LogBytes and LogEntries bound the part of a group's log that is kept
	// behind the applied index for followers that lag. About twice as much is
	// held before it is cut. 0 means 32 MB and 100,000.
	LogBytes   int64
	LogEntries uint64
	// MaxInFlight bounds the bytes proposed to a group and not yet applied;
	// more are answered with ErrBusy. 0 means 32 MB.
	MaxInFlight int64
	// MaxPending bounds the bytes of all groups that wait for the disk;
	// beyond it, proposals are answered with ErrBusy and entries of leaders
	// dropped, who send them again. 0 means 128 MB.
	MaxPending int64
	// MaxSnapshots is the number of snapshots sent at the same time. 0 means 2.
	MaxSnapshots int
	// StepWorkers is the number of goroutines that drive raft. 0 means one for
	// each processor, at most 4.
	StepWorkers int
	// ApplyWorkers bounds the number of goroutines that apply, which exist only
	// as long as there is work. 0 means 32.
	ApplyWorkers int

	// beforeAppend lets tests hold up the disk.
	beforeAppend func()
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Observer == nil {
		c.Observer = deaf{}
	}
	if c.WAL.Logger == nil {
		c.WAL.Logger = c.Logger
	}
	setDefault(&c.Tick, 100*time.Millisecond)
	setDefault(&c.ElectionTicks, 10)
	setDefault(&c.HeartbeatTicks, 2)
	setDefault(&c.LogBytes, 32<<20)
	setDefault(&c.LogEntries, 100_000)
	setDefault(&c.MaxInFlight, 32<<20)
	setDefault(&c.MaxPending, 128<<20)
	setDefault(&c.MaxSnapshots, 2)
	setDefault(&c.StepWorkers, min(runtime.GOMAXPROCS(0), 4))
	setDefault(&c.ApplyWorkers, 32)
	return c
}

// RaftConfig is how raft is set up for a group, for the laboratory, which drives
// raft itself.
func (c Config) RaftConfig(s raft.Storage, applied uint64) *raft.Config {
	c = c.withDefaults()
	return c.raft(s, applied, c.Logger)
}

func (c *Config) raft(s raft.Storage, applied uint64, log *slog.Logger) *raft.Config {
	return &raft.Config{
		ID:                        uint64(c.Node),
		ElectionTick:              c.ElectionTicks,
		HeartbeatTick:             c.HeartbeatTicks,
		Storage:                   s,
		Applied:                   applied,
		AsyncStorageWrites:        true,
		MaxSizePerMsg:             maxMessageBytes,
		MaxCommittedSizePerReady:  maxApplyBytes,
		MaxUncommittedEntriesSize: uint64(2*c.MaxInFlight + MaxProposal),
		MaxInflightMsgs:           maxInflightAppend,
		MaxInflightBytes:          uint64(max(c.MaxInFlight, maxMessageBytes)),
		CheckQuorum:               true,
		PreVote:                   true,
		DisableProposalForwarding: true,
		StepDownOnRemoval:         true,
		Logger:                    raftLogger{log},
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	check(c.Node != 0 && c.Node < math.MaxUint64-1, "node %d is not a valid id", uint64(c.Node))
	check(c.Dir != "", "no directory for the log")
	check(c.Transport != nil, "no transport")
	check(c.Tick > 0, "tick %v is not positive", c.Tick)
	check(c.HeartbeatTicks > 0, "heartbeat of %d ticks is not positive", c.HeartbeatTicks)
	check(c.ElectionTicks > 2*c.HeartbeatTicks && c.ElectionTicks > 4,
		"election timeout of %d ticks is not above 4 and twice the heartbeat of %d", c.ElectionTicks, c.HeartbeatTicks)
	check(c.LogBytes > 0 && c.MaxInFlight > 0 && c.MaxPending > 0, "limits in bytes must be positive")
	check(c.MaxSnapshots > 0 && c.StepWorkers > 0 && c.ApplyWorkers > 0, "limits in numbers must be positive")
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("replication config: %w", err)
	}
	return nil
}

// deaf is the Observer of those who have none.
type deaf struct{}

func (deaf) LeaderChanged(Group, Node, uint64)    {}
func (deaf) MembersChanged(Group, []Node, []Node) {}
func (deaf) Removed(Group)                        {}
func (deaf) Stopped(Group, error)                 {}
