package server

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

// TestDivergence compares the lists of DIVERGENCE.md with the API model and with
// what the server answers, so that neither a new model nor a new operation goes
// unmentioned.
func TestDivergence(t *testing.T) {
	text, err := os.ReadFile("DIVERGENCE.md")
	require.NoError(t, err)
	m := loadModel(t)
	unbuilt, rows := readDivergence(t, string(text))

	var operationsBuilt, operationsNot []string
	for _, op := range slices.Concat(operations, streamsOperations) {
		if op.serve == nil {
			operationsNot = append(operationsNot, op.name)
		} else {
			operationsBuilt = append(operationsBuilt, op.name)
		}
	}
	require.ElementsMatch(t, operationsNot, unbuilt)

	s := openTest(t, Options{})
	reached := map[string]bool{}
	for _, name := range operationsBuilt {
		row, listed := rows[name]
		require.True(t, listed, name)
		delete(rows, name)
		input := m.Operations[name].Input
		require.ElementsMatch(t, m.members(input), row.members(), name)
		for member, ref := range m.Shapes[input].Members {
			if !slices.Contains(row[3], member) {
				m.reach(ref.Shape, reached)
			}
		}
		for _, member := range row[3] {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, request(name, strings.NewReader(`{"TableName":"tbl",`+neededBy[name]+`"`+member+`":`+refusedValues[member]+`}`)))
			require.Equal(t, http.StatusBadRequest, w.Code, "%s.%s", name, member)
			require.JSONEq(t, `{"__type":"com.amazon.coral.validate#ValidationException","message":"`+member+
				` is not supported by this server"}`, w.Body.String(), name)
		}
	}
	for name := range reached {
		row, listed := rows[name]
		require.True(t, listed, name)
		delete(rows, name)
		require.ElementsMatch(t, m.members(name), row.members(), name)
	}
	require.Empty(t, rows, "listed, but no part of any request")
}

// neededBy are the members without which an operation does not get as far as to
// refuse others.
var neededBy = map[string]string{
	"CreateTable": `"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],` +
		`"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST",`,
}

// refusedValues are good values of members that are refused.
var refusedValues = map[string]string{
	"DisassociationProtectionEnabled":    `true`,
	"GlobalTableSettingsReplicationMode": `"ENABLED"`,
	"GlobalTableSourceArn":               `"arn:aws:dynamodb:us-east-1:111122223333:table/tbl"`,
	"GlobalTableWitnessUpdates":          `[{"Create":{"RegionName":"us-east-2"}}]`,
	"MultiRegionConsistency":             `"STRONG"`,
	"ReplicaUpdates":                     `[{"Create":{"RegionName":"us-east-2"}}]`,
	"ResourcePolicy":                     `"{}"`,
	"VectorIndexUpdates":                 `[]`,
	"VectorIndexes":                      `[]`,
}

// A divergenceRow is a row of the tables of members: cells of names. The last cell
// are members that an operation refuses.
type divergenceRow [4][]string

func (r *divergenceRow) members() []string { return slices.Concat(r[1:]...) }

// readDivergence returns the operations that are listed as missing, and the rows
// about members by operation and structure.
func readDivergence(t *testing.T, text string) (missing []string, rows map[string]divergenceRow) {
	_, section, found := strings.Cut(text, "## Operations that are not there")
	require.True(t, found)
	section, members, found := strings.Cut(section, "\n## ")
	require.True(t, found)
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| ") {
			for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(line, -1) {
				missing = append(missing, name[1])
			}
		}
	}
	_, members, found = strings.Cut(members, "## Members, one by one")
	require.True(t, found)
	rows = map[string]divergenceRow{}
	for line := range strings.Lines(members) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| ") || strings.Contains(line, "Acted on") {
			continue
		}
		require.Len(t, cells, 4, line)
		var row divergenceRow
		for i, cell := range cells {
			row[i] = strings.FieldsFunc(cell, func(r rune) bool { return r == ' ' || r == ',' })
		}
		require.Len(t, row[0], 1, line)
		require.NotContains(t, rows, row[0][0])
		rows[row[0][0]] = row
	}
	return missing, rows
}

// apiModel is what the test needs of the API models of both services.
type apiModel struct {
	Operations map[string]struct {
		Input string `json:"input"`
	} `json:"operations"`
	Shapes map[string]struct {
		Type    string              `json:"type"`
		Members map[string]shapeRef `json:"members"`
		Member  shapeRef            `json:"member"`
		Value   shapeRef            `json:"value"`
	} `json:"shapes"`
}

type shapeRef struct {
	Shape string `json:"shape"`
}

func loadModel(t *testing.T) *apiModel {
	m := &apiModel{}
	for _, file := range []string{"dynamodbstreams-2012-08-10.json", "dynamodb-2012-08-10.json"} {
		text, err := os.ReadFile(filepath.Join("internal", "api", "model", file))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, m)) // adds to the maps
	}
	return m
}

func (m *apiModel) members(structure string) []string {
	return slices.Collect(maps.Keys(m.Shapes[structure].Members))
}

// reach adds the structures that a shape consists of.
func (m *apiModel) reach(shape string, reached map[string]bool) {
	s := m.Shapes[shape]
	switch s.Type {
	case "list":
		m.reach(s.Member.Shape, reached)
	case "map":
		m.reach(s.Value.Shape, reached)
	case "structure":
		if reached[shape] {
			return
		}
		reached[shape] = true
		for _, member := range s.Members {
			m.reach(member.Shape, reached)
		}
	}
}

// TestNotBuilt asks in vain: each answer names the operation, the log only the first.
func TestNotBuilt(t *testing.T) {
	var log strings.Builder
	s := openTest(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 {
		for _, name := range []string{"CreateBackup", "SearchVectors"} {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, request(name, strings.NewReader(`{}`)))
			require.Equal(t, http.StatusBadRequest, w.Code)
			require.JSONEq(t, `{"__type":"com.amazon.coral.service#UnknownOperationException","message":"`+name+
				` is not supported by this server"}`, w.Body.String())
		}
	}
	require.Equal(t, 2, strings.Count(log.String(), "operation not supported"), log.String())
}
