package book

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// closing is a body that cannot be read after Close, as that of the SDK.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Read(p []byte) (int, error) {
	if c.closed {
		return 0, errors.New("read after close")
	}
	return c.Reader.Read(p)
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// Whoever sends a request may still look at its body when the SDK has closed it.
func TestOwnBodiesOutliveTheRequest(t *testing.T) {
	body := &closing{Reader: strings.NewReader("hello")}
	request, err := http.NewRequestWithContext(t.Context(), "POST", "http://127.0.0.1", body)
	require.NoError(t, err)
	var sent *http.Request
	_, err = HTTPClient(clientFunc(func(r *http.Request) (*http.Response, error) {
		sent = r
		return &http.Response{Body: http.NoBody}, nil
	})).Do(request)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	text, err := io.ReadAll(sent.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(text))
	require.Equal(t, int64(5), sent.ContentLength)

	broken := errors.New("broken")
	request.Body = io.NopCloser(io.MultiReader(strings.NewReader("hel"), errorReader{broken}))
	_, err = HTTPClient(nil).Do(request)
	require.ErrorIs(t, err, broken)
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }
