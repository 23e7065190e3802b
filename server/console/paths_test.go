package console_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/server"
)

// TestTableLife creates a table with everything, looks at it, changes it and deletes it.
func TestTableLife(t *testing.T) {
	b := newBackend(t, server.Options{})
	p := open(t, b, "tables")
	p.says("No tables here yet")
	p.click("Create the first table")
	p.fill("Table name", "Orders")
	p.fill("Partition key", "customer")
	p.fill("Sort key", "number")
	p.fill("Type of Sort key", "N")
	p.click("Add a global index")
	p.fill("Index name", "ByState")
	js[chromedp.Void](p, `document.querySelector('.panel.inner input[aria-label="Partition key"]').id = 'index-key'`)
	p.do(chromedp.SendKeys(chromedp.CSS("#index-key"), "state"))
	p.fill("Stream", "NEW_AND_OLD_IMAGES")
	p.fill("Time to live attribute", "expires")
	p.click("</> Code")
	p.says("aws dynamodb create-table")
	p.click("Create table")
	p.says("This table is empty.")

	table := b.call("DescribeTable", `{"TableName":"Orders"}`)["Table"].(map[string]any)
	require.Equal(t, "ByState", table["GlobalSecondaryIndexes"].([]any)[0].(map[string]any)["IndexName"])
	ttl := b.call("DescribeTimeToLive", `{"TableName":"Orders"}`)["TimeToLiveDescription"].(map[string]any)
	require.Equal(t, "expires", ttl["AttributeName"])

	p.click("Settings")
	p.says("Items expire at the time in")
	p.fill("Tag", "team")
	p.fill("Value", "billing")
	p.click("Add")
	p.await(`document.querySelector('.tags')?.innerText.includes('billing')`)
	p.click("Protect")
	p.says("This table is protected from deletion.")
	p.click("Lift the protection")
	p.says("This table is not protected from deletion.")
	p.click("Add a global index")
	p.fill("Index name", "ByDay")
	p.fill("Partition key", "day")
	p.click("Create index")
	p.await(`[...document.querySelectorAll('tbody th')].some((e) => e.innerText === 'ByDay')`)

	p.click("Delete this table …")
	require.True(t, js[bool](p, `[...document.querySelectorAll('dialog button.danger')].at(-1).disabled`), "deleting takes the table's name")
	p.fill("Type Orders to confirm", "Orders")
	p.click("Delete table")
	p.says("No tables here yet")
}

// TestItemLife creates, finds, edits and deletes an item in each of the editor's forms.
func TestItemLife(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.music(0)
	p := open(t, b, "table/Music/items")
	p.click("New item")
	p.click("DynamoDB JSON")
	p.fill("Item as DynamoDB JSON", `{"Artist":{"S":"Écho"},"Song":{"S":"One"},"Plays":{"N":"123456789012345678901234567890.5"},"Tags":{"SS":["x","y"]},"Raw":{"B":"AQID"}`)
	p.click("Create item")
	p.says("Line 1, column 134")
	p.fill("Item as DynamoDB JSON", `{"Artist":{"S":"Écho"},"Song":{"S":"One"},"Plays":{"N":"123456789012345678901234567890.5"},"Tags":{"SS":["x","y"]},"Raw":{"B":"AQID"}}`)
	p.click("Create item")
	p.says("1 item")
	p.click("Écho")
	p.says("Save changes")
	p.click("JSON")
	p.await(`document.querySelector('dialog textarea')?.value.includes('123456789012345678901234567890.5')`)
	js[chromedp.Void](p, `((e) => { Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(e, e.value.replace('"y"', '"z"')); e.dispatchEvent(new Event('input', {bubbles: true})); })(document.querySelector('dialog textarea'))`)
	p.click("Form")
	p.fill("Name of a new attribute", "__proto__")
	p.click("Add")
	p.fill("Value of __proto__", "nothing special")
	p.click("Save changes")
	p.await(`document.querySelector('dialog') === null`)
	got := b.call("GetItem", `{"TableName":"Music","Key":{"Artist":{"S":"Écho"},"Song":{"S":"One"}}}`)["Item"]
	require.Equal(t, map[string]any{
		"Artist": map[string]any{"S": "Écho"}, "Song": map[string]any{"S": "One"},
		"Plays": map[string]any{"N": "123456789012345678901234567890.5"},
		"Tags":  map[string]any{"SS": []any{"x", "z"}}, "Raw": map[string]any{"B": "AQID"},
		"__proto__": map[string]any{"S": "nothing special"},
	}, got)

	p.click("Écho")
	p.says("Save changes")
	p.await(`document.querySelector('.attribute') !== null`)
	p.click("Delete")
	p.says("It is deleted only if it still is as you see it.")
	p.click("Delete")
	p.says("This table is empty.")
}

// TestLostUpdate edits an item that somebody else changes in the meantime: their change
// is never overwritten unseen.
func TestLostUpdate(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.music(1)
	const key = `{"Artist":{"S":"Acme Band"},"Song":{"S":"Song 000"}}`
	theirs := func(set, value string) {
		b.call("UpdateItem", fmt.Sprintf(`{"TableName":"Music","Key":%s,"UpdateExpression":"SET %s = :v","ExpressionAttributeValues":{":v":{"S":%q}}}`, key, set, value))
	}
	stored := func(name string) any {
		v, _ := b.call("GetItem", `{"TableName":"Music","ConsistentRead":true,"Key":`+key+`}`)["Item"].(map[string]any)[name].(map[string]any)
		return v["S"]
	}
	p := open(t, b, "table/Music/items")
	p.click("Acme Band")
	p.await(`document.querySelector('.attribute') !== null`)

	// Another attribute: both changes stay.
	theirs("Producer", "Lamport")
	p.fill("Value of Genre", "Ska")
	p.click("Save changes")
	p.await(`document.querySelector('dialog') === null`)
	require.Equal(t, "Ska", stored("Genre"))
	require.Equal(t, "Lamport", stored("Producer"))

	// The same attribute: nothing is saved until one has seen theirs.
	p.click("Acme Band")
	p.await(`document.querySelector('.attribute') !== null`)
	theirs("Genre", "Dub")
	p.fill("Value of Genre", "Punk")
	p.click("Save changes")
	p.says("Somebody changed this item after you opened it")
	p.says("Dub")
	require.Equal(t, "Dub", stored("Genre"))
	theirs("Genre", "Dubstep") // and once more, before one has decided
	p.click("Keep my changes on top of theirs")
	p.says("Dubstep")
	require.Equal(t, "Dubstep", stored("Genre"))
	p.click("Keep my changes on top of theirs")
	p.await(`document.querySelector('dialog') === null`)
	require.Equal(t, "Punk", stored("Genre"))

	// Deleting: only what one sees.
	p.click("Acme Band")
	p.await(`document.querySelector('.attribute') !== null`)
	theirs("Genre", "Ambient")
	p.click("Delete")
	p.says("It is deleted only if it still is as you see it.")
	p.click("Delete")
	p.says("Somebody changed this item after you opened it. Close it")
	require.Equal(t, "Ambient", stored("Genre"))
}

// TestQuery asks an index with a filter, turns pages, sorts and chooses columns.
func TestQuery(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.music(120)
	p := open(t, b, "table/Music/items")
	p.says("50 items")
	p.click("Next →")
	p.says("Page 2")
	p.click("Next →")
	p.says("20 items")
	p.click("← Back")
	p.says("50 items")

	p.click("Query")
	p.fill("From", "ByGenre")
	p.fill("Genre S", "Jazz")
	p.fill("Comparison of the sort key", "between")
	p.fill("Value of Year", "1980")
	p.fill("Upper value of Year", "1985")
	p.click("Run")
	p.says("6 items")
	p.click("Year")
	p.click("Year")
	require.Equal(t, "1985", js[string](p, `document.querySelector('.grid tbody tr td:last-child').innerText`))

	p.click("Scan")
	p.fill("From", "")
	p.click("Add filter")
	p.fill("Attribute or path", "Label.Since")
	p.fill("Type", "N")
	p.fill("Value", "1977")
	p.click("Add filter")
	js[chromedp.Void](p, `document.querySelectorAll('.filter-name')[1].setAttribute('aria-label', 'Second')`)
	p.fill("Second", "Song")
	js[chromedp.Void](p, `document.querySelectorAll('[aria-label=Value]')[1].setAttribute('aria-label', 'Second value')`)
	p.fill("Second value", "Song 119")
	p.click("Run")
	p.says("1 item of")
	p.fill("Value", "many")
	p.click("Run")
	p.says("This is not a number.")
}

// TestPartiQL runs a statement, turns a page and shows an error where it is.
func TestPartiQL(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.music(120)
	p := open(t, b, "partiql")
	p.fill("PartiQL statement", `SELECT * FROM "Music"`)
	p.click("Run")
	p.says("100 items")
	p.click("Next →")
	p.says("20 items")
	p.fill("PartiQL statement", `SELECT * FROM "Music" WHERE Genre == 'Jazz'`)
	p.click("Run")
	p.await(`document.querySelector('.code-error')?.innerText.includes('ValidationException')`)
	p.click("History")
	p.click(`SELECT * FROM "Music"`)
	p.await(`document.querySelector('.code textarea').value === 'SELECT * FROM "Music"' && document.querySelector('.code-error') === null`)
}

// TestFiles exports a result and imports it into another table.
func TestFiles(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.music(60)
	b.call("PutItem", `{"TableName":"Music","Item":{"Artist":{"S":"=HYPERLINK(\"x\")"},"Song":{"S":"a \"quoted\",\nline"},"Year":{"N":"-5"}}}`)
	dir := t.TempDir()
	p := open(t, b, "table/Music/items")
	_, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: "allow", DownloadPath: dir})
	require.NoError(t, err)
	// Without the dialog of the operating system, which no test can answer.
	js[chromedp.Void](p, `delete window.showSaveFilePicker`)

	download := func(form, name string) string {
		p.click("Export")
		p.click("All results")
		p.fill("Form", form)
		p.click("Export")
		p.says("61 items, ")
		p.says(", done")
		p.click("Close")
		path := filepath.Join(dir, name)
		require.Eventually(t, func() bool { _, err := os.Stat(path); return err == nil }, patience, 30*time.Millisecond)
		return path
	}
	csv := download("csv", "Music.csv")
	text, err := os.ReadFile(csv)
	require.NoError(t, err)
	require.Contains(t, string(text), `"'=HYPERLINK(""x"")","a ""quoted"",`+"\n"+`line"`)
	require.Contains(t, string(text), ",-5") // a number is no formula

	for _, form := range []string{"typed", "json"} {
		name := map[string]string{"typed": "Music.jsonl", "json": "Music.json"}[form]
		path := download(form, name)
		b.call("DeleteItem", `{"TableName":"Music","Key":{"Artist":{"S":"Acme Band"},"Song":{"S":"Song 000"}}}`)
		p.upload(path)
		p.says("1 written, 60 existed")
		p.click("Close")
		p.says("looked at")
	}
	bad := filepath.Join(dir, "bad.jsonl")
	require.NoError(t, os.WriteFile(bad, []byte(`{"Artist":"New","Song":"S"} {"Song":"keyless"} {"Artist":"N","Song":}`), 0o600))
	p.upload(bad)
	p.says("1 written, 2 refused")
	p.says("Record 3: Expected a value")
	p.click("Close")

	p.await(`[...document.querySelectorAll('.grid tbody td')].some((e) => e.innerText === 'New')`) // read again, with what was imported
	require.Equal(t, 50, js[int](p, `document.querySelectorAll('.grid tbody tr').length`))
	js[chromedp.Void](p, `document.querySelector('[aria-label="Select all items of this page"]').click()`)
	p.click("Delete 50")
	p.click("Delete")
	p.says("50 deleted")
	p.click("Close")
	p.await(`document.querySelectorAll('.grid tbody tr').length === 12`)
	p.click("Delete all …")
	p.fill("Type Music to confirm", "Music")
	p.click("Delete")
	p.says("12 deleted")
	p.click("Close")
	p.says("This table is empty.")
}

// upload chooses a file in the import dialog and starts.
func (p *tab) upload(path string) {
	p.t.Helper()
	p.click("Import")
	p.await(`document.querySelector('dialog input[type=file]') !== null`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS("dialog input[type=file]"), []string{path}))
	js[chromedp.Void](p, `[...document.querySelectorAll('dialog button')].find((e) => e.innerText === 'Import').click()`)
}

// TestManyTables lists a thousand tables without asking about all of them.
func TestManyTables(t *testing.T) {
	b := newBackend(t, server.Options{})
	for i := range 1000 {
		b.call("CreateTable", fmt.Sprintf(`{"TableName":"table-%04d","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`, i))
	}
	b.call("PutItem", `{"TableName":"table-0777","Item":{"id":{"S":"1"}}}`)
	p := open(t, b, "tables")
	p.says("page 1 of 20")
	require.LessOrEqual(t, js[int](p, `document.querySelectorAll('tbody tr').length`), 50)
	p.fill("Find tables", "0777")
	p.says("table-0777")
	p.fill("Find tables", "")
	p.click("Items")
	p.await(`document.querySelector('tbody th')?.innerText === 'table-0777'`)
}

// TestLive watches requests and a stream.
func TestLive(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.music(3)
	p := open(t, b, "requests")
	p.says("Waiting for requests")
	p.await(`document.querySelector('.dot.on') !== null`)
	b.call("GetItem", `{"TableName":"Music","Key":{"Artist":{"S":"Quorum"},"Song":{"S":"x"}}}`)
	b.call("Scan", `{"TableName":"Music","FilterExpression":"Genre = :g","ExpressionAttributeValues":{":g":{"S":"Jazz"}}}`)
	p.says("Quorum · x")
	p.says("3 → 1")
	p.click("Scans")
	p.silent("Quorum · x")
	p.click("All")
	p.fill("Filter requests", "quorum getitem")
	p.says("Quorum · x")
	p.silent("this was a Scan")
	p.fill("Filter requests", "")
	p.click("Pause")
	b.call("GetItem", `{"TableName":"Music","Key":{"Artist":{"S":"Later"},"Song":{"S":"x"}}}`)
	js[chromedp.Void](p, `new Promise((resolve) => setTimeout(resolve, 700))`)
	p.silent("Later · x")
	p.click("Go on")
	p.says("Later · x")

	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+"#/table/Music/stream"))
	p.await(`document.querySelector('.dot.on') !== null`)
	p.click("Last 24 hours")
	p.says("3 records")
	b.call("UpdateItem", `{"TableName":"Music","Key":{"Artist":{"S":"Acme Band"},"Song":{"S":"Song 000"}},"UpdateExpression":"SET Genre = :g","ExpressionAttributeValues":{":g":{"S":"Zydeco"}}}`)
	p.says("modify")
	js[chromedp.Void](p, `document.querySelector('.record').open = true`)
	p.says("Zydeco")
}

// TestOtherNamespace goes to the tables of another access key and region.
func TestOtherNamespace(t *testing.T) {
	b := newBackend(t, server.Options{})
	for _, n := range []struct{ key, region string }{{"alice", "eu-central-1"}, {"bob", "mars-1"}} {
		b.callAs(n.key, n.region, "CreateTable", `{"TableName":"of-`+n.key+`","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`)
	}
	p := open(t, b, "tables")
	p.says("of-alice")
	js[chromedp.Void](p, `document.querySelector('.namespace').click()`)
	p.says("mars-1")
	js[chromedp.Void](p, `[...document.querySelectorAll('.pick button')].find((e) => e.innerText.includes('bob')).click()`)
	p.says("of-bob")
	p.silent("of-alice")
	p.do(chromedp.Reload())
	p.says("of-bob")
}

// TestKeyboard goes about without a mouse.
func TestKeyboard(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.music(60)
	p := open(t, b, "tables")
	p.says("Music")
	p.do(chromedp.KeyEvent("gp"))
	p.await(`location.hash === '#/partiql'`)
	p.do(chromedp.KeyEvent("gt"))
	p.await(`location.hash === '#/tables' && document.querySelector('main input') !== null`)
	p.do(chromedp.KeyEvent("/"))
	p.await(`document.activeElement.matches('main input[type=search]')`)
	js[chromedp.Void](p, `location.hash = '#/table/Music/items'`)
	p.says("50 items")
	js[chromedp.Void](p, `document.activeElement.blur()`)
	p.do(chromedp.KeyEvent("n"))
	p.says("Create item")
	require.True(t, js[bool](p, `document.querySelector('dialog').contains(document.activeElement)`))
	p.do(chromedp.KeyEvent("\u001b"))
	p.await(`document.querySelector('dialog') === null`)
	p.do(chromedp.KeyEvent("?"))
	p.says("this list")
}

// TestHostileItems shows items made to break out of the page. None of it runs.
func TestHostileItems(t *testing.T) {
	hostile := []string{
		`<img src=x onerror="window.owned=1">`, `<script>window.owned=1</script>`, `"><svg onload=window.owned=1>`,
		`javascript:window.owned=1`, `{{constructor.constructor('window.owned=1')()}}`, `${window.owned=1}`, `__proto__`, `constructor`, `toString`, `hasOwnProperty`,
		"\u202eexe.gpj", "\u0000\u001b[31m", strings.Repeat("A", 20000), strings.Repeat("🜁", 300), "]]>", "%0d%0aSet-Cookie: a=b", `'; DROP TABLE x; --`,
	}
	b := newBackend(t, server.Options{})
	b.call("CreateTable", `{"TableName":"Hostile","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`)
	for _, text := range hostile {
		key := text
		if len(key) > 1024 {
			key = key[:1024]
		}
		name, value := quote(t, text), quote(t, text)
		b.call("PutItem", fmt.Sprintf(`{"TableName":"Hostile","Item":{"id":{"S":%s},%s:{"M":{%s:{"L":[{"S":%s},{"SS":[%s]}]}}}}}`, quote(t, key), name, name, value, value))
	}
	deep := `{"S":"bottom"}`
	for range 30 {
		deep = `{"L":[` + deep + `]}`
	}
	b.call("PutItem", `{"TableName":"Hostile","Item":{"id":{"S":"deep"},"deep":`+deep+`}}`)

	p := open(t, b, "table/Hostile/items")
	p.says("18 items")
	p.click(fmt.Sprintf("Columns 10/%d", js[int](p, `Number(/Columns 10\/(\d+)/.exec(document.body.innerText)[1])`)))
	p.click("All")
	p.click("Close")
	count := js[int](p, `document.querySelectorAll('.grid tbody tr').length`)
	for i := range count {
		js[chromedp.Void](p, fmt.Sprintf(`document.querySelectorAll('.grid tbody button.link')[%d].click()`, i))
		p.await(`document.querySelector('dialog .attribute') !== null`)
		p.click("DynamoDB JSON")
		p.click("JSON")
		p.click("Form")
		p.click("Save changes") // nothing changed: nothing to lose
		p.await(`document.querySelector('dialog') === null`)
	}
	p.click("</> Code")
	p.click("Close")
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+"#/table/Hostile/stream"))
	p.click("Last 24 hours")
	p.says("18 records")
	js[chromedp.Void](p, `document.querySelectorAll('.record').forEach((e) => { e.open = true; })`)
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+"#/requests"))
	p.await(`document.querySelector('.dot.on') !== null`)
	b.call("GetItem", `{"TableName":"Hostile","Key":{"id":{"S":"<img src=x onerror=window.owned=1>"}}}`)
	p.says("onerror")
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+`#/table/%3Cimg%20src=x%20onerror=window.owned=1%3E/items`))
	p.says("ValidationException")
	require.True(t, js[bool](p, `window.owned === undefined && ({}).S === undefined && document.querySelector('main img, main script') === null`))
}

func quote(t *testing.T, text string) string {
	t.Helper()
	out, err := json.Marshal(text)
	require.NoError(t, err)
	return string(out)
}

// TestSlowNetwork uses the console over a connection with half a second of delay: it
// says what it is doing and does nothing twice.
func TestSlowNetwork(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.music(60)
	b.delay.Store(int64(500 * time.Millisecond))
	p := open(t, b, "tables")
	p.says("Music")
	p.click("Music")
	p.says("50 items")
	p.click("New item")
	p.click("DynamoDB JSON")
	p.fill("Item as DynamoDB JSON", `{"Artist":{"S":"Slow"},"Song":{"S":"1"}}`)
	js[chromedp.Void](p, `(() => { const b = [...document.querySelectorAll('dialog button')].find((e) => e.innerText === 'Create item'); b.click(); })()`)
	p.says("Saving …")
	require.True(t, js[bool](p, `[...document.querySelectorAll('dialog button.primary')].at(-1).disabled`), "a second click has nothing to click")
	p.await(`document.querySelector('dialog') === null`)
	p.says("Reading …")
	p.says("50 items")
	// Two runs one after the other: the answer to the second is what stays.
	p.click("Query")
	p.fill("Artist S", "Quorum")
	js[chromedp.Void](p, `document.querySelector('form.panel').requestSubmit()`)
	p.fill("Artist S", "Slow")
	js[chromedp.Void](p, `document.querySelector('form.panel').requestSubmit()`)
	p.says("1 item of 1")
}
