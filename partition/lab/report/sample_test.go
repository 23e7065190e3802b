package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/lab"
)

// example is the result that the package lab has as an example.
func example(t *testing.T) *lab.Result {
	t.Helper()
	raw, err := os.ReadFile("../testdata/example.json")
	require.NoError(t, err)
	var r lab.Result
	require.NoError(t, json.Unmarshal(raw, &r))
	return &r
}

// large is a result with n operations of many clients, as an experiment of minutes has.
func large(t *testing.T, n int) *lab.Result {
	t.Helper()
	r := example(t)
	random := rand.New(rand.NewPCG(1, 2))
	r.Operations = make([]lab.Operation, 0, n)
	at := time.Duration(0)
	free := make([]time.Duration, len(r.Clients))
	for i := range n {
		at += r.Duration / time.Duration(n+1)
		client := random.IntN(len(r.Clients))
		o := lab.Operation{
			ID: i, Client: client, Kind: "GetItem", Invoke: max(at, free[client]), Outcome: lab.OK,
			Node: r.Clients[client].Node, Served: random.IntN(len(r.Nodes)), Shard: random.IntN(len(r.Shards)), Applied: uint64(i),
			Actions: []lab.Action{{Key: fmt.Sprintf("k%d", random.IntN(100)), Value: fmt.Sprint(i), Write: client < 2}},
		}
		if client < 2 {
			o.Kind = "PutItem"
		}
		o.Return = o.Invoke + time.Duration(1e6+random.ExpFloat64()*2e6)
		if random.IntN(400) == 0 {
			o.Outcome, o.Error, o.Served, o.Return = lab.Unavailable, "no leader of shard 0 was found", -1, o.Invoke+2e8
		} else if !o.Actions[0].Write && random.IntN(100) == 0 {
			o.StaleBy, o.Missed, o.Anomalies = time.Duration(1e5+random.IntN(3e7)), 1, []lab.AnomalyKind{lab.StaleRead}
		}
		free[client] = o.Return + 1e5
		r.Operations = append(r.Operations, o)
	}
	for g := range r.Reads {
		r.Reads[g].Count, r.Reads[g].Stale = n/5, n/50
		for i := range r.Reads[g].Curve {
			c := &r.Reads[g].Curve[i]
			c.Reads = 200 + 100*i
			p := 0.6 / float64(g+1) * math.Exp(-float64(i)/2.5)
			c.Stale = int(p * float64(c.Reads))
			c.Probability = float64(c.Stale) / float64(c.Reads)
			spread := 1.96 * math.Sqrt(p*(1-p)/float64(c.Reads))
			c.Low, c.High = max(0, c.Probability-spread), min(1, c.Probability+spread+0.004)
		}
	}
	return r
}

// written is the page about a result.
func written(t *testing.T, r *lab.Result) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteHTML(&b, r))
	return b.String()
}
