package api

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The rules as the service words them.
const (
	ruleName    = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
	ruleMinimum = "Member must have value greater than or equal to "
	ruleMaximum = "Member must have value less than or equal to "
	ruleShort   = "Member must have length greater than or equal to "
	ruleLong    = "Member must have length less than or equal to "
	ruleEnum    = "Member must satisfy enum value set: ["
)

// unbounded is the maximum of a member without one.
const unbounded = int(^uint(0) >> 1)

// enum reports a value that is not one of set, which is in print order.
func (vs *Violations) enum(v Optional[string], set []string, p path) {
	if v.Present && !slices.Contains(set, v.Value) {
		vs.add(p, v.Value, ruleEnum+strings.Join(set, ", ")+"]")
	}
}

// enumNew is enum in the newer form, which names neither the member nor the
// value and prints a set that differs from the accepted one.
func (vs *Violations) enumNew(v Optional[string], set []string, printed string) {
	if v.Present && !slices.Contains(set, v.Value) && !vs.full() {
		*vs = append(*vs, Violation{Text: "Failed to satisfy constraint: " + ruleEnum + printed + "]"})
	}
}

// enumBare reports a value that is not one of set with a text of its own.
func (vs *Violations) enumBare(v Optional[string], set []string, text string) {
	if v.Present && !slices.Contains(set, v.Value) {
		vs.addBare(text)
	}
}

// value reports a number outside minimum..maximum.
func (vs *Violations) value(v Optional[int64], minimum, maximum int, p path) {
	if rule := valueRule(v, minimum, maximum); rule != "" {
		vs.add(p, strconv.FormatInt(v.Value, 10), rule)
	}
}

// valueNew is value in the newer form.
func (vs *Violations) valueNew(v Optional[int64], minimum, maximum int, p path) {
	if rule := valueRule(v, minimum, maximum); rule != "" {
		vs.addNew(p, rule)
	}
}

// valueRule returns the broken rule.
func valueRule(v Optional[int64], minimum, maximum int) string {
	switch {
	case v.Present && v.Value < int64(minimum):
		return ruleMinimum + strconv.Itoa(minimum)
	case v.Present && v.Value > int64(maximum):
		return ruleMaximum + strconv.Itoa(maximum)
	}
	return ""
}

// sizeRule returns the rule that a length n breaks.
func sizeRule(n, minimum, maximum int) string {
	switch {
	case n < minimum:
		return ruleShort + strconv.Itoa(minimum)
	case n > maximum:
		return ruleLong + strconv.Itoa(maximum)
	}
	return ""
}

// length reports a string with fewer or more characters.
func (vs *Violations) length(v Optional[string], minimum, maximum int, p path) {
	if v.Present {
		vs.lengthOf(v.Value, minimum, maximum, p)
	}
}

// lengthNew is length in the newer form.
func (vs *Violations) lengthNew(v Optional[string], minimum, maximum int, p path) {
	if v.Present {
		if rule := sizeRule(utf8.RuneCountInString(v.Value), minimum, maximum); rule != "" {
			vs.addNew(p, rule)
		}
	}
}

// lengthOf is length for an element of a list.
func (vs *Violations) lengthOf(v string, minimum, maximum int, p path) {
	if rule := sizeRule(utf8.RuneCountInString(v), minimum, maximum); rule != "" {
		vs.add(p, v, rule)
	}
}

// size reports a list with fewer or more elements, and echoes it: dump prints
// one element and is nil where only an empty list can be reported.
func size[T any](vs *Violations, list []T, minimum, maximum int, p path, dump func([]byte, T) []byte) {
	if list == nil {
		return
	}
	if rule := sizeRule(len(list), minimum, maximum); rule != "" && !vs.full() {
		vs.add(p, string(appendList(nil, list, dump)), rule)
	}
}

// sizeNew is size in the newer form.
func sizeNew[T any](vs *Violations, list []T, minimum, maximum int, p path) {
	if list == nil {
		return
	}
	if rule := sizeRule(len(list), minimum, maximum); rule != "" {
		vs.addNew(p, rule)
	}
}

// pattern reports a string with characters that names must not have.
func (vs *Violations) pattern(v Optional[string], p path) {
	if v.Present && !isName(v.Value) {
		vs.add(p, v.Value, ruleName)
	}
}

// isName reports whether s matches [a-zA-Z0-9_.-]+.
func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return s != ""
}

// Sets that newer messages print, which are not those that are accepted.
const (
	newReturnValues         = "ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE"
	newConditionalOperators = "ALL, OR"
	bareConditionalOperator = "Failed to satisfy constraint: " + ruleEnum + newConditionalOperators + "]"
	bareTableClass          = "Invalid table-class parameter provided. Please try again with a valid table-class value: " +
		"[STANDARD, STANDARD_INFREQUENT_ACCESS]."
)
