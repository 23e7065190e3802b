package placement

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"
)

// swim simulates how memberlist spreads news and finds out that a node is gone,
// for more nodes than a machine can run: Das, Gupta, Motivala, "SWIM: Scalable
// Weakly-consistent Infection-style Process Group Membership Protocol", DSN
// 2002, sections 3.1 (probes), 4.1 (gossip) and 4.2 (suspicion), with the
// shorter suspicion of Dadgar, Phillips, Currey, "Lifeguard", 2017, section
// IV.B. The rules and the figures are those of memberlist 0.7.0 (state.go,
// util.go, suspicion.go). Left out is what makes it faster, but not by an order
// of magnitude: news carried by pings, and the exchange of complete states.
// Packets take no time; they may be lost.
type swim struct {
	config  *memberlist.Config
	rng     *rand.Rand
	loss    float64
	now     time.Duration
	events  swimEvents
	nodes   []swimNode
	packets int
	// reached are the times at which nodes heard the final news.
	reached []time.Duration
	// suspected is when the first node became suspicious; 0 is never.
	suspected time.Duration
}

type swimNode struct {
	// rumor is the latest news heard and left how often it will still be sent:
	// news about a node replaces older news about it in memberlist's queue.
	rumor rumor
	left  int
	// order is whom the node probes, next where it is in it.
	order []int
	next  int
	// sources are those known to suspect the victim, since when.
	sources []int
	since   time.Duration
	knows   bool // the final news
}

type rumor struct {
	final bool // an update, or that the victim is dead; otherwise a suspicion
	from  int
}

type swimEvent struct {
	at   time.Duration
	node int
	do   func(node int)
}

type swimEvents []swimEvent

func (e swimEvents) Len() int           { return len(e) }
func (e swimEvents) Less(i, j int) bool { return e[i].at < e[j].at }
func (e swimEvents) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *swimEvents) Push(x any)        { *e = append(*e, x.(swimEvent)) }
func (e *swimEvents) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newSwim(config *memberlist.Config, n int, loss float64, seed uint64) *swim {
	s := &swim{config: config, rng: rand.New(rand.NewPCG(seed, uint64(n))), loss: loss, nodes: make([]swimNode, n)}
	for i := range s.nodes {
		s.after(s.phase(config.GossipInterval), i, s.gossip)
	}
	return s
}

func (s *swim) phase(interval time.Duration) time.Duration {
	return time.Duration(s.rng.Int64N(int64(interval)))
}

func (s *swim) after(d time.Duration, node int, do func(int)) {
	heap.Push(&s.events, swimEvent{s.now + d, node, do})
}

// run goes on until as many nodes as given have heard the final news, or it is
// too late.
func (s *swim) run(until int, most time.Duration) {
	for len(s.reached) < until && s.now < most {
		e := heap.Pop(&s.events).(swimEvent)
		s.now = e.at
		e.do(e.node)
	}
}

// gossip is Memberlist.gossip: what is queued goes to a few random nodes.
func (s *swim) gossip(i int) {
	s.after(s.config.GossipInterval, i, s.gossip)
	node := &s.nodes[i]
	targets := make(map[int]bool)
	for node.left > 0 && len(targets) < min(s.config.GossipNodes, len(s.nodes)-1) {
		to := s.rng.IntN(len(s.nodes))
		if to == i || targets[to] {
			continue
		}
		targets[to] = true
		node.left--
		s.packets++
		if s.rng.Float64() >= s.loss {
			s.hear(to, node.rumor)
		}
	}
}

// hear is Memberlist.aliveNode, suspectNode and deadNode: what is new is
// remembered and sent on.
func (s *swim) hear(i int, r rumor) {
	node := &s.nodes[i]
	if node.knows || i == victim && s.detecting() {
		return
	}
	if r.final {
		node.knows = true
		s.reached = append(s.reached, s.now)
	} else if !s.suspect(i, r.from) {
		return
	}
	node.rumor, node.left = r, s.retransmits()
}

// retransmits is memberlist's retransmitLimit.
func (s *swim) retransmits() int {
	return s.config.RetransmitMult * int(math.Ceil(math.Log10(float64(len(s.nodes)+1))))
}

// victim is the node that fails in a simulation of failure detection.
const victim = 0

func (s *swim) detecting() bool { return len(s.nodes[1].order) > 0 }

// fail starts the probes of a victim that is gone.
func (s *swim) fail() {
	for i := 1; i < len(s.nodes); i++ {
		order := s.rng.Perm(len(s.nodes))
		s.nodes[i].order = order
		s.nodes[i].next = s.rng.IntN(len(order))
		s.after(s.phase(s.config.ProbeInterval), i, s.probe)
	}
}

// probe is Memberlist.probe: one node after the other, in an order that is
// shuffled for every round. A probe has failed when its interval is over.
func (s *swim) probe(i int) {
	s.after(s.config.ProbeInterval, i, s.probe)
	node := &s.nodes[i]
	if node.next >= len(node.order) {
		node.next = 0
		s.rng.Shuffle(len(node.order), func(a, b int) { node.order[a], node.order[b] = node.order[b], node.order[a] })
	}
	if node.order[node.next] == i {
		node.next++ // itself costs no time
	}
	if node.next < len(node.order) && node.order[node.next] == victim {
		s.after(s.config.ProbeInterval, i, func(i int) { s.hear(i, rumor{from: i}) })
	}
	node.next++
}

// suspect is newSuspicion and suspicion.Confirm. It reports whether the
// suspicion was news.
func (s *swim) suspect(i, from int) bool {
	node := &s.nodes[i]
	confirmations := s.config.SuspicionMult - 2
	if len(s.nodes)-2 < confirmations {
		confirmations = 0
	}
	if len(node.sources) > confirmations {
		return false
	}
	for _, known := range node.sources {
		if known == from {
			return false
		}
	}
	if len(node.sources) == 0 {
		node.since = s.now
	}
	if s.suspected == 0 {
		s.suspected = s.now
	}
	node.sources = append(node.sources, from)
	heard := len(node.sources)
	deadline := node.since + s.suspicion(heard-1, confirmations)
	s.after(max(0, deadline-s.now), i, func(i int) {
		if len(s.nodes[i].sources) == heard { // else a later one counts
			s.hear(i, rumor{final: true})
		}
	})
	return true
}

// suspicion is suspicionTimeout and remainingSuspicionTime.
func (s *swim) suspicion(confirmed, expected int) time.Duration {
	scale := max(1, math.Log10(float64(len(s.nodes))))
	least := float64(s.config.SuspicionMult) * scale * float64(s.config.ProbeInterval)
	if expected < 1 {
		return time.Duration(least)
	}
	most := float64(s.config.SuspicionMaxTimeoutMult) * least
	part := math.Log(float64(confirmed)+1) / math.Log(float64(expected)+1)
	return time.Duration(max(least, most-part*(most-least)))
}

// clusterConfig has the settings of package membership in place of
// memberlist's: probes twice as often, and less patience.
func clusterConfig() *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.ProbeInterval = 500 * time.Millisecond
	c.SuspicionMult = 3
	c.SuspicionMaxTimeoutMult = 3
	return c
}

// spread returns a simulation in which news of one node has reached all, or
// all that gossip alone will reach.
func spread(n int, loss float64, seed uint64) *swim {
	s := newSwim(memberlist.DefaultLANConfig(), n, loss, seed)
	s.hear(0, rumor{final: true})
	s.run(n, 30*time.Second)
	return s
}

// detect returns a simulation in which all have heard of the victim's death.
func detect(config *memberlist.Config, n int, seed uint64) *swim {
	s := newSwim(config, n, 0, seed)
	s.fail()
	s.run(n-1, 5*time.Minute)
	return s
}

func TestGossipReachesEveryNode(t *testing.T) {
	for _, n := range []int{3, 10, 100, 1000} {
		for _, loss := range []float64{0, 0.05, 0.25} {
			for seed := range uint64(5) {
				s := spread(n, loss, seed)
				// Below 0.1 % the exchange of complete states has to do it.
				require.GreaterOrEqual(t, len(s.reached), n-n/1000, "%d nodes, %.0f %% lost, seed %d", n, 100*loss, seed)
				// Infection takes O(log n) rounds.
				rounds := float64(s.reached[n-n/1000-1]) / float64(s.config.GossipInterval)
				require.LessOrEqual(t, rounds, 3+2*math.Log2(float64(n)), "%d nodes, %.0f %% lost, seed %d", n, 100*loss, seed)
			}
		}
	}
}

func TestFailureIsFoundByEveryNode(t *testing.T) {
	for name, config := range map[string]*memberlist.Config{"memberlist": memberlist.DefaultLANConfig(), "cluster": clusterConfig()} {
		for _, n := range []int{3, 10, 100, 300} {
			t.Run(fmt.Sprintf("%s, %d nodes", name, n), func(t *testing.T) {
				for seed := range uint64(3) {
					s := detect(config, n, seed)
					require.Len(t, s.reached, n-1, "seed %d", seed)
					least := config.ProbeInterval + s.suspicion(config.SuspicionMult, config.SuspicionMult)
					require.GreaterOrEqual(t, s.reached[0], least, "seed %d: nobody had the time to object", seed)
					require.LessOrEqual(t, s.reached[0], s.suspected+s.suspicion(0, 1), "seed %d", seed)
				}
			})
		}
	}
}

func BenchmarkGossip(b *testing.B) {
	for _, n := range []int{10, 30, 100, 300, 1000} {
		for _, loss := range []float64{0, 0.05} {
			b.Run(fmt.Sprintf("%d nodes, %.0f %% lost", n, 100*loss), func(b *testing.B) {
				var half, most, all time.Duration
				packets, runs := 0, 0
				for b.Loop() {
					s := spread(n, loss, uint64(runs))
					half += s.reached[n/2-1]
					most += s.reached[len(s.reached)*99/100-1]
					all += s.reached[len(s.reached)-1]
					packets += s.packets
					runs++
				}
				report(b, half, runs, "s-to-half")
				report(b, most, runs, "s-to-99%")
				report(b, all, runs, "s-to-all")
				b.ReportMetric(float64(packets)/float64(runs)/float64(n), "packets/node")
			})
		}
	}
}

func BenchmarkFailureDetection(b *testing.B) {
	configs := []struct {
		name   string
		config *memberlist.Config
	}{{"memberlist", memberlist.DefaultLANConfig()}, {"cluster", clusterConfig()}}
	for _, c := range configs {
		for _, n := range []int{10, 30, 100, 300, 1000} {
			b.Run(fmt.Sprintf("%s, %d nodes", c.name, n), func(b *testing.B) {
				var suspected, first, all time.Duration
				runs := 0
				for b.Loop() {
					s := detect(c.config, n, uint64(runs))
					suspected += s.suspected
					first += s.reached[0]
					all += s.reached[len(s.reached)-1]
					runs++
				}
				report(b, suspected, runs, "s-to-suspicion")
				report(b, first, runs, "s-to-first")
				report(b, all, runs, "s-to-all")
			})
		}
	}
}

func report(b *testing.B, sum time.Duration, runs int, unit string) {
	b.ReportMetric(sum.Seconds()/float64(runs), unit)
}
