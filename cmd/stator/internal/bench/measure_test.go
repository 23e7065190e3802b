package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stator-db/stator/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// silence is a Reporter that says nothing.
type silence struct{}

func (silence) Phase(string)       {}
func (silence) Begin(string, Plan) {}
func (silence) Sample(Sample)      {}
func (silence) End(Run)            {}

func testPlan(workloads ...string) Plan {
	return Plan{
		Workloads: workloads, Connections: []int{4}, Items: 1000, ItemSize: 250, Duration: time.Minute,
		Requests: 200, Repeat: 1, Seed: 1, Timeout: 10 * time.Second, Table: "Table",
	}
}

func testTarget(url string) Target {
	return Target{URL: url, Region: "us-east-1", Description: "under test", Credentials: Credentials{AccessKey: "key", SecretKey: "secret"}}
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	return web.URL
}

// startStator serves the real thing, in memory.
func startStator(t *testing.T) string {
	t.Helper()
	store, err := server.Open(server.Options{InMemory: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return serve(t, store)
}

// TestWorkloads runs each workload against the real server, which must take every
// request.
func TestWorkloads(t *testing.T) {
	url := startStator(t)
	for _, workload := range Workloads() {
		t.Run(workload.Name, func(t *testing.T) {
			report, err := Measure(t.Context(), testTarget(url), testPlan(workload.Name), silence{})
			require.NoError(t, err)
			require.Len(t, report.Runs, 1)
			total := int64(0)
			require.Len(t, report.Runs[0].Operations, len(workload.operations))
			for _, o := range report.Runs[0].Operations {
				require.Empty(t, o.Errors)
				require.Positive(t, o.Succeeded)
				require.GreaterOrEqual(t, o.ItemsPerSecond, o.PerSecond)
				total += o.Succeeded
			}
			require.Equal(t, int64(200), total)
		})
	}
}

func TestItemSizesAndDistributions(t *testing.T) {
	url := startStator(t)
	for _, test := range []struct {
		size         int
		distribution Distribution
	}{{100, Uniform}, {100, Zipfian}, {100, Latest}, {100 << 10, Uniform}} {
		t.Run(fmt.Sprintf("%d %s", test.size, test.distribution), func(t *testing.T) {
			plan := testPlan("put", "query100", "batch-write-25")
			plan.ItemSize, plan.Distribution, plan.Requests = test.size, test.distribution, 5
			report, err := Measure(t.Context(), testTarget(url), plan, silence{})
			require.NoError(t, err)
			for _, run := range report.Runs {
				require.Empty(t, run.Operations[0].Errors)
				require.Equal(t, int64(5), run.Operations[0].Succeeded)
			}
		})
	}
}

func TestTableIsDeletedOrKept(t *testing.T) {
	url := startStator(t)
	plan := testPlan("get")
	for range 2 { // a table left behind would stop the second
		_, err := Measure(t.Context(), testTarget(url), plan, silence{})
		require.NoError(t, err)
	}
	plan.KeepTable = true
	for range 2 {
		report, err := Measure(t.Context(), testTarget(url), plan, silence{})
		require.NoError(t, err)
		require.Empty(t, report.Runs[0].Operations[0].Errors)
	}
	plan.KeepTable = false
	_, err := Measure(t.Context(), testTarget(url), plan, silence{})
	require.EqualError(t, err, "table Table exists: delete it, or choose another name")
}

// stub answers table operations and passes the others on.
func stub(t *testing.T, data http.HandlerFunc) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.TrimPrefix(r.Header.Get("X-Amz-Target"), targetPrefix) {
		case "DescribeTable":
			fmt.Fprint(w, `{"Table":{"TableStatus":"ACTIVE"}}`)
		case "CreateTable", "DeleteTable", "BatchWriteItem":
			fmt.Fprint(w, `{}`)
		default:
			_, _ = io.Copy(io.Discard, r.Body)
			data(w, r)
		}
	}))
}

// TestStallShowsInOpenLoop: the server stops once for a while. Every request that
// was to start in that time has to count, though the generator had no connection
// free to send it.
func TestStallShowsInOpenLoop(t *testing.T) {
	const (
		rate  = 500
		stall = 400 * time.Millisecond
		slow  = 100 * time.Millisecond
	)
	var once sync.Once
	var gate sync.RWMutex
	var seen atomic.Int64
	url := stub(t, func(w http.ResponseWriter, _ *http.Request) {
		if seen.Add(1) > 50 {
			once.Do(func() {
				gate.Lock()
				<-time.After(stall)
				gate.Unlock()
			})
		}
		gate.RLock()
		defer gate.RUnlock()
		fmt.Fprint(w, `{"Item":{}}`)
	})
	plan := testPlan("get")
	plan.Rate, plan.Requests, plan.Connections = rate, 500, []int{2}
	report, err := Measure(t.Context(), testTarget(url), plan, silence{})
	require.NoError(t, err)
	get := report.Runs[0].Operations[0]
	require.Equal(t, int64(500), get.Succeeded)
	latencies, err := get.latencies()
	require.NoError(t, err)
	count := int64(0)
	for _, bar := range latencies.Distribution() {
		if bar.From >= int64(slow) {
			count += bar.Count
		}
	}
	// Those planned in the stall, except its last 100 ms and what was on its way.
	require.GreaterOrEqual(t, count, int64(rate*(stall-slow)/time.Second)-5)
	require.GreaterOrEqual(t, get.Latency.P90, 150.0)
}

// TestEveryPlannedRequestIsAccountedFor: a server that never answers leaves time-outs
// and requests never sent, and they add up to the rate.
func TestEveryPlannedRequestIsAccountedFor(t *testing.T) {
	url := stub(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	plan := testPlan("get")
	plan.Rate, plan.Requests, plan.Duration = 1000, 0, 200*time.Millisecond
	plan.Connections, plan.Timeout = []int{2}, 300*time.Millisecond
	report, err := Measure(t.Context(), testTarget(url), plan, silence{})
	require.NoError(t, err)
	get := report.Runs[0].Operations[0]
	require.Zero(t, get.Succeeded)
	require.Positive(t, get.Errors[FaultTimeout])
	require.Positive(t, get.Errors[FaultUnsent])
	require.Equal(t, int64(200), get.Failed())
	latencies, err := get.latencies()
	require.NoError(t, err)
	require.Equal(t, int64(200), latencies.TotalCount(), "they count with the time they waited")
	require.False(t, report.AnySucceeded())
}

func TestErrorsAreCountedByName(t *testing.T) {
	var n atomic.Int64
	url := stub(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n.Add(1) % 4 {
		case 0:
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}`)
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			fmt.Fprint(w, `{}`)
		default:
			fmt.Fprint(w, `{"Item":{}}`)
		}
	})
	report, err := Measure(t.Context(), testTarget(url), testPlan("get"), silence{})
	require.NoError(t, err)
	get := report.Runs[0].Operations[0]
	require.Equal(t, int64(50), get.Succeeded)
	require.Equal(t, map[string]int64{"ProvisionedThroughputExceededException": 50, "HTTP 500": 50, FaultMissing: 50}, get.Errors)
	latencies, err := get.latencies()
	require.NoError(t, err)
	require.Equal(t, int64(50), latencies.TotalCount(), "a refusal is no fast success")
}

func TestLoadFails(t *testing.T) {
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "BatchWriteItem") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"x#AccessDeniedException"}`)
			return
		}
		fmt.Fprint(w, `{"Table":{"TableStatus":"ACTIVE"}}`)
	}))
	_, err := Measure(t.Context(), testTarget(url), testPlan("get"), silence{})
	require.EqualError(t, err, "loading: BatchWriteItem: AccessDeniedException")
}

// cancelling ends the measurement in its second run.
type cancelling struct {
	silence
	cancel context.CancelCauseFunc
	begun  *int
}

var errEnough = errors.New("enough")

func (c cancelling) Begin(string, Plan) {
	if *c.begun++; *c.begun == 2 {
		c.cancel(errEnough)
	}
}

func TestInterruptedKeepsWhatIsComplete(t *testing.T) {
	url := startStator(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	plan := testPlan("get", "put")
	report, err := Measure(ctx, testTarget(url), plan, cancelling{cancel: cancel, begun: new(int)})
	require.ErrorIs(t, err, errEnough)
	require.Len(t, report.Runs, 1)
	// The table is gone all the same.
	_, err = Measure(t.Context(), testTarget(url), plan, silence{})
	require.NoError(t, err)
}

func TestTimeline(t *testing.T) {
	plan := testPlan("get")
	plan.Requests, plan.Duration, plan.Warmup = 0, 500*time.Millisecond, 100*time.Millisecond
	report, err := Measure(t.Context(), testTarget(startStator(t)), plan, silence{})
	require.NoError(t, err)
	run := report.Runs[0]
	require.NotEmpty(t, run.Timeline)
	last := 0.0
	for _, sample := range run.Timeline {
		require.Greater(t, sample.Seconds, last)
		last = sample.Seconds
	}
	require.GreaterOrEqual(t, run.Seconds, 0.5)
	require.Equal(t, float64(run.Operations[0].Succeeded)/run.Seconds, run.Operations[0].PerSecond)
}

func TestReportRoundTrip(t *testing.T) {
	plan := testPlan("ycsb-a")
	plan.Repeat = 2
	report, err := Measure(t.Context(), testTarget(startStator(t)), plan, silence{})
	require.NoError(t, err)
	report.Server = &ServerFigures{StartMilliseconds: 12, MemoryAtEnd: Memory{Resident: 1, Anonymous: 2}}
	file := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, report.Save(file))
	loaded, err := Load(file)
	require.NoError(t, err)
	want, err := json.Marshal(report)
	require.NoError(t, err)
	got, err := json.Marshal(loaded)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
	require.Equal(t, report.Plan, loaded.Plan)
	for i, o := range loaded.Runs[1].Operations {
		h, err := o.latencies()
		require.NoError(t, err)
		require.Equal(t, report.Runs[1].Operations[i].Latency, latencyOf(h))
	}
}

func TestPlanValidate(t *testing.T) {
	require.NoError(t, testPlan("get").Validate())
	err := Plan{Workloads: []string{"x"}, Connections: []int{0}, Rate: -1, Distribution: "y", Warmup: -1, Requests: -1}.Validate()
	require.EqualError(t, err, strings.Join([]string{
		`unknown workload "x"`,
		"connections 0: from 1 to 10000",
		"rate -1: from 0 (closed loop) to 10 million a second",
		"items 0: from 1000 to 100000000000",
		"item size 0: from 50 to 399360 bytes",
		`unknown distribution "y"`,
		"warm-up -1ns is negative",
		"duration 0s: above 0",
		"requests -1 is negative",
		"repeat 0: at least 1",
		"timeout 0s: above 0",
		"no table name",
	}, "\n"))
	require.ErrorContains(t, Plan{}.Validate(), "no workload\nno number of connections\n")
}

func TestStartServer(t *testing.T) {
	_, err := StartServer(t.Context(), "http://127.0.0.1:1", "sh", "-c", "echo broken >&2; exit 3")
	require.EqualError(t, err, "sh ended before it answered: exit status 3: broken")
	_, err = StartServer(t.Context(), "http://127.0.0.1:1", "/does/not/exist")
	require.ErrorContains(t, err, "no such file")
}
