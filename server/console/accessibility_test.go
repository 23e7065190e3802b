package console_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/server"
)

// An axNode is a node of the accessibility tree: what a screen reader would say.
type axNode struct{ role, name string }

// axTree is the accessibility tree of the page, without what is ignored.
func (p *tab) axTree() (nodes []axNode) {
	p.t.Helper()
	tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	require.NoError(p.t, err)
	text := func(v *accessibility.Value) string {
		if v == nil {
			return ""
		}
		var s string
		_ = json.Unmarshal(v.Value, &s) // a value of another type is no name
		return strings.TrimSpace(s)
	}
	for _, n := range tree.Nodes {
		if !n.Ignored {
			nodes = append(nodes, axNode{text(n.Role), text(n.Name)})
		}
	}
	return nodes
}

// named are roles that mean nothing without a name.
var named = map[string]bool{
	"button": true, "link": true, "textbox": true, "searchbox": true, "combobox": true, "checkbox": true, "spinbutton": true,
	"dialog": true, "navigation": true, "region": true, "image": true, "group": false, "columnheader": true,
}

// TestAccessibility reads the pages and the item editor as a screen reader does.
func TestAccessibility(t *testing.T) {
	b := newBackend(t, server.Options{})
	b.music(12)
	p := open(t, b, "tables")
	for _, page := range []struct {
		hash, says string
		want       []axNode
	}{
		{"tables", "Artist", []axNode{{"banner", ""}, {"main", ""}, {"navigation", "Main"}, {"heading", "Tables 1"}, {"columnheader", "Items"}, {"link", "Music"}, {"searchbox", "Find tables"}}},
		{"create", "Create table", []axNode{{"textbox", "Table name 3 to 255 letters, digits, and the characters _ . -"}, {"combobox", "Type of Sort key"}, {"button", "Create table"}}},
		{"table/Music/items", "12 items", []axNode{{"heading", "Music"}, {"navigation", "Table"}, {"button", "Run"}, {"checkbox", "Select all items of this page"}, {"button", "Acme Band"}}},
		{"table/Music/settings", "Turn off", []axNode{{"heading", "Indexes"}, {"region", "Indexes"}, {"button", "Delete this table …"}}},
		{"table/Music/stream", "Waiting", []axNode{{"button", "Pause"}}},
		{"partiql", "Run", []axNode{{"textbox", "PartiQL statement"}}},
		{"requests", "Waiting", []axNode{{"searchbox", "Filter requests"}, {"group", "Which"}}},
		{"load", "second", []axNode{{"heading", "Load"}}},
		{"cluster", "node", []axNode{{"image", "Token ring of 2 shards on 1 nodes; the lists beside it have the numbers"}}},
	} {
		p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+"#/"+page.hash))
		p.says(page.says)
		p.checkAccessible(page.hash, page.want)
	}
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+"#/table/Music/items"))
	p.click("Acme Band")
	p.await(`document.querySelector('.attribute') !== null`)
	p.checkAccessible("item", []axNode{{"dialog", "Item"}, {"textbox", "Value of Genre"}, {"button", "Remove Genre"}, {"button", "Save changes"}})
	p.do(chromedp.KeyEvent("\u001b"))
	p.await(`document.querySelector('dialog') === null`)
	p.await(`document.activeElement.innerText === 'Acme Band'`) // the focus is back where it was
}

func (p *tab) checkAccessible(page string, want []axNode) {
	p.t.Helper()
	tree := p.axTree()
	headings := 0
	for _, n := range tree {
		if named[n.role] {
			require.NotEmpty(p.t, n.name, "a %s of %s has no name", n.role, page)
		}
		if n.role == "heading" {
			headings++
		}
	}
	require.Positive(p.t, headings, page)
	for _, n := range want {
		require.Contains(p.t, tree, n, page)
	}
}
