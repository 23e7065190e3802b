package partition

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/replication"
)

// A Probe goes with the context of a request to a node of a cluster. It steers which
// replicas answer its eventual reads and notes which ones answered any of its reads.
type Probe struct {
	// Policy replaces ClusterOptions.ReadPolicy; nil does not.
	Policy *ReadPolicy
	// Watch has the replicas noted that answer.
	Watch bool

	mu      sync.Mutex
	answers []Answer
}

// An Answer is a replica that answered reads of a request, at its oldest if it
// answered several times.
type Answer struct {
	Shard       int
	Node        string
	Role        string // leader, follower or learner
	Consistency Consistency
	// Applied is the last entry of the shard's log that the replica had for certain
	// applied to what was read.
	Applied uint64
	// Staleness is as in replication.Freshness: 0 at the leader, negative if the
	// replica has not heard of a leader since it was started.
	Staleness time.Duration
}

type probeKey struct{}

// WithProbe lets a probe go with ctx.
func WithProbe(ctx context.Context, p *Probe) context.Context {
	return context.WithValue(ctx, probeKey{}, p)
}

// probeOf is nil if no probe goes with ctx.
func probeOf(ctx context.Context) *Probe {
	p, _ := ctx.Value(probeKey{}).(*Probe)
	return p
}

// Answers lists the replicas that answered, in the order of their first answers.
func (p *Probe) Answers() []Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Answer(nil), p.answers...)
}

// watches reports whether answers are to be noted.
func (p *Probe) watches() bool { return p != nil && p.Watch }

// policy is what the probe of a read wants, or the node's.
func (n *node) policy(p *Probe) ReadPolicy {
	if p != nil && p.Policy != nil {
		return *p.Policy
	}
	return n.opts.ReadPolicy
}

// note takes down what a replica said of itself.
func (p *Probe) note(shard int, node string, c Consistency, f replication.Freshness) {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := Answer{Shard: shard, Node: node, Role: f.Role.String(), Consistency: c, Applied: f.Applied, Staleness: f.Staleness}
	for i := range p.answers {
		if a := &p.answers[i]; a.Shard == shard && a.Node == node && a.Consistency == c {
			if f.Applied < a.Applied || f.Applied == a.Applied && f.Staleness > a.Staleness {
				*a = answer
			}
			return
		}
	}
	p.answers = append(p.answers, answer)
}

// appendFreshness puts what a replica says of itself before its answer to another
// node: role, applied index, staleness in nanoseconds.
func appendFreshness(dst []byte, f replication.Freshness) []byte {
	dst = binary.AppendUvarint(append(dst, byte(f.Role)), f.Applied)
	return binary.AppendVarint(dst, int64(f.Staleness))
}

func (r *wireReader) freshness() replication.Freshness {
	return replication.Freshness{
		Role: replication.Role(r.byte()), Applied: r.uvarint(), Staleness: time.Duration(r.varint()),
	}
}
