package compat

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// match reports the first difference between an answer and what a scenario expects of it, "" when there is none.
//
// Both sides are decoded JSON. Everything is compared exactly, members that were not expected included, except:
//
//	"$any"                   any value that is present
//	"$absent"                as the value of an object's member: the member must be missing
//	"$re:<expression>"       a string that matches the whole regular expression
//	{"$unordered":[…]}       an array with these elements in any order
//	{"$subset":{…}}          an object with at least these members; applies to this object only
//	{"$length":n}            an array of n elements
//	{"$oneOf":[…]}           one of these values
//
// The arrays of the set types SS, NS and BS have no order in the API and are always compared without it.
func match(want, got any, path string) string {
	switch w := want.(type) {
	case string:
		return matchString(w, got, path)
	case map[string]any:
		if len(w) == 1 {
			for key, arg := range w {
				if strings.HasPrefix(key, "$") {
					return matchOperator(key, arg, got, path)
				}
			}
		}
		return matchObject(w, got, path, true)
	case []any:
		return matchArray(w, got, path)
	default:
		if !reflect.DeepEqual(want, got) {
			return differ(path, want, got)
		}
		return ""
	}
}

func matchString(want string, got any, path string) string {
	if want == "$any" {
		if got == nil {
			return fmt.Sprintf("%s: want any value, got none", path)
		}
		return ""
	}
	if pattern, ok := strings.CutPrefix(want, "$re:"); ok {
		re, err := regexp.Compile(`^(?:` + pattern + `)$`)
		if err != nil {
			return fmt.Sprintf("%s: %v", path, err)
		}
		if s, ok := got.(string); !ok || !re.MatchString(s) {
			return differ(path, want, got)
		}
		return ""
	}
	if got != want {
		return differ(path, want, got)
	}
	return ""
}

func matchOperator(operator string, arg, got any, path string) string {
	switch operator {
	case "$unordered":
		return matchUnordered(arg.([]any), got, path)
	case "$subset":
		return matchObject(arg.(map[string]any), got, path, false)
	case "$length":
		if a, ok := got.([]any); !ok || float64(len(a)) != arg {
			return differ(path, map[string]any{operator: arg}, got)
		}
		return ""
	case "$oneOf":
		for _, w := range arg.([]any) {
			if match(w, got, path) == "" {
				return ""
			}
		}
		return differ(path, map[string]any{operator: arg}, got)
	default:
		return fmt.Sprintf("%s: unknown matcher %s", path, operator)
	}
}

func matchObject(want map[string]any, got any, path string, exact bool) string {
	g, ok := got.(map[string]any)
	if !ok {
		return differ(path, want, got)
	}
	for _, key := range sortedKeys(want) {
		value, present := g[key]
		switch {
		case want[key] == "$absent":
			if present {
				return fmt.Sprintf("%s.%s: want absent, got %s", path, key, show(value))
			}
			continue
		case !present:
			return fmt.Sprintf("%s.%s: want %s, got nothing in %s", path, key, show(want[key]), show(got))
		}
		w := want[key]
		if set, ok := w.([]any); ok && (key == "SS" || key == "NS" || key == "BS") {
			w = map[string]any{"$unordered": set}
		}
		if diff := match(w, value, path+"."+key); diff != "" {
			return diff
		}
	}
	if exact {
		for _, key := range sortedKeys(g) {
			if _, expected := want[key]; !expected {
				return fmt.Sprintf("%s.%s: not expected, got %s", path, key, show(g[key]))
			}
		}
	}
	return ""
}

func matchArray(want []any, got any, path string) string {
	g, ok := got.([]any)
	if !ok || len(g) != len(want) {
		return differ(path, want, got)
	}
	for i := range want {
		if diff := match(want[i], g[i], fmt.Sprintf("%s[%d]", path, i)); diff != "" {
			return diff
		}
	}
	return ""
}

// matchUnordered pairs every expected element with a different element of the answer. It is greedy: an element
// that several expectations match goes to the first of them, so scenarios state elements that differ.
func matchUnordered(want []any, got any, path string) string {
	g, ok := got.([]any)
	if !ok || len(g) != len(want) {
		return differ(path, map[string]any{"$unordered": want}, got)
	}
	rest := slices.Clone(g)
	for _, w := range want {
		i := slices.IndexFunc(rest, func(e any) bool { return match(w, e, path) == "" })
		if i < 0 {
			return fmt.Sprintf("%s: no element is %s, elements left: %s", path, show(w), show(rest))
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return ""
}

func differ(path string, want, got any) string {
	return fmt.Sprintf("%s:\n  want %s\n  got  %s", path, show(want), show(got))
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if s := string(b); len(s) > 2000 {
		return s[:2000] + "…"
	}
	return string(b)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// TestMatch checks the checker: what must match does, what must be rejected is.
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name, want, got string
		matches         bool
	}{
		{"equal", `{"a":[1,"x",true,null]}`, `{"a":[1,"x",true,null]}`, true},
		{"other value", `{"a":1}`, `{"a":2}`, false},
		{"other type", `{"a":"1"}`, `{"a":1}`, false},
		{"member not expected", `{}`, `{"a":1}`, false},
		{"member missing", `{"a":1}`, `{}`, false},
		{"object for array", `{"a":[]}`, `{"a":{}}`, false},
		{"array order", `[1,2]`, `[2,1]`, false},
		{"array length", `[1]`, `[1,1]`, false},
		{"any", `{"a":"$any"}`, `{"a":{"b":1}}`, true},
		{"any but missing", `{"a":"$any"}`, `{}`, false},
		{"any but null", `{"a":"$any"}`, `{"a":null}`, false},
		{"absent", `{"a":"$absent"}`, `{}`, true},
		{"absent but there", `{"a":"$absent"}`, `{"a":1}`, false},
		{"expression", `"$re:a+"`, `"aa"`, true},
		{"expression matches a part only", `"$re:a+"`, `"aab"`, false},
		{"expression and alternatives", `"$re:a|b"`, `"bc"`, false},
		{"expression on a number", `"$re:1"`, `1`, false},
		{"subset", `{"$subset":{"a":1}}`, `{"a":1,"b":2}`, true},
		{"subset with other value", `{"$subset":{"a":1}}`, `{"a":2}`, false},
		{"subset is not deep", `{"$subset":{"a":{}}}`, `{"a":{"b":1}}`, false},
		{"subset with absent", `{"$subset":{"a":"$absent"}}`, `{"b":1}`, true},
		{"unordered", `{"$unordered":[1,2,2]}`, `[2,1,2]`, true},
		{"unordered counts", `{"$unordered":[1,2,2]}`, `[1,1,2]`, false},
		{"unordered length", `{"$unordered":[1]}`, `[1,1]`, false},
		{"set", `{"SS":["a","b"]}`, `{"SS":["b","a"]}`, true},
		{"list is no set", `{"L":["a","b"]}`, `{"L":["b","a"]}`, false},
		{"length", `{"$length":2}`, `[1,2]`, true},
		{"other length", `{"$length":2}`, `[1]`, false},
		{"one of", `{"$oneOf":["a","b"]}`, `"b"`, true},
		{"none of", `{"$oneOf":["a","b"]}`, `"c"`, false},
		{"unknown matcher", `{"$maybe":1}`, `1`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want, got any
			require.NoError(t, json.Unmarshal([]byte(c.want), &want))
			require.NoError(t, json.Unmarshal([]byte(c.got), &got))
			require.Equal(t, c.matches, match(want, got, "answer") == "")
		})
	}
}
