package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

// TestPartiQL runs the scripts in testdata/partiql, each against a server of its
// own. Beside the commands of TestItems there are
//
//	run [limit=n] [next] [strong] [capacity=INDEXES] [old]
//	batch [capacity=TOTAL]
//	transaction [token=t] [capacity=TOTAL]
//
// for ExecuteStatement, BatchExecuteStatement and ExecuteTransaction. Every line of
// the input is a statement, or, after "? ", a parameter of the statement before it,
// or, after "+ ", its continuation. "next" sends the NextToken of the answer before;
// "strong" sets ConsistentRead, "old" ReturnValuesOnConditionCheckFailure. In
// answers a NextToken is shown as such, not what it is.
func TestPartiQL(t *testing.T) {
	datadriven.Walk(t, "testdata/partiql", func(t *testing.T, path string) {
		script := partiqlScript{client: newTestClient(t)}
		datadriven.RunTest(t, path, script.run)
	})
}

type partiqlScript struct {
	client *testClient
	token  string // the NextToken of the last answer
}

func (s *partiqlScript) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "table":
		return s.client.script("CreateTable", tableRequest(t, d), "created")
	case "run":
		request := scriptStatements(t, d)[0]
		if d.HasArg("next") {
			request["NextToken"] = s.token
		}
		return s.send(t, d, "ExecuteStatement", request)
	case "batch":
		return s.send(t, d, "BatchExecuteStatement", map[string]any{"Statements": scriptStatements(t, d)})
	case "transaction":
		return s.send(t, d, "ExecuteTransaction", map[string]any{"TransactStatements": scriptStatements(t, d)})
	}
	return s.client.script(d.Cmd, expandRuns(d.Input), "")
}

// scriptStatements reads the statements of a command.
func scriptStatements(t *testing.T, d *datadriven.TestData) []map[string]any {
	var statements []map[string]any
	for line := range strings.Lines(expandRuns(d.Input)) {
		line = strings.TrimSuffix(line, "\n")
		if parameter, found := strings.CutPrefix(line, "? "); found {
			last := statements[len(statements)-1]
			list, _ := last["Parameters"].([]jsontext.Value)
			last["Parameters"] = append(list, jsontext.Value(parameter))
			continue
		}
		if more, found := strings.CutPrefix(line, "+ "); found {
			last := statements[len(statements)-1]
			last["Statement"] = last["Statement"].(string) + "\n" + more
			continue
		}
		statement := map[string]any{"Statement": line}
		if d.HasArg("strong") {
			statement["ConsistentRead"] = true
		}
		if d.HasArg("old") {
			statement["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
		}
		statements = append(statements, statement)
	}
	require.NotEmpty(t, statements)
	return statements
}

func (s *partiqlScript) send(t *testing.T, d *datadriven.TestData, operation string, request map[string]any) string {
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "limit":
			request["Limit"] = jsontext.Value(arg.Vals[0])
		case "capacity":
			request["ReturnConsumedCapacity"] = arg.Vals[0]
		case "token":
			request["ClientRequestToken"] = arg.Vals[0]
		}
	}
	body, err := json.Marshal(request)
	require.NoError(t, err)
	status, answer := s.client.send(operation, string(body))
	if status != http.StatusOK {
		return s.client.script(operation, string(body), "")
	}
	var members struct {
		NextToken string
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &members))
	if members.NextToken != "" {
		s.token = members.NextToken
		answer = strings.ReplaceAll(answer, `"`+s.token+`"`, "token")
	}
	return collapseRuns(answer)
}
