package server

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// faults are the rules in force. A server without rules pays for one atomic load a
// request.
type faults struct {
	rules atomic.Pointer[[]*activeFault] // nil if there are none; the slice never changes

	mu   sync.Mutex // held while rules are exchanged
	next int        // number of the rule that was last given an id
}

// activeFault is a rule in force.
type activeFault struct {
	rule        faultRule
	least, most time.Duration // of the delay

	mu       sync.Mutex
	matched  int // requests that matched
	injected int // of those, the ones that it befell
	random   *rand.Rand
}

// maxFaults bounds the rules, each of which is looked at for every request.
const maxFaults = 1000

var (
	errTooManyFaults = errors.New("there can be at most " + strconv.Itoa(maxFaults) + " rules")
	errFaultExists   = errors.New("there is a rule with this id already")
)

func (f *faults) list() []*activeFault {
	if rules := f.rules.Load(); rules != nil {
		return *rules
	}
	return nil
}

// add puts valid rules into force behind those that are, or none of them.
func (f *faults) add(rules []faultRule) ([]*activeFault, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Clone(f.list())
	if len(all)+len(rules) > maxFaults {
		return nil, errTooManyFaults
	}
	next := f.next
	for _, r := range rules {
		for r.ID == "" {
			next++
			if id := strconv.Itoa(next); !hasFault(all, id) {
				r.ID = id
			}
		}
		if hasFault(all, r.ID) {
			return nil, errFaultExists
		}
		all = append(all, newActiveFault(r))
	}
	f.next = next
	f.rules.Store(&all)
	return all[len(all)-len(rules):], nil
}

func hasFault(all []*activeFault, id string) bool {
	return slices.ContainsFunc(all, func(f *activeFault) bool { return f.rule.ID == id })
}

func newActiveFault(r faultRule) *activeFault {
	f := &activeFault{rule: r}
	f.least, f.most, _ = r.delays() // was checked by validate
	if r.Seed == nil && (r.Probability != nil || f.least < f.most) {
		seed := rand.Int64N(1 << 32)
		f.rule.Seed = &seed
	}
	if f.rule.Seed != nil {
		f.random = rand.New(rand.NewPCG(uint64(*f.rule.Seed), 0))
	}
	return f
}

// remove takes a rule out of force, or all if id is empty, and returns how many
// it took.
func (f *faults) remove(id string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.list()
	var kept []*activeFault
	for _, active := range all {
		if id != "" && active.rule.ID != id {
			kept = append(kept, active)
		}
	}
	f.rules.Store(nil)
	if len(kept) > 0 {
		f.rules.Store(&kept)
	}
	return len(all) - len(kept)
}

// strikes counts a matching request and decides whether the fault befalls it, and
// after what delay.
func (f *activeFault) strikes() (delay time.Duration, yes bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.matched++
	switch r := &f.rule; {
	case r.Nth != nil && f.matched != *r.Nth,
		r.Every != nil && f.matched%*r.Every != 0,
		r.First != nil && f.matched > *r.First:
		return 0, false
	case r.Probability != nil && f.random.Float64() >= *r.Probability:
		return 0, false
	}
	f.injected++
	delay = f.least
	if f.most > f.least {
		delay += time.Duration(f.random.Int64N(int64(f.most-f.least) + 1))
	}
	return delay, true
}
