package bench

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Faults that are not exception names of the API.
const (
	FaultTimeout     = "timeout"
	FaultRefused     = "connection refused"
	FaultLost        = "connection lost"
	FaultUnsent      = "unsent"
	FaultMalformed   = "malformed answer"
	FaultMissing     = "item missing"
	FaultUnprocessed = "unprocessed items"
)

// outcome is what became of one operation.
type outcome struct {
	fault    string // empty if it succeeded
	answered bool
	items    int64 // items read or written
}

// worker is one connection with all that it needs to make requests. It belongs to
// one goroutine.
type worker struct {
	table   string
	items   *itemWriter
	inserts *inserts
	keys    keyChooser
	random  *rand.Rand
	conn    *connection

	body    []byte  // of the request
	chosen  []int64 // distinct keys of a batch
	own     int64   // the index of an item that only this worker writes and deletes
	present bool    // whether the item at own exists
	page    []byte  // the key after which the next page of a scan starts
}

// choose draws the index of an existing item.
func (w *worker) choose() int64 { return w.keys.next(w.random, w.inserts.existing()) }

// chooseDistinct draws n different ones. Where a skewed distribution insists on
// keys that are taken, the next free ones are used.
func (w *worker) chooseDistinct(n int) []int64 {
	existing := w.inserts.existing()
	w.chosen = w.chosen[:0]
	for range n {
		index := w.keys.next(w.random, existing)
		for slices.Contains(w.chosen, index) {
			index = (index + 1) % existing
		}
		w.chosen = append(w.chosen, index)
	}
	return w.chosen
}

// open starts a request body: {"TableName":"…"
func (w *worker) open() {
	w.body = append(w.body[:0], `{"TableName":"`...)
	w.body = append(w.body, w.table...)
	w.body = append(w.body, '"')
}

func (w *worker) text(text string) { w.body = append(w.body, text...) }

func (w *worker) key(index int64) { w.body = appendKey(w.body, index) }

func (w *worker) item(index int64) { w.body = w.items.appendItem(w.body, index, w.random) }

// call sends the body and looks at the status.
func (w *worker) call(ctx context.Context, api string) ([]byte, outcome) {
	status, response, err := w.conn.call(ctx, api, w.body)
	switch {
	case err != nil:
		return nil, outcome{fault: faultOf(err)}
	case status != http.StatusOK:
		return nil, outcome{fault: exceptionName(status, response), answered: true}
	default:
		return response, outcome{answered: true, items: 1}
	}
}

// faultOf names what went wrong with a connection.
func faultOf(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return FaultTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return FaultRefused
	case errors.Is(err, errMalformed):
		return FaultMalformed
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return FaultLost
	default:
		return err.Error()
	}
}

// exceptionName is the last part of the member __type of an error answer, or the
// status if there is none.
func exceptionName(status int, response []byte) string {
	_, rest, found := bytes.Cut(response, []byte(`"__type"`))
	if found {
		if parts := bytes.SplitN(rest, []byte{'"'}, 3); len(parts) == 3 && len(parts[1]) < 200 {
			name := string(parts[1])
			return name[strings.LastIndexByte(name, '#')+1:]
		}
	}
	return "HTTP " + strconv.Itoa(status)
}

// countIn reads the member Count of an answer to Query or Scan. It is looked for
// at both ends before the items in between are searched.
func countIn(response []byte) int64 {
	head, tail := response[:min(len(response), 64)], response[max(0, len(response)-300):]
	for _, part := range [][]byte{head, tail, response} {
		if _, rest, found := bytes.Cut(part, []byte(`"Count":`)); found {
			n := int64(0)
			for _, c := range bytes.TrimLeft(rest, " ") {
				if c < '0' || c > '9' {
					break
				}
				n = n*10 + int64(c-'0')
			}
			return n
		}
	}
	return 0
}

// handedBack tells whether a batch was not done completely: the member is there
// and is not an empty object.
func handedBack(response []byte, member string) bool {
	for _, part := range [][]byte{response[:min(len(response), 64)], response[max(0, len(response)-300):], response} {
		if _, rest, found := bytes.Cut(part, []byte(`"`+member+`"`)); found {
			rest = bytes.TrimLeft(rest, ": ")
			return !bytes.HasPrefix(rest, []byte("{}"))
		}
	}
	return false
}

// lastKey returns the value of the member LastEvaluatedKey, nil if there is none.
func lastKey(response []byte) []byte {
	name := []byte(`"LastEvaluatedKey":`)
	at := bytes.LastIndex(response, name)
	if at < 0 {
		return nil
	}
	rest := bytes.TrimLeft(response[at+len(name):], " ")
	depth := 0
	for i, c := range rest { // the keys of the table hold no braces and no quotes
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return rest[:i+1]
			}
		}
	}
	return nil
}

// pause waits after a lost connection, so that a server that is away does not get
// a storm of attempts and the generator leaves it the processor to come back.
func pause(ctx context.Context) {
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
