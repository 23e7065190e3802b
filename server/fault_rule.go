package server

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A faultRule says which requests fail, when, and how. It is the JSON of
// /_stator/faults.
type faultRule struct {
	ID string `json:"id,omitzero"` // given by the server if the user has not

	// Which requests: all if nothing is said.
	Operations []string `json:"operations,omitempty"`
	Table      string   `json:"table,omitzero"` // a pattern for the name
	Key        string   `json:"key,omitzero"`   // a pattern for the value of the partition key

	// When: of the matching requests the nth, every nth or the first n, at most one
	// of them, and of those each with a probability.
	Nth         *int     `json:"nth,omitzero"`
	Every       *int     `json:"every,omitzero"`
	First       *int     `json:"first,omitzero"`
	Probability *float64 `json:"probability,omitzero"`
	Seed        *int64   `json:"seed,omitzero"` // of probability and delay; drawn if not given

	// How.
	Kind      faultKind `json:"kind"`
	Exception string    `json:"exception,omitzero"` // of throttling; by the table's billing mode if not given
	Fraction  *float64  `json:"fraction,omitzero"`  // of a batch that stays unprocessed; half if not given
	Delay     string    `json:"delay,omitzero"`     // before the request: a duration, or two with a hyphen between
	After     bool      `json:"after,omitzero"`     // the operation is carried out, and then the fault answered
}

type faultKind string

// What can go wrong.
const (
	faultThrottling  faultKind = "throttling"
	faultInternal    faultKind = "InternalServerError"
	faultUnavailable faultKind = "ServiceUnavailable"
	faultConflict    faultKind = "conflict"
	faultPartial     faultKind = "partialBatch"
	faultLatency     faultKind = "latency"
	faultDrop        faultKind = "drop"
)

var faultKinds = []faultKind{
	faultThrottling, faultInternal, faultUnavailable, faultConflict, faultPartial, faultLatency, faultDrop,
}

const (
	maxFaultDelay   = 10 * time.Minute
	defaultFraction = 0.5
)

// faultID is the form of ids, which stand in paths.
var faultID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// validate reports everything that is wrong with a rule.
func (r *faultRule) validate() error {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if r.ID != "" && !faultID.MatchString(r.ID) {
		refuse("id %q is not made of 1 to 64 letters, digits, hyphens and underscores", r.ID)
	}
	if !slices.Contains(faultKinds, r.Kind) {
		refuse("kind %q is none of %s", r.Kind, listed(faultKinds))
	}
	for _, name := range r.Operations {
		switch {
		case !isOperation(name):
			refuse("operation %q does not exist", name)
		case !r.Kind.concerns(name):
			refuse("operation %q: %s does not happen to it", name, r.Kind)
		}
	}
	selections := 0
	for _, s := range []struct {
		name string
		n    *int
	}{{"nth", r.Nth}, {"every", r.Every}, {"first", r.First}} {
		if s.n == nil {
			continue
		}
		if selections++; *s.n < 1 {
			refuse("%s %d: requests are counted from 1", s.name, *s.n)
		}
	}
	if selections > 1 {
		refuse("nth, every and first exclude each other")
	}
	if p := r.Probability; p != nil && !(*p > 0 && *p <= 1) {
		refuse("probability %v is not above 0 and at most 1", *p)
	}
	if r.Exception != "" && r.Kind != faultThrottling {
		refuse("exception belongs to kind %s", faultThrottling)
	}
	if exceptions := []string{throughputExceeded, throttling, requestLimit}; r.Exception != "" && !slices.Contains(exceptions, r.Exception) {
		refuse("exception %q is none of %s", r.Exception, listed(exceptions))
	}
	if r.Fraction != nil && r.Kind != faultPartial {
		refuse("fraction belongs to kind %s", faultPartial)
	}
	if f := r.Fraction; f != nil && !(*f > 0 && *f <= 1) {
		refuse("fraction %v is not above 0 and at most 1", *f)
	}
	if _, _, err := r.delays(); err != nil {
		errs = append(errs, err)
	}
	if r.Kind == faultLatency && r.Delay == "" {
		refuse("kind %s needs a delay", faultLatency)
	}
	if afterKinds := []faultKind{faultInternal, faultUnavailable, faultDrop}; r.After && !slices.Contains(afterKinds, r.Kind) {
		refuse("after belongs to the kinds %s", listed(afterKinds))
	}
	return errors.Join(errs...)
}

func listed[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

func isOperation(name string) bool {
	for _, list := range [][]operation{operations, streamsOperations} {
		for i := range list {
			if list[i].name == name {
				return true
			}
		}
	}
	return false
}

// concerns reports whether an operation can fail in this way.
func (k faultKind) concerns(operation string) bool {
	switch k {
	case faultConflict:
		switch operation {
		case "PutItem", "UpdateItem", "DeleteItem", "ExecuteStatement":
			return true
		}
		return isTransaction(operation)
	case faultPartial:
		return operation == "BatchGetItem" || operation == "BatchWriteItem" || operation == "BatchExecuteStatement"
	}
	return true
}

// isItemOperation reports whether an operation reads or writes items.
func isItemOperation(operation string) bool {
	switch operation {
	case "PutItem", "UpdateItem", "DeleteItem", "GetItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem",
		"ExecuteStatement", "BatchExecuteStatement":
		return true
	}
	return isTransaction(operation)
}

func isTransaction(operation string) bool {
	switch operation {
	case "TransactGetItems", "TransactWriteItems", "ExecuteTransaction":
		return true
	}
	return false
}

// delays reads Delay: "20ms" or "20ms-1s".
func (r *faultRule) delays() (least, most time.Duration, err error) {
	if r.Delay == "" {
		return 0, 0, nil
	}
	from, to, isRange := strings.Cut(r.Delay, "-")
	if least, err = time.ParseDuration(from); err != nil {
		return 0, 0, fmt.Errorf("delay: %w", err)
	}
	if most = least; isRange {
		if most, err = time.ParseDuration(to); err != nil {
			return 0, 0, fmt.Errorf("delay: %w", err)
		}
	}
	if most < least || most > maxFaultDelay {
		return 0, 0, fmt.Errorf("delay %q: a range grows, and ends at %s", r.Delay, maxFaultDelay)
	}
	return least, most, nil
}

// matchPattern matches all of s with a pattern, in which * stands for any text and
// ? for one character. It takes time in proportion to both lengths multiplied.
func matchPattern(pattern, s string) bool {
	star, resume := -1, 0 // the last star, and what it has taken so far
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			_, size := utf8.DecodeRuneInString(s[i:])
			p, i = p+1, i+size
		case p < len(pattern) && pattern[p] == s[i]:
			p, i = p+1, i+1
		case star >= 0:
			resume++
			p, i = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
