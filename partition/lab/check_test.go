package lab

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

// story is a history made by hand, of clients of one group each.
type story struct {
	t *testing.T
	r run
}

// newStory has one client for each task, named by it.
func newStory(t *testing.T, tasks ...string) *story {
	s := &story{t: t}
	s.r.experiment = &Experiment{Duration: time.Second, Cluster: Cluster{Shards: 1}}
	s.r.result.Nodes = []Node{{"n1", "a"}, {"n2", "b"}}
	for _, task := range tasks {
		s.r.experiment.Clients = append(s.r.experiment.Clients, Clients{Group: task, Task: task, Count: 1})
		s.r.result.Clients = append(s.r.result.Clients, Client{Name: task + "-1", Group: task})
	}
	s.r.result.Clients = append(s.r.result.Clients, Client{Name: auditor, Group: auditor})
	return s
}

// op adds an operation from begin to end, in milliseconds. Its actions are key and
// value by turns.
func (s *story) op(client int, kind string, begin, end int, outcome Outcome, actions ...any) *Operation {
	op := Operation{
		ID: len(s.r.result.Operations), Client: client, Kind: kind, Invoke: time.Duration(begin) * ms, Return: time.Duration(end) * ms, Outcome: outcome,
	}
	for i := 0; i < len(actions); i += 2 {
		a := Action{Key: actions[i].(string), Write: op.writes()}
		if v := actions[i+1].(int); v != 0 {
			a.Value = strconv.Itoa(v)
		}
		op.Actions = append(op.Actions, a)
	}
	s.r.result.Operations = append(s.r.result.Operations, op)
	return &s.r.result.Operations[op.ID]
}

// counts asks how often an anomaly was found in a group.
func (s *story) counts(kind AnomalyKind, group string) (count, of int) {
	t := s.r.find().tally(kind, group)
	return t.count, t.of
}

func (s *story) ask(q Question) finding { return checks[q.Check].ask(s.r.find(), &q) }

func TestStaleReads(t *testing.T) {
	s := newStory(t, "write", "read")
	s.op(0, putItem, 0, 10, OK, "k", 1)
	s.op(0, putItem, 20, 30, OK, "k", 2)
	s.op(1, getItem, 25, 28, OK, "k", 1) // 2 is not acknowledged
	s.op(1, getItem, 28, 40, OK, "k", 1) // it was when the read began not yet
	s.op(1, getItem, 35, 40, OK, "k", 1)
	s.op(1, getItem, 45, 50, OK, "k", 0)
	s.op(1, getItem, 55, 60, OK, "k", 2)
	s.op(1, getItem, 65, 70, Unavailable, "k", 0)
	count, of := s.counts(StaleRead, "read")
	require.Equal(t, []int{2, 5}, []int{count, of})
	stale := s.r.result.Operations[4]
	require.Equal(t, 1, stale.Missed)
	require.Equal(t, 5*ms, stale.StaleBy)
	require.Equal(t, 2, s.r.result.Operations[5].Missed)
	require.Equal(t, 35*ms, s.r.result.Operations[5].StaleBy)
	require.Equal(t, "none", s.ask(Question{Check: "stale-after", Group: "read", Limit: 20 * ms}).answer)
	require.Equal(t, "some", s.ask(Question{Check: "stale-after", Group: "read", Limit: 10 * ms}).answer)
	sum := s.r.find().reads()
	require.Len(t, sum, 1)
	require.Equal(t, []int{5, 2}, []int{sum[0].Count, sum[0].Stale})
}

func TestUnknownWritesMakeNothingStale(t *testing.T) {
	s := newStory(t, "write", "read")
	s.op(0, putItem, 0, 10, OK, "k", 1)
	s.op(0, putItem, 20, 30, Unknown, "k", 2)
	s.op(1, getItem, 35, 40, OK, "k", 1)
	s.op(1, getItem, 45, 50, OK, "k", 2)
	count, of := s.counts(StaleRead, "read")
	require.Equal(t, []int{0, 2}, []int{count, of})
}

func TestSessions(t *testing.T) {
	s := newStory(t, "probe", "read")
	s.op(0, putItem, 0, 10, OK, "k", 1)
	s.op(0, putItem, 11, 20, OK, "k", 2)
	s.op(0, getItem, 21, 22, OK, "k", 1)
	s.op(0, getItem, 23, 24, OK, "k", 2)
	s.op(0, getItem, 25, 26, OK, "k", 1)
	s.op(1, getItem, 21, 22, OK, "k", 1)
	s.op(1, getItem, 23, 24, OK, "k", 1)
	count, of := s.counts(MissedOwnWrite, "probe")
	require.Equal(t, []int{2, 3}, []int{count, of})
	count, of = s.counts(BackwardRead, "probe")
	require.Equal(t, []int{1, 2}, []int{count, of})
	count, of = s.counts(BackwardRead, "read")
	require.Equal(t, []int{0, 1}, []int{count, of})
}

func TestLostUpdates(t *testing.T) {
	s := newStory(t, "counter")
	s.op(0, putItem, 0, 10, OK, "k", 1)
	s.op(0, putItem, 10, 20, ConditionFailed, "k", 1)
	s.op(0, putItem, 20, 30, OK, "k", 2)
	count, _ := s.counts(LostUpdate, "counter")
	require.Zero(t, count)
	s.op(0, putItem, 30, 40, OK, "k", 2)
	count, of := s.counts(LostUpdate, "counter")
	require.Equal(t, []int{1, 3}, []int{count, of})
}

func TestWriteSkewAndTornReads(t *testing.T) {
	s := newStory(t, "duty", "write-pair", "read-pair")
	s.op(0, transactGet, 0, 1, OK, "p/a", -1, "p/b", 2)
	s.op(0, transactGet, 2, 3, OK, "p/a", -1, "p/b", -3)
	s.op(2, transactGet, 4, 5, OK, "q/a", 1, "q/b", 1)
	s.op(2, transactGet, 6, 7, OK, "q/a", 1, "q/b", 2)
	s.op(2, getItem, 8, 9, OK, "q/a", 1)
	s.op(2, getItem, 10, 11, OK, "q/b", 2)
	s.op(2, getItem, 12, 13, OK, "q/a", 2)
	s.op(2, getItem, 14, 15, Unavailable, "q/b", 0)
	s.op(2, getItem, 16, 17, OK, "q/a", 2)
	s.op(2, getItem, 18, 19, OK, "q/b", 2)
	count, of := s.counts(WriteSkew, "duty")
	require.Equal(t, []int{1, 2}, []int{count, of})
	count, of = s.counts(TornTransaction, "read-pair")
	require.Equal(t, []int{2, 4}, []int{count, of})
}

func TestLostWrites(t *testing.T) {
	s := newStory(t, "write")
	s.op(0, putItem, 0, 10, OK, "k", 1)
	s.op(0, putItem, 20, 30, OK, "l", 1)
	s.op(0, putItem, 40, 50, Unknown, "l", 2)
	s.op(1, getItem, 60, 61, OK, "k", 0)
	s.op(1, getItem, 62, 63, OK, "l", 1)
	f := s.ask(Question{Check: "lost-writes"})
	require.Equal(t, "some", f.answer)
	require.Equal(t, []int{3}, f.evidence)
}

func TestLinearizability(t *testing.T) {
	q := Question{Check: "linearizable", Group: "register"}
	s := newStory(t, "register")
	s.op(0, putItem, 0, 10, OK, "k", 1)
	s.op(0, putItem, 20, 30, Unknown, "k", 2)
	s.op(0, putItem, 20, 30, Unavailable, "k", 3)
	s.op(0, getItem, 40, 50, OK, "k", 1)
	s.op(0, getItem, 60, 70, OK, "k", 2)
	f := s.ask(q)
	require.Equal(t, "yes", f.answer)
	require.Empty(t, f.picture)
	bad := s.op(0, getItem, 80, 90, OK, "k", 1).ID
	s.op(0, getItem, 100, 110, OK, "other", 0)
	f = s.ask(q)
	require.Equal(t, "no", f.answer)
	require.Equal(t, bad, f.evidence[len(f.evidence)-1], "the operation by which the order is broken")
	require.Contains(t, f.picture, "<html")
}

// TestConditionsAreJudged: a condition that was refused although it held, or held
// although it was false.
func TestConditionsAreJudged(t *testing.T) {
	for _, c := range []struct {
		want    int64
		outcome Outcome
		answer  string
	}{{1, OK, "yes"}, {2, ConditionFailed, "yes"}, {1, ConditionFailed, "no"}, {2, OK, "no"}, {2, Unknown, "yes"}} {
		s := newStory(t, "register")
		s.op(0, putItem, 0, 10, OK, "k", 1)
		id := s.op(0, putItem, 20, 30, c.outcome, "k", 5).ID
		s.r.history.wants = map[int]*int64{id: &c.want}
		require.Equal(t, c.answer, s.ask(Question{Check: "linearizable", Group: "register"}).answer, "%+v", c)
	}
}

func TestFailuresAndFailover(t *testing.T) {
	s := newStory(t, "write")
	s.op(0, putItem, 100, 110, OK, "k", 1)
	s.op(0, putItem, 200, 300, Unknown, "k", 2)
	s.op(0, putItem, 700, 710, OK, "k", 3)
	require.Equal(t, "some", s.ask(Question{Check: "failures", Group: "write"}).answer)
	require.Equal(t, "all", s.ask(Question{Check: "failures", Group: "write", From: 150 * ms, Until: 250 * ms}).answer)
	require.Equal(t, "", s.ask(Question{Check: "failures", Group: "write", Of: "reads"}).answer)
	f := s.ask(Question{Check: "failover", Group: "write", Limit: 500 * ms})
	require.Equal(t, "no", f.answer)
	require.Equal(t, "at most 600ms", f.observed)
	require.Equal(t, "yes", s.ask(Question{Check: "failover", Group: "write", Limit: 600 * ms}).answer)
}

func TestTwoLeadersOfATerm(t *testing.T) {
	s := newStory(t, "write")
	s.r.result.Leaders = []Leader{{Shard: 0, Node: 0, Term: 2}, {Shard: 1, Node: 1, Term: 2}, {Shard: 0, Node: 1, Term: 3}}
	require.Equal(t, "yes", s.ask(Question{Check: "one-leader"}).answer)
	s.r.result.Leaders = append(s.r.result.Leaders, Leader{Shard: 0, Node: 1, Term: 2})
	require.Equal(t, "no", s.ask(Question{Check: "one-leader"}).answer)
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		expect string
		want   Verdict
	}{{"none", Failed}, {"some", Passed}, {"all", Passed}} {
		s := newStory(t, "write", "read")
		s.op(0, putItem, 0, 10, OK, "k", 1)
		s.op(1, getItem, 20, 30, OK, "k", 0)
		s.r.experiment.Checks = []Question{{Check: "stale-reads", Group: "read", Expect: c.expect}}
		s.r.judge()
		require.Equal(t, c.want, s.r.result.Verdict, c.expect)
		require.Equal(t, []AnomalyKind{StaleRead}, s.r.result.Operations[1].Anomalies)
		require.Contains(t, s.r.result.Checks[0].Explanation, "Operation 1 at 20ms: read-1, GetItem k = no item")
	}
	s := newStory(t, "write", "read")
	s.r.experiment.Checks = []Question{{Check: "stale-reads", Group: "read", Expect: "none"}}
	s.r.judge()
	require.Equal(t, Undecided, s.r.result.Verdict)
}

func TestDistribution(t *testing.T) {
	require.Equal(t, Distribution{Buckets: []Bucket{}}, distribution(nil))
	d := distribution([]time.Duration{3 * ms, 200 * time.Microsecond, ms})
	require.Equal(t, []time.Duration{200 * time.Microsecond, ms, 3 * ms}, []time.Duration{d.Min, d.P50, d.Max})
	require.Equal(t, Bucket{125 * time.Microsecond, 250 * time.Microsecond, 1}, d.Buckets[0])
	require.Equal(t, Bucket{2 * ms, 4 * ms, 1}, d.Buckets[len(d.Buckets)-1])
	low, high := wilson(5, 10) // as in textbooks
	require.InDelta(t, 0.2366, low, 1e-4)
	require.InDelta(t, 0.7634, high, 1e-4)
	require.True(t, exceeds(12, 290, 1, 175))
	require.False(t, exceeds(3, 100, 1, 100))
	require.False(t, exceeds(1, 100, 12, 100))
	require.False(t, exceeds(0, 100, 0, 100))
}
