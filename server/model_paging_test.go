package server_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/stator-db/stator/server"
)

// crowdRequest is a table whose indexes have few different keys. The table key is
// pk and sk, a number.
const crowdRequest = `{"TableName":"crowd","BillingMode":"PAY_PER_REQUEST",
	"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"b","AttributeType":"N"}],
	"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
	"LocalSecondaryIndexes":[{"IndexName":"local","Projection":{"ProjectionType":"KEYS_ONLY"},"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}]}],
	"GlobalSecondaryIndexes":[
		{"IndexName":"global","Projection":{"ProjectionType":"ALL"},"KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}]},
		{"IndexName":"flat","Projection":{"ProjectionType":"KEYS_ONLY"},"KeySchema":[{"AttributeName":"g","KeyType":"HASH"}]}]}`

// crowdItem is an item of that table; its index keys change with variant.
func crowdItem(pk, sk, variant int) object {
	return object{
		"pk": object{"S": fmt.Sprint("p", pk)}, "sk": object{"N": strconv.Itoa(sk)},
		"g": object{"S": fmt.Sprint("g", variant%2)}, "b": object{"N": strconv.Itoa(variant % 3)}, "v": object{"N": strconv.Itoa(variant)},
	}
}

// call makes a request that has to succeed.
func call(s *server.Server, operation string, request object) (answer object, err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	status, text := post(s, operation, body)
	if status != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %d %s", operation, body, status, text)
	}
	return answer, json.Unmarshal([]byte(text), &answer)
}

// disturb writes and deletes items of the partitions, with sort keys from the list
// and the odd one below, until done is closed. Transactions may get in each other's
// way.
func disturb(s *server.Server, seed uint64, partitions int, sortKeys []int, done <-chan struct{}) error {
	random := rand.New(rand.NewPCG(seed, seed))
	for {
		select {
		case <-done:
			return nil
		default:
		}
		it := crowdItem(random.IntN(partitions), sortKeys[random.IntN(len(sortKeys))], random.IntN(6))
		key := object{"pk": it["pk"], "sk": it["sk"]}
		var err error
		switch random.IntN(5) {
		case 0:
			_, err = call(s, "DeleteItem", object{"TableName": "crowd", "Key": key})
		case 1:
			_, err = call(s, "UpdateItem", object{"TableName": "crowd", "Key": key, "UpdateExpression": "SET b = :b REMOVE g ADD v :b",
				"ExpressionAttributeValues": object{":b": it["b"]}})
		case 2:
			_, err = call(s, "BatchWriteItem", object{"RequestItems": object{"crowd": []any{
				object{"PutRequest": object{"Item": it}},
				object{"DeleteRequest": object{"Key": object{"pk": it["pk"], "sk": object{"N": strconv.Itoa(sortKeys[0] - 2)}}}},
			}}})
		case 3:
			other := crowdItem(random.IntN(partitions), sortKeys[0]-2, random.IntN(6))
			_, err = call(s, "TransactWriteItems", object{"TransactItems": []any{
				object{"Put": object{"TableName": "crowd", "Item": it}},
				object{"Put": object{"TableName": "crowd", "Item": other}},
			}})
		default:
			_, err = call(s, "PutItem", object{"TableName": "crowd", "Item": it})
		}
		if err != nil && !strings.Contains(err.Error(), "TransactionConflict") {
			return err
		}
	}
}

// TestPagingUnderConcurrentWrites pages through table and indexes while items come
// and go around those that stay, also between items of the same index key. What
// stays is seen exactly once, and nothing is seen twice at its place.
func TestPagingUnderConcurrentWrites(t *testing.T) {
	const partitions, stable = 4, 40
	for _, shards := range []int{1, 3} {
		t.Run(fmt.Sprint("shards=", shards), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, err := server.Open(server.Options{DataDir: dir, Shards: shards})
			require.NoError(t, err)
			status, text := post(s, "CreateTable", []byte(crowdRequest))
			require.Equal(t, http.StatusOK, status, text)
			var passing []int // sort keys between those that stay
			for sk := range stable {
				passing = append(passing, 2*sk+1)
				for pk := range partitions {
					_, err := call(s, "PutItem", object{"TableName": "crowd", "Item": crowdItem(pk, 2*sk, pk+sk)})
					require.NoError(t, err)
				}
			}
			// want lists the items that stay and of which in says so.
			want := func(in func(pk, variant int) bool) (keys []string) {
				for pk := range partitions {
					for sk := range stable {
						if in(pk, pk+sk) {
							keys = append(keys, fmt.Sprintf("p%d %d", pk, 2*sk))
						}
					}
				}
				return keys
			}
			all := want(func(int, int) bool { return true })
			query := func(index, condition string, values object) object {
				request := object{"TableName": "crowd", "KeyConditionExpression": condition, "ExpressionAttributeValues": values}
				if index != "" {
					request["IndexName"] = index
				}
				return request
			}
			p1, g1, one := object{"S": "p1"}, object{"S": "g1"}, object{"N": "1"}

			done := make(chan struct{})
			var writers errgroup.Group
			for i := range 3 {
				writers.Go(func() error { return disturb(s, uint64(i), partitions, passing, done) })
			}
			for _, limit := range []int{1, 7, 50} {
				for name, test := range map[string]struct {
					operation string
					request   object
					want      []string
				}{
					"table": {"Query", query("", "pk = :p", object{":p": p1}),
						want(func(pk, _ int) bool { return pk == 1 })},
					"local": {"Query", query("local", "pk = :p", object{":p": p1}),
						want(func(pk, _ int) bool { return pk == 1 })},
					"local, equal keys": {"Query", query("local", "pk = :p AND b = :b", object{":p": p1, ":b": one}),
						want(func(pk, variant int) bool { return pk == 1 && variant%3 == 1 })},
					"global": {"Query", query("global", "g = :g", object{":g": g1}),
						want(func(_, variant int) bool { return variant%2 == 1 })},
					"global, equal keys": {"Query", query("global", "g = :g AND b = :b", object{":g": g1, ":b": one}),
						want(func(_, variant int) bool { return variant%2 == 1 && variant%3 == 1 })},
					"global without sort key": {"Query", query("flat", "g = :g", object{":g": g1}),
						want(func(_, variant int) bool { return variant%2 == 1 })},
					"scan":        {"Scan", object{"TableName": "crowd"}, all},
					"scan local":  {"Scan", object{"TableName": "crowd", "IndexName": "local"}, all},
					"scan global": {"Scan", object{"TableName": "crowd", "IndexName": "global"}, all},
				} {
					for _, forward := range []bool{true, false} {
						request := maps.Clone(test.request)
						request["Limit"] = limit
						if test.operation == "Query" {
							request["ScanIndexForward"] = forward
						}
						requireStable(t, s, test.operation, request, test.want, name)
					}
				}
			}
			close(done)
			require.NoError(t, writers.Wait())
			require.NoError(t, s.Close())
			verifyDirectory(t, dir)
		})
	}
}

// requireStable pages through a Query or Scan and wants every listed item once, and
// no position twice.
func requireStable(t *testing.T, s *server.Server, operation string, request object, want []string, name string) {
	t.Helper()
	var stable []string
	positions := map[string]bool{}
	for {
		answer, err := call(s, operation, request)
		require.NoError(t, err)
		for _, it := range members(answer, "Items") {
			sk, err := strconv.Atoi(it["sk"].(object)["N"].(string))
			require.NoError(t, err)
			key := fmt.Sprintf("%s %d", it["pk"].(object)["S"], sk)
			if sk%2 == 0 {
				stable = append(stable, key)
			}
			position := key
			if request["IndexName"] != nil {
				position += canonical([]any{it["g"], it["b"]})
			}
			require.False(t, positions[position] && request["IndexName"] != "flat", "%s: %s comes twice", name, position)
			positions[position] = true
		}
		if answer["LastEvaluatedKey"] == nil {
			break
		}
		request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
	}
	slices.Sort(want)
	slices.Sort(stable)
	require.Equal(t, want, stable, name)
}

// TestIndexesEqualRebuild has many writers fight over few items, while an index is
// added and another deleted. Afterwards a repair, which computes all indexes from
// the items, has nothing to change.
func TestIndexesEqualRebuild(t *testing.T) {
	for shards, consistency := range map[int]string{1: "sync", 3: "sync", 4: "eventual", 8: "sync"} {
		t.Run(fmt.Sprintf("shards=%d,%s", shards, consistency), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, err := server.Open(server.Options{DataDir: dir, Shards: shards, GSIConsistency: consistency})
			require.NoError(t, err)
			status, text := post(s, "CreateTable", []byte(crowdRequest))
			require.Equal(t, http.StatusOK, status, text)
			done := make(chan struct{})
			var writers errgroup.Group
			for i := range 6 {
				writers.Go(func() error { return disturb(s, uint64(shards*10+i), 5, []int{1, 3, 5, 7}, done) })
			}
			for _, change := range []object{
				{"Create": object{"IndexName": "late", "Projection": object{"ProjectionType": "ALL"}, "KeySchema": []any{
					object{"AttributeName": "g", "KeyType": "HASH"}, object{"AttributeName": "v", "KeyType": "RANGE"}}}},
				{"Delete": object{"IndexName": "flat"}},
			} {
				_, err := call(s, "UpdateTable", object{"TableName": "crowd", "GlobalSecondaryIndexUpdates": []any{change},
					"AttributeDefinitions": []any{object{"AttributeName": "g", "AttributeType": "S"}, object{"AttributeName": "v", "AttributeType": "N"}}})
				require.NoError(t, err)
				for waiting := true; waiting; {
					answer, err := call(s, "DescribeTable", object{"TableName": "crowd"})
					require.NoError(t, err)
					table := answer["Table"].(object)
					waiting = table["TableStatus"] != "ACTIVE" || slices.ContainsFunc(members(table, "GlobalSecondaryIndexes"),
						func(ix object) bool { return ix["IndexStatus"] != "ACTIVE" })
				}
				for range 200 {
					_, err := call(s, "Scan", object{"TableName": "crowd", "IndexName": "global"})
					require.NoError(t, err)
				}
			}
			close(done)
			require.NoError(t, writers.Wait())
			require.NoError(t, s.Close())
			verifyDirectory(t, dir)
		})
	}
}
