package web

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
	"github.com/stator-db/stator/cmd/phonebook/internal/sample"
)

var screenshots = flag.String("screenshots", "", "directory for pictures of the page")

// step is what a test does or waits for in a tab.
type step = chromedp.Action[chromedp.Void]

// browser starts a headless Chromium, or skips the test if there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium found: install the package chromium to run the browser tests")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(closeBrowser)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// tab opens the phonebook in a tab of its own. A script that fails, or any dialog that a
// hostile contact opens, fails the test.
func tab(parent context.Context, t *testing.T, url string, width, height int64) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var faults []string
	require.NoError(t, chromedp.Do(ctx))
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			faults = append(faults, fmt.Sprintf("%+v", e.ExceptionDetails))
		case *page.EventJavascriptDialogOpening:
			faults = append(faults, "dialog: "+e.Message)
		}
	}))
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		require.Empty(t, faults)
	})
	do(ctx, t, command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 700,
	}), chromedp.Navigate(url), ready("#count", "contact"))
	return ctx
}

// command is a command of the DevTools protocol as a step.
func command[P, R any](c cdp.Command[P, R], params P) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, c, params)
		return err
	})
}

// do takes steps. Each waits for what it needs, longer than any machine is busy.
func do(ctx context.Context, t *testing.T, steps ...step) {
	t.Helper()
	for i, s := range steps {
		limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
		err := chromedp.Do(limited, s)
		cancel()
		if err != nil {
			picture(ctx, t, "failure-"+strings.ReplaceAll(t.Name(), "/", "-"))
		}
		require.NoError(t, err, "step %d of %d", i+1, len(steps))
	}
}

// poll waits until an expression is true.
func poll(expression string) step {
	return chromedp.Poll[chromedp.Void]("!!(" + expression + ")")
}

// ready waits until an element has a text somewhere inside.
func ready(selector, text string) step {
	return poll(fmt.Sprintf("document.querySelector(%q)?.textContent.includes(%q)", selector, text))
}

// visible waits until an element is there to be seen.
func visible(selector string) step {
	return poll(fmt.Sprintf("document.querySelector(%q)?.checkVisibility()", selector))
}

// click clicks the first element that the selector finds with the text, once it is there.
func click(selector, text string) step {
	return poll(fmt.Sprintf(
		"(() => { const e = Array.from(document.querySelectorAll(%q)).find(e => e.textContent.includes(%q)); e?.click(); return e; })()", selector, text))
}

// run runs a script.
func run(script string) step { return chromedp.Evaluate[chromedp.Void](script) }

// fill replaces the text of a field as somebody who types would: once more, if the page
// moved the focus meanwhile and letters went elsewhere.
func fill(selector, text string) step {
	typed := chromedp.Steps(visible(selector), run(fmt.Sprintf("document.querySelector(%q).value = ''", selector)),
		chromedp.SendKeys(chromedp.CSS(selector), text))
	filled := chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%q)?.value === %q", selector, text))
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for {
			if _, err := typed(ctx, target); err != nil {
				return err
			}
			if ok, err := filled(ctx, target); ok || err != nil {
				return err
			}
		}
	})
}

func evaluate[T any](ctx context.Context, t *testing.T, script string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	require.NoError(t, err, script)
	return value
}

// picture writes a screenshot, if they are wanted.
func picture(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644))
}

func add(t *testing.T, b *book.Book, c contact.Contact) contact.Contact {
	t.Helper()
	c.ID = contact.NewID()
	saved, err := b.Save(t.Context(), c)
	require.NoError(t, err)
	return saved
}

var ada = contact.Contact{
	Name: "Ada King Lovelace", Company: "Analytical Engines Ltd", Email: "ada@example.org", Tags: []string{"friends", "mathematics"},
	Numbers: []contact.Number{{Label: "home", Number: "+44 20 7946 0001"}, {Label: "mobile", Number: "+44 20 7946 0958"}},
	Note:    "Prefers letters.\nBirthday on 10 December.",
}

func TestBrowserMainPaths(t *testing.T) {
	ctx := browser(t)
	url, b := open(t)
	add(t, b, ada)
	_, err := b.Import(t.Context(), "import-1", sample.New(300, 1), nil)
	require.NoError(t, err)
	ctx = tab(ctx, t, url, 1280, 800)

	// Search as you type, and the keyboard from the field into the list.
	do(ctx, t, chromedp.KeyEvent("/"), chromedp.SendKeys(chromedp.CSS("#search"), "lovel"), ready("#count", "1 contact"), ready("#list", "Ada King"),
		chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter), ready("h1", "Ada King Lovelace"))
	require.Equal(t, "H1", evaluate[string](ctx, t, "document.activeElement.tagName"))
	do(ctx, t, fill("#search", "7946 0958"), ready("#results-heading", "Whose number"), ready("#list", "+44 20 7946 0958"))

	// A new contact with two numbers.
	do(ctx, t, click("header a", "New"), fill("#f-name", "Grace Hopper"), fill(".number [data-part=number]", "+1 212 555 0199"),
		click("button", "Add a number"), fill(".number:nth-child(2) [data-part=number]", "call me"), click("form button", "Save"),
		ready("#e-numbers", `"call me" has no digits`),
		fill(".number:nth-child(2) [data-part=number]", "+1 212 555 0198"), fill("#f-tags", "navy, friends"), click("form button", "Save"),
		ready("h1", "Grace Hopper"), ready("#pane", "0198"), ready("#tags", "navy"))

	// Edit, delete, undo.
	do(ctx, t, click("#pane a", "Edit"), fill("#f-company", "US Navy"), chromedp.SendKeys(chromedp.CSS("#f-company"), kb.Enter), ready("#pane .head", "US Navy"),
		click("#tags a", "navy"), ready("#count", "1 contact"), click("#list a", "Grace"), ready("h1", "Grace Hopper"),
		click("#pane button", "Delete"), ready("#toasts", "Grace Hopper is deleted"), click("#toasts button", "Undo"), ready("#toasts", "is back"), ready("h1", "Grace Hopper"))

	// What the stream has to tell.
	do(ctx, t, click("nav a", "Recent changes"), ready(".feed", "Grace Hopper is back"), ready(".feed", "Grace Hopper was edited (company)"), ready(".feed", "300 contacts came from an import"))

	// Leaving a form asks first.
	do(ctx, t, click("header a", "New"), fill("#f-name", "Nobody"), click("nav a", "Deleted"), ready("dialog", "Leave without saving?"),
		click("dialog button", "Keep editing"), visible("#f-name"))
	require.Equal(t, "Nobody", evaluate[string](ctx, t, "document.querySelector('#f-name').value"))
	do(ctx, t, click("nav a", "Deleted"), click("dialog button", "Leave"), ready("#pane", "Nothing is deleted"))
}

// A contact is hostile input: it is shown as the text that it is, everywhere.
func TestBrowserHostileContacts(t *testing.T) {
	ctx := browser(t)
	url, b := open(t)
	const markup = `<img src=x onerror=alert(1)>`
	hostile := add(t, b, contact.Contact{
		Name: markup, Company: `"><script>alert(2)</script>`, Email: `javascript:alert(3)@x`, Note: "</textarea><script>alert(4)</script>",
		Tags:    []string{`<b onclick=alert(5)>`, "../%2e%2e?#x", "constructor"},
		Numbers: []contact.Number{{Label: "<i>", Number: `javascript:alert(6)"1`}},
	})
	long := add(t, b, contact.Contact{Name: strings.Repeat("W", contact.MaxText), Company: strings.Repeat("i ", 60), Tags: []string{strings.Repeat("t", contact.MaxTag)}, Numbers: []contact.Number{{Number: strings.Repeat("8", contact.MaxNumber)}}})
	add(t, b, contact.Contact{Name: "\u0645\u0631\u062d\u0628\u0627 👩‍👩‍👧‍👦 Z̴̧̛a̵͘l̶g̷o"})
	for _, width := range []int64{1280, 360} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			ctx := tab(ctx, t, url, width, 800)
			do(ctx, t, ready("#list", markup), ready("#tags", "<b onclick"), chromedp.Navigate(url+"/#/c/"+hostile.ID), ready("h1", markup), ready("#pane dl", "</textarea>"))
			picture(ctx, t, fmt.Sprintf("hostile-%d", width))
			require.Empty(t, evaluate[[]string](ctx, t, `Array.from(document.querySelectorAll("#pane a"), a => a.protocol).filter(p => !["http:", "tel:", "mailto:"].includes(p))`))
			require.Zero(t, evaluate[int](ctx, t, `document.querySelectorAll("#list img, #pane img, #pane script, #tags b, #pane i").length`))
			do(ctx, t, click("#pane .chip", "../"), ready("#results-heading", "#../%2e%2e?#x"), ready("#count", "1 contact"))
			do(ctx, t, chromedp.Navigate(url+"/#/c/"+hostile.ID+"/edit"), ready("h1", "Edit "+markup))
			require.Equal(t, hostile.Note, evaluate[string](ctx, t, `document.querySelector("#f-note").value`))
			do(ctx, t, chromedp.Navigate(url+"/#/c/"+long.ID), ready("h1", "WWWW"))
			picture(ctx, t, fmt.Sprintf("long-%d", width))
			require.Equal(t, 0, evaluate[int](ctx, t, "document.documentElement.scrollWidth - innerWidth"), "the page scrolls sideways")
			require.LessOrEqual(t, evaluate[int](ctx, t, "document.querySelector('#pane').scrollWidth - document.querySelector('#pane').clientWidth"), 0)
			do(ctx, t, chromedp.Navigate(url+"/#/c/%3Cscript%3E"), ready("h1", "Not found"))
		})
	}
}

// Two people edit the same contact: neither change is lost.
func TestBrowserTwoEditors(t *testing.T) {
	parent := browser(t)
	url, b := open(t)
	c := add(t, b, ada)
	edit := url + "/#/c/" + c.ID + "/edit"
	first, second := tab(parent, t, edit, 1280, 900), tab(parent, t, edit, 1280, 900)
	do(first, t, visible("#f-name"))
	do(second, t, visible("#f-name"))

	do(first, t, fill("#f-company", "Babbage & Co"), fill("#f-note", "Likes horses."), fill("#f-tags", "friends, poetry"), click("form button", "Save"), ready("#pane .head", "Babbage"))
	// The second hears of it from the stream while typing, and again when saving.
	do(second, t, ready("#pane .banner", "Somebody has just changed this contact"), fill("#f-note", "Likes trains."), fill("#f-tags", "friends, mathematics, work"), fill("#f-email", "countess@example.org"),
		click("form button", "Save"), ready("dialog", "You both changed the same field"))
	picture(second, t, "conflict-1280")
	current, err := b.Get(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, int64(2), current.Version)

	do(second, t, click("dialog label", "Theirs"), click("dialog button", "Save both changes"), ready("h1", "Ada"), ready("#pane .meta", "Version 3"))
	merged, err := b.Get(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, "Babbage & Co", merged.Company)
	require.Equal(t, "countess@example.org", merged.Email)
	require.Equal(t, "Likes horses.", merged.Note)
	require.Equal(t, []string{"friends", "poetry", "work"}, merged.Tags)
	require.Equal(t, ada.Numbers, merged.Numbers)
	do(first, t, ready("#pane .meta", "Version 3")) // by itself

	// The other way out: take what is there.
	do(first, t, click("#pane a", "Edit"), fill("#f-name", "Augusta"))
	merged.Name = "Ada L."
	_, err = b.Save(t.Context(), merged)
	require.NoError(t, err)
	do(first, t, click("form button", "Save"), ready("dialog", "This contact has changed"), click("dialog button", "Drop mine"), ready("h1", "Ada L."))

	// And a contact that is gone comes back only if somebody says so.
	do(first, t, click("#pane a", "Edit"), fill("#f-name", "Augusta"))
	current, err = b.Get(t.Context(), c.ID)
	require.NoError(t, err)
	_, err = b.Delete(t.Context(), c.ID, current.Version)
	require.NoError(t, err)
	do(first, t, click("form button", "Save"), ready("dialog", "Somebody has deleted this contact"), click("dialog button", "Bring back and save"), ready("h1", "Augusta"), ready("#count", "1 contact"))
}

// On a slow line nothing is lost or done twice, and the page says what it waits for.
func TestBrowserSlowNetwork(t *testing.T) {
	ctx := browser(t)
	url, b := open(t)
	add(t, b, ada)
	ctx = tab(ctx, t, url, 360, 740)
	slow := line(network.Conditions{Latency: 700, DownloadThroughput: 20_000, UploadThroughput: 10_000})
	do(ctx, t, slow, click("header a", "New"), fill("#f-name", "Grace Hopper"),
		run(`(() => { const b = document.querySelector("form .primary"); b.click(); b.click(); b.click(); })()`),
		ready("form .primary", "Saving…"), visible("#busy"), ready("h1", "Grace Hopper"))
	found, err := b.ByName(t.Context(), "grace", book.PageOptions{})
	require.NoError(t, err)
	require.Len(t, found.Contacts, 1)
	require.Equal(t, int64(1), found.Contacts[0].Version)

	// The answer to "a" comes after that to "ada" was asked for, and is not shown.
	do(ctx, t, click("#pane a", "Contacts"), fill("#search", "g"), fill("#search", "ada"), ready("#count", "1 contact"), ready("#list", "Ada King"))

	offline := line(network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	online := line(network.Conditions{DownloadThroughput: -1, UploadThroughput: -1})
	do(ctx, t, online, click("header a", "New"), fill("#f-name", "Edsger"), offline, click("form button", "Save"), ready("#pane .banner", "cannot be reached"))
	require.Equal(t, "Edsger", evaluate[string](ctx, t, "document.querySelector('#f-name').value"))
	do(ctx, t, online, click("form button", "Save"), ready("h1", "Edsger"))
}

// line sets how fast the network is; -1 is without a limit.
func line(c network.Conditions) step {
	return command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{&c}})
}

func TestBrowserImport(t *testing.T) {
	ctx := browser(t)
	url, b := open(t)
	ctx = tab(ctx, t, url, 1280, 800)
	var file strings.Builder
	file.WriteString("Name,Mobile,Labels\n")
	for i := range 3000 {
		fmt.Fprintf(&file, "Person %04d <b>,+49 30 23125 %03d,imported\n", i, i%1000)
	}
	file.WriteString(",,\n")
	path := filepath.Join(t.TempDir(), "people.csv")
	require.NoError(t, os.WriteFile(path, []byte(file.String()), 0o600))
	do(ctx, t, click("#list-message a", "import a file"), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path}),
		ready("#import", "added"), ready("#import", "Done: 3,001 records read."), ready("#import", "3,000 added"), ready("#import", "record 3001"), ready("#list", "Person 0000 <b>"))
	picture(ctx, t, "import-1280")
	tags, err := b.Tags(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"imported"}, tags)

	// The list grows as it is scrolled.
	do(ctx, t, click("nav a", "All contacts"), ready("#count", "first 50"),
		run("document.querySelector('#results').scrollTop = 1e6"), ready("#count", "first 100"))
}

// Everything that can be used has a name, and fields have labels, in every view.
func TestBrowserAccessibility(t *testing.T) {
	ctx := browser(t)
	url, b := open(t)
	c := add(t, b, ada)
	gone := add(t, b, contact.Contact{Name: "Gone"})
	_, err := b.Delete(t.Context(), gone.ID, gone.Version)
	require.NoError(t, err)
	ctx = tab(ctx, t, url, 1280, 800)
	interactive := map[string]bool{"button": true, "link": true, "textbox": true, "searchbox": true, "combobox": true, "progressbar": true, "list": false}
	for _, view := range []struct{ hash, heading string }{
		{"", "All contacts"}, {"#/c/" + c.ID, "Ada King Lovelace"}, {"#/c/" + c.ID + "/edit", "Edit Ada King Lovelace"}, {"#/new", "New contact"},
		{"#/changes", "Recent changes"}, {"#/deleted", "Deleted"}, {"#/files", "Import and export"},
	} {
		do(ctx, t, chromedp.Navigate(url+"/"+view.hash), ready("body", view.heading), ready("#count", "contact"))
		tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		require.NoError(t, err)
		roles := map[string]int{}
		var outline strings.Builder
		for _, node := range tree.Nodes {
			if node.Ignored || node.Role == nil {
				continue
			}
			role, name := text(node.Role), text(node.Name)
			roles[role]++
			fmt.Fprintf(&outline, "%s %q\n", role, name)
			require.False(t, interactive[role] && name == "", "a %s in %s has no name", role, view.heading)
		}
		for _, landmark := range []string{"banner", "main", "navigation", "search"} {
			require.Equal(t, 1, roles[landmark], "%s in %s", landmark, view.heading)
		}
		if *screenshots != "" {
			require.NoError(t, os.WriteFile(filepath.Join(*screenshots, "tree-"+strings.ReplaceAll(view.heading, " ", "-")+".txt"), []byte(outline.String()), 0o644))
		}
	}
}

func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}

// TestBrowserPictures takes pictures of every view at two sizes, light and dark.
func TestBrowserPictures(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no -screenshots directory")
	}
	ctx := browser(t)
	url, b := open(t)
	c := add(t, b, ada)
	_, err := b.Import(t.Context(), "import-1", sample.New(300, 1), nil)
	require.NoError(t, err)
	c.Note += "\nSecond edition."
	c, err = b.Save(t.Context(), c)
	require.NoError(t, err)
	gone := add(t, b, contact.Contact{Name: "Somebody Gone"})
	_, err = b.Delete(t.Context(), gone.ID, gone.Version)
	require.NoError(t, err)
	for _, size := range []struct {
		width, height int64
		scheme        string
	}{{1280, 800, "light"}, {1280, 800, "dark"}, {360, 740, "light"}, {360, 740, "dark"}} {
		ctx := tab(ctx, t, url, size.width, size.height)
		do(ctx, t, command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: size.scheme}},
		}))
		for _, view := range []struct{ name, hash, ready string }{
			{"list", "", "Choose"}, {"contact", "#/c/" + c.ID, "Version 2"}, {"edit", "#/c/" + c.ID + "/edit", "Edit Ada"},
			{"changes", "#/changes", "import"}, {"deleted", "#/deleted", "Somebody"}, {"files", "#/files", "Export"},
		} {
			do(ctx, t, chromedp.Navigate(url+"/"+view.hash), ready("#pane", view.ready))
			picture(ctx, t, fmt.Sprintf("%s-%d-%s", view.name, size.width, size.scheme))
		}
	}
}
