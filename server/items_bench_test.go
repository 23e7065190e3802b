package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkItems measures the hot operations from the handler down, without the
// network: items of about 250 bytes in memory, from all cores.
func BenchmarkItems(b *testing.B) {
	s, err := Open(Options{InMemory: true})
	require.NoError(b, err)
	defer s.Close()
	send := func(operation, body string) int {
		w := discard{header: http.Header{}}
		s.ServeHTTP(&w, request(operation, strings.NewReader(body)))
		return w.code
	}
	require.Equal(b, http.StatusOK, send("CreateTable", `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}`))
	const collections = 1000
	put := func(n uint64) string {
		return fmt.Sprintf(`{"TableName":"tab","Item":{"pk":{"S":"customer-%d"},"sk":{"N":"%d"},"name":{"S":"Ada Lovelace"},"city":{"S":"London"},"score":{"N":"4711.5"},"tags":{"SS":["a","b","c"]},"address":{"M":{"street":{"S":"St James's Square"},"no":{"N":"12"}}},"note":{"S":"%s"}}}`,
			n%collections, n/collections%10, strings.Repeat("n", 120))
	}
	for n := range uint64(collections * 10) {
		require.Equal(b, http.StatusOK, send("PutItem", put(n)))
	}
	key := func(n uint64) string {
		return fmt.Sprintf(`"TableName":"tab","Key":{"pk":{"S":"customer-%d"},"sk":{"N":"%d"}}`, n%collections, n/collections%10)
	}
	for _, bench := range []struct {
		operation string
		body      func(n uint64) string
	}{
		{"PutItem", put},
		{"GetItem", func(n uint64) string { return `{` + key(n) + `}` }},
		{"UpdateItem", func(n uint64) string {
			return `{` + key(n) + `,"UpdateExpression":"SET score = score + :one","ConditionExpression":"attribute_exists(pk)","ExpressionAttributeValues":{":one":{"N":"1"}}}`
		}},
		{"Query", func(n uint64) string {
			return fmt.Sprintf(`{"TableName":"tab","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"customer-%d"}}}`, n%collections)
		}},
	} {
		b.Run(bench.operation, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			var count atomic.Uint64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if status := send(bench.operation, bench.body(count.Add(7919))); status != http.StatusOK {
						b.Errorf("status %d", status)
					}
				}
			})
		})
	}
}
