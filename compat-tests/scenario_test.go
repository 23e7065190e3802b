package compat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// topic is one file of scenarios/: tables with their items, and the scenarios that use them. The scenarios of a
// topic run in order; one whose items another changes says so by its place.
type topic struct {
	// Tables are CreateTable inputs. Every client creates them before the first scenario and deletes them after
	// the last.
	Tables []map[string]any `json:"tables"`
	// Items is what the tables hold at the start, by table name, written with BatchWriteItem.
	Items     map[string][]map[string]any `json:"items"`
	Scenarios []scenario                  `json:"scenarios"`
}

// scenario is one behaviour, shown in a few calls.
type scenario struct {
	Name string `json:"name"`
	// Except names clients that cannot express the scenario, with the reason.
	Except map[string]string `json:"except"`
	Steps  []step            `json:"steps"`
}

// step is one call with its answer. Exactly one of Call, Pages and Wait is set.
type step struct {
	// Call is the operation to call once.
	Call string `json:"call"`
	// Pages is the operation whose pages the client's paginator fetches.
	Pages string `json:"pages"`
	// Wait is the waiter to wait with: TableExists or TableNotExists.
	Wait  string         `json:"wait"`
	Input map[string]any `json:"input"`

	// Expect is compared with the whole output of a call; absent means that only success counts.
	Expect any `json:"expect"`
	// Error is the error the call must end with.
	Error *stepError `json:"error"`
	// Items and PageCount are compared with the concatenated items and the number of the pages.
	Items     any `json:"items"`
	PageCount int `json:"pageCount"`

	// Save keeps parts of the output as variables for the later steps: name to dotted path.
	Save map[string]string `json:"save"`
	// Eventually repeats a call until its answer matches, for what the service does in its own time.
	Eventually bool `json:"eventually"`
}

type stepError struct {
	Type    string `json:"type"`
	Message any    `json:"message"`
	// Item is the item a failed condition returns.
	Item any `json:"item"`
	// Reasons are the CancellationReasons of a transaction.
	Reasons any `json:"reasons"`
}

// eventuallyTimeout is how long a step marked eventually is repeated.
const eventuallyTimeout = 20 * time.Second

// loadTopics reads every scenario file, by topic name.
func loadTopics(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("scenarios/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	topics := map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		topics[strings.TrimSuffix(filepath.Base(file), ".json")] = data
	}
	return topics
}

// parseTopic decodes a scenario file for one client: ${p} becomes the client's table name prefix, and the two
// short forms of large values are written out.
func parseTopic(t *testing.T, data []byte, prefix string) topic {
	t.Helper()
	var raw any
	require.NoError(t, json.Unmarshal(bytes.ReplaceAll(data, []byte("${p}"), []byte(prefix)), &raw))
	expanded, err := json.Marshal(expand(raw))
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(expanded))
	d.DisallowUnknownFields()
	var parsed topic
	require.NoError(t, d.Decode(&parsed), "a member no field stands for is a mistake in the file")
	return parsed
}

// expand replaces {"$repeat":[text,n]} by n times the text and {"$nest":[n,value]} by the value inside n lists.
func expand(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = expand(v[i])
		}
	case map[string]any:
		if arg, ok := v["$repeat"].([]any); ok {
			return strings.Repeat(arg[0].(string), int(arg[1].(float64)))
		}
		if arg, ok := v["$nest"].([]any); ok {
			nested := arg[1]
			for range int(arg[0].(float64)) {
				nested = map[string]any{"L": []any{nested}}
			}
			return nested
		}
		for key := range v {
			v[key] = expand(v[key])
		}
	}
	return v
}

// runTopic creates the topic's tables with the client, runs its scenarios as subtests and removes the tables.
func runTopic(t *testing.T, client string, d driver, tp topic) {
	// Without its tables no scenario means anything, so setup failures end the topic.
	for _, table := range tp.Tables {
		name := map[string]any{"TableName": table["TableName"]}
		t.Cleanup(func() { _, _ = d.do(request{Do: "call", Operation: "DeleteTable", Input: name}) })
		require.NoError(t, call(d, "CreateTable", table))
		_, err := d.do(request{Do: "wait", Waiter: "TableExists", Input: name})
		require.NoError(t, err)
	}
	for table, items := range tp.Items {
		require.NoError(t, load(d, table, items))
	}
	for _, s := range tp.Scenarios {
		t.Run(s.Name, func(t *testing.T) {
			if reason, ok := s.Except[client]; ok {
				t.Skip(reason)
			}
			variables := map[string]string{}
			for i, st := range s.Steps {
				if diff := runStep(d, st, client, variables); diff != "" {
					t.Fatalf("step %d, %s %s:\n%s", i+1, st.Call+st.Pages+st.Wait, show(st.Input), diff)
				}
			}
		})
	}
}

// load writes items with BatchWriteItem, in the batches of 25 the API allows.
func load(d driver, table string, items []map[string]any) error {
	for start := 0; start < len(items); start += 25 {
		var requests []any
		for _, item := range items[start:min(start+25, len(items))] {
			requests = append(requests, map[string]any{"PutRequest": map[string]any{"Item": item}})
		}
		input := map[string]any{"RequestItems": map[string]any{table: requests}}
		if err := call(d, "BatchWriteItem", input); err != nil {
			return err
		}
	}
	return nil
}

// call makes one call that must succeed.
func call(d driver, operation string, input map[string]any) error {
	r, err := d.do(request{Do: "call", Operation: operation, Input: input})
	if err == nil && r.Error != nil {
		err = fmt.Errorf("%s: %s: %s", operation, r.Error.Type, r.Error.Message)
	}
	return err
}

// runStep executes one step and reports how its answer differs from what is expected, "" when it does not.
func runStep(d driver, st step, client string, variables map[string]string) string {
	st = substitute(st, variables)
	attempt := func() (response, string) {
		r, err := d.do(request{
			Do: st.verb(), Operation: st.Call + st.Pages, Waiter: st.Wait, Input: st.Input,
		})
		if err != nil {
			return r, err.Error()
		}
		return r, check(st, r, client)
	}
	r, diff := attempt()
	if st.Eventually {
		deadline := time.After(eventuallyTimeout)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for diff != "" {
			select {
			case <-tick.C:
				r, diff = attempt()
				continue
			case <-deadline:
			}
			break
		}
	}
	if diff != "" {
		return diff
	}
	for name, path := range st.Save {
		value, err := lookup(r.Output, path)
		if err != nil {
			return err.Error()
		}
		variables[name] = value
	}
	return ""
}

func (st step) verb() string {
	switch {
	case st.Pages != "":
		return "pages"
	case st.Wait != "":
		return "wait"
	default:
		return "call"
	}
}

// check compares one answer with the step's expectation.
func check(st step, r response, client string) string {
	if st.Error != nil {
		if r.Error == nil {
			return differ("error", st.Error, r.Output)
		}
		return checkError(st.Error, r.Error)
	}
	if r.Error != nil {
		return differ("output", st.Expect, r.Error)
	}
	if st.Pages != "" {
		return checkPages(st, r.Pages, client)
	}
	if st.Expect == nil {
		return ""
	}
	return match(st.Expect, r.Output, "output")
}

func checkError(want *stepError, got *answerError) string {
	if got.Type != want.Type {
		return differ("error type", want, got)
	}
	if diff := match(want.Message, got.Message, "error message"); diff != "" {
		return diff
	}
	if want.Item != nil {
		return match(want.Item, got.Item, "error item")
	}
	if want.Reasons != nil {
		return match(want.Reasons, got.Reasons, "cancellation reasons")
	}
	return ""
}

// listMember is the member of each paginated operation's output that the pages concatenate.
var listMember = map[string]string{"Query": "Items", "Scan": "Items", "ListTables": "TableNames"}

func checkPages(st step, pages []any, client string) string {
	items := []any{}
	for _, page := range pages {
		list, _ := page.(map[string]any)[listMember[st.Pages]].([]any)
		items = append(items, list...)
	}
	if diff := match(st.Items, items, "items"); diff != "" {
		return diff
	}
	// The CLI prints all pages as one document.
	if st.PageCount != 0 && client != "awscli" && len(pages) != st.PageCount {
		return fmt.Sprintf("want %d pages, got %d: %s", st.PageCount, len(pages), show(pages))
	}
	return ""
}

// substitute replaces ${name} by the variables saved so far.
func substitute(st step, variables map[string]string) step {
	if len(variables) == 0 {
		return st
	}
	st.Input, _ = replaceStrings(st.Input, variables).(map[string]any)
	st.Expect = replaceStrings(st.Expect, variables)
	if st.Error != nil {
		e := *st.Error
		e.Message = replaceStrings(e.Message, variables)
		st.Error = &e
	}
	return st
}

func replaceStrings(v any, variables map[string]string) any {
	switch v := v.(type) {
	case string:
		for name, value := range variables {
			v = strings.ReplaceAll(v, "${"+name+"}", value)
		}
		return v
	case []any:
		replaced := make([]any, len(v))
		for i := range v {
			replaced[i] = replaceStrings(v[i], variables)
		}
		return replaced
	case map[string]any:
		replaced := maps.Clone(v)
		for key := range v {
			replaced[key] = replaceStrings(v[key], variables)
		}
		return replaced
	default:
		return v
	}
}

// lookup is the string at a dotted path of an output; elements of arrays are numbered.
func lookup(output any, path string) (string, error) {
	for name := range strings.SplitSeq(path, ".") {
		switch holder := output.(type) {
		case map[string]any:
			output = holder[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(holder) {
				return "", errors.New("no such element to save at " + path)
			}
			output = holder[i]
		default:
			return "", errors.New("nothing to save at " + path)
		}
	}
	s, ok := output.(string)
	if !ok {
		return "", errors.New("no string to save at " + path)
	}
	return s, nil
}
