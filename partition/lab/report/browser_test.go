package report

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/partition/lab"
)

// chromium finds a browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium on this machine: the report is not tested in a browser")
	return ""
}

// browser is the one of all tests, started by the first that needs it.
var browser struct {
	once sync.Once
	ctx  context.Context
	stop func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	os.Exit(code)
}

func startedBrowser(t *testing.T) context.Context {
	t.Helper()
	path := chromium(t)
	browser.once.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
		ctx, stopBrowser := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, closeTab := chromedp.NewContext(ctx)
		browser.ctx, browser.stop = ctx, func() { closeTab(); stopBrowser() }
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
	})
	return browser.ctx
}

// A tab is a report in a headless browser that remembers what went wrong in it.
type tab struct {
	t      *testing.T
	ctx    context.Context
	mu     sync.Mutex
	faults []string
}

// open writes the report about a result to a file and opens that. Errors in the page,
// violations of its Content-Security-Policy among them, fail the test in the end.
func open(t *testing.T, r *lab.Result, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	file, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, WriteHTML(file, r))
	require.NoError(t, file.Close())

	ctx, cancel := chromedp.NewContext(startedBrowser(t))
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.fault((&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.EntryLevelError {
				p.fault(e.Entry.Text)
			}
		}
	}))
	p.do(before...)
	p.do(chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String()))
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		require.Empty(t, p.faults)
	})
	p.await(`document.querySelector('#operation-table tbody tr') !== null`)
	return p
}

func (p *tab) fault(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, text)
}

// patience bounds everything that a test waits for in a page.
const patience = time.Minute

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
		for (const end = performance.now() + 30000; performance.now() < end;) {
			if (%s) return true;
			await new Promise((resolve) => setTimeout(resolve, 30));
		}
		return false;
	})()`, expression))
	if !met {
		require.True(p.t, met, "waited for %s; the page says: %s", expression, js[string](p, "document.body.innerText"))
	}
}

// text is what a person reads in an element.
func (p *tab) text(selector string) string {
	p.t.Helper()
	return js[string](p, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// fill types into the control of that name.
func (p *tab) fill(name, text string) {
	p.t.Helper()
	js[chromedp.Void](p, fmt.Sprintf(`((e) => { e.value = %q; e.dispatchEvent(new Event(e.tagName === 'SELECT' ? 'change' : 'input')); })(document.querySelector('[aria-label=%q]'))`, text, name))
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
