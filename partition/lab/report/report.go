package report

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"golang.org/x/net/html"

	"github.com/stator-db/stator/partition/lab"
)

//go:embed assets
var assets embed.FS

// scripts are the parts of the page's script. They are one module: each uses the
// names of those before it.
var scripts = []string{
	"format", "dom", "result", "scale", "view", "chart", "curve", "histogram", "lag",
	"lanes", "timeline", "operations", "page",
}

// The parts of a page are made when the first one is written: a server, which is the
// same binary, starts without them.
var (
	style        = sync.OnceValue(func() string { return mustRead("report.css") })
	script       = sync.OnceValue(joinedScripts)
	pageTemplate = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("page.html").Funcs(functions).ParseFS(assets, "assets/page.html"))
	})
)

func mustRead(name string) string {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

func joinedScripts() string {
	var b strings.Builder
	for _, name := range scripts {
		b.WriteString(mustRead(name + ".js"))
	}
	return b.String()
}

// WriteHTML writes the page about a result. The result is not changed.
func WriteHTML(w io.Writer, r *lab.Result) error {
	history, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the history: %w", err)
	}
	p := newPage(r)
	p.Style, p.Script = template.CSS(style()), template.JS(script())
	if p.History, err = packed(history); err != nil {
		return err
	}
	hashes := []string{hashOf(script())}
	for _, c := range r.Checks {
		if c.Picture == "" {
			continue
		}
		data, err := packed([]byte(c.Picture))
		if err != nil {
			return err
		}
		p.Pictures = append(p.Pictures, picture{Check: c, Data: data})
		hashes = append(hashes, scriptHashes(c.Picture)...)
	}
	p.Policy = policy(hashes)
	if err := pageTemplate().Execute(w, p); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// packed is data as the page carries it: gzip in base64, a text without any sign
// that means something in HTML.
func packed(data []byte) (template.HTML, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		return "", fmt.Errorf("compress: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("compress: %w", err)
	}
	return template.HTML(base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// policy is the Content-Security-Policy of a page that runs the scripts with these
// hashes. Frames made of a text have the policy of the page around them, so the
// hashes of the pictures' scripts are among them. Styles may be inline: with nothing
// to load they can do no more than change how the page looks.
func policy(hashes []string) string {
	return "default-src 'none'; script-src " + strings.Join(hashes, " ") +
		"; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
}

func hashOf(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// scriptHashes returns the hashes of the scripts in an HTML document of our own.
func scriptHashes(document string) []string {
	var hashes []string
	z := html.NewTokenizer(strings.NewReader(document))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end
			return hashes
		case html.StartTagToken:
			if name, _ := z.TagName(); string(name) == "script" && z.Next() == html.TextToken {
				hashes = append(hashes, hashOf(string(z.Text())))
			}
		}
	}
}
