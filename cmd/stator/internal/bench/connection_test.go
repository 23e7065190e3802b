package bench

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// script answers the requests of each accepted connection with the given texts,
// then closes it. It returns its URL and a channel of the requests.
func script(t *testing.T, answers ...string) (url string, requests <-chan *http.Request) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	received := make(chan *http.Request, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			reader := bufio.NewReader(conn)
			for _, answer := range answers {
				request, err := http.ReadRequest(reader)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, request.Body)
				received <- request
				if _, err := io.WriteString(conn, answer); err != nil {
					break
				}
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return "http://" + listener.Addr().String(), received
}

func connectTo(t *testing.T, url string) *connection {
	t.Helper()
	c, err := newConnection(&Target{URL: url, Region: "us-east-1", Credentials: Credentials{AccessKey: "key"}}, 5*time.Second)
	require.NoError(t, err)
	t.Cleanup(c.close)
	return c
}

func TestConnectionReadsAnswers(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		status       int
		body         string
		keep         bool
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}", true},
		{"length in small letters", "HTTP/1.1 400 Bad Request\r\ncontent-length:2\r\n\r\n{}", 400, "{}", true},
		{"no body", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", 500, "", true},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\na;x=y\r\n\":[1,2,3]}\r\n0\r\nTrailer: x\r\n\r\n", 200, `{"a":[1,2,3]}`, true},
		{"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", 200, "{}", false},
		{"until the end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\":1}", 200, `{"a":1}`, false},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}", false},
		{"HTTP/1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n{}", 200, "{}", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, requests := script(t, test.answer)
			c := connectTo(t, url)
			status, body, err := c.call(t.Context(), "GetItem", []byte(`{"TableName":"T"}`))
			require.NoError(t, err)
			require.Equal(t, test.status, status)
			require.Equal(t, test.body, string(body))
			require.Equal(t, test.keep, c.conn != nil)
			request := <-requests
			require.Equal(t, "DynamoDB_20120810.GetItem", request.Header.Get("X-Amz-Target"))
			require.Equal(t, int64(17), request.ContentLength)
		})
	}
}

func TestConnectionRejectsNonsense(t *testing.T) {
	for name, answer := range map[string]string{
		"no HTTP":         "SSH-2.0-OpenSSH\r\n\r\n",
		"status":          "HTTP/1.1 abc OK\r\n\r\n",
		"length":          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"too long":        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
		"chunk":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"cut off":         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}",
		"endless headers": "HTTP/1.1 200 OK\r\nX: " + string(make([]byte, 20<<10)) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := script(t, answer)
			c := connectTo(t, url)
			_, _, err := c.call(t.Context(), "GetItem", nil)
			require.Error(t, err)
			require.Nil(t, c.conn)
		})
	}
}

// TestConnectionDialsAgain: a lost connection fails one request only.
func TestConnectionDialsAgain(t *testing.T) {
	url, _ := script(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	c := connectTo(t, url)
	for range 2 {
		_, _, err := c.call(t.Context(), "GetItem", nil)
		require.NoError(t, err)
		_, _, err = c.call(t.Context(), "GetItem", nil)
		require.Equal(t, FaultLost, faultOf(err))
	}
}

func TestFaultOf(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + listener.Addr().String()
	c := connectTo(t, url)
	c.timeout = time.Millisecond
	_, _, err = c.call(t.Context(), "GetItem", nil) // accepted by the kernel, answered by nobody
	require.Equal(t, FaultTimeout, faultOf(err))
	require.NoError(t, listener.Close())
	_, _, err = connectTo(t, url).call(t.Context(), "GetItem", nil)
	require.Equal(t, FaultRefused, faultOf(err))
	require.Equal(t, FaultTimeout, faultOf(context.DeadlineExceeded))
}

func TestExceptionName(t *testing.T) {
	require.Equal(t, "ThrottlingException", exceptionName(400, []byte(`{"__type":"com.amazon.coral.availability#ThrottlingException","message":"x"}`)))
	require.Equal(t, "ValidationException", exceptionName(400, []byte(`{"message":"x", "__type" : "ValidationException"}`)))
	require.Equal(t, "HTTP 502", exceptionName(502, []byte(`<html>`)))
	require.Equal(t, "HTTP 500", exceptionName(500, []byte(`{"__type"`)))
}

func TestAnswerMembers(t *testing.T) {
	items := `[` + string(make([]byte, 1000)) + `]`
	require.Equal(t, int64(12), countIn([]byte(`{"Count":12,"Items":`+items+`}`)))
	require.Equal(t, int64(12), countIn([]byte(`{"Items":`+items+`,"Count": 12,"ScannedCount":13}`)))
	require.Equal(t, int64(12), countIn([]byte(`{"Items":`+items+`,"Count":12,"Items":`+items+`}`)))
	require.Equal(t, int64(0), countIn([]byte(`{}`)))

	require.False(t, handedBack([]byte(`{"UnprocessedItems":{}}`), "UnprocessedItems"))
	require.False(t, handedBack([]byte(`{}`), "UnprocessedItems"))
	require.True(t, handedBack([]byte(`{"UnprocessedItems": {"T":[]}}`), "UnprocessedItems"))

	require.Equal(t, `{"pk":{"S":"a"}}`, string(lastKey([]byte(`{"Items":[],"LastEvaluatedKey":{"pk":{"S":"a"}},"Count":1}`))))
	require.Nil(t, lastKey([]byte(`{"Items":[]}`)))
	require.Nil(t, lastKey([]byte(`{"LastEvaluatedKey":{"pk":`)))
}

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]endpoint{
		"http://localhost:8000":                        {address: "localhost:8000", host: "localhost:8000", path: "/"},
		"http://[::1]/x":                               {address: "[::1]:80", host: "[::1]", path: "/x"},
		"https://dynamodb.us-east-1.amazonaws.com":     {address: "dynamodb.us-east-1.amazonaws.com:443", host: "dynamodb.us-east-1.amazonaws.com", name: "dynamodb.us-east-1.amazonaws.com", path: "/"},
		"https://dynamodb.us-east-1.amazonaws.com:444": {address: "dynamodb.us-east-1.amazonaws.com:444", host: "dynamodb.us-east-1.amazonaws.com:444", name: "dynamodb.us-east-1.amazonaws.com", path: "/"},
	} {
		e, err := parseEndpoint(text)
		require.NoError(t, err)
		require.Equal(t, want, e)
	}
	for _, text := range []string{"", "localhost:8000", "ftp://x", "http://", "http://\x7f"} {
		_, err := parseEndpoint(text)
		require.Error(t, err, "%q", text)
	}
}
