package server

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cockroachdb/datadriven"
	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestFaults runs the scripts in testdata/faults, each against a server of its own.
// Commands are operations and tables as in TestItems, and those of the admin
// endpoint: "add" posts its input, "list" shows the rules and "remove [id]" takes
// them out of force. With repeat=n a request is made n times, and the output has
// what came of each.
func TestFaults(t *testing.T) {
	datadriven.Walk(t, "testdata/faults", func(t *testing.T, path string) {
		client := newTestClient(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "table":
				return client.script("CreateTable", tableRequest(t, d), "created")
			case "add":
				return printAdmin(admin(client.server, http.MethodPost, "/_stator/faults", d.Input))
			case "list":
				return printAdmin(admin(client.server, http.MethodGet, "/_stator/faults", ""))
			case "remove":
				path := "/_stator/faults"
				if len(d.CmdArgs) > 0 {
					path += "/" + d.CmdArgs[0].Key
				}
				return printAdmin(admin(client.server, http.MethodDelete, path, ""))
			}
			done, repeat := "", 0
			if d.Cmd == "CreateTable" || d.Cmd == "DescribeTable" {
				done = "done"
			}
			d.MaybeScanArgs(t, "repeat", &repeat)
			if repeat == 0 {
				return client.scriptDropped(d.Cmd, d.Input, done)
			}
			var answers []string
			for range repeat {
				answer, _, _ := strings.Cut(client.scriptDropped(d.Cmd, d.Input, done), "\n")
				name, _, isError := strings.Cut(answer, ": ")
				if !isError || strings.HasPrefix(answer, "{") {
					name = "ok"
				}
				answers = append(answers, name)
			}
			return strings.Join(answers, "\n")
		})
	})
}

func printAdmin(status int, body string) string {
	if status != http.StatusOK {
		return http.StatusText(status) + "\n" + body
	}
	return strings.ReplaceAll(body, "},{", "},\n{")
}

// scriptDropped is script for requests whose connection may be closed.
func (c *testClient) scriptDropped(operation, body, done string) (answer string) {
	defer func() {
		if p := recover(); p != nil {
			require.Equal(c.t, http.ErrAbortHandler, p)
			answer = "connection closed"
		}
	}()
	return c.script(operation, expandRuns(body), done)
}

// TestFaultsWithSDK has the faults at the other end of an SDK, which retries what
// it knows to be worth it.
func TestFaultsWithSDK(t *testing.T) {
	s := openTest(t, Options{SharedDB: true})
	web := httptest.NewServer(s)
	defer web.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(web.URL),
		Region:       "eu-central-1",
		Credentials:  credentials.NewStaticCredentialsProvider("test", "secret", ""),
		HTTPClient:   &http.Client{Transport: transport},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})
	code, body := as(s, "test", "eu-central-1", "CreateTable", createUsers)
	require.Equal(t, http.StatusOK, code, body)
	item := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}}
	put := func() error {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("users"), Item: item})
		return err
	}

	// Each of these an SDK gets over with three attempts.
	for _, rule := range []string{
		`{"kind":"throttling","exception":"ProvisionedThroughputExceededException","first":2}`,
		`{"kind":"throttling","exception":"ThrottlingException","first":2}`,
		`{"kind":"throttling","exception":"RequestLimitExceeded","first":2}`,
		`{"kind":"InternalServerError","first":2}`,
		`{"kind":"ServiceUnavailable","first":2}`,
		`{"kind":"InternalServerError","after":true,"first":2}`,
		`{"kind":"drop","first":1}`,
	} {
		setFaults(t, s, rule)
		require.NoError(t, put(), rule)
		require.Equal(t, 0, setFaults(t, s, `[]`), rule)
	}

	setFaults(t, s, `{"kind":"throttling","first":3}`)
	var throttled *types.ThrottlingException
	require.ErrorAs(t, put(), &throttled)
	require.Equal(t, []types.ThrottlingReason{{
		Reason:   aws.String("TableWriteKeyRangeThroughputExceeded"),
		Resource: aws.String("arn:aws:dynamodb:eu-central-1:111122223333:table/users"),
	}}, throttled.ThrottlingReasons)

	setFaults(t, s, `{"kind":"throttling","exception":"ProvisionedThroughputExceededException","first":3}`)
	var exceeded *types.ProvisionedThroughputExceededException
	require.ErrorAs(t, put(), &exceeded)
	require.Equal(t, "TableWriteProvisionedThroughputExceeded", aws.ToString(exceeded.ThrottlingReasons[0].Reason))

	setFaults(t, s, `{"kind":"conflict"}`)
	var conflict *types.TransactionConflictException
	require.ErrorAs(t, put(), &conflict)
	var canceled *types.TransactionCanceledException
	_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String("users"), Item: item}},
	}})
	require.ErrorAs(t, err, &canceled)
	require.Equal(t, "TransactionConflict", aws.ToString(canceled.CancellationReasons[0].Code))
}

// setFaults replaces the rules and returns how many of the old ones had not been
// through with all their matches.
func setFaults(t *testing.T, s *Server, rules string) (unspent int) {
	t.Helper()
	for _, f := range s.faults.list() {
		if status := f.status(); status.Injected < *status.First {
			unspent++
		}
	}
	code, body := admin(s, http.MethodDelete, "/_stator/faults", "")
	require.Equal(t, http.StatusOK, code, body)
	code, body = admin(s, http.MethodPost, "/_stator/faults", rules)
	require.Equal(t, http.StatusOK, code, body)
	return unspent
}

// TestFaultsOfStreams finds the table in what requests of the Streams API name.
func TestFaultsOfStreams(t *testing.T) {
	s := openTest(t, Options{})
	setFaults(t, s, `{"kind":"ServiceUnavailable","table":"users"}`)
	for _, tt := range []struct {
		operation, body string
		want            int
	}{
		{"ListStreams", `{"TableName":"users"}`, http.StatusServiceUnavailable},
		{"ListStreams", `{}`, http.StatusOK},
		{"DescribeStream", `{"StreamArn":"arn:aws:dynamodb:us-east-1:111122223333:table/users/stream/2026-10-01T12:00:00.500"}`, http.StatusServiceUnavailable},
		{"DescribeStream", `{"StreamArn":"arn:aws:dynamodb:us-east-1:111122223333:table/other/stream/2026-10-01T12:00:00.500"}`, http.StatusBadRequest},
		{"GetRecords", `{"ShardIterator":"arn:aws:dynamodb:us-east-1:111122223333:table/users/stream/2026-10-01T12:00:00.500|1|AAAA"}`, http.StatusServiceUnavailable},
	} {
		r := request("", strings.NewReader(tt.body))
		r.Header.Set("X-Amz-Target", streamsTargetPrefix+tt.operation)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(t, tt.want, w.Code, "%s %s: %s", tt.operation, tt.body, w.Body)
	}
}

// TestFaultDelay takes at least as long as the rule says, ends with the client, and
// draws the same delays from the same seed.
func TestFaultDelay(t *testing.T) {
	s := openTest(t, Options{})
	setFaults(t, s, `{"kind":"latency","delay":"20ms"}`)
	started := time.Now()
	code, body := as(s, "a", "r", "ListTables", `{}`)
	require.Equal(t, http.StatusOK, code, body)
	require.GreaterOrEqual(t, time.Since(started), 20*time.Millisecond)

	code, body = admin(s, http.MethodPost, "/_stator/faults", `{"kind":"latency","delay":"10m"}`)
	require.Equal(t, http.StatusOK, code, body)
	web := httptest.NewServer(s)
	defer web.Close()
	impatient := &http.Client{Timeout: 50 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	r := request("ListTables", strings.NewReader(`{}`))
	r.RequestURI = ""
	r.URL.Scheme, r.URL.Host = "http", web.Listener.Addr().String()
	_, err := impatient.Do(r)
	require.ErrorContains(t, err, "Client.Timeout")

	seed := int64(7)
	draw := func() (delays []time.Duration) {
		f := newActiveFault(faultRule{Kind: faultLatency, Delay: "5ms-9ms", Seed: &seed})
		for range 20 {
			d, yes := f.strikes()
			require.True(t, yes)
			require.GreaterOrEqual(t, d, 5*time.Millisecond)
			require.LessOrEqual(t, d, 9*time.Millisecond)
			delays = append(delays, d)
		}
		return delays
	}
	require.Equal(t, draw(), draw())
}

// TestFaultProbability is the same sequence for the same seed, and about as many as
// the probability says.
func TestFaultProbability(t *testing.T) {
	p, seed := 0.25, int64(42)
	draw := func(seed int64) (sequence []bool) {
		f := newActiveFault(faultRule{Kind: faultInternal, Probability: &p, Seed: &seed})
		for range 1000 {
			_, yes := f.strikes()
			sequence = append(sequence, yes)
		}
		require.InDelta(t, 250, f.status().Injected, 50)
		return sequence
	}
	require.Equal(t, draw(seed), draw(seed))
	require.NotEqual(t, draw(seed), draw(seed+1))

	f := newActiveFault(faultRule{Kind: faultInternal, Probability: &p})
	require.NotNil(t, f.status().Seed, "a drawn seed is shown, so that the run can be repeated")
}

// TestFaultsChangeUnderLoad exchanges rules while requests are served, and counts
// that every request is befallen by at most one of them.
func TestFaultsChangeUnderLoad(t *testing.T) {
	s := openTest(t, Options{})
	const each = 200
	var failed atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range each {
				if code, _ := as(s, "a", "r", "ListTables", `{}`); code != http.StatusOK {
					failed.Add(1)
				}
			}
		})
	}
	var rules []*activeFault
	for i := range 100 {
		id := strconv.Itoa(i)
		code, body := admin(s, http.MethodPost, "/_stator/faults", `[{"id":"`+id+`","kind":"InternalServerError","every":2},{"kind":"ServiceUnavailable"}]`)
		require.Equal(t, http.StatusOK, code, body)
		rules = append(rules, s.faults.list()...)
		runtime.Gosched()
		code, body = admin(s, http.MethodDelete, "/_stator/faults", "")
		require.Equal(t, http.StatusOK, code, body)
	}
	clients.Wait()
	require.Nil(t, s.faults.list())
	injected := 0
	for _, f := range rules {
		injected += f.status().Injected
	}
	require.EqualValues(t, failed.Load(), injected)
}

// TestFaultRulesAreRefused lists what is wrong with a rule, and that none of a list
// with a wrong one is put into force.
func TestFaultRulesAreRefused(t *testing.T) {
	s := openTest(t, Options{})
	for _, tt := range []struct{ rule, want string }{
		{`{}`, `rule 1: kind "" is none of throttling, InternalServerError, ServiceUnavailable, conflict, partialBatch, latency, drop`},
		{`{"kind":"drop","colour":"red"}`, `unknown member "colour"`},
		{`{"kind":"drop","nth":"1"}`, `/nth cannot be a JSON string`},
		{`[{"kind":"drop"},{"kind":"drop","operations":["PutItems"]}]`, `rule 2: operation "PutItems" does not exist`},
		{`{"kind":"conflict","operations":["GetItem"]}`, `rule 1: operation "GetItem": conflict does not happen to it`},
		{`{"kind":"partialBatch","operations":["PutItem"]}`, `rule 1: operation "PutItem": partialBatch does not happen to it`},
		{`{"kind":"drop","id":"a/b"}`, `rule 1: id \"a/b\" is not made of 1 to 64 letters, digits, hyphens and underscores`},
		{`{"kind":"drop","nth":0}`, `rule 1: nth 0: requests are counted from 1`},
		{`{"kind":"drop","first":1,"every":2}`, `rule 1: nth, every and first exclude each other`},
		{`{"kind":"drop","probability":0}`, `rule 1: probability 0 is not above 0 and at most 1`},
		{`{"kind":"drop","probability":1.5}`, `rule 1: probability 1.5 is not above 0 and at most 1`},
		{`{"kind":"drop","exception":"ThrottlingException"}`, `rule 1: exception belongs to kind throttling`},
		{`{"kind":"throttling","exception":"Slow"}`, `rule 1: exception "Slow" is none of ProvisionedThroughputExceededException, ThrottlingException, RequestLimitExceeded`},
		{`{"kind":"drop","fraction":0.5}`, `rule 1: fraction belongs to kind partialBatch`},
		{`{"kind":"partialBatch","fraction":2}`, `rule 1: fraction 2 is not above 0 and at most 1`},
		{`{"kind":"latency"}`, `rule 1: kind latency needs a delay`},
		{`{"kind":"latency","delay":"soon"}`, `rule 1: delay: time: invalid duration \"soon\"`},
		{`{"kind":"latency","delay":"2s-1s"}`, `rule 1: delay \"2s-1s\": a range grows, and ends at 10m0s`},
		{`{"kind":"latency","delay":"1h"}`, `rule 1: delay \"1h\": a range grows, and ends at 10m0s`},
		{`{"kind":"throttling","after":true}`, `rule 1: after belongs to the kinds InternalServerError, ServiceUnavailable, drop`},
		{`[{"id":"x","kind":"drop"},{"id":"x","kind":"drop"}]`, `there is a rule with this id already`},
		{`[` + strings.Repeat(`{"kind":"drop"},`, maxFaults) + `{"kind":"drop"}]`, `there can be at most 1000 rules`},
		{`"drop"`, `JSON string`},
		{`{"kind":"drop"`, `unexpected EOF`},
	} {
		code, body := admin(s, http.MethodPost, "/_stator/faults", tt.rule)
		require.Equal(t, http.StatusBadRequest, code, tt.rule)
		var answer struct{ Error string }
		require.NoError(t, json.Unmarshal([]byte(body), &answer, json.MatchCaseInsensitiveNames(true)))
		require.Contains(t, answer.Error, strings.ReplaceAll(tt.want, `\"`, `"`))
		require.Nil(t, s.faults.list())
	}
}

// TestFaultsNeedAdmin keeps the endpoint off servers with data on disk, unless it
// is asked for.
func TestFaultsNeedAdmin(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		s, err := Open(Options{DataDir: t.TempDir(), Shards: 1, Admin: allowed})
		require.NoError(t, err)
		code, _ := admin(s, http.MethodPost, "/_stator/faults", `[]`)
		require.Equal(t, allowed, code == http.StatusOK)
		require.NoError(t, s.Close())
	}
}

// TestMatchPattern compares the matcher with the definition of a pattern.
func TestMatchPattern(t *testing.T) {
	var match func(pattern, s []rune) bool
	match = func(pattern, s []rune) bool {
		switch {
		case len(pattern) == 0:
			return len(s) == 0
		case pattern[0] == '*':
			return match(pattern[1:], s) || len(s) > 0 && match(pattern, s[1:])
		}
		return len(s) > 0 && (pattern[0] == '?' || pattern[0] == s[0]) && match(pattern[1:], s[1:])
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune("*?aé")), 0, 8, -1).Draw(t, "pattern")
		s := rapid.StringOfN(rapid.SampledFrom([]rune("aéb")), 0, 10, -1).Draw(t, "s")
		require.Equal(t, match([]rune(pattern), []rune(s)), matchPattern(pattern, s))
	})
	require.True(t, matchPattern("user-*/?", "user-1/2/ü"))
	require.False(t, matchPattern(strings.Repeat("a*", 50)+"b", strings.Repeat("a", 2000)))
}
