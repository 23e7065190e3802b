package server

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

// TestItems runs the scripts in testdata/items, each against a server of its own.
//
// A script sends requests: the command is the operation, its input the request, its
// output the response, or exception and message. "table" creates a table:
//
//	table tab hash=pk:S range=sk:S
//	local byA range=a:S project=(INCLUDE:b,c)
//	global byG hash=(g:S,h:N) range=r:S project=KEYS_ONLY
//
// ${x*300} in a request stands for 300 times x, and comes back so in the output.
func TestItems(t *testing.T) {
	datadriven.Walk(t, "testdata/items", func(t *testing.T, path string) {
		client := newTestClient(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "table" {
				return client.script("CreateTable", tableRequest(t, d), "created")
			}
			return client.script(d.Cmd, expandRuns(d.Input), "")
		})
	})
}

// A testClient sends signed requests to a server in memory, which has two shards.
type testClient struct {
	t      testing.TB
	server *Server
}

func newTestClient(t testing.TB) *testClient {
	t.Helper()
	s, err := Open(Options{InMemory: true, Shards: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &testClient{t, s}
}

// send makes one request and returns status and body of the answer.
func (c *testClient) send(operation, body string) (int, string) {
	return as(c.server, "test", "us-east-1", operation, body)
}

// script is send with the answer as scripts show it; done, if given, stands for
// any success.
func (c *testClient) script(operation, body, done string) string {
	status, answer := c.send(operation, body)
	if status == http.StatusOK {
		require.True(c.t, json.Unmarshal([]byte(answer), new(any)) == nil, "no JSON: %s", answer)
		if done != "" {
			return done
		}
		return collapseRuns(answer)
	}
	var e map[string]any
	require.NoError(c.t, json.Unmarshal([]byte(answer), &e))
	_, name, _ := strings.Cut(e["__type"].(string), "#")
	text := fmt.Sprintf("%s: %v", name, e["message"])
	if e["message"] == nil {
		text = fmt.Sprintf("%s: %v", name, e["Message"])
	}
	delete(e, "__type")
	delete(e, "message")
	delete(e, "Message")
	if len(e) > 0 {
		extra, err := json.Marshal(e, json.Deterministic(true))
		require.NoError(c.t, err)
		text += "\n" + string(extra)
	}
	if status != http.StatusBadRequest {
		text = strconv.Itoa(status) + " " + text
	}
	return collapseRuns(text)
}

// must is send for requests that have to succeed; it decodes the answer.
func (c *testClient) must(operation, body string) map[string]any {
	c.t.Helper()
	status, answer := c.send(operation, body)
	require.Equal(c.t, http.StatusOK, status, answer)
	var m map[string]any
	require.NoError(c.t, json.Unmarshal([]byte(answer), &m))
	return m
}

var (
	shortRun = regexp.MustCompile(`\$\{(.)\*(\d+)\}`)
	longRun  = regexp.MustCompile(`a{60,}|x{60,}|y{60,}|z{60,}|A{60,}`)
)

func expandRuns(s string) string {
	return shortRun.ReplaceAllStringFunc(s, func(run string) string {
		m := shortRun.FindStringSubmatch(run)
		n, _ := strconv.Atoi(m[2])
		return strings.Repeat(m[1], n)
	})
}

func collapseRuns(s string) string {
	return longRun.ReplaceAllStringFunc(s, func(run string) string { return fmt.Sprintf("${%c*%d}", run[0], len(run)) })
}

// tableRequest builds the CreateTable request of a "table" command.
func tableRequest(t *testing.T, d *datadriven.TestData) string {
	type object = map[string]any
	definitions := map[string]string{}
	schema := func(args []datadriven.CmdArg) []object {
		var elements []object
		for _, kind := range []string{"hash", "range"} {
			for _, arg := range args {
				if arg.Key != kind {
					continue
				}
				for _, v := range arg.Vals {
					name, typ, _ := strings.Cut(v, ":")
					definitions[name] = typ
					elements = append(elements, object{"AttributeName": name, "KeyType": strings.ToUpper(kind)})
				}
			}
		}
		return elements
	}
	request := object{"TableName": d.CmdArgs[0].Key, "BillingMode": "PAY_PER_REQUEST", "KeySchema": schema(d.CmdArgs)}
	for line := range strings.Lines(d.Input) {
		kind, args, err := datadriven.ParseLine(strings.TrimSpace(line))
		require.NoError(t, err)
		ix := object{"IndexName": args[0].Key, "KeySchema": schema(args), "Projection": object{"ProjectionType": "ALL"}}
		for _, arg := range args {
			if arg.Key != "project" {
				continue
			}
			projection, names, include := strings.Cut(arg.Vals[0], ":")
			p := object{"ProjectionType": projection}
			if include {
				p["NonKeyAttributes"] = append([]string{names}, arg.Vals[1:]...)
			}
			ix["Projection"] = p
		}
		member := map[string]string{"local": "LocalSecondaryIndexes", "global": "GlobalSecondaryIndexes"}[kind]
		if kind == "local" {
			hash := schema(d.CmdArgs)[:1]
			ix["KeySchema"] = append(hash, ix["KeySchema"].([]object)...)
		}
		list, _ := request[member].([]object)
		request[member] = append(list, ix)
	}
	var attributes []object
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		attributes = append(attributes, object{"AttributeName": name, "AttributeType": definitions[name]})
	}
	request["AttributeDefinitions"] = attributes
	body, err := json.Marshal(request)
	require.NoError(t, err)
	return string(body)
}
