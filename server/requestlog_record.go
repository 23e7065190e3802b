package server

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stator-db/stator/storage/item"
)

// A requestRecord is one line of the request log. Of items it holds nothing but keys,
// and of those what maxLoggedText leaves.
type requestRecord struct {
	ID        uint64    `json:"id"`
	Time      time.Time `json:"time"` // of the beginning
	Operation string    `json:"operation"`
	Account   string    `json:"account"` // access key
	Region    string    `json:"region"`
	Table     string    `json:"table,omitzero"`
	Index     string    `json:"index,omitzero"`
	// Key is the primary key of the item, or the partition key of a Query; numbers in
	// decimal, binary in base 64. Of several items it is the first.
	Key  []string `json:"key,omitzero"`
	Keys int      `json:"keys"` // how many items or statements the request names
	// Consumed is in capacity units, halves included.
	Consumed float64 `json:"consumed"`
	Micros   int64   `json:"micros"` // from the whole request read to the response made
	// Read and Returned count items; they differ by what a filter left out.
	Read     int    `json:"read"`
	Returned int    `json:"returned"`
	Scan     bool   `json:"scan,omitzero"` // a whole table or index was walked
	Status   int    `json:"status"`
	Error    string `json:"error,omitzero"` // name of the exception, without its message
	// Page says that a page served by this server asked: the console itself.
	Page bool `json:"page,omitzero"`
}

// maxLoggedText bounds every text of a record, in bytes.
const maxLoggedText = 200

// logged shortens a text from a request without cutting a character in two.
func logged(text string) string {
	if len(text) <= maxLoggedText {
		return strings.Clone(text) // it may be part of a pooled buffer
	}
	end := maxLoggedText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// observe serves the request, counts it, and logs it if the log is watched and has
// room. The outcome is nil or what to answer instead.
func (c *call) observe(r *http.Request) *apiError {
	start := time.Now()
	if c.s.requests.watched(start) && c.s.requests.admit(start) {
		c.trace = new(requestTrace)
	}
	err := c.serve(r)
	took := time.Since(start)
	dropped := errors.Is(err, errDropped)
	var e *apiError
	switch {
	case dropped:
		e = errInternal
	case err != nil:
		e = c.toAPIError(err)
	}
	if n := c.s.counters[c.op]; n != nil {
		n[c.level].count(took, e != nil)
	}
	if c.trace != nil && c.op != nil {
		c.log(r, start, took, e)
	}
	if dropped {
		abortDropped(err)
	}
	return e
}

// log writes the request to the request log. It runs when the operation is over, so
// what it takes to read the request once more is not part of the latency.
func (c *call) log(r *http.Request, start time.Time, took time.Duration, e *apiError) {
	record := requestRecord{
		Time:      start.UTC(),
		Operation: c.op.name,
		Account:   logged(c.accessKey),
		Region:    logged(c.region),
		Consumed:  float64(c.trace.consumed) / 2,
		Micros:    took.Microseconds(),
		Index:     c.trace.index,
		Read:      c.trace.read,
		Returned:  c.trace.returned,
		Scan:      c.trace.scan,
		Status:    http.StatusOK,
		Page:      r.Header.Get("Sec-Fetch-Site") == "same-origin",
	}
	if e != nil {
		record.Status, record.Error = e.status(), e.name()
	}
	targets := c.faultTargets()
	record.Keys = len(targets)
	if len(targets) > 0 {
		record.Table, record.Key = loggedTarget(&targets[0])
	}
	c.s.requests.add(record)
}

// loggedTarget names the table of a request and the key of its item.
func loggedTarget(t *faultTarget) (table string, key []string) {
	table, _, _ = strings.Cut(t.name, iteratorVersion) // GetRecords names a stream by its iterator
	if a, ok := parseARN(table); ok {
		table, _, _ = strings.Cut(strings.TrimPrefix(a.resource, "table/"), "/")
	}
	for _, v := range []item.Value{t.hash, t.sort} {
		if v != nil {
			key = append(key, logged(keyText(v)))
		}
	}
	return logged(table), key
}
