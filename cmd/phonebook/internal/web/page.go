package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

//go:embed assets
var assets embed.FS

// routePage serves the page at / and its files beside it. Browsers keep them and ask
// whether they have changed.
func routePage(mux *http.ServeMux) error {
	entries, err := fs.ReadDir(assets, "assets")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		content, err := fs.ReadFile(assets, "assets/"+name)
		if err != nil {
			return err
		}
		pattern := "GET /" + name
		if name == "index.html" {
			pattern = "GET /{$}"
		}
		contentType := mime.TypeByExtension(path.Ext(name))
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256(content))
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("ETag", tag)
			http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
		})
	}
	return nil
}
