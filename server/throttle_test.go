package server

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stator-db/stator/partition"
)

// TestThrottle runs the scripts in testdata/throttle, each against a server that
// enforces throughput. Commands are operations as in TestItems, CreateTable and
// UpdateTable without their answer; "advance d" moves the clock, which stands still
// otherwise. With repeat=n a request is made up to n times, and the output is how
// often it succeeded and the first failure.
func TestThrottle(t *testing.T) {
	datadriven.Walk(t, "testdata/throttle", func(t *testing.T, path string) {
		client, clock := newThrottledClient(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			done, repeat := "", 0
			switch d.Cmd {
			case "advance":
				step, err := time.ParseDuration(d.CmdArgs[0].Key)
				require.NoError(t, err)
				clock.Add(int64(step))
				return ""
			case "CreateTable", "UpdateTable":
				done = "done"
			}
			d.MaybeScanArgs(t, "repeat", &repeat)
			if repeat == 0 {
				return client.script(d.Cmd, expandRuns(d.Input), done)
			}
			for n := range repeat {
				if answer := client.script(d.Cmd, expandRuns(d.Input), "ok"); answer != "ok" {
					return fmt.Sprintf("ok %d times, then\n%s", n, answer)
				}
			}
			return fmt.Sprintf("ok %d times", repeat)
		})
	})
}

// newThrottledClient is a client of a server that enforces throughput by a clock
// that only the test moves, in nanoseconds.
func newThrottledClient(t testing.TB) (*testClient, *atomic.Int64) {
	var clock atomic.Int64
	clock.Store(scriptTime.UnixNano())
	s, err := open(Options{InMemory: true, Shards: 2, EnforceThroughput: true},
		func() time.Time { return time.Unix(0, clock.Load()) })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &testClient{t, s}, &clock
}

// TestThrottleFollowsClock moves the clock as users do.
func TestThrottleFollowsClock(t *testing.T) {
	client, _ := newThrottledClient(t)
	client.must("CreateTable", `{"TableName":"tab","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}}`)
	puts := func() (n int) {
		for {
			status, answer := client.send("PutItem", `{"TableName":"tab","Item":{"pk":{"S":"a"}}}`)
			if status != http.StatusOK {
				require.Contains(t, answer, throughputExceeded)
				return n
			}
			n++
		}
	}
	require.Equal(t, 300, puts())
	require.Equal(t, 0, puts())
	status, answer := admin(client.server, http.MethodPost, "/_stator/clock", `{"advance":"20s"}`)
	require.Equal(t, http.StatusOK, status, answer)
	require.Equal(t, 20, puts())
}

// TestBucketBounds draws traffic and checks that what was admitted never exceeds
// what the rate yields in the time plus the burst, and the last charge, which may
// be on credit; and that nothing is turned away while units are left.
func TestBucketBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int64Range(1, 50_000).Draw(t, "rate")
		burst := time.Duration(rapid.IntRange(1, 300).Draw(t, "burst")) * time.Second
		l := limit{bucket: bucketKey{table: 1}, rate: rate, burst: burst}
		b := newBuckets()
		start := scriptTime
		now := start
		saved := 2 * rate * int64(burst/time.Second) // in halves of a unit
		var admitted, advance units
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "pause")))
			// What the rate can have yielded, in halves of a unit times a second.
			elapsed := now.Sub(start)
			bound := units(saved) + units(float64(2*rate)*elapsed.Seconds())
			advance = units(rapid.IntRange(1, 10).Draw(t, "least"))
			exhausted := b.admit(now, []charge{{l, advance}})
			if exhausted != nil {
				require.Equal(t, []limit{l}, exhausted)
				continue
			}
			require.LessOrEqual(t, admitted, bound)
			admitted += advance
			rest := units(rapid.Int64Range(-int64(advance), 4*rate).Draw(t, "rest"))
			b.charge(now, []charge{{l, rest}})
			admitted += rest
		}
		// A bucket that had all the time it needs is full again: the whole burst passes.
		now = now.Add(burst + l.worth(units(max(0, int64(admitted)))))
		for range 2 * burst / time.Second {
			require.Nil(t, b.admit(now, []charge{{l, units(rate)}}))
		}
		require.NotNil(t, b.admit(now, []charge{{l, 1}}))
	})
}

// TestBucketsAreBounded sends requests for ever new partition keys: those of the
// past are forgotten.
func TestBucketsAreBounded(t *testing.T) {
	b := newBuckets()
	now := scriptTime
	for i := range uint64(100_000) {
		now = now.Add(time.Millisecond)
		key := bucketKey{table: 1, keyed: true, partition: i}
		require.Nil(t, b.admit(now, []charge{{limit{bucket: key, rate: partitionReadUnits, burst: partitionBurst}, 2}}))
		require.LessOrEqual(t, len(b.full), minSweep+1)
	}
}

// TestThrottleOff has no buckets to look at.
func TestThrottleOff(t *testing.T) {
	require.Nil(t, openTest(t, Options{}).throttle)
}

// TestResourceRate covers what a limit can be missing for.
func TestResourceRate(t *testing.T) {
	provisioned := &partition.Table{Billing: partition.Provisioned, Throughput: partition.Throughput{Read: 3, Write: 4}}
	onDemand := &partition.Table{Billing: partition.PayPerRequest}
	capped := &partition.Table{Billing: partition.PayPerRequest, OnDemand: &partition.OnDemand{MaxRead: 5, MaxWrite: -1}}
	own := &partition.Index{Throughput: &partition.Throughput{Read: 6, Write: 7}, OnDemand: &partition.OnDemand{MaxRead: 8, MaxWrite: 9}}
	local := &partition.Index{Local: true}
	for _, tt := range []struct {
		resource    resource
		read, write int64
	}{
		{resourceOf(provisioned, nil), 3, 4},
		{resourceOf(provisioned, local), 3, 4},
		{resourceOf(provisioned, own), 6, 7},
		{resourceOf(provisioned, &partition.Index{}), 0, 0},
		{resourceOf(onDemand, nil), 0, 0},
		{resourceOf(onDemand, own), 8, 9},
		{resourceOf(capped, nil), 5, -1},
		{resourceOf(capped, &partition.Index{}), 0, 0},
	} {
		require.Equal(t, tt.read, tt.resource.rate(reading))
		require.Equal(t, tt.write, tt.resource.rate(writing))
	}
}
