package lab

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// tasks, by name:
//
//   - write: puts a new value to one of its own keys.
//   - read: reads a key of another group.
//   - probe: writes to one of its own keys and, after a while, reads it.
//   - follow: writes to one of its own keys and reads until it sees what it wrote.
//   - counter: reads one of the group's counters and puts a value that is one higher.
//   - register: gets, puts, or puts under the condition that the value is still the
//     one that it saw last (cas), one of the group's keys.
//   - write-pair: writes the same new value to both items of one of its own pairs, in
//     a transaction. read-pair reads both items of a pair of another group.
//   - duty: two items of a pair say who is on duty (1 or 2 means so, by turns; a
//     negative value means off). A client may go off duty if both are on.
//
// Each prepares a round of a client.
var tasks = map[string]func(s *session) (round func()){
	"write":      prepareWrite,
	"read":       prepareRead,
	"probe":      prepareProbe,
	"follow":     prepareFollow,
	"counter":    prepareCounter,
	"register":   prepareRegister,
	"write-pair": prepareWritePair,
	"read-pair":  prepareReadPair,
	"duty":       prepareDuty,
}

// owns reports whether each key of a task's is written by one client only, with
// values that grow, so that a value tells how recent it is.
func owns(task string) bool {
	return slices.Contains([]string{"write", "probe", "follow", "write-pair"}, task)
}

func taskNames() []string { return slices.Sorted(maps.Keys(tasks)) }

// session is a client at work.
type session struct {
	run    *run
	sys    System
	client int
	number int // within its group
	group  *Clients
	chance *rand.Rand
	turn   int
	last   map[string]int64 // what it saw or wrote last
}

// work does rounds until it is time to stop.
func (s *session) work(round func()) {
	mean := float64(time.Second) / s.group.Rate
	for {
		s.sleep(time.Duration(s.chance.ExpFloat64() * mean))
		if s.over() {
			return
		}
		round()
	}
}

func (s *session) over() bool { return s.sys.Now() >= s.run.stop }

func (s *session) sleep(d time.Duration) { s.sys.Sleep(s.client, d) }

// do sends a request and records it.
func (s *session) do(kind, policy string, items ...Target) Response {
	s.turn++
	r := Request{Kind: kind, Policy: policy, Items: items, Turn: s.turn}
	id := s.run.history.begin(s.client, s.run.result.Clients[s.client].Node, s.sys.ShardOf(items[0].Key), &r, s.sys.Now())
	response := s.sys.Do(s.client, r)
	s.run.history.end(id, &response, s.sys.Now())
	return response
}

func (s *session) get(policy, key string) (int64, bool) {
	r := s.do(getItem, policy, Target{Key: key})
	if r.Outcome != OK {
		return 0, false
	}
	return r.Values[0], true
}

// read reads a key as the group does: in the table, or by way of the index.
func (s *session) read(key string) (int64, bool) {
	if s.group.Read != "index" {
		return s.get(s.group.Policy, key)
	}
	r := s.do(query, s.group.Policy, Target{Key: key})
	if r.Outcome != OK {
		return 0, false
	}
	return r.Values[0], true
}

// key names one of a client's own keys, or of those of a group.
func ownKey(group string, client, key int) string {
	return fmt.Sprintf("%s/%d/%d", group, client+1, key+1)
}
func groupKey(group string, key int) string { return fmt.Sprintf("%s/%d", group, key+1) }

// anyKey is one of the keys that the clients of a group write.
func (s *session) anyKey(of *Clients) string {
	if owns(of.Task) {
		return ownKey(of.Group, s.chance.IntN(of.Count), s.chance.IntN(of.Keys))
	}
	return groupKey(of.Group, s.chance.IntN(of.Keys))
}

// next writes the next value of one of the client's own keys.
func (s *session) next() (key string, value int64, ok bool) {
	key = ownKey(s.group.Group, s.number, s.chance.IntN(s.group.Keys))
	s.last[key]++
	value = s.last[key]
	return key, value, s.do(putItem, "", Target{Key: key, Value: value}).Outcome == OK
}

func prepareWrite(s *session) func() { return func() { s.next() } }

func prepareRead(s *session) func() {
	of := s.run.experiment.group(s.group.Of)
	return func() { s.read(s.anyKey(of)) }
}

func prepareProbe(s *session) func() {
	return func() {
		key, _, ok := s.next()
		if !ok {
			return
		}
		if d := s.group.Delay; d.To > 0 {
			low := math.Log(float64(max(d.From, time.Microsecond)))
			high := math.Log(float64(d.To))
			s.sleep(time.Duration(math.Exp(low + s.chance.Float64()*(high-low))))
		}
		s.read(key)
	}
}

// followPause is the time between two looks of the task follow.
const followPause = 500 * time.Microsecond

func prepareFollow(s *session) func() {
	return func() {
		key, value, ok := s.next()
		for ok && !s.over() {
			seen, answered := s.read(key)
			if !answered || seen >= value {
				return
			}
			s.sleep(followPause)
		}
	}
}

func prepareCounter(s *session) func() {
	return func() {
		key := groupKey(s.group.Group, s.chance.IntN(s.group.Keys))
		seen, ok := s.get(s.group.Policy, key)
		if !ok {
			return
		}
		target := Target{Key: key, Value: seen + 1}
		if s.group.Guard == "condition" {
			target.If = &seen
		}
		s.do(putItem, "", target)
	}
}

func prepareRegister(s *session) func() {
	var deck []string
	for _, op := range slices.Sorted(maps.Keys(s.group.Mix)) {
		deck = append(deck, slices.Repeat([]string{op}, s.group.Mix[op])...)
	}
	written := int64(0)
	fresh := func() int64 { // a value that nobody else writes
		written++
		return int64(s.client+1)*1_000_000 + written
	}
	return func() {
		key := groupKey(s.group.Group, s.chance.IntN(s.group.Keys))
		switch deck[s.chance.IntN(len(deck))] {
		case "get":
			if v, ok := s.get(s.group.Policy, key); ok {
				s.last[key] = v
			}
		case "put":
			s.do(putItem, "", Target{Key: key, Value: fresh()})
		case "cas":
			seen, value := s.last[key], fresh()
			if s.do(putItem, "", Target{Key: key, Value: value, If: &seen}).Outcome == OK {
				s.last[key] = value
			} else if v, ok := s.get(s.group.Policy, key); ok {
				s.last[key] = v
			}
		}
	}
}

// pair are the keys of a pair.
func pair(key string) [2]string { return [2]string{key + "/a", key + "/b"} }

func prepareWritePair(s *session) func() {
	return func() {
		key := ownKey(s.group.Group, s.number, s.chance.IntN(s.group.Keys))
		s.last[key]++
		both := pair(key)
		s.do(transactWrite, "", Target{Key: both[0], Value: s.last[key]}, Target{Key: both[1], Value: s.last[key]})
	}
}

func prepareReadPair(s *session) func() {
	of := s.run.experiment.group(s.group.Of)
	return func() {
		both := pair(s.anyKey(of))
		if s.group.Read == "together" {
			s.do(transactGet, s.group.Policy, Target{Key: both[0]}, Target{Key: both[1]})
			return
		}
		for _, key := range both {
			s.get(s.group.Policy, key)
		}
	}
}

// prepareDuty: on duty is a positive value, off duty a negative one. Each change
// adds one to what the value is without its sign.
func prepareDuty(s *session) func() {
	return func() {
		both := pair(groupKey(s.group.Group, s.chance.IntN(s.group.Keys)))
		r := s.do(transactGet, "strong", Target{Key: both[0]}, Target{Key: both[1]})
		if r.Outcome != OK {
			return
		}
		mine := s.chance.IntN(2)
		other := 1 - mine
		off := r.Values[mine] > 0 && r.Values[other] > 0
		value := max(r.Values[mine], -r.Values[mine]) + 1
		target := Target{Key: both[mine], Value: value}
		if off {
			target.Value = -value
		}
		if s.group.Guard != "nothing" {
			target.If = &r.Values[mine]
		}
		if s.group.Guard == "transaction" && off {
			s.do(transactWrite, "", target, Target{Key: both[other], If: &r.Values[other], Check: true})
			return
		}
		s.do(putItem, "", target)
	}
}
