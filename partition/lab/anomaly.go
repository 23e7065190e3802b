package lab

import (
	"slices"
	"time"
)

// maxEvidence is how many operations are named at most.
const maxEvidence = 20

// write is an acknowledged write of a key that one client owns.
type ackedWrite struct {
	value int64
	acked time.Duration
	op    int
}

// tally counts one kind of anomaly in a group.
type tally struct {
	count, of int
	evidence  []int
}

func (t *tally) add(op int, is bool) {
	t.of++
	if is {
		t.count++
		if len(t.evidence) < maxEvidence {
			t.evidence = append(t.evidence, op)
		}
	}
}

// kindsOfAnomalies is the order in which they are listed.
var kindsOfAnomalies = []AnomalyKind{
	StaleRead, MissedOwnWrite, BackwardRead, StaleIndex, LostUpdate, WriteSkew, TornTransaction, LostWrite,
}

// findings are what the history shows, before questions are asked.
type findings struct {
	r       *run
	groups  []string
	tallies map[AnomalyKind]map[string]*tally
	// owned has the acknowledged writes of keys with one writer each, in order.
	owned map[string][]ackedWrite
	// since is, for each read of such a key, the time since its last
	// acknowledged write; it is not there for others.
	since map[int]time.Duration
}

func (f *findings) tally(kind AnomalyKind, group string) *tally {
	byGroup := f.tallies[kind]
	if byGroup == nil {
		byGroup = make(map[string]*tally)
		f.tallies[kind] = byGroup
	}
	if byGroup[group] == nil {
		byGroup[group] = new(tally)
	}
	return byGroup[group]
}

// found counts an anomaly that an operation shows, or could have.
func (f *findings) found(kind AnomalyKind, op *Operation, is bool) {
	f.tally(kind, f.groupOf(op)).add(op.ID, is)
	if is && !slices.Contains(op.Anomalies, kind) {
		op.Anomalies = append(op.Anomalies, kind)
	}
}

func (f *findings) groupOf(op *Operation) string { return f.r.result.Clients[op.Client].Group }

// find goes through the history.
func (r *run) find() *findings {
	f := &findings{
		r: r, tallies: make(map[AnomalyKind]map[string]*tally), owned: make(map[string][]ackedWrite), since: make(map[int]time.Duration),
	}
	for _, g := range r.experiment.Clients {
		f.groups = append(f.groups, g.Group)
	}
	f.groups = append(f.groups, auditor)
	f.collectWrites()
	f.staleness()
	f.sessions()
	f.lostUpdates()
	f.writeSkew()
	f.tornReads()
	f.lostWrites()
	for _, kind := range kindsOfAnomalies {
		for _, group := range f.groups {
			if t := f.tallies[kind][group]; t != nil {
				r.result.Anomalies = append(r.result.Anomalies, Anomaly{kind, group, t.count, t.of, t.evidence})
			}
		}
	}
	if r.result.Anomalies == nil {
		r.result.Anomalies = []Anomaly{}
	}
	return f
}

// operations are those of clients of groups with a task that match wants.
func (f *findings) operations(match func(task string) bool) func(yield func(op *Operation) bool) {
	return func(yield func(op *Operation) bool) {
		for i := range f.r.result.Operations {
			op := &f.r.result.Operations[i]
			if g := f.r.experiment.group(f.groupOf(op)); g != nil && match(g.Task) && !yield(op) {
				return
			}
		}
	}
}

// collectWrites collects the acknowledged writes of keys with one writer each.
func (f *findings) collectWrites() {
	for op := range f.operations(owns) {
		if !op.writes() || op.Outcome != OK {
			continue
		}
		for i := range op.Actions {
			a := &op.Actions[i]
			f.owned[a.Key] = append(f.owned[a.Key], ackedWrite{a.value(), op.Return, op.ID})
		}
	}
}

// staleness compares reads with what was acknowledged before they began.
func (f *findings) staleness() {
	for i := range f.r.result.Operations {
		op := &f.r.result.Operations[i]
		if op.Outcome != OK || op.Kind != getItem && op.Kind != query || f.groupOf(op) == auditor {
			continue
		}
		writes := f.owned[op.Actions[0].Key]
		before := 0 // writes acknowledged before the read
		for before < len(writes) && writes[before].acked <= op.Invoke {
			before++
		}
		if before == 0 {
			continue
		}
		read := op.Actions[0].value()
		first := before // first write that was missed
		for first > 0 && writes[first-1].value > read {
			first--
		}
		if first < before {
			op.Missed, op.StaleBy = before-first, op.Invoke-writes[first].acked
		}
		f.since[op.ID] = op.Invoke - writes[before-1].acked
		kind := StaleRead
		if op.Kind == query {
			kind = StaleIndex
		}
		f.found(kind, op, op.Missed > 0)
	}
}

// sessions look at what each client has written and read itself.
func (f *findings) sessions() {
	type seen struct{ wrote, read int64 }
	last := make(map[string]*seen) // by client and key
	for i := range f.r.result.Operations {
		op := &f.r.result.Operations[i]
		if op.Outcome != OK || f.owned[op.Actions[0].Key] == nil || f.groupOf(op) == auditor {
			continue
		}
		// Operations of a client come in the order of their invocations, which is that
		// of their returns.
		for k := range op.Actions {
			a := &op.Actions[k]
			id := f.r.result.Clients[op.Client].Name + " " + a.Key
			s := last[id]
			if s == nil {
				s = new(seen)
				last[id] = s
			}
			switch {
			case a.Write:
				s.wrote = a.value()
			case op.Kind == getItem || op.Kind == query:
				if s.wrote > 0 {
					f.found(MissedOwnWrite, op, a.value() < s.wrote)
				}
				if s.read > 0 {
					f.found(BackwardRead, op, a.value() < s.read)
				}
				s.read = max(s.read, a.value())
			}
		}
	}
}

// lostUpdates looks for acknowledged steps of a counter that started from the same
// value: all but one of them are lost.
func (f *findings) lostUpdates() {
	steps := make(map[string]map[int64]bool)
	for op := range f.operations(func(t string) bool { return t == "counter" }) {
		if op.Kind != putItem || op.Outcome != OK {
			continue
		}
		a := &op.Actions[0]
		if steps[a.Key] == nil {
			steps[a.Key] = make(map[int64]bool)
		}
		f.found(LostUpdate, op, steps[a.Key][a.value()])
		steps[a.Key][a.value()] = true
	}
}

// writeSkew looks for pairs of which both are off duty.
func (f *findings) writeSkew() {
	for op := range f.operations(func(t string) bool { return t == "duty" }) {
		if op.Kind == transactGet && op.Outcome == OK {
			f.found(WriteSkew, op, op.Actions[0].value() < 0 && op.Actions[1].value() < 0)
		}
	}
}

// tornReads looks for pairs that do not agree, although only transactions change
// them.
func (f *findings) tornReads() {
	first := make(map[int]*Operation) // by client: the first half of a pair
	for op := range f.operations(func(t string) bool { return t == "read-pair" }) {
		switch {
		case op.Outcome != OK:
			delete(first, op.Client)
		case op.Kind == transactGet:
			f.found(TornTransaction, op, op.Actions[0].value() != op.Actions[1].value())
		case first[op.Client] == nil:
			first[op.Client] = op
		default:
			a, b := &first[op.Client].Actions[0], &op.Actions[0]
			delete(first, op.Client)
			// One that is newer may have been written between the reads, an older one
			// not.
			f.found(TornTransaction, op, a.value() != b.value())
		}
	}
}

// lostWrites looks for acknowledged writes that the auditor did not find.
func (f *findings) lostWrites() {
	for i := range f.r.result.Operations {
		op := &f.r.result.Operations[i]
		writes := f.owned[op.Actions[0].Key]
		if f.groupOf(op) != auditor || op.Outcome != OK || len(writes) == 0 {
			continue
		}
		f.found(LostWrite, op, op.Actions[0].value() < writes[len(writes)-1].value)
	}
}

// reads summarises the reads of each group.
func (f *findings) reads() []Reads {
	all := []Reads{}
	for _, g := range f.r.experiment.Clients {
		sum := Reads{Group: g.Group, Policy: g.Policy, Served: make([]int, len(f.r.result.Nodes))}
		var stale, latency []time.Duration
		type point struct{ reads, stale int }
		var points []point
		for i := range f.r.result.Operations {
			op := &f.r.result.Operations[i]
			if f.groupOf(op) != g.Group || op.Outcome != OK || op.writes() {
				continue
			}
			sum.Count++
			latency = append(latency, op.Return-op.Invoke)
			if op.Served >= 0 {
				sum.Served[op.Served]++
			}
			if op.Missed > 0 {
				stale = append(stale, op.StaleBy)
			}
			if t, ok := f.since[op.ID]; ok {
				at := 0
				for bound := firstBound; t >= bound; bound *= 2 {
					at++
				}
				for len(points) <= at {
					points = append(points, point{})
				}
				points[at].reads++
				if op.Missed > 0 {
					points[at].stale++
				}
			}
		}
		if sum.Count == 0 {
			continue
		}
		sum.Stale, sum.Staleness, sum.Latency = len(stale), distribution(stale), distribution(latency)
		sum.Curve = []CurvePoint{}
		from, until := time.Duration(0), firstBound
		for _, p := range points {
			c := CurvePoint{From: from, Until: until, Reads: p.reads, Stale: p.stale}
			if p.reads > 0 {
				c.Probability = float64(p.stale) / float64(p.reads)
			}
			c.Low, c.High = wilson(p.stale, p.reads)
			sum.Curve = append(sum.Curve, c)
			from, until = until, 2*until
		}
		all = append(all, sum)
	}
	return all
}

// indexLag is how long after their acknowledgement writes were first seen in the
// index. Of a write that nobody waited for, nothing is known.
func (f *findings) indexLag() []time.Duration {
	var lags []time.Duration
	seen := make(map[string]int) // by key: the writes that were seen
	for op := range f.operations(func(t string) bool { return t == "follow" }) {
		if op.Kind != query || op.Outcome != OK {
			continue
		}
		a := &op.Actions[0]
		writes := f.owned[a.Key]
		for n := seen[a.Key]; n < len(writes) && writes[n].value <= a.value() && writes[n].acked <= op.Invoke; n++ {
			lags = append(lags, op.Invoke-writes[n].acked)
			seen[a.Key] = n + 1
		}
	}
	return lags
}
