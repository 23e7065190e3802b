package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"hash/crc32"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// TestProtocol runs the scripts in testdata/protocol, each against a server of its
// own; those named local_* against one with DynamoDB Local's manners. The input of
// "http" is a request: the head, then ">>" and the body. The output is status,
// headers and body; x-amzn-RequestId and x-amz-crc32 are checked, and the id left out.
func TestProtocol(t *testing.T) {
	datadriven.Walk(t, "testdata/protocol", func(t *testing.T, path string) {
		s := openTest(t, Options{Local: strings.Contains(path, "/local_")})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			require.Equal(t, "http", d.Cmd)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, parseRequest(t, d.Input))
			return printResponse(t, w.Result())
		})
	})
}

func openTest(t testing.TB, o Options) *Server {
	t.Helper()
	o.InMemory, o.Shards = true, 1
	s, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func parseRequest(t *testing.T, text string) *http.Request {
	head, body, _ := strings.Cut(text+"\n", ">>\n")
	body = strings.TrimSuffix(body, "\n")
	first, headers, _ := strings.Cut(head, "\n")
	head = first + " HTTP/1.1\n" + headers
	if body != "" {
		head += "Content-Length: " + strconv.Itoa(len(body)) + "\n"
	}
	raw := strings.ReplaceAll(head, "\n", "\r\n") + "\r\n" + body
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	require.NoError(t, err)
	return r
}

var requestIDForm = regexp.MustCompile(`^[0-9A-Z]{52}$`)

func printResponse(t *testing.T, r *http.Response) string {
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	requireFramed(t, r.Header, body)
	var b strings.Builder
	b.WriteString(strconv.Itoa(r.StatusCode) + "\n")
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != headerRequestID && name != headerServer && len(r.Header[name]) > 0 {
			b.WriteString(name + ": " + strings.Join(r.Header[name], ", ") + "\n")
		}
	}
	return b.String() + string(body) + "\n"
}

// requireFramed checks the headers that every answer has.
func requireFramed(t *testing.T, h http.Header, body []byte) {
	t.Helper()
	require.Regexp(t, requestIDForm, h.Get("x-amzn-RequestId"))
	require.Equal(t, strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10), h.Get("x-amz-crc32"))
	require.Equal(t, strconv.Itoa(len(body)), h.Get("Content-Length"))
}

// TestFixedResponses pins the checksums that clients have seen of the service.
func TestFixedResponses(t *testing.T) {
	for _, tt := range []struct {
		e     *apiError
		crc32 uint32
	}{
		{errNotJSON, 3948637019},
		{errUnknownOperation, 1368724161},
		{errMissingToken, 2088342776},
	} {
		require.Equal(t, tt.crc32, crc32.ChecksumIEEE(tt.e.appendJSON(nil)), tt.e.Type)
	}
	require.Equal(t, uint32(3552371480), crc32.ChecksumIEEE([]byte(unknownOperationXML)))
}

// request is a signed request of the given operation.
func request(operation string, body io.Reader) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.Header.Set("Content-Type", contentJSON10)
	r.Header.Set("X-Amz-Target", targetOf(operation))
	r.Header.Set("X-Amz-Date", "20261001T120000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261001/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	return r
}

// targetOf is the X-Amz-Target of an operation.
func targetOf(operation string) string {
	for _, op := range streamsOperations {
		if op.name == operation {
			return streamsTargetPrefix + operation
		}
	}
	return targetPrefix + operation
}

func TestCompressedRequests(t *testing.T) {
	s := openTest(t, Options{})
	const body = `{"Limit":101}`
	var gzipped, zlibbed bytes.Buffer
	for _, z := range []io.WriteCloser{gzip.NewWriter(&gzipped), zlib.NewWriter(&zlibbed)} {
		_, err := io.WriteString(z, body)
		require.NoError(t, err)
		require.NoError(t, z.Close())
	}
	tests := []struct {
		name, encoding, body, want string
	}{
		{"gzip", "gzip", gzipped.String(), "less than or equal to 100"},
		{"deflate", "Deflate", zlibbed.String(), "less than or equal to 100"},
		{"identity", "identity", body, "less than or equal to 100"},
		{"not gzip", "gzip", body, `{"__type":"com.amazon.coral.service#SerializationException"}`},
		{"cut off", "gzip", gzipped.String()[:gzipped.Len()-9], `{"__type":"com.amazon.coral.service#SerializationException"}`},
		{"unknown", "br", body, `{"__type":"com.amazon.coral.service#SerializationException"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request("ListTables", strings.NewReader(tt.body))
			r.Header.Set("Content-Encoding", tt.encoding)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			require.Equal(t, http.StatusBadRequest, w.Code)
			require.Contains(t, w.Body.String(), tt.want)
		})
	}
}

// TestBodyLimit sends bodies around the limit: as they are, of unannounced length,
// and compressed to next to nothing.
func TestBodyLimit(t *testing.T) {
	s := openTest(t, Options{})
	padded := func(n int) []byte { return append([]byte("{}"), bytes.Repeat([]byte(" "), n-2)...) }
	bomb := func(n int) io.Reader {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write(padded(n))
		require.NoError(t, err)
		require.NoError(t, z.Close())
		return &b
	}
	unannounced := func(n int) io.Reader { return io.MultiReader(bytes.NewReader(padded(n))) }
	announced := func(n int) io.Reader { return bytes.NewReader(padded(n)) }
	for _, tt := range []struct {
		name string
		body func(n int) io.Reader
		gzip bool
	}{{"announced", announced, false}, {"unannounced", unannounced, false}, {"gzip", bomb, true}} {
		for _, over := range []int{0, 1} {
			r := request("ListTables", tt.body(maxBody+over))
			if tt.gzip {
				r.Header.Set("Content-Encoding", "gzip")
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if over == 0 {
				require.Equal(t, http.StatusOK, w.Code, tt.name)
				continue
			}
			require.Equal(t, http.StatusRequestEntityTooLarge, w.Code, tt.name)
			require.Empty(t, w.Body.Bytes())
			require.Empty(t, w.Header().Get("x-amzn-RequestId"))
		}
	}
}

func TestCompressedResponses(t *testing.T) {
	s := openTest(t, Options{})
	client := &testClient{t, s}
	for i := range 100 {
		client.must("CreateTable", `{"TableName":"table-with-a-name-so-long-that-a-page-is-large-`+strconv.Itoa(i)+`","BillingMode":"PAY_PER_REQUEST",
			"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}]}`)
	}
	ask := func(accept string, limit int) (http.Header, []byte) {
		r := request("ListTables", strings.NewReader(`{"Limit":`+strconv.Itoa(limit)+`}`))
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code)
		requireFramed(t, w.Header(), w.Body.Bytes())
		return w.Header(), w.Body.Bytes()
	}
	_, plain := ask("identity", 100)
	for _, accept := range []string{"gzip", "deflate, gzip;q=0.5", "GZIP"} {
		h, packed := ask(accept, 100)
		require.Equal(t, "gzip", h.Get("Content-Encoding"))
		z, err := gzip.NewReader(bytes.NewReader(packed))
		require.NoError(t, err)
		unpacked, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, plain, unpacked)
		require.Less(t, len(packed), len(plain)/2)
	}
	for _, accept := range []string{"", "identity", "deflate", "gzip;q=0"} {
		h, body := ask(accept, 100)
		require.Empty(t, h.Get("Content-Encoding"), accept)
		require.Equal(t, plain, body)
	}
	h, _ := ask("gzip", 1) // not worth it
	require.Empty(t, h.Get("Content-Encoding"))
}

func TestCORSOrigins(t *testing.T) {
	s := openTest(t, Options{CORSOrigins: []string{"https://a.example", "https://b.example"}})
	for origin, want := range map[string]string{"https://b.example": "https://b.example", "https://c.example": ""} {
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, want, w.Header().Get("Access-Control-Allow-Origin"))
		require.Equal(t, want != "", w.Header().Get("Access-Control-Max-Age") != "")
		require.Equal(t, "Origin", w.Header().Get("Vary"))
	}
}

func TestHealth(t *testing.T) {
	s, err := Open(Options{InMemory: true, Shards: 1, Version: "1.2.3"})
	require.NoError(t, err)
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	code, body := get("/health")
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"status":"healthy","version":"1.2.3"}`, body)
	code, _ = get("/ready")
	require.Equal(t, http.StatusOK, code)

	require.NoError(t, s.Close())
	code, _ = get("/ready")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.NoError(t, s.Close())
}

// TestConnections speaks to a real listener: one connection serves many requests,
// answers are of known length, and a body too large is refused with a chunked answer.
func TestConnections(t *testing.T) {
	listener := httptest.NewServer(openTest(t, Options{}))
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for range 3 {
		r := request("ListTables", strings.NewReader("{}"))
		require.NoError(t, r.Write(conn))
		answer, err := http.ReadResponse(answers, r)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Equal(t, `{"TableNames":[]}`, string(body))
		require.Empty(t, answer.TransferEncoding)
		require.False(t, answer.Close)
		requireFramed(t, answer.Header, body)
		require.NotEmpty(t, answer.Header.Get("Date"))
	}
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16777217\r\n\r\n")
	require.NoError(t, err)
	answer, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
	require.Equal(t, []string{"chunked"}, answer.TransferEncoding)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Empty(t, body)
}
