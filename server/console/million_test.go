package console_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/server"
)

var browseItems = flag.Int("items", 20_000, "items that TestBrowse goes through")

// TestBrowse turns pages through a large table: neither the page's memory nor the
// number of its elements grows.
//
//	go test ./server/console -run TestBrowse -items 1000000
func TestBrowse(t *testing.T) {
	chromium(t)
	b := newBackend(t, server.Options{})
	b.call("CreateTable", `{"TableName":"Large","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"N"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`)
	for i := 0; i < *browseItems; i += 25 {
		var puts []string
		for n := i; n < i+25; n++ {
			puts = append(puts, fmt.Sprintf(`{"PutRequest":{"Item":{"id":{"N":"%d"},"name":{"S":"item number %d"},"text":{"S":"%s"}}}}`, n, n, strings.Repeat("x", 100)))
		}
		b.call("BatchWriteItem", `{"RequestItems":{"Large":[`+strings.Join(puts, ",")+`]}}`)
	}
	p := open(t, b, "table/Large/items")
	p.says("50 items")
	js[chromedp.Void](p, `document.querySelector('details').open = true`)
	p.fill("Page size", "1000")
	p.click("Run")
	p.says("1,000 items")
	pages := *browseItems / 1000
	turn := func(until int) {
		for n := js[int](p, `Number(/Page ([\d,]+)/.exec(document.body.innerText)[1].replace(',', ''))`); n < until; n++ {
			js[chromedp.Void](p, `document.querySelector('[data-key=right]').click()`)
			p.says(fmt.Sprintf("Page %s", thousands(n+1)))
		}
	}
	measure := func() (heap float64, nodes int) {
		_, err := chromedp.Call(p.ctx, heapprofiler.CollectGarbage, cdp.Empty{})
		require.NoError(t, err)
		return js[float64](p, `performance.memory.usedJSHeapSize / 1e6`), js[int](p, `document.querySelectorAll('*').length`)
	}
	turn(min(5, pages))
	heap, nodes := measure()
	served := inUse()
	start := time.Now()
	turn(pages)
	heapAfter, nodesAfter := measure()
	t.Logf("%d items: heap of the page %.1f MB after 5 pages, %.1f MB after %d, %s a page", *browseItems, heap, heapAfter, pages, time.Since(start)/time.Duration(max(1, pages-5)))
	t.Logf("heap of the server: %d MB, then %d MB", served>>20, inUse()>>20)
	require.Less(t, heapAfter, heap+15)
	require.Less(t, inUse(), served+served/4+32<<20)
	require.InDelta(t, nodes, nodesAfter, 20)
}

// inUse is what the server, which is part of this process, holds on its heap.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

var openWithin = flag.Duration("open", 0, "time that the console may take to open, 0 for any")

// TestOpens measures how long the console takes to show the tables with nothing cached, and on a quiet machine holds it to that:
//
//	go test ./server/console -run TestOpens -open 300ms -v
func TestOpens(t *testing.T) {
	chromium(t)
	b := newBackend(t, server.Options{})
	b.music(1)
	p := open(t, b, "tables")
	p.says("Music")
	best := time.Hour
	for range 5 {
		p.do(chromedp.Navigate("about:blank"))
		_, err := chromedp.Call(p.ctx, network.ClearBrowserCache, cdp.Empty{})
		require.NoError(t, err)
		p.do(chromedp.Navigate(p.url))
		p.says("Music")
		took := js[float64](p, `(async () => { const paint = performance.getEntriesByType('paint').find((e) => e.name === 'first-contentful-paint'); return Math.max(paint?.startTime ?? 0, performance.getEntriesByType('resource').filter((e) => e.initiatorType === 'fetch').slice(0, 2).at(-1)?.responseEnd ?? 0); })()`)
		best = min(best, time.Duration(took*float64(time.Millisecond)))
		t.Logf("shows its tables %.0f ms after the navigation", took)
	}
	if *openWithin > 0 {
		require.Less(t, best, *openWithin)
	}
}
