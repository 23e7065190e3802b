package partition

import (
	"sync/atomic"
	"time"

	"github.com/stator-db/stator/partition/transport"
	"github.com/stator-db/stator/partition/wal"
)

// A Lab is what a node does badly on purpose, for experiments with a cluster and
// for tests of their checkers. At first it does nothing badly. Methods and fields
// may be used at any time, by many goroutines; what they set is gone after a
// restart.
type Lab struct {
	// Links spoil what this node sends, by the names of nodes. A cut between two
	// nodes needs rules on both.
	Links *transport.Faults
	// Disk is where this node's log is.
	Disk *wal.SlowDisk

	clock      *clock
	localReads atomic.Bool
}

func newLab(c *clock) *Lab {
	return &Lab{Links: transport.NewFaults(0), Disk: new(wal.SlowDisk), clock: c}
}

// Lab is nil unless ClusterOptions.Lab was set.
func (db *DB) Lab() *Lab {
	if db.node == nil {
		return nil
	}
	return db.node.lab
}

// ClockOffset is how far the node's clock is ahead of the machine's.
func (l *Lab) ClockOffset() time.Duration { return time.Duration(l.clock.offset.Load()) }

// SetClockOffset lets the node's clock jump, forward or backward, to so much ahead
// of the machine's. It is the clock of DB.Now: times to live, stream trimming and
// idempotency windows go by it, elections and leases do not.
func (l *Lab) SetClockOffset(d time.Duration) { l.clock.offset.Store(int64(d)) }

// LocalReads tells what SetLocalReads has set. A nil Lab has set nothing.
func (l *Lab) LocalReads() bool { return l != nil && l.localReads.Load() }

// SetLocalReads lets this node answer strong reads from the replica it has, be it
// the leader's or not, without asking anybody. This breaks the promise of strong
// reads: they may miss acknowledged writes. It is there to see whether a checker
// notices.
func (l *Lab) SetLocalReads(on bool) { l.localReads.Store(on) }
