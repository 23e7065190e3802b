package server

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestSelectReads: however a SELECT is taken apart into reads, and whatever the
// size of its pages, it finds what the same condition finds in a scan, once.
func TestSelectReads(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"N"},{"AttributeName":"sk","AttributeType":"N"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}`)
	for i := range 48 {
		client.must("PutItem", fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"N":"%d"},"sk":{"N":"%d"},"x":{"N":"%d"}}}`, i%4, i/4, i%3))
	}
	rapid.Check(t, func(t *rapid.T) {
		where := drawCondition(t, 3)
		order := rapid.SampledFrom([]string{"", " ORDER BY pk DESC, sk ASC", " ORDER BY pk, sk DESC"}).Draw(t, "order")
		limit := rapid.IntRange(1, 12).Draw(t, "limit")

		found, ok := selectPages(t, client, "SELECT pk, sk FROM tab WHERE "+where+order, limit)
		if !ok {
			return // conditions that overlap, or an order that needs a key
		}
		scanned, ok := selectPages(t, client, "SELECT pk, sk FROM tab WHERE ("+where+") OR nothing = 1", limit)
		require.True(t, ok)
		if order != "" {
			descending := strings.Contains(order, "pk DESC")
			require.True(t, slices.IsSortedFunc(found, func(a, b selectedRow) int {
				if descending {
					return cmp.Or(b.pk-a.pk, a.sk-b.sk)
				}
				return cmp.Or(a.pk-b.pk, b.sk-a.sk)
			}), where)
		}
		inOrder := func(a, b selectedRow) int { return cmp.Or(a.pk-b.pk, a.sk-b.sk) }
		slices.SortFunc(scanned, inOrder)
		slices.SortFunc(found, inOrder)
		require.Equal(t, scanned, found, where)
	})
}

// drawCondition draws a condition on keys and another attribute.
func drawCondition(t *rapid.T, depth int) string {
	name := rapid.SampledFrom([]string{"pk", "pk", "sk", "x"}).Draw(t, "name")
	number := func() int { return rapid.IntRange(0, 12).Draw(t, "number") }
	kinds := 5
	if depth > 0 {
		kinds = 9
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0, 1:
		return fmt.Sprintf("%s = %d", name, number()%4)
	case 2:
		operator := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "<>"}).Draw(t, "operator")
		return fmt.Sprintf("%s %s %d", name, operator, number())
	case 3:
		return fmt.Sprintf("%s IN (%d, %d)", name, number(), number())
	case 4:
		low := number()
		return fmt.Sprintf("%s BETWEEN %d AND %d", name, low, low+number())
	case 5:
		return "NOT (" + drawCondition(t, depth-1) + ")"
	case 6, 7:
		return "(" + drawCondition(t, depth-1) + " AND " + drawCondition(t, depth-1) + ")"
	}
	return "(" + drawCondition(t, depth-1) + " OR " + drawCondition(t, depth-1) + ")"
}

type selectedRow struct{ pk, sk int }

// selectPages follows the NextToken of a SELECT to the end and returns the rows.
// ok is false if the statement is refused.
func selectPages(t *rapid.T, client *testClient, statement string, limit int) (rows []selectedRow, ok bool) {
	request := map[string]any{"Statement": statement, "Limit": limit}
	for {
		body, err := json.Marshal(request)
		require.NoError(t, err)
		status, answer := client.send("ExecuteStatement", string(body))
		if status == http.StatusBadRequest {
			require.Contains(t, answer, "ValidationException", statement)
			require.NotContains(t, request, "NextToken", answer)
			return nil, false
		}
		require.Equal(t, http.StatusOK, status, answer)
		var page struct {
			Items []struct {
				PK, SK struct {
					N int `json:",string"`
				}
			}
			NextToken string
		}
		require.NoError(t, json.Unmarshal([]byte(answer), &page, json.MatchCaseInsensitiveNames(true)))
		require.LessOrEqual(t, len(page.Items), limit)
		for _, it := range page.Items {
			rows = append(rows, selectedRow{it.PK.N, it.SK.N})
		}
		if page.NextToken == "" {
			return rows, true
		}
		request["NextToken"] = page.NextToken
	}
}
