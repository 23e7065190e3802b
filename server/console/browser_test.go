package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server"
)

// chromium finds a browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium on this machine: the console is not tested in a browser")
	return ""
}

// A backend is a server in memory behind HTTP.
type backend struct {
	t   *testing.T
	api http.Handler // without the way through HTTP
	url string
	// delay holds back every request of a browser by so many nanoseconds.
	delay atomic.Int64
	// cluster is asked for what /_stator/cluster answers instead of the server.
	cluster atomic.Pointer[func() partition.ClusterStatus]
}

func newBackend(t *testing.T, o server.Options) *backend {
	t.Helper()
	o.InMemory, o.Shards = true, 2
	s, err := server.Open(o)
	require.NoError(t, err)
	b := &backend{t: t, api: s}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if delay := b.delay.Load(); delay > 0 && r.Header.Get("Sec-Fetch-Mode") != "" {
			select {
			case <-time.After(time.Duration(delay)):
			case <-r.Context().Done():
			}
		}
		if tell := b.cluster.Load(); tell != nil && r.URL.Path == "/_stator/cluster" {
			_ = json.NewEncoder(w).Encode((*tell)())
			return
		}
		s.ServeHTTP(w, r)
	}))
	b.url = web.URL
	t.Cleanup(func() {
		web.CloseClientConnections() // a browser may still follow the request log
		web.Close()
		require.NoError(t, s.Close())
	})
	return b
}

// tells has /_stator/cluster answer with a status.
func (b *backend) tells(status partition.ClusterStatus) {
	b.cluster.Store(new(func() partition.ClusterStatus { return status }))
}

// call makes an API request as access key local in us-east-1 and returns the answer.
func (b *backend) call(operation, body string) map[string]any {
	b.t.Helper()
	return b.callAs("local", "us-east-1", operation, body)
}

func (b *backend) callAs(key, region, operation, body string) map[string]any {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	r.Header.Set("X-Amz-Date", "20261001T120000Z")
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20261001/%s/dynamodb/aws4_request, SignedHeaders=host, Signature=0", key, region))
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, r)
	var out map[string]any
	require.NoError(b.t, json.Unmarshal(w.Body.Bytes(), &out))
	require.Equal(b.t, http.StatusOK, w.Code, "%s %s: %v", operation, body, out)
	return out
}

// music creates a table with a sort key, indexes of both kinds and a stream, and n items.
func (b *backend) music(n int) {
	b.t.Helper()
	b.call("CreateTable", `{"TableName":"Music","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"Artist","AttributeType":"S"},{"AttributeName":"Song","AttributeType":"S"},{"AttributeName":"Year","AttributeType":"N"},{"AttributeName":"Genre","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"Artist","KeyType":"HASH"},{"AttributeName":"Song","KeyType":"RANGE"}],
		"LocalSecondaryIndexes":[{"IndexName":"ByYear","KeySchema":[{"AttributeName":"Artist","KeyType":"HASH"},{"AttributeName":"Year","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}],
		"GlobalSecondaryIndexes":[{"IndexName":"ByGenre","KeySchema":[{"AttributeName":"Genre","KeyType":"HASH"},{"AttributeName":"Year","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
		"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`)
	artists := []string{"Acme Band", "No One You Know", "The Ring", "Quorum", "Paxos & Sons", "Écho 東京"}
	genres := []string{"Rock", "Jazz", "Folk"}
	for i := range n {
		b.call("PutItem", fmt.Sprintf(`{"TableName":"Music","Item":{"Artist":{"S":%q},"Song":{"S":"Song %03d"},"Year":{"N":"%d"},"Genre":{"S":%q},
			"Awards":{"N":"%d"},"Live":{"BOOL":%t},"Tags":{"SS":["a%d","b"]},"Label":{"M":{"Name":{"S":"Ledger Records"},"Since":{"N":"1977"}}}}}`,
			artists[i%len(artists)], i, 1970+i%50, genres[i%len(genres)], i%7, i%3 == 0, i%5))
	}
}

// A tab is a page in a headless browser that remembers what went wrong in it.
type tab struct {
	t      *testing.T
	ctx    context.Context
	url    string
	mu     sync.Mutex
	faults []string
}

// open starts a browser on a page of the console. Errors in the page, violations of
// its Content-Security-Policy among them, fail the test in the end.
func open(t *testing.T, b *backend, hash string, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx, url: b.url + "/console/"}
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.fault((&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
		case *cdplog.EventEntryAdded:
			// Refusals of the API are part of the protocol, and so are endpoints that a server has not.
			if e.Entry.Level == cdplog.EntryLevelError && e.Entry.Source != cdplog.EntrySourceNetwork {
				p.fault(e.Entry.Text)
			}
		}
	}))
	p.do(before...)
	p.do(chromedp.Navigate(p.url + "#/" + hash))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		require.Empty(t, p.faults)
	})
	return p
}

func (p *tab) fault(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, text)
}

// patience bounds everything that a test waits for in a page: longer than any machine
// is busy. In the page a wait is a little shorter, so that it can still say what it sees.
const (
	patience     = 2 * time.Minute
	pagePatience = 100 * time.Second
)

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, actions...))
}

// js evaluates an expression, which may be a promise, into a value.
func js[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, expression)
	return value
}

// await waits until an expression is true. It looks from within the page, without the
// evaluation of text that the page's policy forbids.
func (p *tab) await(expression string) {
	p.t.Helper()
	met := js[bool](p, fmt.Sprintf(`(async () => {
		for (const end = Date.now() + %d; Date.now() < end;) {
			if (%s) return true;
			await new Promise((resolve) => setTimeout(resolve, 30));
		}
		return false;
	})()`, pagePatience.Milliseconds(), expression))
	if !met {
		require.True(p.t, met, "waited for %s; the page says: %s", expression, js[string](p, "document.body.innerText"))
	}
}

// says waits for a text that can be seen.
func (p *tab) says(text string) {
	p.t.Helper()
	p.await(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// silent waits until a text is gone.
func (p *tab) silent(text string) {
	p.t.Helper()
	p.await(fmt.Sprintf("!document.body.innerText.includes(%q)", text))
}

// top is the innermost open dialog, or else the page.
const top = `([...document.querySelectorAll('dialog[open]')].at(-1) ?? document)`

// click clicks the button or link of that name in the innermost dialog.
func (p *tab) click(name string) {
	p.t.Helper()
	found := fmt.Sprintf(`[...%s.querySelectorAll('button, a, summary')].find((e) => !e.disabled && (e.textContent.trim() === %[2]q || e.getAttribute('aria-label') === %[2]q))`, top, name)
	p.await(found + " !== undefined")
	js[chromedp.Void](p, "((e) => { e.focus(); e.click(); })("+found+")")
}

// fill types into the control with that label in the innermost dialog.
func (p *tab) fill(label, text string) {
	p.t.Helper()
	found := fmt.Sprintf(`[...%s.querySelectorAll('input, textarea, select')].find((e) => e.getAttribute('aria-label') === %[2]q || e.closest('label')?.innerText.trim().split('\n')[0].trim() === %[2]q)`, top, label)
	p.await(found + " !== undefined")
	js[chromedp.Void](p, fmt.Sprintf(`((e) => { Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), 'value').set.call(e, %q);
		e.dispatchEvent(new Event(e.tagName === 'SELECT' ? 'change' : 'input', {bubbles: true})); })(%s)`, text, found))
}

// narrow makes the window as small as a phone's.
func narrow() chromedp.Action[chromedp.Void] {
	return chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile)
}

// dark is what the system says that likes it so.
func dark() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
		})
		return err
	})
}
