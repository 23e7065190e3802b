package server

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/storage/item"
)

// serveFaulty runs the operation under the rules. They are asked in order; the
// first whose fault is more than a delay ends it.
func (c *call) serveFaulty(rules []*activeFault) error {
	var targets []faultTarget // of the request, read when first needed
	read := false
	for _, f := range rules {
		r := &f.rule
		if !r.about(c.op.name) {
			continue
		}
		if !read {
			targets, read = c.faultTargets(), true
		}
		struck, matches := c.struck(r, targets)
		if !matches {
			continue
		}
		delay, yes := f.strikes()
		if !yes {
			continue
		}
		if err := c.wait(delay); err != nil {
			return err
		}
		if r.Kind != faultLatency {
			return c.serveFault(r, targets, struck)
		}
	}
	return c.op.serve(c)
}

// about reports whether the rule is for requests of an operation.
func (r *faultRule) about(operation string) bool {
	return r.Kind.concerns(operation) && (len(r.Operations) == 0 || slices.Contains(r.Operations, operation))
}

// struck tells which targets the rule is about, and whether the request matches. A
// rule without patterns matches a request without targets as well.
func (c *call) struck(r *faultRule, targets []faultTarget) (struck []bool, matches bool) {
	matches = r.Table == "" && r.Key == "" && r.Kind != faultConflict
	struck = make([]bool, len(targets))
	for i := range targets {
		t := &targets[i]
		// Reads conflict with nothing, unless in a transaction.
		struck[i] = t.matches(r) && (r.Kind != faultConflict || t.write || isTransaction(c.op.name))
		matches = matches || struck[i]
	}
	return struck, matches
}

// wait returns after d, or before if the request's context ends.
func (c *call) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}

// serveFault answers a request with the fault.
func (c *call) serveFault(r *faultRule, targets []faultTarget, struck []bool) error {
	switch {
	case r.Kind == faultPartial:
		c.partial = &partialBatch{rule: r}
		return c.op.serve(c)
	case r.After:
		// Whatever comes of it, the client does not get to know.
		_ = c.op.serve(c)
	}
	switch r.Kind {
	case faultInternal:
		return errInternal
	case faultUnavailable:
		return errUnavailable
	case faultDrop:
		return errDropped
	}
	if !isTransaction(c.op.name) || r.Exception == requestLimit || len(targets) == 0 {
		return c.faultError(r, struckFirst(targets, struck))
	}
	canceled := &partition.TransactionCanceled{Reasons: make([]error, len(targets))}
	for i := range targets {
		if struck[i] {
			canceled.Reasons[i] = c.faultError(r, &targets[i])
		}
	}
	return canceled
}

// struckFirst is the first target that the rule is about, or one about nothing.
func struckFirst(targets []faultTarget, struck []bool) *faultTarget {
	if i := slices.Index(struck, true); i >= 0 {
		return &targets[i]
	}
	return &faultTarget{}
}

// faultError is the exception that a write or read of the target meets.
func (c *call) faultError(r *faultRule, t *faultTarget) error {
	if r.Kind == faultConflict {
		return partition.ErrTransactionConflict
	}
	exception := r.Exception
	if exception == "" {
		exception = throttling
		if t.table != nil && t.table.Billing == partition.Provisioned {
			exception = throughputExceeded
		}
	}
	if !isItemOperation(c.op.name) {
		return throttlingError(exception, textRate, nil)
	}
	text, cause := textTableScaling, causeKeyRange
	switch exception {
	case throughputExceeded:
		text, cause = textTableThroughput, causeProvisioned
	case requestLimit:
		text, cause = textAccountLimit, causeAccount
	}
	if t.table == nil {
		return throttlingError(exception, text, nil)
	}
	return throttlingError(exception, text, c.appendReason(nil, resource{table: t.table}, direction(t.write), cause))
}

// errDropped ends a request without an answer.
var errDropped = errors.New("connection dropped")

// abortDropped closes the connection if err is errDropped.
func abortDropped(err error) {
	if errors.Is(err, errDropped) {
		panic(http.ErrAbortHandler) // which net/http takes as what it is
	}
}

// A partialBatch leaves parts of a batch unprocessed, as a partition short of
// throughput does.
type partialBatch struct {
	rule    *faultRule
	matched int // requests of the batch so far that the rule is about
}

// turnAway decides about the next request of a batch: an exception leaves it
// unprocessed. Those left are spread evenly, beginning with the first.
func (c *call) turnAway(t *partition.Table, key item.Item, d direction) error {
	p := c.partial
	if p == nil {
		return nil
	}
	target := faultTarget{table: t, name: t.Name, hash: key.Get(t.Key.Hash[0].Name), write: bool(d)}
	if !target.matches(p.rule) {
		return nil
	}
	fraction := defaultFraction
	if p.rule.Fraction != nil {
		fraction = *p.rule.Fraction
	}
	before := math.Ceil(float64(p.matched) * fraction)
	p.matched++
	if math.Ceil(float64(p.matched)*fraction) == before {
		return nil
	}
	return c.faultError(&faultRule{Kind: faultThrottling}, &target)
}
