package server

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
)

// scriptTime is what the clock shows in scripts.
var scriptTime = time.Date(2026, 10, 1, 12, 0, 0, 500e6, time.UTC)

// TestTables runs the scripts in testdata/tables, each against a server of its own;
// those named local_* against one with DynamoDB Local's manners. The command is the
// operation, its input the request, its output the response, or exception and
// message. Two commands are not operations:
//
//   - "advance d" moves the clock;
//   - "settle table" waits until no index of the table is under way.
//
// With show=(A,B) the output is these members of a table description, one a line.
// In a request, ${x*300} stands for 300 times x. Random ids come back as UUID.
func TestTables(t *testing.T) {
	datadriven.Walk(t, "testdata/tables", func(t *testing.T, path string) {
		var clock atomic.Int64
		clock.Store(scriptTime.UnixMilli())
		s, err := open(Options{InMemory: true, Shards: 2, Local: strings.Contains(path, "/local_")},
			func() time.Time { return time.UnixMilli(clock.Load()) })
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		client := &testClient{t, s}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "advance":
				step, err := time.ParseDuration(d.CmdArgs[0].Key)
				require.NoError(t, err)
				clock.Add(step.Milliseconds())
				return ""
			case "settle":
				settle(t, s, d.CmdArgs[0].Key)
				return ""
			}
			var show []string
			for _, arg := range d.CmdArgs {
				if arg.Key == "show" {
					show = arg.Vals
				}
			}
			return tableAnswer(t, client, d.Cmd, expandRuns(d.Input), show)
		})
	})
}

// settle waits until every index of the table is ACTIVE.
func settle(t *testing.T, s *Server, name string) {
	require.Eventually(t, func() bool {
		table, err := s.db.Table(partition.Namespace{Account: "test", Region: "us-east-1"}, name)
		require.NoError(t, err)
		for _, ix := range table.Global {
			if ix.Status != partition.IndexActive {
				return false
			}
		}
		return table.Status == partition.TableActive
	}, 10*time.Second, time.Millisecond)
}

var tableID = regexp.MustCompile(`"TableId":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"`)

// tableAnswer sends a request and prints the answer for a script.
func tableAnswer(t *testing.T, client *testClient, operation, body string, show []string) string {
	status, answer := client.send(operation, body)
	if status != http.StatusOK {
		return failure(t, status, answer)
	}
	if answer == "" {
		return "(empty)"
	}
	answer = tableID.ReplaceAllString(answer, `"TableId":"UUID"`)
	if show != nil {
		return members(t, answer, show)
	}
	text := jsontext.Value(answer)
	require.NoError(t, text.Indent(jsontext.WithIndent("  ")))
	return collapseRuns(string(text))
}

// members prints some members of the table description in the answer.
func members(t *testing.T, answer string, names []string) string {
	var outer map[string]map[string]jsontext.Value
	require.NoError(t, json.Unmarshal([]byte(answer), &outer))
	var b strings.Builder
	for _, description := range outer {
		for _, name := range names {
			value := "absent"
			if v, ok := description[name]; ok {
				value = string(v)
			}
			b.WriteString(name + ": " + value + "\n")
		}
	}
	return b.String()
}

// failure prints an error answer: exception and message, and the status if it is
// not 400.
func failure(t *testing.T, status int, answer string) string {
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message,case:ignore"`
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &e))
	_, name, _ := strings.Cut(e.Type, "#")
	text := name + ": " + e.Message
	if status != http.StatusBadRequest {
		text = strconv.Itoa(status) + " " + text
	}
	return collapseRuns(text)
}
