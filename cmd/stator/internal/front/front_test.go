package front

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// patience bounds waits for what must happen.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// started is a running server.
type started struct {
	*Server
	address string
	served  chan error
}

// start serves handler until the test ends.
func start(t *testing.T, handler http.Handler) *started { return startLimited(t, handler, patience) }

func startLimited(t *testing.T, handler http.Handler, idle time.Duration) *started {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &started{
		Server:  New(&http.Server{Handler: handler, ReadTimeout: patience, IdleTimeout: idle, ErrorLog: log.New(io.Discard, "", 0)}),
		address: l.Addr().String(), served: make(chan error, 1),
	}
	go func() { s.served <- s.Serve(l) }()
	t.Cleanup(func() {
		// Waits for the connections: net/http closes some half a second late.
		require.NoError(t, s.Shutdown(context.Background()))
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-s.served, http.ErrServerClosed)
	})
	return s
}

func dial(t *testing.T, address string) net.Conn {
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

// echo answers with what it got, and with what the body asks for.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	answer := fmt.Appendf(nil, "%s %s %s %s %d %d.%d\n", r.Method, r.RequestURI, r.URL.Path, r.Host, r.ContentLength, r.ProtoMajor, r.ProtoMinor)
	for _, name := range []string{"Accept", "Content-Length", "Content-Type", "Host", "X-Amz-Target", "X-Twice"} {
		answer = fmt.Appendf(answer, "%s: %q\n", name, r.Header[name])
	}
	answer = append(answer, body...)
	switch {
	case bytes.Contains(body, []byte("abort")):
		panic(http.ErrAbortHandler)
	case bytes.Contains(body, []byte("panic")):
		panic("a bug")
	case bytes.Contains(body, []byte("refuse")):
		w.WriteHeader(http.StatusBadRequest)
	case bytes.Contains(body, []byte("close")):
		w.Header().Set("Connection", "close")
	case bytes.Contains(body, []byte("break")):
		w.Header().Set("X-Broken", "one\r\nX-Injected: two")
	case bytes.Contains(body, []byte("large")):
		answer = bytes.Repeat(answer, 1000)
	}
	if !bytes.Contains(body, []byte("unannounced")) {
		w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
	}
	half := len(answer) / 2
	_, _ = w.Write(answer[:half])
	_, _ = w.Write(answer[half:])
}

// post is a plain request with more header lines and a body.
func post(lines, body string) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: h:80\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s", lines, len(body), body)
}

// conversations are what clients send on one connection.
var conversations = map[string]string{
	"plain":                  post("", `{"a":1}`),
	"empty lines of header":  post("X-Empty:\r\nAccept: \t */* \t\r\n", `{}`),
	"lower case":             strings.ReplaceAll(post("x-amz-target: T.Op\r\n", `{}`), "Content-", "content-"),
	"twice":                  post("X-Twice: 1\r\nx-twice: 2\r\n", `{}`),
	"keep-alive":             post("Connection: Keep-Alive\r\n", `{}`),
	"close":                  post("Connection: close\r\n", `{}`) + post("", `unreachable`),
	"closed by the handler":  post("", `close`) + post("", `unreachable`),
	"error":                  post("", `refuse`) + post("", `next`),
	"abort":                  post("", `abort`) + post("", `unreachable`),
	"panic":                  post("", `panic`) + post("", `unreachable`),
	"broken header":          post("", `break`),
	"large":                  post("", `large`) + post("", `next`),
	"unannounced":            post("", `unannounced`) + post("", `next`),
	"pipelined":              post("", `1`) + post("", `22`) + post("", `333`),
	"plain, then not":        post("", `1`) + "GET /x HTTP/1.1\r\nHost: h\r\n\r\n" + post("", `2`),
	"empty body":             post("", ``) + post("", `next`),
	"longest plain body":     post("", strings.Repeat("a", maxBody)) + post("", `next`),
	"too long to be plain":   post("", strings.Repeat("a", maxBody+1)) + post("", `next`),
	"long head":              post("X-Long: "+strings.Repeat("a", maxHead)+"\r\n", `{}`) + post("", `next`),
	"chunked":                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + post("", `next`),
	"length and chunked":     post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
	"lengths that agree":     post("Content-Length: 2\r\n", `{}`) + post("", `next`),
	"lengths that disagree":  post("Content-Length: 3\r\n", `{}`),
	"list of lengths":        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2, 2\r\n\r\n{}",
	"signed length":          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +2\r\n\r\n{}",
	"no length":              "POST / HTTP/1.1\r\nHost: h\r\n\r\n" + post("", `next`),
	"no host":                "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
	"two hosts":              post("Host: other\r\n", `{}`),
	"bad host":               "POST / HTTP/1.1\r\nHost: a b\r\nContent-Length: 2\r\n\r\n{}",
	"space before the colon": post("X-Name : 1\r\n", `{}`),
	"folded header":          post("X-Name: 1\r\n 2\r\n", `{}`),
	"no colon":               post("nonsense\r\n", `{}`),
	"control character":      post("X-Name: \x01\r\n", `{}`),
	"bare newline":           post("X-Name: 1\nX-Twice: 2\r\n", `{}`),
	"expect":                 post("Expect: 100-continue\r\n", `{}`),
	"HTTP/1.0":               strings.Replace(post("", `{}`), "HTTP/1.1", "HTTP/1.0", 1),
	"other method":           strings.Replace(post("", `{}`), "POST", "PUT", 1),
	"other path":             strings.Replace(post("", `{}`), "POST /", "POST /x?y=z", 1),
	"no HTTP":                "hello\r\n\r\n",
}

// answers lists what a server answers to a conversation, after which the client sends
// no more.
func answers(t *testing.T, address, conversation string) []string {
	conn := dial(t, address)
	_, err := io.WriteString(conn, conversation)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	return readAnswers(t, conn)
}

func readAnswers(t *testing.T, conn io.Reader) []string {
	var list []string
	for r := bufio.NewReader(conn); ; {
		if _, err := r.Peek(1); err != nil {
			require.ErrorIs(t, err, io.EOF)
			return list
		}
		answer, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		if _, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			answer.Header.Set("Date", "good")
		}
		list = append(list, fmt.Sprintf("%s %v %v\n%s", answer.Status, answer.Header, answer.Close, body))
	}
}

func TestAnswersAsNetHTTP(t *testing.T) {
	ours := start(t, http.HandlerFunc(echo))
	web := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.Start()
	defer web.Close()
	for name, conversation := range conversations {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, answers(t, web.Listener.Addr().String(), conversation), answers(t, ours.address, conversation))
		})
	}
}

// TestPlainIsNotHandedOver looks at a context value that only net/http sets.
func TestPlainIsNotHandedOver(t *testing.T) {
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Context().Value(http.LocalAddrContextKey) != nil)
	}))
	require.Contains(t, answers(t, s.address, post("", `{}`))[0], "\nfalse")
	require.Contains(t, answers(t, s.address, post("Pragma: x\r\n", `{}`))[0], "\ntrue")
}

func TestRequestInPieces(t *testing.T) {
	s := start(t, http.HandlerFunc(echo))
	whole := post("", `first`) + post("", `second`) + post("Connection: close\r\n", `third`)
	want := answers(t, s.address, whole)
	require.Len(t, want, 3)
	for cut := 1; cut < len(whole); cut++ {
		client, server := net.Pipe() // each write is a read of its own
		s.start(server)
		go func() {
			_, _ = io.WriteString(client, whole[:cut])
			_, _ = io.WriteString(client, whole[cut:])
		}()
		require.Equal(t, want, readAnswers(t, client))
		require.NoError(t, client.Close())
	}
}

// TestShutdown: an idle connection is closed, a request under way is answered.
func TestShutdown(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "done")
	}))
	fresh, busy, handed := dial(t, s.address), dial(t, s.address), dial(t, s.address)
	_, err := io.WriteString(busy, post("", `{}`))
	require.NoError(t, err)
	<-arrived
	_, err = io.WriteString(handed, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	require.NoError(t, err)
	<-arrived

	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	_, err = fresh.Read(make([]byte, 1))
	require.Error(t, err)
	require.Empty(t, stopped)
	close(release)
	for _, conn := range []net.Conn{busy, handed} {
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		// With net/http, whose stop comes second, the handler may have been faster.
		require.True(t, answer.Close || conn == handed)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Equal(t, "done", string(body))
	}
	require.NoError(t, <-stopped)
	_, err = net.Dial("tcp", s.address)
	require.Error(t, err)
}

// TestClose: a request under way learns of it through its context.
func TestClose(t *testing.T) {
	arrived, ended := make(chan struct{}), make(chan struct{})
	s := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(ended)
	}))
	_, err := io.WriteString(dial(t, s.address), post("", `{}`))
	require.NoError(t, err)
	<-arrived
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, s.Shutdown(expired), context.Canceled)
	require.NoError(t, s.Close())
	<-ended
}

// TestIdleLimit: a connection on which nothing comes is closed.
func TestIdleLimit(t *testing.T) {
	s := startLimited(t, http.HandlerFunc(echo), 10*time.Millisecond)
	_, err := dial(t, s.address).Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// FuzzHead: what is plain is understood as net/http understands it.
func FuzzHead(f *testing.F) {
	for _, conversation := range conversations {
		f.Add([]byte(conversation))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		header := http.Header{}
		host, head, length, plain := parseHead(text, header)
		if !plain {
			return
		}
		want, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		require.NoError(t, err)
		require.Equal(t, want.Header, header)
		require.Equal(t, want.Host, host)
		require.Equal(t, want.ContentLength, int64(length))
		require.False(t, want.Close)
		require.Empty(t, want.TransferEncoding)
		body, _ := io.ReadAll(want.Body)
		rest := text[head:]
		require.True(t, bytes.HasPrefix(rest, body))
		require.Len(t, body, min(length, len(rest)))
	})
}

func BenchmarkPlain(b *testing.B) {
	s := New(&http.Server{IdleTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "{}")
	})})
	client, server := net.Pipe()
	defer client.Close()
	go newConnection(s, server).run()
	request := []byte(post("X-Amz-Target: DynamoDB_20120810.GetItem\r\n", `{"a":1}`))
	answer := make([]byte, usualSize)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := client.Read(answer); err != nil {
			b.Fatal(err)
		}
	}
}
