package server

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/stator-db/stator/partition"
)

// Options says how a Server keeps its data and which manners it shows. The zero
// value of a field means the default named in its comment.
type Options struct {
	// DataDir is the directory the data lives in. It is created if absent, and
	// required unless InMemory is set.
	DataDir string
	// InMemory keeps everything in memory; nothing survives Close.
	InMemory bool
	// SharedDB gives all access keys and regions one set of tables. The default is
	// one set for each access key and region, as in DynamoDB Local.
	SharedDB bool
	// Sync makes every acknowledged write survive a power cut (one fsync a batch).
	// Without it an acknowledged write survives the end of the process only.
	Sync bool
	// Shards is the number of shards of a fresh directory; 0 lets storage choose.
	Shards int
	// Local turns on DynamoDB Local's manners: region ddblocal in ARNs, tables that
	// are ACTIVE in the very answer of CreateTable, its answer to GET /, and its
	// refusal of access keys that are not letters and digits.
	Local bool
	// DelayTransientStatuses keeps a new or deleted global secondary index in its
	// transient status for some seconds, as DynamoDB Local's flag of that name does.
	DelayTransientStatuses bool
	// CompactOnOpen compacts the data before serving.
	CompactOnOpen bool
	// CORSOrigins are the origins a browser may call from; empty means all.
	CORSOrigins []string
	// Logger receives what an operator should know; nil discards it.
	Logger *slog.Logger
	// Version is what /health reports.
	Version string
	// GSIConsistency is "sync" (the default: a write is acknowledged once global
	// index entries are visible) or "eventual", as the service does it.
	GSIConsistency string
	// GSILag delays index entries in eventual mode, to make the lag visible.
	GSILag time.Duration
	// Admin serves the endpoints below /_stator/, which change the clock for
	// everybody. In memory they are always there.
	Admin bool
	// Cluster makes the server a node of a cluster; nil is a single node.
	Cluster *partition.ClusterOptions
	// EnforceThroughput throttles tables and global indexes at their provisioned
	// throughput or on-demand maximum, and partition keys at what one partition
	// serves, as the service does.
	EnforceThroughput bool
}

// transientStatusDelay is how long DelayTransientStatuses holds an index in
// CREATING or DELETING: what DynamoDB Local takes.
const transientStatusDelay = 5 * time.Second

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Version == "" {
		o.Version = "devel"
	}
	if o.GSIConsistency == "" {
		o.GSIConsistency = "sync"
	}
	return o
}

// validate reports every contradiction at once.
func (o Options) validate() error {
	var errs []error
	if o.InMemory && o.DataDir != "" {
		errs = append(errs, errors.New("a data directory cannot be combined with in-memory mode"))
	}
	if !o.InMemory && o.DataDir == "" {
		errs = append(errs, errors.New("a data directory is required unless in-memory mode is chosen"))
	}
	if o.GSIConsistency != "sync" && o.GSIConsistency != "eventual" {
		errs = append(errs, fmt.Errorf("GSI consistency %q is neither sync nor eventual", o.GSIConsistency))
	}
	if o.GSILag < 0 {
		errs = append(errs, fmt.Errorf("GSI lag %s is negative", o.GSILag))
	}
	if o.GSILag > 0 && o.GSIConsistency != "eventual" {
		errs = append(errs, errors.New("a GSI lag needs eventual GSI consistency"))
	}
	if o.Shards < 0 {
		errs = append(errs, fmt.Errorf("shard count %d is negative", o.Shards))
	}
	return errors.Join(append(errs, o.validateCluster())...)
}

func (o Options) partition() partition.Options {
	p := partition.Options{
		Dir:      o.DataDir,
		InMemory: o.InMemory,
		Sync:     o.Sync,
		Shards:   o.Shards,
		Compact:  o.CompactOnOpen,
		Logger:   o.Logger,
		GSI:      partition.GSISync,
		GSILag:   o.GSILag,
		Cluster:  o.Cluster,
	}
	if o.GSIConsistency == "eventual" {
		p.GSI = partition.GSIEventual
	}
	if o.DelayTransientStatuses {
		p.IndexDelay = transientStatusDelay
	}
	return p
}
