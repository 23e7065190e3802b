package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"sync"
	"sync/atomic"
	"time"
)

// A Rule spoils what nodes matching From send to nodes matching To. Patterns
// are those of path.Match on names; an empty one matches every node. A node
// called by an address that no peer has (CallAddr) is matched by that address
// until it has told its name.
//
// Messages and gossip packets are lost or late one by one (late ones may
// overtake each other), and so are requests, responses and pings: a call whose
// request or response is lost ends with its context. A stream is hit when it is
// opened. Block is loss of everything: calls hang, streams stall, connecting
// times out.
type Rule struct {
	From     string  `json:"from,omitempty"`
	To       string  `json:"to,omitempty"`
	Drop     float64 `json:"drop,omitempty"`     // probability, 0 to 1
	DelayMS  float64 `json:"delayMs,omitempty"`  // milliseconds, each way
	JitterMS float64 `json:"jitterMs,omitempty"` // up to so many milliseconds more, evenly spread
	Block    bool    `json:"block,omitempty"`
}

// matches says whether the rule is about what from sends to to.
func (r Rule) matches(from, to string) bool {
	return matchName(r.From, from) && matchName(r.To, to)
}

func matchName(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

func (r Rule) validate() error {
	for _, pattern := range []string{r.From, r.To} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", pattern, err)
		}
	}
	if !(r.Drop >= 0 && r.Drop <= 1) {
		return fmt.Errorf("drop %v is not a probability", r.Drop)
	}
	const maxMS = 3_600_000
	if !(r.DelayMS >= 0 && r.DelayMS <= maxMS) || !(r.JitterMS >= 0 && r.JitterMS <= maxMS) {
		return fmt.Errorf("delay %v and jitter %v must be 0 to %d milliseconds", r.DelayMS, r.JitterMS, maxMS)
	}
	return nil
}

// Faults are rules that transports apply to what they send. One Faults may
// serve many transports. In JSON it is the array of its rules. The same seed,
// rules and sends between two nodes give the same fates, whatever other nodes do
// in between. All methods may be called at any time, by many goroutines.
type Faults struct {
	active atomic.Bool // some rule exists: the only thing looked at otherwise

	mu      sync.Mutex
	seed    uint64
	rules   []Rule
	changed chan struct{} // closed and replaced when rules change
	links   map[link]*rand.Rand
}

// link is a direction between two nodes.
type link struct{ from, to string }

// NewFaults returns faults without rules.
func NewFaults(seed uint64) *Faults {
	return &Faults{seed: seed, changed: make(chan struct{}), links: map[link]*rand.Rand{}}
}

// Set replaces the rules, of which all that match apply together: probabilities
// combine, delays add up. Chance starts anew from the seed. On an invalid rule
// nothing changes.
func (f *Faults) Set(rules []Rule) error { return f.SetSeeded(f.Seed(), rules) }

// Heal takes all rules out of force.
func (f *Faults) Heal() { _ = f.Set(nil) } // which no rule can make fail

// SetSeeded is Set with another seed.
func (f *Faults) SetSeeded(seed uint64, rules []Rule) error {
	for i, r := range rules {
		if err := r.validate(); err != nil {
			return fmt.Errorf("fault rule %d: %w", i+1, err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seed = seed
	f.rules = append([]Rule(nil), rules...)
	f.links = map[link]*rand.Rand{}
	f.active.Store(len(rules) > 0)
	close(f.changed)
	f.changed = make(chan struct{})
	return nil
}

// Seed is what chance comes from.
func (f *Faults) Seed() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seed
}

// Rules returns a copy of the rules, never nil.
func (f *Faults) Rules() []Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Rule{}, f.rules...)
}

// MarshalJSON writes the rules as an array.
func (f *Faults) MarshalJSON() ([]byte, error) { return json.Marshal(f.Rules()) }

// UnmarshalJSON sets the rules.
func (f *Faults) UnmarshalJSON(b []byte) error {
	var rules []Rule
	if err := json.Unmarshal(b, &rules); err != nil {
		return err
	}
	return f.Set(rules)
}

// fate is what happens to one thing sent.
type fate struct {
	lost  bool
	delay time.Duration
}

// draw decides about one thing sent.
func (f *Faults) draw(from, to string) fate {
	if f == nil || !f.active.Load() {
		return fate{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var ft fate
	var delayMS float64
	for _, r := range f.rules {
		if !r.matches(from, to) {
			continue
		}
		// Every matching rule draws, also once the thing is lost: what later
		// sends meet must not depend on it.
		if r.Drop > 0 && f.randLocked(from, to).Float64() < r.Drop {
			ft.lost = true
		}
		delayMS += r.DelayMS
		if r.JitterMS > 0 {
			delayMS += f.randLocked(from, to).Float64() * r.JitterMS
		}
		ft.lost = ft.lost || r.Block
	}
	ft.delay = time.Duration(delayMS * float64(time.Millisecond))
	return ft
}

// randLocked returns the random numbers of a direction.
func (f *Faults) randLocked(from, to string) *rand.Rand {
	l := link{from, to}
	r := f.links[l]
	if r == nil {
		h := fnv.New64a()
		_, _ = h.Write([]byte(from + "\x00" + to))
		r = rand.New(rand.NewPCG(f.seed, h.Sum64()))
		f.links[l] = r
	}
	return r
}

// await returns when nothing blocks the way from one node to the other, or an
// error when ctx ends first.
func (f *Faults) await(ctx context.Context, from, to string) error {
	if f == nil {
		return nil
	}
	for f.active.Load() {
		f.mu.Lock()
		changed := f.changed
		blocked := false
		for _, r := range f.rules {
			blocked = blocked || r.Block && r.matches(from, to)
		}
		f.mu.Unlock()
		if !blocked {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
