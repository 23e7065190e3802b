package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed assets
var embedded embed.FS

// page is the document that everything else is loaded by. It stands under the
// console's own address and is asked for anew each time; the rest lies in a directory
// that is named after its contents.
const page = "index.html"

// versionPlaceholder stands in the page for the name of that directory.
const versionPlaceholder = "{{version}}"

// policy is the Content-Security-Policy: scripts, styles and requests of this origin
// only, nothing inline, and no text ever parsed as HTML by a script (Trusted Types
// without a policy).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// An asset is a file of the console, ready to be sent.
type asset struct {
	contentType string
	data        []byte
	zipped      func() []byte // gzip, made when first asked for
}

// A bundle is all assets by path, and the name of their version.
type bundle struct {
	version string
	assets  map[string]*asset
}

// assets reads the embedded files when the console is first opened, so that a server
// nobody looks at does not spend its start on it.
var assets = sync.OnceValue(func() *bundle {
	root, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	b, err := read(root)
	if err != nil {
		panic(err) // embedded files can be read
	}
	return b
})

// read takes in all files of a directory. Their version is the beginning of the
// SHA-256 of all names and contents.
func read(root fs.FS) (*bundle, error) {
	b := &bundle{assets: make(map[string]*asset)}
	hash := sha256.New()
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		_, _ = hash.Write([]byte(name + "\x00" + strconv.Itoa(len(data)) + "\x00")) // never fails
		_, _ = hash.Write(data)
		b.assets[name] = newAsset(name, data)
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.version = hex.EncodeToString(hash.Sum(nil)[:8])
	if a := b.assets[page]; a != nil {
		b.assets[page] = newAsset(page, bytes.ReplaceAll(a.data, []byte(versionPlaceholder), []byte(b.version)))
	}
	return b, nil
}

func newAsset(name string, data []byte) *asset {
	return &asset{
		contentType: contentType(name),
		data:        data,
		zipped:      sync.OnceValue(func() []byte { return zip(data) }),
	}
}

// contentType does not depend on what the machine's registry of types says.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".md", ".txt", "":
		return "text/plain; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// zip compresses once for all requests.
func zip(data []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // its only error is an unknown level
	_, _ = w.Write(data)                                    // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// Handler serves the console below the path that is stripped from its requests: the
// page at "/", and its assets below a directory named after their version, to be kept
// by browsers for ever. A directory of another version is answered with 404.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := assets()
		name := strings.TrimPrefix(r.URL.Path, "/")
		caching := "no-cache"
		if name == "" {
			name = page
		} else if version, rest, _ := strings.Cut(name, "/"); version == b.version && rest != page {
			name, caching = rest, "public, max-age=31536000, immutable"
		} else {
			name = ""
		}
		a := b.assets[name]
		if a == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", caching)
		if caching == "no-cache" {
			w.Header().Set("ETag", `"`+b.version+`"`)
			if r.Header.Get("If-None-Match") == `"`+b.version+`"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		a.serve(w, r)
	})
}

// serve sends the file with the headers that protect it.
func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	data := a.data
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		data = a.zipped()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(data) // fails only when the client is gone
	}
}
