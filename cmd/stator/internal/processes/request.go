package processes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stator-db/stator/partition/lab"
)

// tableName is that of the table that experiments use.
const tableName = "lab"

// requestTimeout is how long a client waits for an answer.
const requestTimeout = 10 * time.Second

// maxAnswer bounds the answers of the servers.
const maxAnswer = 16 << 20

// object is JSON that is written.
type object = map[string]any

// apiError is an answer other than 200.
type apiError struct {
	status int
	kind   string // without its name space
	text   string
}

func (e *apiError) Error() string { return fmt.Sprintf("%s: %s", e.kind, e.text) }

// call has a node carry out an operation of the API.
func (c *Cluster) call(ctx context.Context, node int, operation string, in any, headers http.Header, out any) (http.Header, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.nodes[node].url(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range headers {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	request.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	// Signatures are not checked.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=lab/"+time.Now().UTC().Format("20060102")+
		"/local/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	// A request that was sent is never sent again by this client.
	request.GetBody = nil
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		var failed struct {
			Type string `json:"__type"`
			Text string `json:"message"`
		}
		_ = json.Unmarshal(answer, &failed) // an answer that is none has no type
		return nil, &apiError{response.StatusCode, failed.Type[strings.LastIndexByte(failed.Type, '#')+1:], failed.Text}
	}
	if out == nil {
		return response.Header, nil
	}
	return response.Header, json.Unmarshal(answer, out)
}

func (c *Cluster) createTable(ctx context.Context) error {
	attribute := func(name string) object { return object{"AttributeName": name, "AttributeType": "S"} }
	key := func(name string) []object { return []object{{"AttributeName": name, "KeyType": "HASH"}} }
	_, err := c.call(ctx, 0, "CreateTable", object{
		"TableName": tableName, "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []object{attribute("id"), attribute("tag")}, "KeySchema": key("id"),
		"GlobalSecondaryIndexes": []object{{
			"IndexName": "byTag", "KeySchema": key("tag"), "Projection": object{"ProjectionType": "ALL"},
		}},
	}, nil, nil)
	var failed *apiError
	if errors.As(err, &failed) && failed.kind == "ResourceInUseException" {
		return nil
	}
	return err
}

// stored is an item as the API has it.
type stored struct {
	Value struct{ N string } `json:"value"`
}

func (s *stored) value() int64 {
	if s == nil {
		return 0
	}
	v, _ := strconv.ParseInt(s.Value.N, 10, 64) // it was written here
	return v
}

func keyOf(t lab.Target) object { return object{"id": object{"S": t.Key}} }

// write is the part of PutItem and of a transaction's actions that says what is
// written, or checked.
func write(t lab.Target) object {
	in := object{"TableName": tableName}
	if t.Check {
		in["Key"] = keyOf(t)
	} else {
		in["Item"] = object{
			"id": object{"S": t.Key}, "tag": object{"S": lab.Tag(t.Key)}, "value": object{"N": strconv.FormatInt(t.Value, 10)},
		}
	}
	switch {
	case t.If == nil:
	case *t.If == 0:
		in["ConditionExpression"] = "attribute_not_exists(id)"
	default:
		in["ConditionExpression"] = "#v = :v"
		in["ExpressionAttributeNames"] = object{"#v": "value"}
		in["ExpressionAttributeValues"] = object{":v": object{"N": strconv.FormatInt(*t.If, 10)}}
	}
	return in
}

// turns is the chance of balanced clients.
type turns struct {
	mu     sync.Mutex
	chance map[int]*rand.Rand
}

func (t *turns) draw(seed uint64, client, n int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.chance == nil {
		t.chance = make(map[int]*rand.Rand)
	}
	if t.chance[client] == nil {
		t.chance[client] = rand.New(rand.NewPCG(seed, uint64(client)))
	}
	return t.chance[client].IntN(n)
}

// Do implements lab.System.
func (c *Cluster) Do(client int, r lab.Request) lab.Response {
	cl := &c.setup.Clients[client]
	node, fixed := cl.Node, false
	for _, g := range c.setup.Experiment.Clients {
		if g.Group == cl.Group {
			fixed = g.Fixed
			if g.Balanced {
				node = c.turns.draw(c.setup.Seed, client, len(c.nodes))
			}
		}
	}
	for range c.nodes {
		values, header, err := c.serve(node, &r, cl)
		if !refused(err) {
			return c.answer(&r, node, values, header, err)
		}
		if fixed {
			break
		}
		node = (node + 1) % len(c.nodes)
	}
	return lab.Response{Outcome: lab.Unavailable, Error: "connection refused", Node: node, Served: -1}
}

// refused reports whether nobody was there to take the request.
func refused(err error) bool {
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

// serve sends a request to a node.
func (c *Cluster) serve(node int, r *lab.Request, cl *lab.Client) (values []int64, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, requestTimeout)
	defer cancel()
	headers := http.Header{"X-Stator-Headers": {"on"}}
	switch r.Policy {
	case "", "strong":
	case "pinned":
		headers.Set("X-Stator-Read-Policy", "pinned:"+c.nodes[cl.Node].name)
	default:
		headers.Set("X-Stator-Read-Policy", r.Policy)
	}
	switch r.Kind {
	case "GetItem":
		var out struct{ Item *stored }
		header, err = c.call(ctx, node, r.Kind, object{"TableName": tableName, "Key": keyOf(r.Items[0]), "ConsistentRead": r.Policy == "strong"}, headers, &out)
		values = []int64{out.Item.value()}
	case "Query":
		var out struct{ Items []*stored }
		header, err = c.call(ctx, node, r.Kind, object{
			"TableName": tableName, "IndexName": "byTag", "KeyConditionExpression": "tag = :t",
			"ExpressionAttributeValues": object{":t": object{"S": lab.Tag(r.Items[0].Key)}},
		}, headers, &out)
		values = []int64{0}
		for _, it := range out.Items {
			values[0] = it.value()
		}
	case "PutItem":
		header, err = c.call(ctx, node, r.Kind, write(r.Items[0]), headers, nil)
	case "TransactWriteItems":
		var actions []object
		for _, t := range r.Items {
			kind := "Put"
			if t.Check {
				kind = "ConditionCheck"
			}
			actions = append(actions, object{kind: write(t)})
		}
		header, err = c.call(ctx, node, r.Kind, object{"TransactItems": actions}, headers, nil)
	case "TransactGetItems":
		var actions []object
		for _, t := range r.Items {
			actions = append(actions, object{"Get": object{"TableName": tableName, "Key": keyOf(t)}})
		}
		var out struct{ Responses []struct{ Item *stored } }
		header, err = c.call(ctx, node, r.Kind, object{"TransactItems": actions}, headers, &out)
		values = make([]int64, len(r.Items))
		for i, found := range out.Responses {
			values[i] = found.Item.value()
		}
	}
	return values, header, err
}

// answer turns what came back into a response.
func (c *Cluster) answer(r *lab.Request, node int, values []int64, header http.Header, err error) lab.Response {
	response := lab.Response{Node: node, Served: -1, Values: values}
	var failed *apiError
	switch {
	case err == nil:
		response.Outcome = lab.OK
		response.Served = c.named(header.Get("X-Stator-Node"))
		response.Leader = header.Get("X-Stator-Role") == "leader"
		response.Applied, _ = strconv.ParseUint(header.Get("X-Stator-Applied-Index"), 10, 64) // 0 if it was not told
		return response
	case !errors.As(err, &failed):
		response.Outcome = r.Undecided()
	case failed.kind == "ConditionalCheckFailedException":
		response.Outcome = lab.ConditionFailed
	case failed.kind == "TransactionCanceledException", failed.kind == "TransactionConflictException", failed.kind == "TransactionInProgressException":
		response.Outcome = lab.Canceled
	case failed.status == http.StatusServiceUnavailable:
		response.Outcome = lab.Unavailable
	default:
		response.Outcome = r.Undecided()
	}
	response.Error = err.Error()
	return response
}
