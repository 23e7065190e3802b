package server

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestChargedIsConsumed makes requests of all kinds while the clock stands still,
// and compares what the answers say that they consumed with what is missing in the
// buckets.
func TestChargedIsConsumed(t *testing.T) {
	table := 0
	client, clock := newThrottledClient(t)
	rapid.Check(t, func(rt *rapid.T) {
		table++
		name := fmt.Sprintf("tab%d", table)
		// With 500 units a second half a unit is worth a millisecond: nothing is rounded.
		throughput := `{"ReadCapacityUnits":500,"WriteCapacityUnits":500}`
		client.must("CreateTable", fmt.Sprintf(`{"TableName":%q,"ProvisionedThroughput":%s,
			"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
			"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},{"AttributeName":"a","AttributeType":"S"}],
			"LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"a","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
			"GlobalSecondaryIndexes":[{"IndexName":"global","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["b"]},"ProvisionedThroughput":%s}]}`,
			name, throughput, throughput))

		clear(client.server.throttle.full)
		consumed := map[string]float64{}
		for range rapid.IntRange(1, 30).Draw(rt, "requests") {
			operation, body, what := drawRequest(rt, name)
			status, answer := client.send(operation, body)
			require.Equal(rt, http.StatusOK, status, "%s %s\n%s", operation, body, answer)
			for _, c := range capacities(rt, answer) {
				consumed["table "+what] += c.Table.CapacityUnits + c.LocalSecondaryIndexes["local"].CapacityUnits
				consumed["global "+what] += c.GlobalSecondaryIndexes["global"].CapacityUnits
			}
		}

		now := time.Unix(0, clock.Load())
		charged := map[string]float64{}
		for key, full := range client.server.throttle.full {
			resource, what := "table", "read"
			if key.index != 0 {
				resource = "global"
			}
			if key.write {
				what = "write"
			}
			if !key.keyed {
				charged[resource+" "+what] = full.Sub(now).Seconds() * 500
			}
		}
		for _, bucket := range []string{"table read", "table write", "global read", "global write"} {
			require.InDelta(rt, consumed[bucket], charged[bucket], 1e-9, bucket)
		}
	})
}

// drawRequest draws a request without conditions, whose answer tells its capacity,
// and whether it reads or writes.
func drawRequest(t *rapid.T, table string) (operation, body, what string) {
	text := func(label string, values ...string) string {
		return `{"S":"` + expandRuns(rapid.SampledFrom(values).Draw(t, label)) + `"}`
	}
	key := func() string {
		return `"pk":` + text("pk", "1", "2", "3", "4") + `,"sk":` + text("sk", "1", "2", "3")
	}
	item := func() string {
		attributes := key()
		for _, name := range []string{"a", "b", "c"} {
			if rapid.Bool().Draw(t, name+"?") {
				attributes += `,"` + name + `":` + text(name, "x", "y", "${x*500}", "${y*900}")
			}
		}
		return attributes
	}
	const capacity = `"ReturnConsumedCapacity":"INDEXES"`
	strong := fmt.Sprintf(`"ConsistentRead":%t`, rapid.Bool().Draw(t, "strong"))
	switch operation = rapid.SampledFrom([]string{
		"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement",
		"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems",
	}).Draw(t, "operation"); operation {
	case "PutItem":
		return operation, fmt.Sprintf(`{"TableName":%q,"Item":{%s},%s}`, table, item(), capacity), "write"
	case "UpdateItem":
		update := rapid.SampledFrom([]string{"SET a = :v", "SET b = :v", "SET c = :v"}).Draw(t, "update")
		return operation, fmt.Sprintf(`{"TableName":%q,"Key":{%s},"UpdateExpression":%q,"ExpressionAttributeValues":{":v":%s},%s}`,
			table, key(), update, text("v", "x", "y", "${x*1000}"), capacity), "write"
	case "DeleteItem":
		return operation, fmt.Sprintf(`{"TableName":%q,"Key":{%s},%s}`, table, key(), capacity), "write"
	case "BatchWriteItem":
		return operation, fmt.Sprintf(`{"RequestItems":{%q:[{"PutRequest":{"Item":{"pk":{"S":"batch"},%s}}},{"DeleteRequest":{"Key":{%s}}}]},%s}`,
			table, item()[len(`"pk":{"S":"1"},`):], key(), capacity), "write"
	case "TransactWriteItems":
		return operation, fmt.Sprintf(`{"TransactItems":[{"Put":{"TableName":%q,"Item":{"pk":{"S":"transaction"},%s}}},{"Delete":{"TableName":%q,"Key":{%s}}},{"ConditionCheck":{"TableName":%q,"Key":{"pk":{"S":"absent"},"sk":{"S":"1"}},"ConditionExpression":"attribute_not_exists(pk)"}}],%s}`,
			table, item()[len(`"pk":{"S":"1"},`):], table, key(), table, capacity), "write"
	case "ExecuteStatement":
		if rapid.Bool().Draw(t, "select") {
			from := rapid.SampledFrom([]string{`"%s"`, `"%s"."local"`}).Draw(t, "from")
			return operation, fmt.Sprintf(`{"Statement":%q,%s,%s}`, fmt.Sprintf("SELECT * FROM "+from+" WHERE pk IN ['1', '2']", table), strong, capacity), "read"
		}
		return operation, fmt.Sprintf(`{"Statement":%q,%s}`, "DELETE FROM "+table+" WHERE pk = '1' AND sk = '1'", capacity), "write"
	case "GetItem":
		return operation, fmt.Sprintf(`{"TableName":%q,"Key":{%s},%s,%s}`, table, key(), strong, capacity), "read"
	case "Query":
		switch rapid.SampledFrom([]string{"table", "local", "global"}).Draw(t, "index") {
		case "local":
			return operation, fmt.Sprintf(`{"TableName":%q,"IndexName":"local","Select":"ALL_ATTRIBUTES","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"1"}},%s,%s}`, table, strong, capacity), "read"
		case "global":
			return operation, fmt.Sprintf(`{"TableName":%q,"IndexName":"global","KeyConditionExpression":"a = :p","ExpressionAttributeValues":{":p":{"S":"x"}},%s}`, table, capacity), "read"
		}
		return operation, fmt.Sprintf(`{"TableName":%q,"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"1"}},%s,%s}`, table, strong, capacity), "read"
	case "Scan":
		return operation, fmt.Sprintf(`{"TableName":%q,%s,%s}`, table, strong, capacity), "read"
	case "BatchGetItem":
		return operation, fmt.Sprintf(`{"RequestItems":{%q:{"Keys":[{%s},{"pk":{"S":"absent"},"sk":{"S":"1"}}],%s}},%s}`, table, key(), strong, capacity), "read"
	}
	return operation, fmt.Sprintf(`{"TransactItems":[{"Get":{"TableName":%q,"Key":{%s}}},{"Get":{"TableName":%q,"Key":{"pk":{"S":"absent"},"sk":{"S":"1"}}}}],%s}`,
		table, key(), table, capacity), "read"
}

type unitsAnswer struct{ CapacityUnits float64 }

type capacityAnswer struct {
	Table                  unitsAnswer
	LocalSecondaryIndexes  map[string]unitsAnswer
	GlobalSecondaryIndexes map[string]unitsAnswer
}

// capacities reads ConsumedCapacity, which is an object or a list.
func capacities(t *rapid.T, answer string) []capacityAnswer {
	var list struct{ ConsumedCapacity []capacityAnswer }
	if json.Unmarshal([]byte(answer), &list) == nil {
		return list.ConsumedCapacity
	}
	var one struct{ ConsumedCapacity capacityAnswer }
	require.NoError(t, json.Unmarshal([]byte(answer), &one), answer)
	return []capacityAnswer{one.ConsumedCapacity}
}
