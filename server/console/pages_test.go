package console_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/server"
)

// go test ./server/console -run TestPages -screenshots DIR
var screenshots = flag.String("screenshots", "", "directory for pictures of every page")

func (p *tab) picture(name string) {
	p.t.Helper()
	if *screenshots == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644))
}

// unlabelled lists controls that a screen reader could not name, and images without a text.
const unlabelled = `[...document.querySelectorAll('button, a, input, select, textarea, [role=img], [role=region], dialog, nav')].filter((e) =>
	!(e.getAttribute('aria-label') || e.labels?.length || e.textContent.trim() || e.title || e.getAttribute('placeholder'))).map((e) => e.outerHTML.slice(0, 200))`

// TestPages opens every page at the width of a desk and of a phone, and in the dark: something to see,
// nothing wider than the window, a name for every control, and no fault.
func TestPages(t *testing.T) {
	chromium(t)
	b := newBackend(t, server.Options{})
	b.music(120)
	b.call("UpdateTimeToLive", `{"TableName":"Music","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"Expires"}}`)
	for _, name := range []string{"Orders", "Sessions", "Users"} {
		b.call("CreateTable", `{"TableName":"`+name+`","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`)
	}
	for _, size := range []struct {
		name   string
		before []chromedp.Action[chromedp.Void]
	}{{"1280", nil}, {"360", []chromedp.Action[chromedp.Void]{narrow()}}, {"dark", []chromedp.Action[chromedp.Void]{dark()}}} {
		t.Run(size.name, func(t *testing.T) {
			p := open(t, b, "tables", size.before...)
			for _, page := range []struct {
				name, hash, says string
				act              func()
			}{
				{"tables", "tables", "Artist", nil},
				{"create", "create", "Create table", func() { p.click("Add a global index") }},
				{"items", "table/Music/items", "50 items", func() { p.click("Query"); p.click("Add filter") }},
				{"item", "table/Music/items", "50 items", func() {
					p.await(`document.querySelector('.grid tbody button.link') !== null`)
					js[chromedp.Void](p, `document.querySelector('.grid tbody button.link').click()`)
					p.says("Save changes")
					p.await(`document.querySelector('.attribute') !== null`)
				}},
				{"item-json", "table/Music/items", "50 items", func() {
					js[chromedp.Void](p, `document.querySelector('.grid tbody button.link').click()`)
					p.says("Save changes")
					p.click("DynamoDB JSON")
				}},
				{"settings", "table/Music/settings", "Expires", nil},
				{"stream", "table/Music/stream", "Waiting for changes", func() { p.click("Last 24 hours"); p.says("insert") }},
				{"partiql", "partiql", "Run", func() {
					p.fill("PartiQL statement", `SELECT Artist, Song, "Year" FROM "Music" WHERE Genre = 'Jazz'`)
					p.click("Run")
					p.says("units")
				}},
				{"requests", "requests", "live", func() {
					b.call("Query", `{"TableName":"Music","KeyConditionExpression":"Artist = :a","ExpressionAttributeValues":{":a":{"S":"Quorum"}}}`)
					b.call("Scan", `{"TableName":"Music","FilterExpression":"Genre = :g","ExpressionAttributeValues":{":g":{"S":"Jazz"}}}`)
					b.call("PutItem", `{"TableName":"Users","Item":{"id":{"S":"u-1"}}}`)
					p.says("this was a Scan")
				}},
				{"streams", "streams", "Music", nil},
				{"load", "load", "p99", func() {
					for range 3 {
						b.call("Scan", `{"TableName":"Music"}`)
						p.says("requests a second")
					}
					p.await(`document.querySelector('.chart canvas') !== null`)
				}},
				{"cluster", "cluster", "node", nil},
			} {
				p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+"#/"+page.hash))
				p.says(page.says)
				if page.act != nil {
					page.act()
				}
				p.picture(page.name + "-" + size.name)
				require.Empty(t, js[[]string](p, unlabelled), page.name)
				require.LessOrEqual(t, js[int](p, "document.documentElement.scrollWidth - innerWidth"), 0, "%s is wider than the window", page.name)
			}
		})
	}
}
