package report

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/lab"
)

func TestPageInABrowser(t *testing.T) {
	r := example(t)
	p := open(t, r)

	require.Equal(t, "Failed", p.text(".verdict-word"))
	require.Equal(t, len(r.Checks), js[int](p, "document.querySelectorAll('.checks tbody tr').length"))
	failed := p.text(".check-bad")
	require.Contains(t, failed, "Do pinned reads miss acknowledged writes?")
	require.Contains(t, failed, "5 of 95")
	for chart, marks := range map[string]string{
		"#curve": ".line", "#distributions": ".column", "#latencies": ".column", "#index-lag": ".column", "#lag-plots": ".line",
	} {
		require.Positive(t, js[int](p, fmt.Sprintf("document.querySelectorAll('%s svg %s').length", chart, marks)), chart)
	}
	require.NotEmpty(t, js[[]string](p, "[...document.querySelectorAll('svg[role=img]')].map((e) => e.getAttribute('aria-label')).filter(Boolean)"))

	require.Equal(t, "stator lab run stale-reads --seed 7", p.text("#command"))
	js[chromedp.Void](p, "document.querySelector('#copy').click()")
	p.await("document.querySelector('#copy').textContent !== 'Copy'")
}

// TestHistoryComesOutAsItWentIn downloads the history from the page.
func TestHistoryComesOutAsItWentIn(t *testing.T) {
	r := example(t)
	r.Seed = 1<<64 - 1 // no number of JavaScript
	p := open(t, r)
	dir := t.TempDir()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir})
		return err
	}))
	js[chromedp.Void](p, "document.querySelector('#download').click()")
	var got []byte
	require.Eventually(t, func() bool {
		var err error
		got, err = os.ReadFile(filepath.Join(dir, "stale-reads.json"))
		return err == nil
	}, patience, 20*time.Millisecond)
	history, err := json.Marshal(r)
	require.NoError(t, err)
	require.Equal(t, string(history)+"\n", string(got))
}

func TestOperationsAreFoundAndShown(t *testing.T) {
	r := example(t)
	p := open(t, r)
	require.Equal(t, "600", p.text("#matches"))

	p.fill("Group", "pinned")
	p.fill("Anomaly", "any")
	require.Equal(t, "5 of 600", p.text("#matches"))
	require.Equal(t, 5, js[int](p, "document.querySelectorAll('.rows tbody th').length"))
	p.fill("Search operations", "#269")
	require.Equal(t, "1 of 600", p.text("#matches"))
	p.fill("Search operations", "there is no such key")
	require.Equal(t, "No operation is like that.", p.text(".rows tbody"))
	p.fill("Group", "")
	p.fill("Anomaly", "")
	p.fill("Search operations", "")

	// A link of the evidence shows the operation, what it missed, and a part of the run.
	whole := p.text("#lag-plots")
	js[chromedp.Void](p, "document.querySelector('.checks a[href=\"#op-269\"]').click()")
	p.await("document.querySelector('.operation')?.innerText.includes('Operation 269')")
	require.Contains(t, p.text(".operation"), "operation 267")
	p.await(fmt.Sprintf("document.querySelector('#lag-plots').innerText !== %q", whole))
	require.Contains(t, p.text(".rows [aria-current=true]"), "269")
	js[chromedp.Void](p, "document.querySelector('.operation a').click()")
	p.await("document.querySelector('.operation')?.innerText.includes('Operation 267')")

	// The count of an anomaly leads to its operations.
	js[chromedp.Void](p, "document.querySelector('button[data-group=random]').click()")
	require.Equal(t, "4 of 600", p.text("#matches"))
}

func TestTimelineMoves(t *testing.T) {
	r := example(t)
	p := open(t, r)
	// The lag has the timeline's axis, in text.
	axis := func() string { return p.text("#lag-plots") }
	changes := func(from string) {
		t.Helper()
		p.await(fmt.Sprintf("document.querySelector('#lag-plots').innerText !== %q", from))
	}
	whole := axis()
	press := func(key string) {
		t.Helper()
		before := axis()
		p.do(chromedp.KeyEvent(key))
		changes(before)
	}
	js[chromedp.Void](p, "document.querySelector('canvas').scrollIntoView({behavior: 'instant', block: 'center'}); document.querySelector('canvas').focus()")
	press("+")
	press("\u0303") // right
	press("-")
	js[chromedp.Void](p, "document.querySelector('#zoom-reset').click()")
	p.await(fmt.Sprintf("document.querySelector('#lag-plots').innerText === %q", whole))
	js[chromedp.Void](p, "document.querySelector('canvas').dispatchEvent(new WheelEvent('wheel', {deltaY: -300, ctrlKey: true, clientX: 600, bubbles: true, cancelable: true}))")
	changes(whole)

	// The next anomaly is shown large enough to point at.
	js[chromedp.Void](p, "document.querySelector('#next-anomaly').click()")
	p.await("document.querySelector('.operation')?.innerText.includes('Operation 7:')")
	js[chromedp.Void](p, `(async () => {
		await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
		const canvas = document.querySelector('canvas'), b = canvas.getBoundingClientRect();
		for (let y = 5; y < b.height; y += 10) {
			for (let x = 130; x < b.width; x += 6) {
				canvas.dispatchEvent(new PointerEvent('pointermove', {clientX: b.left + x, clientY: b.top + y, pointerId: 1, bubbles: true}));
				if (document.querySelector('.tip').textContent.includes('#7 of pinned-1')) return;
			}
		}
	})()`)
	tip := p.text(".tip")
	require.Contains(t, tip, "GetItem k0 = 1")
	require.Contains(t, tip, "stale read: by 32.9 ms")
}

func TestHostileTextsDoNothing(t *testing.T) {
	hostile := `</script></style><img src=x onerror="document.title='run'"><script>document.title='run'</script>{{.}}${1}'"` + "`\u2028"
	r := example(t)
	r.Checks[0].Question, r.Checks[0].Expected, r.Checks[0].Observed, r.Checks[0].Explanation = hostile, hostile, hostile, hostile
	r.Title, r.Text, r.Definition, r.Command, r.Experiment = hostile, hostile, hostile, hostile, hostile
	r.Nodes[0].Name, r.Nodes[0].Zone, r.Faults[0].Text, r.Clients[0].Group, r.Clients[0].Name = hostile, hostile, hostile, hostile, hostile
	r.Reads[0].Group, r.Reads[0].Policy, r.Anomalies[0].Group, r.Anomalies[0].Kind = hostile, hostile, hostile, lab.AnomalyKind(hostile)
	r.Operations[7].Actions[0].Key, r.Operations[7].Actions[0].Value, r.Operations[7].Error = hostile, hostile, hostile
	r.Operations[7].Kind, r.Operations[7].Anomalies = hostile, []lab.AnomalyKind{lab.AnomalyKind(hostile)}
	r.Checks[5].Verdict, r.Checks[5].Picture = lab.Failed, pictureOf(t)

	p := open(t, r)
	js[chromedp.Void](p, "void(location.hash = '#op-7')")
	p.await("document.querySelector('.operation') !== null")
	require.Contains(t, p.text(".operation"), hostile[:40])
	p.fill("Search operations", "#7")
	require.Contains(t, p.text(".rows tbody"), hostile[:40])
	require.Equal(t, hostile, p.text("h1"))
	js[chromedp.Void](p, "document.querySelector('iframe').scrollIntoView({behavior: 'instant'})")
	p.await("document.querySelector('iframe').srcdoc.includes('Porcupine')")
	require.Equal(t, "Failed: "+hostile, js[string](p, "document.title"))
	require.Zero(t, js[int](p, "document.querySelectorAll('img').length"))
}

func TestPictureIsDrawnInItsFrame(t *testing.T) {
	r := example(t)
	r.Checks[5].Verdict, r.Checks[5].Picture = lab.Failed, pictureOf(t)
	// What was drawn is told by one more script.
	r.Checks[5].Picture = strings.Replace(r.Checks[5].Picture, "</body>", "<script>parent.postMessage([document.querySelectorAll('#canvas rect').length, typeof hostile, origin], '*')</script></body>", 1)
	p := open(t, r)
	js[chromedp.Void](p, `addEventListener('message', (event) => { window.told = event.data; });
		document.querySelector('iframe').scrollIntoView({behavior: 'instant'})`)
	p.await("window.told !== undefined")
	told := js[[]any](p, "window.told")
	require.Positive(t, told[0])
	require.Equal(t, "undefined", told[1])
	require.Equal(t, "null", told[2], "it has no part in the page's origin")
}

// TestExperimentIsShown: what the laboratory really finds, with porcupine's picture.
func TestExperimentIsShown(t *testing.T) {
	e, found, err := lab.Builtin("negative-control")
	require.NoError(t, err)
	require.True(t, found)
	r, err := lab.Run(t.Context(), e, lab.Options{Seed: 1, Mode: lab.Simulated, Command: "stator lab run negative-control --seed 1"})
	require.NoError(t, err)
	p := open(t, r)
	require.Equal(t, "Passed", p.text(".verdict-word"))
	js[chromedp.Void](p, "document.querySelector('iframe').scrollIntoView({behavior: 'instant'})")
	p.await("document.querySelector('iframe').srcdoc.includes('Porcupine')")
	js[chromedp.Void](p, "document.querySelector('.evidence .id').click()")
	p.await("document.querySelector('.operation') !== null")
	require.NotContains(t, p.text("main"), "NaN")
}

// TestPointingAtAGroupPutsOthersBack: its curve can be told from five.
func TestPointingAtAGroupPutsOthersBack(t *testing.T) {
	p := open(t, example(t))
	js[chromedp.Void](p, "document.querySelector('#curve .legend button').focus()")
	p.await("document.querySelectorAll('#curve .faded').length === 8") // bands and lines of four
	js[chromedp.Void](p, "document.querySelector('#curve .legend button').click(); document.activeElement.blur()")
	p.await("document.querySelectorAll('#curve .faded, #curve .g0 .line').length === 1") // that of the legend
	require.Equal(t, "false", js[string](p, "document.querySelector('#curve .legend button').ariaPressed"))
}

func TestEmptyResultsAreShown(t *testing.T) {
	for name, r := range map[string]*lab.Result{
		"nothing":       {Format: lab.ResultFormat, Title: "Nothing", Verdict: lab.Undecided},
		"no operations": {Format: lab.ResultFormat, Title: "Nothing", Verdict: lab.Passed, Duration: time.Minute, Nodes: []lab.Node{{Name: "n1"}}, Shards: []lab.Shard{{}}, Clients: []lab.Client{{Name: "c", Group: "g"}}, Reads: []lab.Reads{{Group: "g"}}, Lag: []lab.Lag{{}}, IndexLag: &lab.Distribution{}},
		"one sample":    {Format: lab.ResultFormat, Title: "Nothing", Verdict: lab.Passed, Duration: time.Minute, Nodes: []lab.Node{{Name: "n1"}}, Shards: []lab.Shard{{}}, Lag: []lab.Lag{{Points: []lab.LagPoint{{}}}}, Leaders: []lab.Leader{{}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, r)
			require.Equal(t, "There was no operation.", p.text(".rows tbody"))
			require.NotContains(t, p.text("main"), "NaN")
		})
	}
}

func TestLargeHistoryIsShown(t *testing.T) {
	r := large(t, 50_000)
	p := open(t, r)
	require.Equal(t, "50,000", p.text("#matches"))
	js[chromedp.Void](p, "document.querySelector('.rows').scrollTop = 1e9")
	p.await("document.querySelector('.rows').innerText.includes('49999')")
	require.Less(t, js[int](p, "document.querySelectorAll('.rows tr').length"), 100, "of what can be seen")
	p.fill("Outcome", "unavailable")
	p.await("document.querySelector('.rows').innerText.includes('no leader of shard 0')")
}

// TestSmallScreen needs no scrolling to the side.
func TestSmallScreen(t *testing.T) {
	p := open(t, example(t), narrow(), dark())
	require.Equal(t, 360, js[int](p, "document.documentElement.scrollWidth"))
	require.Equal(t, "rgb(15, 20, 24)", js[string](p, "getComputedStyle(document.documentElement).backgroundColor"))
}
