package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

const (
	loadConnections = 32
	loadPartitions  = 1000
	loadPerKey      = 10 // items of a partition, which one Query returns
	// loadMinimum is the number of requests from which a run counts; shorter ones
	// only let package testing find its bearings.
	loadMinimum = 1000
)

// BenchmarkEndToEnd loads the real binary, with its default durability, over 32
// connections with items of about 250 bytes, and for comparison a process in which
// gin answers {}: what HTTP alone costs on this machine. The load generator runs
// on the same processors. TestMain prints the medians of all runs (-count).
func BenchmarkEndToEnd(b *testing.B) {
	bare, bareProcess := startBareServer(b)
	s := start(b, "serve", "--port", "0", "--data-dir", b.TempDir(), "--log-level", "warn")
	createLoadTable(b, s.client())
	address := strings.TrimPrefix(s.url, "http://")
	_, err := fillOperation().run(address, loadPartitions*loadPerKey)
	require.NoError(b, err)

	for _, operation := range loadOperations() {
		target, process := address, s.cmd.Process.Pid
		if operation.name == bareName {
			target, process = bare, bareProcess
		}
		b.Run(operation.name, func(b *testing.B) {
			started, busy := time.Now(), processorTime(process)
			latencies, err := operation.run(target, b.N)
			elapsed := time.Since(started)
			busy = processorTime(process) - busy
			require.NoError(b, err)
			slices.Sort(latencies)
			r := loadResult{
				perSecond: float64(b.N) / elapsed.Seconds(),
				p50:       latencies[len(latencies)/2],
				p99:       latencies[len(latencies)*99/100],
				busy:      busy / time.Duration(b.N),
			}
			b.ReportMetric(r.perSecond, "req/s")
			b.ReportMetric(float64(r.p50.Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(r.p99.Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(r.busy.Nanoseconds())/1000, "cpu-us/op")
			if b.N >= loadMinimum {
				loadResults[operation.name] = append(loadResults[operation.name], r)
			}
		})
	}
	loadMemory = residentMemory(s.cmd.Process.Pid)
}

// BenchmarkStart measures the time from the start of the process on an empty
// directory to its first answer, and its memory at rest.
func BenchmarkStart(b *testing.B) {
	var memory string
	for b.Loop() {
		s := start(b, "serve", "--port", "0", "--data-dir", b.TempDir())
		status, _ := get(b, s.url+"/ready")
		require.Equal(b, http.StatusOK, status)
		b.StopTimer()
		memory = residentMemory(s.cmd.Process.Pid)
		s.kill()
		b.StartTimer()
	}
	b.Logf("resident memory at rest: %s", memory)
}

const bareName = "Bare"

// loadOperation is one kind of request.
type loadOperation struct {
	name    string
	request func(random *rand.Rand, buf []byte) []byte
}

func loadOperations() []loadOperation {
	return []loadOperation{
		{bareName, appendGet},
		{"PutItem", appendPut},
		{"GetItem", appendGet},
		{"UpdateItem", func(random *rand.Rand, buf []byte) []byte {
			return appendRequest(buf, "UpdateItem", fmt.Appendf(nil,
				`{"TableName":"Load","Key":%s,"UpdateExpression":"SET #c = :c","ConditionExpression":"attribute_exists(pk) AND #c <> :none",`+
					`"ExpressionAttributeNames":{"#c":"count"},"ExpressionAttributeValues":{":c":{"N":"%d"},":none":{"N":"-1"}}}`,
				loadKey(random), random.IntN(1000)))
		}},
		{"Query10", func(random *rand.Rand, buf []byte) []byte {
			return appendRequest(buf, "Query", fmt.Appendf(nil,
				`{"TableName":"Load","KeyConditionExpression":"pk = :pk","ExpressionAttributeValues":{":pk":{"S":"partition-%d"}}}`,
				random.IntN(loadPartitions)))
		}},
	}
}

// fillOperation writes every item once.
func fillOperation() loadOperation {
	var next atomic.Int64
	return loadOperation{"fill", func(_ *rand.Rand, buf []byte) []byte {
		n := int(next.Add(1)-1) % (loadPartitions * loadPerKey)
		return appendItem(buf, n/loadPerKey, n%loadPerKey)
	}}
}

func appendPut(random *rand.Rand, buf []byte) []byte {
	return appendItem(buf, random.IntN(loadPartitions), random.IntN(loadPerKey))
}

func appendGet(random *rand.Rand, buf []byte) []byte {
	return appendRequest(buf, "GetItem", fmt.Appendf(nil, `{"TableName":"Load","Key":%s}`, loadKey(random)))
}

func loadKey(random *rand.Rand) string {
	return fmt.Sprintf(`{"pk":{"S":"partition-%d"},"sk":{"N":"%d"}}`, random.IntN(loadPartitions), random.IntN(loadPerKey))
}

// appendItem writes an item of about 250 bytes by DynamoDB's measure.
func appendItem(buf []byte, partition, sort int) []byte {
	return appendRequest(buf, "PutItem", fmt.Appendf(nil,
		`{"TableName":"Load","Item":{"pk":{"S":"partition-%d"},"sk":{"N":"%d"},"count":{"N":"0"},"title":{"S":"The quick brown fox jumps over the lazy dog"},`+
			`"price":{"N":"12.50"},"active":{"BOOL":true},"tags":{"SS":["red","green","blue"]},`+
			`"details":{"M":{"maker":{"S":"Acme Corporation"},"sizes":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]}}},`+
			`"text":{"S":"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod"}}}`, partition, sort))
}

func appendRequest(buf []byte, operation string, body []byte) []byte {
	return fmt.Appendf(buf, "POST / HTTP/1.1\r\nHost: localhost:8000\r\nContent-Type: application/x-amz-json-1.0\r\n"+
		"X-Amz-Target: DynamoDB_20120810.%s\r\nX-Amz-Date: 20260101T000000Z\r\nAccept-Encoding: identity\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=stator/20260101/eu-central-1/dynamodb/aws4_request, "+
		"SignedHeaders=accept-encoding;content-length;content-type;host;x-amz-date;x-amz-target, "+
		"Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"+
		"Content-Length: %d\r\n\r\n%s", operation, len(body), body)
}

// run sends n requests over the connections and returns their latencies.
func (o loadOperation) run(address string, n int) ([]time.Duration, error) {
	var (
		left      atomic.Int64
		workers   sync.WaitGroup
		latencies [loadConnections][]time.Duration
		errs      [loadConnections]error
	)
	left.Store(int64(n))
	for i := range loadConnections {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			conn, err := net.Dial("tcp", address)
			if err != nil {
				errs[i] = err
				return
			}
			defer conn.Close()
			reader := bufio.NewReaderSize(conn, 16<<10)
			var buf []byte
			for left.Add(-1) >= 0 {
				buf = o.request(random, buf[:0])
				sent := time.Now()
				if err := roundTrip(conn, reader, buf); err != nil {
					errs[i] = fmt.Errorf("%s: %w", o.name, err)
					return
				}
				latencies[i] = append(latencies[i], time.Since(sent))
			}
		})
	}
	workers.Wait()
	return slices.Concat(latencies[:]...), errors.Join(errs[:]...)
}

// roundTrip is a client that costs next to nothing: it looks at the status and
// skips the body.
func roundTrip(conn net.Conn, reader *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	status, err := reader.ReadSlice('\n')
	if err != nil {
		return err
	}
	ok := bytes.HasPrefix(status, []byte("HTTP/1.1 200"))
	length := -1
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= len("\r\n") {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	switch {
	case length < 0:
		return errors.New("an answer without Content-Length")
	case !ok:
		body := make([]byte, length)
		_, err := io.ReadFull(reader, body)
		return fmt.Errorf("%s (%w)", body, err)
	}
	_, err = reader.Discard(length)
	return err
}

func createLoadTable(b *testing.B, client *dynamodb.Client) {
	b.Helper()
	_, err := client.CreateTable(b.Context(), &dynamodb.CreateTableInput{
		TableName:   aws.String("Load"),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeN},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	require.NoError(b, err)
}

// bareVariable makes the test binary serve {} instead of running tests.
const bareVariable = "STATOR_TEST_BARE_SERVER"

// startBareServer returns the address and id of another process in which gin
// answers {}.
func startBareServer(b *testing.B) (address string, pid int) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), bareVariable+"=1")
	stdout, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(b, err)
	return strings.TrimSpace(line), cmd.Process.Pid
}

// serveBare prints its address and serves until it is killed.
func serveBare() error {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST("/", func(c *gin.Context) {
		if _, err := io.Copy(io.Discard, c.Request.Body); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		c.Data(http.StatusOK, "application/x-amz-json-1.0", []byte("{}"))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := &http.Server{Handler: engine, ReadHeaderTimeout: processTimeout}
	return server.Serve(listener)
}

// loadResult is one run of an operation; loadResults collects those that count.
type loadResult struct {
	perSecond float64
	p50, p99  time.Duration
	busy      time.Duration // processor time of the server for a request
}

var (
	loadResults = map[string][]loadResult{}
	loadMemory  string // of the server after the load
)

// writeLoadSummary prints the medians of the runs and how they compare with HTTP
// alone.
func writeLoadSummary(w io.Writer) {
	if len(loadResults[bareName]) == 0 {
		return
	}
	median := func(results []loadResult, by func(loadResult) float64) float64 {
		values := make([]float64, 0, len(results))
		for _, r := range results {
			values = append(values, by(r))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	perSecond := func(r loadResult) float64 { return r.perSecond }
	bare := median(loadResults[bareName], perSecond)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "operation\treq/s\tof bare\tp50 ms\tp99 ms\tcpu us\truns\t\n")
	for _, operation := range loadOperations() {
		results := loadResults[operation.name]
		if len(results) == 0 {
			continue
		}
		rate := median(results, perSecond)
		fmt.Fprintf(table, "%s\t%.0f\t%.0f %%\t%.2f\t%.2f\t%.1f\t%d\t\n", operation.name, rate, 100*rate/bare,
			median(results, func(r loadResult) float64 { return r.p50.Seconds() * 1000 }),
			median(results, func(r loadResult) float64 { return r.p99.Seconds() * 1000 }),
			median(results, func(r loadResult) float64 { return r.busy.Seconds() * 1e6 }), len(results))
	}
	if err := table.Flush(); err != nil {
		fmt.Fprintln(w, err)
	}
	fmt.Fprintf(w, "memory of the server after the load: %s\n", loadMemory)
}

// processorTime is the user and system time a process has used, from /proc; 0
// where that does not exist. Unlike the rate it hardly depends on what else runs.
func processorTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// Fields 14 and 15, in hundredths of a second; the second may contain spaces.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int64
	for _, text := range fields[11:13] {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// residentMemory reads a process's resident set from /proc.
func residentMemory(pid int) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "unknown"
	}
	var parts []string
	for line := range strings.Lines(string(status)) {
		if name, value, ok := strings.Cut(line, ":"); ok && (name == "VmRSS" || name == "RssAnon" || name == "RssFile") {
			parts = append(parts, name+" "+strings.TrimSpace(value))
		}
	}
	return strings.Join(parts, ", ")
}
