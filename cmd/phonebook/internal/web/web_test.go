package web

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/book/booktest"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
)

// open returns the address of a phonebook and its book.
func open(t testing.TB) (string, *book.Book) {
	t.Helper()
	b, _ := booktest.Open(t, nil)
	s, err := New(Options{Book: b})
	require.NoError(t, err)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return web.URL, b
}

// call sends a request and decodes the answer into value, unless that is nil.
func call(t testing.TB, method, url, body string, value any) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if value != nil {
		require.NoError(t, json.Unmarshal(text, value), "%s", text)
	}
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response
}

func TestContactsOverHTTP(t *testing.T) {
	url, _ := open(t)
	var c, again, restored contact.Contact
	require.Equal(t, 201, call(t, "POST", url+"/api/contacts", `{"name":"Ada Lovelace","tags":["math"],"numbers":[{"number":"030 1234"}]}`, &c).StatusCode)
	require.Equal(t, int64(1), c.Version)
	require.Equal(t, 200, call(t, "GET", url+"/api/contacts/"+c.ID, "", &again).StatusCode)
	require.Equal(t, c, again)
	for _, query := range []string{"", "?q=love", "?number=030+1234", "?tag=Math", "?limit=1"} {
		var page book.Page
		require.Equal(t, 200, call(t, "GET", url+"/api/contacts"+query, "", &page).StatusCode)
		require.Len(t, page.Contacts, 1, query)
	}

	again = contact.Contact{}
	require.Equal(t, 200, call(t, "PUT", url+"/api/contacts/"+c.ID, `{"name":"Ada","version":1}`, &again).StatusCode)
	require.Equal(t, int64(2), again.Version)
	var failed failure
	require.Equal(t, 409, call(t, "PUT", url+"/api/contacts/"+c.ID, `{"name":"Bob","version":1}`, &failed).StatusCode)
	require.Equal(t, "conflict", failed.Error.Code)
	require.Equal(t, again, *failed.Current)

	require.Equal(t, 409, call(t, "DELETE", url+"/api/contacts/"+c.ID+"?version=1", "", nil).StatusCode)
	require.Equal(t, 200, call(t, "DELETE", url+"/api/contacts/"+c.ID+"?version=2", "", &again).StatusCode)
	c = again
	require.NotZero(t, c.Deleted)
	var page book.Page
	call(t, "GET", url+"/api/deleted", "", &page)
	require.Len(t, page.Contacts, 1)
	require.Equal(t, 200, call(t, "POST", url+"/api/contacts/"+c.ID+"/restore", `{"version":3}`, &restored).StatusCode)
	require.Zero(t, restored.Deleted)
	var changes struct{ Changes []book.Change }
	require.Equal(t, 200, call(t, "GET", url+"/api/changes", "", &changes).StatusCode)
	require.Len(t, changes.Changes, 4)
	var tags struct{ Tags []string }
	call(t, "GET", url+"/api/tags", "", &tags)
	require.Empty(t, tags.Tags)
}

func TestRefusals(t *testing.T) {
	url, _ := open(t)
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               problem
	}{
		{"POST", "/api/contacts", `{"name":" "}`, 400, problem{"invalid", "a contact needs a name", "name"}},
		{"POST", "/api/contacts", `{"nom":"x"}`, 400, problem{"invalid", `the body is not as expected: json: unknown field "nom"`, ""}},
		{"POST", "/api/contacts", `{"name":"x"}{}`, 400, problem{"invalid", "there is something after the JSON object", ""}},
		{"POST", "/api/contacts", `{"name":"` + strings.Repeat("x", maxBody) + `"}`, 400, problem{"invalid", "the body is not as expected: http: request body too large", ""}},
		{"PUT", "/api/contacts/..%2f", `{"name":"x"}`, 400, problem{"invalid", "an id is 8 to 64 letters a-z, digits and hyphens", "id"}},
		{"GET", "/api/contacts/nobody-there", "", 404, problem{"not_found", "contact nobody-there: no such contact", ""}},
		{"GET", "/api/contacts?limit=0", "", 400, problem{"invalid", "limit is a number from 1 to 500", ""}},
		{"GET", "/api/contacts?cursor=x", "", 400, problem{"invalid", "cursor is not from a page of this list", ""}},
		{"DELETE", "/api/contacts/contact-1", "", 400, problem{"invalid", "version is the number that was read with the contact", ""}},
		{"POST", "/api/contacts/contact-1/restore", "{}", 400, problem{"invalid", "version is the number that was read with the contact", ""}},
		{"POST", "/api/imports/import-1?format=xml", "", 400, problem{"invalid", `format is neither vcard nor csv: "xml"`, ""}},
		{"POST", "/api/imports/x?format=csv", "", 400, problem{"invalid", "an import's id is 8 to 64 letters a-z, digits and hyphens", ""}},
		{"GET", "/api/imports/import-1", "", 404, problem{"not_found", "import import-1: no such import", ""}},
		{"GET", "/api/export", "", 400, problem{"invalid", `format is neither vcard nor csv: ""`, ""}},
		{"GET", "/api/elsewhere", "", 404, problem{"not_found", "There is nothing at this address.", ""}},
	} {
		var failed failure
		response := call(t, tt.method, url+tt.path, tt.body, &failed)
		require.Equal(t, tt.status, response.StatusCode, "%s %s", tt.method, tt.path)
		require.Equal(t, tt.want, failed.Error, "%s %s", tt.method, tt.path)
	}
}

// Pages of other origins cannot write, and cannot reach the phonebook by a name of theirs.
func TestForeignPagesAreRefused(t *testing.T) {
	url, _ := open(t)
	try := func(method, host string, headers ...string) int {
		r, err := http.NewRequestWithContext(t.Context(), method, url+"/api/contacts", strings.NewReader(`{"name":"x"}`))
		require.NoError(t, err)
		r.Host = host
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		response.Body.Close()
		return response.StatusCode
	}
	own := strings.TrimPrefix(url, "http://")
	require.Equal(t, 201, try("POST", own))
	require.Equal(t, 201, try("POST", own, "Sec-Fetch-Site", "same-origin"))
	require.Equal(t, 201, try("POST", "localhost:1234"))
	require.Equal(t, 403, try("POST", own, "Sec-Fetch-Site", "cross-site"))
	require.Equal(t, 403, try("POST", own, "Sec-Fetch-Site", "same-site"))
	require.Equal(t, 403, try("POST", own, "Origin", "https://evil.example"))
	require.Equal(t, 421, try("GET", "evil.example"))
	require.Equal(t, 421, try("POST", "evil.example:80", "Sec-Fetch-Site", "same-origin", "Origin", "http://evil.example:80"))
}

func TestImportAndExportOverHTTP(t *testing.T) {
	url, b := open(t)
	file := "Name,Phone 1 - Label,Phone 1 - Value\nAda,home,030 1234\n,,\n=1+1,,\n"
	var p book.Progress
	require.Equal(t, 200, call(t, "POST", url+"/api/imports/import-1?format=csv", file, &p).StatusCode)
	require.Equal(t, []any{book.ImportDone, 3, 2, 1, int64(len(file)), int64(len(file))},
		[]any{p.State, p.Read, p.Added, p.Refused, p.Bytes, p.Total})
	var later book.Progress
	call(t, "GET", url+"/api/imports/import-1", "", &later)
	require.Equal(t, p, later)
	require.Equal(t, 409, call(t, "POST", url+"/api/imports/import-1?format=csv", file, nil).StatusCode)

	for format, want := range map[string]string{"csv": "text/csv; charset=utf-8; header=present", "vcard": "text/vcard; charset=utf-8"} {
		response := call(t, "GET", url+"/api/export?format="+format, "", nil)
		require.Equal(t, want, response.Header.Get("Content-Type"))
		require.Contains(t, response.Header.Get("Content-Disposition"), `attachment; filename="phonebook-`)
		exported, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, 200, call(t, "POST", url+"/api/imports/again-"+format+"?format="+format, string(exported), &p).StatusCode)
		require.Equal(t, []int{2, 0, 2}, []int{p.Read, p.Added, p.Present}, "%s", exported)
	}
	page, err := b.ByName(t.Context(), "", book.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Contacts, 2)
}

func TestPageIsSelfContained(t *testing.T) {
	url, _ := open(t)
	response := call(t, "GET", url+"/", "", nil)
	require.Equal(t, 200, response.StatusCode)
	require.Equal(t, policy, response.Header.Get("Content-Security-Policy"))
	request, err := http.NewRequestWithContext(t.Context(), "GET", url+"/", nil)
	require.NoError(t, err)
	request.Header.Set("If-None-Match", response.Header.Get("ETag"))
	second, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	second.Body.Close()
	require.Equal(t, http.StatusNotModified, second.StatusCode)

	// Nothing from elsewhere, and no way to turn text into markup or code.
	elsewhere := regexp.MustCompile(`(src|href)="https?:|import .*https?:|url\(|@import`)
	sinks := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|style="`)
	require.NoError(t, fs.WalkDir(assets, "assets", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(assets, path)
		require.NoError(t, err)
		require.NotRegexp(t, elsewhere, string(content), path)
		require.NotRegexp(t, sinks, string(content), path)
		return nil
	}))
}
