package front

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

const (
	requestLine = "POST / HTTP/1.1\r\n"
	// maxHead is the longest head of a plain request, several times what SDKs send
	// with a long session token.
	maxHead = 8 << 10
	// maxBody is the longest body of a plain request. Longer ones are worth the care
	// that net/http takes of slow senders.
	maxBody = 32 << 10
)

// parseHead reads the head of a plain request at the start of text. It fills header,
// which must be empty, and returns the value of Host, the length of the head and of
// the body; ok is false if it is not there completely, or not plain. What it accepts,
// net/http accepts and understands in the same way.
func parseHead(text []byte, header http.Header) (host string, head, body int, ok bool) {
	if !bytes.HasPrefix(text, []byte(requestLine)) {
		return "", 0, 0, false
	}
	end := bytes.Index(text[:min(len(text), maxHead)], []byte("\r\n\r\n"))
	if end < len(requestLine) {
		return "", 0, 0, false
	}
	head = end + len("\r\n\r\n")
	rest := string(text[len(requestLine) : end+len("\r\n")]) // whose parts are kept
	values := make([]string, strings.Count(rest, "\n"))
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\r\n")
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return "", 0, 0, false // also a bare newline, and a line that goes on
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		switch name {
		case "Connection":
			if !strings.EqualFold(value, "keep-alive") {
				return "", 0, 0, false
			}
		case "Transfer-Encoding", "Expect", "Upgrade", "Trailer", "Content-Encoding", "Pragma":
			return "", 0, 0, false
		}
		values[0] = value
		if present, twice := header[name]; twice {
			header[name] = append(present, value)
		} else {
			header[name] = values[:1:1]
		}
		values = values[1:]
	}
	hosts, lengths := header["Host"], header["Content-Length"]
	if len(hosts) != 1 || len(lengths) != 1 || !httpguts.ValidHostHeader(hosts[0]) {
		return "", 0, 0, false
	}
	n, err := strconv.ParseUint(lengths[0], 10, 31) // takes neither signs nor spaces
	if err != nil || n == 0 || n > maxBody {
		return "", 0, 0, false
	}
	delete(header, "Host")
	return hosts[0], head, int(n), true
}
