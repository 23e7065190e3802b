package lab

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// A check is a kind of question that can be asked of a history.
type check struct {
	answers []string // that can be expected
	grouped bool     // it is about a group of clients
	limited bool     // it is about a length of time
	ask     func(f *findings, q *Question) finding
}

// finding is the answer to a question.
type finding struct {
	question string
	answer   string // one of the check's answers, or empty if there was too little to judge by
	observed string
	because  string
	evidence []int
	picture  string
	// unknowable: the system cannot tell, so the question is left out.
	unknowable bool
}

// Answers of checks.
var (
	amounts = []string{"none", "some", "all"}
	yesOrNo = []string{"yes", "no"}
)

// checks, by name.
var checks = map[string]check{
	"stale-reads":     counting(StaleRead, "Do reads of %s miss writes that were acknowledged before they began?"),
	"stale-index":     counting(StaleIndex, "Do index reads of %s miss writes that were acknowledged before they began?"),
	"own-writes":      counting(MissedOwnWrite, "Do clients of %s miss what they have written themselves?"),
	"monotonic-reads": counting(BackwardRead, "Do clients of %s read something older than they have read before?"),
	"lost-updates":    counting(LostUpdate, "Do clients of %s overwrite changes that they have not seen?"),
	"write-skew":      counting(WriteSkew, "Do changes of %s, each right by what it had read, break the rule together?"),
	"torn-reads":      counting(TornTransaction, "Do reads of %s see a part of a transaction?"),
	"stale-after":     {amounts, true, true, askStaleAfter},
	"staleness-falls": {yesOrNo, true, true, askFalls},
	"lost-writes":     {amounts, false, false, askLostWrites},
	"linearizable":    {yesOrNo, true, false, askLinearizable},
	"failures":        {amounts, true, false, askFailures},
	"failover":        {yesOrNo, true, true, askFailover},
	"one-leader":      {yesOrNo, false, false, askOneLeader},
	"replicas-agree":  {yesOrNo, false, false, askAgree},
	"index-lag":       {yesOrNo, false, true, askIndexLag},
}

func checkNames() []string { return slices.Sorted(maps.Keys(checks)) }

// judge completes the result with what the history shows, and the answers to the
// questions.
func (r *run) judge() {
	f := r.find()
	r.result.Reads = f.reads()
	if lags := f.indexLag(); len(lags) > 0 {
		d := distribution(lags)
		r.result.IndexLag = &d
	}
	r.result.Verdict = Passed
	r.result.Checks = []Check{}
	for i := range r.experiment.Checks {
		q := &r.experiment.Checks[i]
		a := checks[q.Check].ask(f, q)
		if a.unknowable {
			continue
		}
		c := Check{
			Name: q.Check, Group: q.Group, Question: a.question, Expected: q.Expect, Observed: a.observed,
			Verdict: Failed, Explanation: a.because, Evidence: a.evidence, Picture: a.picture,
		}
		switch {
		case a.answer == "":
			c.Verdict = Undecided
		case a.answer == q.Expect, q.Expect == "some" && a.answer == "all":
			c.Verdict = Passed
		}
		r.result.Checks = append(r.result.Checks, c)
		if c.Verdict == Failed || c.Verdict == Undecided && r.result.Verdict == Passed {
			r.result.Verdict = c.Verdict
		}
	}
}

// amount is an answer to how many.
func amount(count, of int) string {
	switch count {
	case 0:
		if of == 0 {
			return ""
		}
		return "none"
	case of:
		return "all"
	}
	return "some"
}

// counting is a check that counts anomalies of a kind.
func counting(kind AnomalyKind, question string) check {
	return check{amounts, true, false, func(f *findings, q *Question) finding {
		return f.counted(*f.tally(kind, q.Group), fmt.Sprintf(question, q.Group))
	}}
}

func (f *findings) counted(t tally, question string) finding {
	a := finding{question: question, answer: amount(t.count, t.of), observed: fmt.Sprintf("%d of %d", t.count, t.of), evidence: t.evidence}
	if len(t.evidence) > 0 {
		a.because = f.tell(t.evidence[0])
	}
	return a
}

// tell describes an operation.
func (f *findings) tell(id int) string {
	op := &f.r.result.Operations[id]
	text := fmt.Sprintf("Operation %d at %v: %s, %s", id, op.Invoke.Round(time.Microsecond), f.r.result.Clients[op.Client].Name, op.Kind)
	for _, a := range op.Actions {
		value := a.Value
		if value == "" {
			value = "no item"
		}
		text += fmt.Sprintf(" %s = %s", a.Key, value)
	}
	if op.Served >= 0 {
		text += ", served by " + f.r.result.Nodes[op.Served].Name
	}
	if op.Missed > 0 {
		text += fmt.Sprintf("; %d missed, the first acknowledged %v before", op.Missed, op.StaleBy.Round(time.Microsecond))
	}
	return text + "."
}

// judged are the reads of a group whose staleness is known, split at a time since
// the last acknowledged write.
func (f *findings) judged(group string, limit time.Duration) (before, after tally) {
	for i := range f.r.result.Operations {
		op := &f.r.result.Operations[i]
		t, known := f.since[op.ID]
		if !known || f.groupOf(op) != group {
			continue
		}
		if t < limit {
			before.add(op.ID, op.Missed > 0)
		} else {
			after.add(op.ID, op.Missed > 0)
		}
	}
	return before, after
}

func askStaleAfter(f *findings, q *Question) finding {
	_, after := f.judged(q.Group, q.Limit)
	return f.counted(after, fmt.Sprintf("Do reads of %s miss writes %v and more after the last was acknowledged?", q.Group, q.Limit))
}

func askFalls(f *findings, q *Question) finding {
	before, after := f.judged(q.Group, q.Limit)
	a := finding{question: fmt.Sprintf("Are reads of %s stale less often %v and more after the last write was acknowledged than before?", q.Group, q.Limit)}
	if before.of == 0 || after.of == 0 {
		a.observed = "too few reads"
		return a
	}
	a.observed = fmt.Sprintf("%.2g %% before, %.2g %% after", 100*float64(before.count)/float64(before.of), 100*float64(after.count)/float64(after.of))
	a.answer = "no"
	if exceeds(before.count, before.of, after.count, after.of) {
		a.answer = "yes"
	}
	return a
}

func askLostWrites(f *findings, _ *Question) finding {
	return f.counted(*f.tally(LostWrite, auditor), "Is an acknowledged write not there at the end?")
}

func askFailures(f *findings, q *Question) finding {
	until := q.Until
	if until == 0 {
		until = f.r.experiment.Duration
	}
	what := q.Of
	if what == "" {
		what = "requests"
	}
	var t tally
	for i := range f.r.result.Operations {
		op := &f.r.result.Operations[i]
		if f.groupOf(op) != q.Group || op.Invoke < q.From || op.Invoke >= until || q.Of != "" && (q.Of == "writes") != op.writes() {
			continue
		}
		t.add(op.ID, op.Outcome == Unavailable || op.Outcome == Unknown)
	}
	return f.counted(t, fmt.Sprintf("Do %s of %s fail that begin between %v and %v?", what, q.Group, q.From, until))
}

func askFailover(f *findings, q *Question) finding {
	a := finding{question: fmt.Sprintf("Is each shard without an acknowledged write of %s for no longer than %v?", q.Group, q.Limit)}
	last := make([]time.Duration, f.r.experiment.Cluster.Shards)
	counts := make([]int, len(last))
	var longest, since time.Duration
	worst := 0
	see := func(shard int, at time.Duration) {
		if gap := at - last[shard]; gap > longest {
			longest, since, worst = gap, last[shard], shard
		}
		last[shard] = max(last[shard], at)
	}
	var returns []*Operation
	for i := range f.r.result.Operations {
		op := &f.r.result.Operations[i]
		if f.groupOf(op) == q.Group && op.writes() && op.Outcome == OK && op.Shard >= 0 {
			returns = append(returns, op)
		}
	}
	slices.SortStableFunc(returns, func(a, b *Operation) int { return int(a.Return - b.Return) })
	for _, op := range returns {
		counts[op.Shard]++
		see(op.Shard, op.Return)
	}
	for shard := range last {
		if counts[shard] > 0 {
			see(shard, f.r.experiment.Duration)
		}
	}
	if len(returns) == 0 {
		a.observed = "no writes"
		return a
	}
	a.observed = fmt.Sprintf("at most %v", longest.Round(time.Millisecond))
	a.because = fmt.Sprintf("Shard %d, from %v on.", worst, since.Round(time.Millisecond))
	a.answer = "no"
	if longest <= q.Limit {
		a.answer = "yes"
	}
	return a
}

func askOneLeader(f *findings, _ *Question) finding {
	a := finding{question: "Has each term of a shard at most one leader?", answer: "yes"}
	type term struct {
		shard int
		term  uint64
	}
	leaders := make(map[term]int)
	for _, l := range f.r.result.Leaders {
		t := term{l.Shard, l.Term}
		if other, ok := leaders[t]; ok && other != l.Node {
			a.answer, a.because = "no", fmt.Sprintf("Shard %d has two leaders in term %d.", l.Shard, l.Term)
		}
		leaders[t] = l.Node
	}
	a.observed = fmt.Sprintf("%d terms", len(leaders))
	if len(leaders) == 0 {
		a.answer, a.observed = "", "not known"
	}
	return a
}

func askAgree(f *findings, _ *Question) finding {
	a := finding{question: "Do all replicas of a shard hold the same at the end?"}
	agree, known := f.r.sys.Agree()
	switch {
	case !known:
		a.unknowable = true
	case agree:
		a.answer, a.observed = "yes", "the same"
	default:
		a.answer, a.observed = "no", "they differ"
	}
	return a
}

func askIndexLag(f *findings, q *Question) finding {
	a := finding{question: fmt.Sprintf("Are 99 %% of the index entries visible within %v of the acknowledgement?", q.Limit)}
	d := f.r.result.IndexLag
	if d == nil {
		a.observed = "nothing was followed"
		return a
	}
	a.observed = fmt.Sprintf("p50 %v, p99 %v, at most %v", d.P50.Round(time.Microsecond), d.P99.Round(time.Microsecond), d.Max.Round(time.Microsecond))
	a.answer = "no"
	if d.P99 <= q.Limit {
		a.answer = "yes"
	}
	return a
}
