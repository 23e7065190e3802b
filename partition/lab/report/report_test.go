package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/lab"
)

func TestPageSaysTheVerdictFirst(t *testing.T) {
	r := example(t)
	page := written(t, r)
	require.Contains(t, page, "<title>Failed: How stale eventual reads are, by read policy</title>")
	require.Contains(t, page, "5 of 7 checks came out as expected, 1 did not, 1 could not be decided.")
	// From above: the verdict, the expectation, the checks, the anomalies and so on.
	last := 0
	for _, part := range []string{`class="verdict bad"`, "What to expect", `id="checks"`, `id="anomalies"`, `id="staleness"`, `id="timeline"`, `id="lag"`, `id="latency"`, `id="index"`, `id="repeat"`, `id="operations"`} {
		at := strings.Index(page, part)
		require.Greater(t, at, last, part)
		last = at
	}
}

func TestSummaryCountsChecks(t *testing.T) {
	checks := func(verdicts ...lab.Verdict) *lab.Result {
		r := &lab.Result{}
		for _, v := range verdicts {
			r.Checks = append(r.Checks, lab.Check{Verdict: v})
		}
		return r
	}
	for want, r := range map[string]*lab.Result{
		"Nothing was checked.":                                        checks(),
		"The one check came out as expected.":                         checks(lab.Passed),
		"All 2 checks came out as expected.":                          checks(lab.Passed, lab.Passed),
		"0 of 1 check came out as expected, 1 did not.":               checks(lab.Failed),
		"1 of 2 checks came out as expected, 1 could not be decided.": checks(lab.Passed, lab.Undecided),
	} {
		require.Equal(t, want, summary(r))
	}
}

func TestPageLoadsNothing(t *testing.T) {
	page := written(t, example(t))
	require.NotRegexp(t, regexp.MustCompile(`(?i)\b(src|href|action)\s*=\s*["']?(https?:|//|file:)`), page)
	require.NotContains(t, style(), "url(")
	require.NotContains(t, style(), "@import")
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	require.Len(t, policy, 2)
	require.Contains(t, policy[1], "default-src &#39;none&#39;")
	require.Regexp(t, `script-src &#39;sha256-[^ ;]+;`, strings.ReplaceAll(policy[1], "&#39;;", "'&#39;;"))
	require.Less(t, len(page)-len(historyIn(t, page)), 300_000, "the page without its data")
}

// historyIn is the history as the page carries it.
func historyIn(t *testing.T, page string) string {
	t.Helper()
	found := regexp.MustCompile(`id="history">([^<]*)<`).FindStringSubmatch(page)
	require.Len(t, found, 2)
	return found[1]
}

func TestLargeHistoryStaysSmall(t *testing.T) {
	r := large(t, 50_000)
	history, err := json.Marshal(r)
	require.NoError(t, err)
	page := written(t, r)
	require.Less(t, len(page), 3_000_000)
	require.Less(t, len(page), len(history)/3)
}

func TestPicturesOfViolationsMayRun(t *testing.T) {
	picture := pictureOf(t)
	hashes := scriptHashes(picture)
	require.Len(t, hashes, 1)
	r := example(t)
	r.Checks[5].Verdict, r.Checks[5].Picture = lab.Failed, picture
	page := written(t, r)
	require.Contains(t, page, "Violations as porcupine shows them")
	require.Contains(t, page, strings.NewReplacer("+", "&#43;", "'", "&#39;").Replace(hashes[0]))
	require.NotContains(t, page, "<title>Porcupine", "it is in no document but its own")
}

// pictureOf is what porcupine draws of a register that is not linearizable.
func pictureOf(t *testing.T) string {
	t.Helper()
	model := porcupine.Model{
		Init: func() any { return 0 },
		Step: func(state, input, output any) (bool, any) {
			if input != nil {
				return true, input
			}
			return output == state, state
		},
		DescribeOperation: func(input, output any) string {
			if input != nil {
				return "write " + strconv.Itoa(input.(int)) + " </script><script>hostile = 1</script>"
			}
			return "read " + strconv.Itoa(output.(int))
		},
	}
	result, info := porcupine.CheckOperationsVerbose(model, []porcupine.Operation{
		{ClientId: 0, Input: 1, Call: 0, Output: 0, Return: 10},
		{ClientId: 1, Input: nil, Call: 20, Output: 0, Return: 30},
	}, time.Minute)
	require.Equal(t, porcupine.Illegal, result)
	var b bytes.Buffer
	require.NoError(t, porcupine.Visualize(model, info, &b))
	return b.String()
}

func TestDurationsForPeople(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0": 0, "999 ns": 999, "1 µs": time.Microsecond, "427 µs": 427*time.Microsecond + 400, "36.5 ms": 36454937,
		"1.02 s": 1024 * time.Millisecond, "60 s": time.Minute, "3,600 s": time.Hour, "-5 ms": -5 * time.Millisecond,
	} {
		require.Equal(t, want, duration(d))
	}
}

func TestSharesNeitherVanishNorRoundUp(t *testing.T) {
	require.Equal(t, "–", percent(0, 0))
	require.Equal(t, "0 %", percent(0, 7))
	require.Equal(t, "100 %", percent(7, 7))
	require.Equal(t, "< 0.01 %", percent(1, 1_000_000))
	require.Equal(t, "> 99.99 %", percent(999_999, 1_000_000))
	require.Equal(t, "11 %", percent(11, 102))
	require.Equal(t, "4.1 %", percent(4, 97))
	require.Equal(t, "0.50 %", percent(1, 200))
}

func TestExplanationsLeadToOperations(t *testing.T) {
	text := "Operation 12 missed operations 3, 4 and 99 of 5 writes."
	var ids, all string
	for _, p := range pieces(text, 50) {
		all += p.Text
		if p.Operation {
			ids += p.Text + " "
		}
	}
	require.Equal(t, text, all)
	require.Equal(t, "12 3 4 ", ids, "99 is no operation, and 5 not named as one")
}
