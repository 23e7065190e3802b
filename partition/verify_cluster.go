package partition

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/stator-db/stator/partition/replication"
	"github.com/stator-db/stator/storage"
)

// ClusterVerifySummary counts what VerifyCluster looked at.
type ClusterVerifySummary struct {
	Shards   int   `json:"shards"`   // with the catalog
	Replicas int   `json:"replicas"` // that were compared
	Records  int64 `json:"records"`  // of a replica of each shard
	Problems int64 `json:"problems"` // differing replicas
	// Unchecked are replicas that could not be compared. Each is reported too,
	// and is no problem of the data.
	Unchecked int `json:"unchecked"`
}

// ErrNotClustered is returned for what only a node of a cluster can do.
var ErrNotClustered = errors.New("this is not a node of a cluster")

// VerifyCluster compares all replicas of every shard and of the catalog, while the
// cluster serves: each replica sums up its records as they are after the same
// entry of the log (markCommand), and equal logs must have made equal bytes. A
// replica that differs from most of the others is reported with the first key at
// which it does. It takes one shard after the other, and on each node the time to
// read it.
//
// report is called for differing and for unchecked replicas. The error is
// ErrNotClustered or the cause of ctx.
func (db *DB) VerifyCluster(ctx context.Context, report func(Problem)) (ClusterVerifySummary, error) {
	n := db.node
	if n == nil {
		return ClusterVerifySummary{}, ErrNotClustered
	}
	v := clusterVerifier{node: n, silent: make(map[replication.Node]bool), report: report}
	for _, l := range append([]*route{n.catalog}, n.routes...) {
		if err := v.shard(ctx, l); err != nil {
			return v.summary, err
		}
	}
	return v.summary, nil
}

type clusterVerifier struct {
	node    *node
	silent  map[replication.Node]bool // nodes that are not asked any more
	report  func(Problem)
	summary ClusterVerifySummary
}

// A replicaDigest is what one node says of its replica.
type replicaDigest struct {
	node   replication.Node
	digest digest
	err    error
}

// verifyAttempts is how often a shard is looked at of which some replica does not
// answer: its leader or its place may just be changing.
const (
	verifyAttempts = 3
	verifyPauses   = 9 // of a route, for the longest pause
)

func (v *clusterVerifier) shard(ctx context.Context, l *route) error {
	answered, err := v.ask(ctx, l)
	if err != nil {
		return err
	}
	v.summary.Shards++
	if len(answered) == 0 {
		return nil
	}
	v.summary.Replicas += len(answered)
	alike := groupAlike(answered)
	total := alike[0][0].digest.total()
	v.summary.Records += int64(total.count)
	for _, differing := range alike[1:] {
		v.summary.Problems++
		p := v.locate(ctx, l, alike[0], differing)
		v.report(p)
	}
	return nil
}

// ask gets the digests of a shard's replicas and reports those that cannot be had.
func (v *clusterVerifier) ask(ctx context.Context, l *route) (answered []replicaDigest, err error) {
	for attempt := 1; ; attempt++ {
		var asked []replication.Node
		var failed []replicaDigest
		for _, id := range v.node.topology.replicas(l.shard) {
			if v.silent[id] {
				failed = append(failed, replicaDigest{node: id, err: errSilent})
			} else {
				asked = append(asked, id)
			}
		}
		answered = nil
		again := false
		for _, d := range v.node.digests(ctx, l, asked, storage.Range{}) {
			switch {
			case d.err == nil:
				answered = append(answered, d)
			case errors.Is(d.err, errSilent):
				v.silent[d.node] = true
				failed = append(failed, d)
			default:
				failed = append(failed, d)
				again = true
			}
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if again && attempt < verifyAttempts && l.pause(ctx, verifyPauses) {
			continue
		}
		for _, d := range failed {
			v.summary.Unchecked++
			v.report(Problem{Shard: l.shard, What: fmt.Sprintf("the replica on %s was not checked: %v", v.name(d.node), d.err)})
		}
		return answered, nil
	}
}

// groupAlike groups equal replicas, most of them first.
func groupAlike(digests []replicaDigest) [][]replicaDigest {
	var groups [][]replicaDigest
	for _, d := range digests {
		sum := d.digest.total()
		i := slices.IndexFunc(groups, func(g []replicaDigest) bool {
			other := g[0].digest.total()
			return sum.same(&other)
		})
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], d)
	}
	slices.SortStableFunc(groups, func(a, b []replicaDigest) int { return len(b) - len(a) })
	return groups
}

// maxLooks is how often the range that differs is narrowed down. A digest cuts it
// into up to a thousand.
const maxLooks = 5

// locate finds the first key at which replicas differ from the others.
func (v *clusterVerifier) locate(ctx context.Context, l *route, most, differing []replicaDigest) Problem {
	diff, _ := most[0].digest.firstDifference(&differing[0].digest, storage.Range{})
	for look := 0; look < maxLooks && diff.key == nil; look++ {
		again := v.node.digests(ctx, l, []replication.Node{most[0].node, differing[0].node}, diff.bounds)
		if again[0].err != nil || again[1].err != nil {
			break // what is known so far must do
		}
		narrower, differ := again[0].digest.firstDifference(&again[1].digest, diff.bounds)
		if !differ {
			break // it differs elsewhere by now
		}
		diff = narrower
	}
	p := Problem{Shard: l.shard, Key: diff.key}
	where := "at this key"
	if diff.key == nil {
		p.Key = diff.bounds.Lower
		where = fmt.Sprintf("among the %d records from this key on", diff.records)
	}
	if id, ok := tableOwner(p.Key); ok {
		p.Table = v.node.db.catalog.nameOf(id)
	}
	p.What = fmt.Sprintf("the replica on %s differs from that on %s, first %s", v.names(differing), v.names(most), where)
	return p
}

func (v *clusterVerifier) names(of []replicaDigest) string {
	names := make([]string, len(of))
	for i, d := range of {
		names[i] = v.name(d.node)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (v *clusterVerifier) name(id replication.Node) string {
	if m := v.node.nodeByID(uint64(id)); m != nil {
		return m.Name
	}
	return fmt.Sprintf("node %x", uint64(id))
}

// digests asks replicas for their digests as of one mark.
func (n *node) digests(ctx context.Context, l *route, replicas []replication.Node, bounds storage.Range) []replicaDigest {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := digestRequest{group: l.id, mark: markID(uuid.New()), bounds: bounds}
	digests := make([]replicaDigest, len(replicas))
	var ready, all sync.WaitGroup
	for i, id := range replicas {
		digests[i].node = id
		ready.Add(1)
		all.Go(func() {
			isReady := sync.OnceFunc(ready.Done)
			defer isReady() // or never will be
			if id == n.id {
				digests[i].digest, digests[i].err = n.digestHere(ctx, q, func(byte) error { isReady(); return nil })
			} else {
				digests[i].digest, digests[i].err = n.digestThere(ctx, id, q, isReady)
			}
		})
	}
	ready.Wait()
	if err := l.propose(ctx, &markCommand{q.mark}, false); err != nil && !errors.Is(err, ErrOutcomeUnknown) {
		cancel(err)
	}
	all.Wait()
	return digests
}
