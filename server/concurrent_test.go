package server

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Updates of one item neither lose each other nor see half of each other, and of
// several conditional puts exactly one succeeds.
func TestConcurrentWritesOfOneItem(t *testing.T) {
	client := newTestClient(t)
	client.must("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`)
	const writers, rounds = 16, 25
	created := make([]int, writers)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			status, _ := client.send("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"once"}},"ConditionExpression":"attribute_not_exists(pk)"}`)
			if status == http.StatusOK {
				created[w]++
			}
			for range rounds {
				status, answer := client.send("UpdateItem", `{"TableName":"tab","Key":{"pk":{"S":"n"}},"UpdateExpression":"ADD a :one SET b = if_not_exists(b, :zero) + :one","ExpressionAttributeValues":{":one":{"N":"1"},":zero":{"N":"0"}},"ReturnValues":"ALL_NEW"}`)
				a, b := number(answer, `"a":{"N":"`), number(answer, `"b":{"N":"`)
				if status != http.StatusOK || a != b || a == "" {
					t.Errorf("status %d, %s", status, answer)
				}
				client.send("GetItem", `{"TableName":"tab","Key":{"pk":{"S":"n"}}}`)
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range created {
		sum += n
	}
	require.Equal(t, 1, sum)
	_, answer := client.send("GetItem", `{"TableName":"tab","Key":{"pk":{"S":"n"}}}`)
	require.Equal(t, `{"Item":{"a":{"N":"400"},"b":{"N":"400"},"pk":{"S":"n"}}}`, answer)
}

// number cuts the digits behind prefix out of an answer.
func number(answer, prefix string) string {
	_, rest, _ := strings.Cut(answer, prefix)
	digits, _, _ := strings.Cut(rest, `"`)
	return digits
}
